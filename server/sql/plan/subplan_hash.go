package plan

import (
	"slices"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// HashedQuery answers EXISTS (query) and x IN (query), where the query hangs on the row around it by
// equalities alone, without running it for every row: it is run once without them, and what they
// compare with is looked up among the keys of its rows.
type HashedQuery struct {
	Query *SubPlan // Fixed; its rows are the other sides of the equalities, and for IN the value behind
	Keys  []Expr   // over the row around it
}

// hashedMax bounds the keys that are held of one query. Of one that has more the rows are asked for
// one by one, which is slow and holds nothing.
const hashedMax = 64 << 20

// hashable says whether it is worth while to hash a query: it finds no rows by a key that the row
// around it gives.
func (s *SubPlan) hashable() bool {
	if s.Fixed || s.Volatile || len(s.Bind) == 0 || s.Kind == parse.SubAny && !s.Hash {
		return false
	}
	return visit(s.Node, func(n Node) bool {
		switch n := n.(type) {
		case *CTEScan, *With, *LockRows:
			return false
		case *Scan:
			return !slices.ContainsFunc(n.Access.exprs(), s.binds)
		}
		return true
	})
}

// binds says whether an expression reads what the row around the query gives.
func (s *SubPlan) binds(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		o, ok := x.(*Outer)
		return !ok || !slices.ContainsFunc(s.Bind, func(b Binding) bool { return b.Slot == o.Slot })
	})
}

// hash plans the query of s for HashedQuery, where that can be done. The query has been planned once
// without an error, so any that comes now only says that it cannot.
func (a *analyzer) hash(s *SubPlan, q *parse.SelectStmt) {
	if a.hashing || a.making != nil || a.defines != nil || !s.hashable() || !plainQuery(q) {
		return
	}
	a.hashing = true
	defer func() { a.hashing = false }()
	h := &HashedQuery{Query: &SubPlan{Kind: parse.SubExists, Index: a.subplans, T: boolType,
		Fixed: true, Hash: true}}
	a.subplans++
	mark, open := len(*a.scope.open), a.scope.open
	reads, err := a.nested(a.scope, func() error {
		sel, _, err := a.resolveSelect(q)
		if err != nil || len(sel.aggs)+len(sel.windows)+len(sel.sets) > 0 || sel.tree == nil {
			return errNotHashed
		}
		h.take(sel, (*open)[mark:])
		if len(h.Keys) == 0 {
			return errNotHashed
		}
		if s.Kind == parse.SubAny {
			sel.outs = append(sel.outs[len(sel.outs)-len(h.Keys):], sel.outs[0])
		} else {
			sel.outs = sel.outs[len(sel.outs)-len(h.Keys):]
		}
		h.Query.Node, err = a.assemble(sel)
		return err
	})
	bound := &SubPlan{}
	for _, b := range (*open)[mark:] {
		bound.Bind = append(bound.Bind, b.Binding)
	}
	*open = (*open)[:mark]
	if err != nil || len(reads) != 1 || reads[0] != open || nodeBinds(h.Query.Node, bound) {
		return
	}
	s.Hashed = h
}

var errNotHashed = types.Errorf(types.CodeFeatureNotSupported, "a query that cannot be hashed")

// plainQuery says whether nothing but FROM and WHERE decides which rows a query has.
func plainQuery(q *parse.SelectStmt) bool {
	return mergeable(&parse.SelectStmt{With: q.With, Op: q.Op, Values: q.Values, From: q.From,
		GroupBy: q.GroupBy, Having: q.Having, Limit: q.Limit, Offset: q.Offset, Locking: q.Locking,
		Windows: q.Windows}) && q.DistinctOn == nil
}

// nodeBinds says whether a plan reads what the row around it gives.
func nodeBinds(n Node, by *SubPlan) bool {
	return !visit(n, func(n Node) bool { return !slices.ContainsFunc(exprs(n), by.binds) })
}

// take moves the equalities with the row around it out of the WHERE of a query: what they compare
// in the query's own row goes behind its outputs.
func (h *HashedQuery) take(sel *selecting, open []openBinding) {
	var rest []Expr
	for _, term := range conjuncts(sel.where, nil) {
		inner, outer := correlation(term, open)
		if inner == nil {
			rest = append(rest, term)
			continue
		}
		sel.outs = append(sel.outs, output{expr: inner})
		h.Keys = append(h.Keys, outer)
	}
	sel.where = conjunction(rest)
	sel.order, sel.n = nil, &parse.SelectStmt{From: sel.n.From}
}

// correlation gives the two sides when term is an equality, which key bytes decide, of something of
// the query's own row with something of the row around it; that one is over that row.
func correlation(term Expr, open []openBinding) (inner, outer Expr) {
	cmp, ok := term.(*Compare)
	if !ok || cmp.Op != EQ || isVolatile(term) || runsQuery(term) || !types.Keyable(cmp.L.Type().OID) ||
		keyClass(cmp.L.Type().OID) != keyClass(cmp.R.Type().OID) {
		return nil, nil
	}
	inner, outer = cmp.L, cmp.R
	if !readsRow(inner) {
		inner, outer = outer, inner
	}
	if !readsRow(inner) || readsRow(outer) || readsSlot(inner) || !readsSlot(outer) {
		return nil, nil
	}
	known := true
	outer = rewrite(outer, func(x Expr) Expr {
		o, ok := x.(*Outer)
		if !ok {
			return nil
		}
		at := slices.IndexFunc(open, func(b openBinding) bool { return b.Slot == o.Slot })
		if at < 0 {
			known = false
			return nil
		}
		return open[at].Expr
	})
	if !known {
		return nil, nil
	}
	return inner, outer
}

func readsSlot(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		_, is := x.(*Outer)
		return !is
	})
}

// Marks of what stands in the set of a HashedQuery: that there is a row of these keys, that one of
// them has NULL for its value, and its value.
const (
	markRow   = 'r'
	markNull  = 'n'
	markValue = 'v'
)

// hashedAnswer looks the row up; not ok when there are too many keys to be held.
func (s *SubPlan) hashedAnswer(e *Eval, row []types.Datum) (v types.Datum, ok bool, err error) {
	f := &e.fixed[s.Hashed.Query.Index]
	if !f.known {
		if err := s.Hashed.gather(e, f); err != nil {
			return types.Null, false, err
		}
	}
	if f.set == nil {
		return types.Null, false, nil
	}
	f.key = append(f.key[:0], markRow)
	for _, x := range s.Hashed.Keys {
		v, err := x.Eval(e, row)
		if err != nil || v.IsNull() {
			return types.NewBool(false), true, err // no row is equal to NULL
		}
		f.key = types.EncodeKey(f.key, v, types.KeyOrder{})
	}
	if _, found := f.set[string(f.key)]; !found || s.Kind == parse.SubExists {
		return types.NewBool(found), true, nil
	}
	x, err := s.Left[0].Eval(e, row)
	if err != nil || x.IsNull() {
		return types.Null, true, err
	}
	n := len(f.key)
	f.key[0], f.key = markValue, types.EncodeKey(f.key, x, types.KeyOrder{})
	if _, found := f.set[string(f.key)]; found {
		return types.NewBool(true), true, nil
	}
	f.key[0] = markNull
	if _, null := f.set[string(f.key[:n])]; null {
		return types.Null, true, nil
	}
	return types.NewBool(false), true, nil
}

// gather runs the query and keeps its keys; f.set is nil when they are too many.
func (h *HashedQuery) gather(e *Eval, f *fixed) error {
	f.set = map[string]struct{}{}
	held := 0
	add := func(mark byte, key []byte) error {
		key[0] = mark
		if _, found := f.set[string(key)]; found {
			return nil
		}
		const entryOverhead = 48
		f.set[string(key)] = struct{}{}
		held += len(key) + entryOverhead
		return e.Subqueries.Keep(len(key) + entryOverhead)
	}
	err := h.Query.each(e, func(row []types.Datum) (more bool, err error) {
		f.key = append(f.key[:0], markRow)
		for i := range h.Keys {
			if row[i].IsNull() {
				return true, nil
			}
			f.key = types.EncodeKey(f.key, row[i], types.KeyOrder{})
		}
		if err = add(markRow, f.key); err == nil && len(row) > len(h.Keys) {
			if value := row[len(h.Keys)]; value.IsNull() {
				err = add(markNull, f.key)
			} else {
				f.key = types.EncodeKey(f.key, value, types.KeyOrder{})
				err = add(markValue, f.key)
			}
		}
		return held <= hashedMax, err
	})
	if f.known = err == nil; held > hashedMax {
		f.set = nil
		return e.Subqueries.Keep(-held)
	}
	return err
}
