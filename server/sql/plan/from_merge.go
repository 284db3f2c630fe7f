package plan

import "ackdb/server/sql/parse"

// A query in FROM that only joins, filters and picks columns is merged into the query around it:
// its sources take their place in that query's row, and its WHERE goes where the other conditions
// go. So a key is found through it, as it must be for a view.

// mergeable says whether a query has only clauses that allow that.
func mergeable(n *parse.SelectStmt) bool {
	return n.With == nil && n.Op == parse.SetNone && n.Values == nil && len(n.From) > 0 &&
		!n.Distinct && n.GroupBy == nil && n.Having == nil && n.OrderBy == nil &&
		n.Limit == nil && n.Offset == nil && n.Locking == nil && n.Windows == nil
}

// merged gives the tree of a query that is merged, whose row is so wide; nil when something in it
// has to be computed once for each of its rows. When its outputs are not all columns, they have to
// be computed below whatever outer join may make them NULL: the tree is a projection then.
func (s *selecting) merged(width int) *joinTree {
	if len(s.aggs) > 0 || len(s.windows) > 0 || len(s.sets) > 0 {
		return nil
	}
	columns := true
	var outs []Expr
	for _, out := range s.outs {
		_, is := out.expr.(*Field)
		columns = columns && is
		if isVolatile(out.expr) || runsQuery(out.expr) {
			return nil
		}
		outs = append(outs, out.expr)
	}
	t := s.ownTree(width)
	if t == nil || columns {
		return t
	}
	s.computes = true
	return &joinTree{hi: len(outs), leaf: &SubqueryScan{Width: len(outs)}, outs: outs, of: t}
}

// ownTree gives the tree of FROM with the WHERE in it; nil when that is volatile.
func (s *selecting) ownTree(width int) *joinTree {
	t := *s.tree
	t.lo, t.hi = 0, width
	if s.where == nil {
		return &t
	}
	if isVolatile(s.where) {
		return nil
	}
	t.terms = conjuncts(s.where, t.terms)
	return &t
}

// merge adds a merged query to the scope: its tree as a part of the row, its outputs as columns.
func (a *analyzer) merge(
	src *source, s *selecting, inner *joinTree, alias *parse.Alias,
) (*joinTree, error) {
	if s.computes {
		inner.leaf.(*SubqueryScan).Alias = src.name
		t, err := a.item(src, alias, inner.leaf)
		if err == nil {
			t.outs, t.of = inner.outs, inner.of
		}
		return t, err
	}
	if err := a.checkAlias(src, alias); err != nil {
		return nil, err
	}
	base := a.scope.width
	for i, out := range s.outs {
		f := out.expr.(*Field)
		c := &src.columns[i]
		c.expr = &Field{Index: base + f.Index, T: f.T, Table: src.name, Name: c.name, of: f}
	}
	src.inline = true
	a.scope.add(src)
	a.scope.width += inner.hi
	inner.move(base)
	return inner, nil
}

// move shifts a tree to another place in a row.
func (t *joinTree) move(by int) {
	t.lo, t.hi = t.lo+by, t.hi+by
	t.terms, t.on = shiftAll(t.terms, by), shiftAll(t.on, by)
	for i := range t.binds {
		t.binds[i].Expr = shift(t.binds[i].Expr, by)
	}
	if t.leaf == nil {
		t.left.move(by)
		t.right.move(by)
	}
}

// planProjected plans a tree that computes expressions over another one. Conditions on what it
// yields become conditions on what that is computed from.
func (a *analyzer) planProjected(t *joinTree, terms []Expr) Node {
	scan := t.leaf.(*SubqueryScan)
	var below, above []Expr
	for _, term := range terms {
		if isVolatile(term) {
			above = append(above, term)
			continue
		}
		below = append(below, rewrite(term, func(x Expr) Expr {
			if f, ok := x.(*Field); ok {
				return t.outs[f.Index-t.lo]
			}
			return nil
		}))
	}
	scan.In = &Project{In: a.planTree(t.of, below), Exprs: t.outs}
	scan.Filter = conjunction(shiftAll(above, -t.lo))
	return scan
}
