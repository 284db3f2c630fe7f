package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// extremes gives, for aggregates that are all min or max of what keys of the one table are ordered
// by, the rows in which those lie: for each the first of a scan from the right end. nil where another
// row has to be read. The aggregates themselves are computed over these rows as over all.
func (a *analyzer) extremes(s *selecting) Node {
	if s.scan == nil || s.tree.leaf != Node(s.scan) || len(s.aggs) == 0 {
		return nil
	}
	terms := conjuncts(s.where, slices.Clone(s.tree.terms))
	terms = shiftAll(terms, -s.tree.lo)
	var rows Node
	var done []string
	for i := range s.aggs {
		call := &s.aggs[i]
		if !isExtreme(call) {
			return nil
		}
		text := call.Name + exactly(call.Args[0])
		if slices.Contains(done, text) {
			continue
		}
		done = append(done, text)
		scan := a.firstBy(s.scan, call.Args[0], call.Name == "max", terms)
		if scan == nil {
			return nil
		}
		var one Node = &Limit{In: scan, Count: &Const{Value: types.NewInt8(1), T: int8Type}}
		if rows != nil {
			one = &SetOp{Op: parse.SetUnion, All: true, Left: rows, Right: one}
		}
		rows = one
	}
	return rows
}

func isExtreme(call *AggregateCall) bool {
	return (call.Name == "min" || call.Name == "max") && len(call.Args) == 1 && call.Filter == nil &&
		!isVolatile(call.Args[0]) && !runsQuery(call.Args[0])
}

// firstBy gives a scan whose first row is the one with the least value of x, or the greatest, among
// the rows that pass the terms and have one; nil when no key is in that order. Conditions that the
// key does not decide may make the scan long: that is borne only while nothing better is known.
func (a *analyzer) firstBy(like *Scan, x Expr, greatest bool, terms []Expr) *Scan {
	t := like.Table
	var best *Scan
	try := func(index *catalog.Index, key *IndexKey, terms []Expr) {
		k := Access{}
		if index != t.PrimaryKey {
			k = Access{Index: index, key: key}
		}
		at := slices.IndexFunc(key.Parts, func(p KeyPart) bool { return p.is(x) })
		if at < 0 {
			return
		}
		if !key.Parts[at].NotNull {
			terms = append(slices.Clone(terms), &NullTest{X: x, Negate: true})
		}
		k, rest := accessBy(k, key.Parts, slices.Clone(terms))
		if !k.begins(t, x, greatest) || rest != nil && !isOnlyNotNull(rest, x) &&
			k.rank() < like.Access.rank() {
			return
		}
		if best == nil || k.rank() > best.Access.rank() {
			best = &Scan{Table: t, Alias: like.Alias, Access: k, Filter: rest}
		}
	}
	if t.PrimaryKey != nil {
		try(t.PrimaryKey, plainKey(t, t.PrimaryKey), terms)
	}
	for _, index := range t.Indexes {
		if key, left, ok := a.indexFor(t, index, terms); ok {
			try(index, key, left)
		}
	}
	return best
}

// isOnlyNotNull says whether a condition is that x is not NULL and nothing else.
func isOnlyNotNull(cond, x Expr) bool {
	test, ok := cond.(*NullTest)
	return ok && test.Negate && exactly(test.X) == exactly(x)
}

// begins says whether the access, turned around if need be, begins with the least or the greatest x,
// wherever NULL lies: there is none.
func (k *Access) begins(t *catalog.Table, x Expr, greatest bool) bool {
	if k.inPieces() {
		return false
	}
	for _, nullsFirst := range []bool{greatest, !greatest} {
		item := orderItem{key: SortKey{Expr: x, Desc: greatest, NullsFirst: nullsFirst}, column: -1}
		if k.orders(t, []orderItem{item}) {
			return true
		}
	}
	return false
}
