package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Join yields the rows of Left beside those of Right. Where an outer join has no partner for a row,
// the columns of the other side are NULL.
//
// With Bind, Right is opened again for every row of Left, with slots set from it: it is LATERAL, or
// looks keys up. With keys, Right (or with BuildLeft, Left) is read once into a hash table. Else
// Right is read once and every pair tried.
type Join struct {
	Kind        parse.JoinKind
	Left, Right Node
	LeftWidth   int
	RightWidth  int
	LeftKeys    []Expr    // over Left's row
	RightKeys   []Expr    // over Right's row
	BuildLeft   bool      // Left is the side that is kept, for an inner join
	Swapped     bool      // Right's columns are yielded before Left's
	Bind        []Binding // over Left's row
	Cond        Expr      // over the row that is yielded; nil for none
}

// SubqueryScan yields the rows of a query in FROM.
type SubqueryScan struct {
	In     Node
	Alias  string
	Width  int
	Filter Expr
}

// planTree makes a plan of a tree under terms of the WHERE, which read its columns alone. What it
// yields are these columns, so whatever is handed down to it is moved by t.lo.
func (a *analyzer) planTree(t *joinTree, terms []Expr) Node {
	terms = append(terms[:len(terms):len(terms)], t.terms...)
	if t.of != nil {
		return a.planProjected(t, terms)
	}
	if t.leaf != nil {
		return a.planLeaf(t.leaf, shiftAll(terms, -t.lo))
	}
	d := distribution{a: a, t: t}
	for _, term := range terms {
		d.where(term)
	}
	for _, term := range t.on {
		d.condition(term)
	}
	node := d.join()
	if len(d.above) > 0 {
		return &Filter{In: node, Cond: conjunction(shiftAll(d.above, -t.lo))}
	}
	return node
}

// planLeaf gives a source the terms that read it alone.
func (a *analyzer) planLeaf(leaf Node, terms []Expr) Node {
	cond := conjunction(terms)
	switch n := leaf.(type) {
	case *Scan:
		n.Access, n.Filter = a.keyAccess(n.Table, cond)
		if n.Access.Index != nil {
			n.Recheck = cond
		}
	case *VirtualScan:
		n.Filter = cond
	case *FunctionScan:
		n.Filter = cond
	case *SubqueryScan:
		n.Filter = cond
	case *CTEScan:
		n.Filter = cond
	case *WorkTableScan:
		n.Filter = cond
	default:
		if cond != nil {
			return &Filter{In: leaf, Cond: cond}
		}
	}
	return leaf
}

// conjunction puts terms together again; nil for none.
func conjunction(terms []Expr) Expr {
	switch len(terms) {
	case 0:
		return nil
	case 1:
		return terms[0]
	}
	return &And{Args: terms}
}

// distribution says where each condition of a join is checked: below it, in it, or above.
type distribution struct {
	a           *analyzer
	t           *joinTree
	left, right []Expr
	here        []Expr
	above       []Expr
}

// where takes a term that must hold of the rows the join yields.
func (d *distribution) where(term Expr) {
	keepsLeft := d.t.kind == parse.JoinInner || d.t.kind == parse.JoinLeft
	keepsRight := d.t.kind == parse.JoinInner || d.t.kind == parse.JoinRight
	switch l, r := d.t.left, d.t.right; {
	case isVolatile(term):
		d.above = append(d.above, term)
	case keepsLeft && within(term, l.lo, l.hi):
		d.left = append(d.left, term)
	case keepsRight && within(term, r.lo, r.hi):
		d.right = append(d.right, term)
	case d.t.kind == parse.JoinInner:
		d.here = append(d.here, term)
	default:
		d.above = append(d.above, term)
	}
}

// condition takes a term of ON. One that concerns the side which may be missing alone says which
// of its rows are partners at all, so that it can be checked before; of the other side it must not
// drop a row.
func (d *distribution) condition(term Expr) {
	if d.t.kind == parse.JoinInner {
		d.where(term)
		return
	}
	switch l, r := d.t.left, d.t.right; {
	case isVolatile(term):
		d.here = append(d.here, term)
	case d.t.kind == parse.JoinLeft && within(term, r.lo, r.hi):
		d.right = append(d.right, term)
	case d.t.kind == parse.JoinRight && within(term, l.lo, l.hi):
		d.left = append(d.left, term)
	default:
		d.here = append(d.here, term)
	}
}

// join chooses how the two sides are brought together.
func (d *distribution) join() Node {
	t := d.t
	j := &Join{Kind: t.kind, LeftWidth: t.left.hi - t.left.lo, RightWidth: t.right.hi - t.right.lo}
	if swapped := d.lookUpLeft(j); swapped != nil {
		return swapped
	}
	j.Left = d.a.planTree(t.left, d.left)
	for _, b := range t.binds {
		j.Bind = append(j.Bind, Binding{Slot: b.Slot, Expr: shift(b.Expr, -t.left.lo)})
	}
	if d.lookUpRight(j) {
		return j
	}
	j.Right = d.a.planTree(t.right, d.right)
	if len(j.Bind) == 0 {
		d.hashKeys(j)
		j.BuildLeft = j.Kind == parse.JoinInner && size(j.Right) > size(j.Left)
	}
	j.Cond = conjunction(shiftAll(d.here, -t.lo))
	return j
}

// lookUpRight makes the join look keys of the right side up for each row of the left, if that side
// is a table and the conditions give a value for the first column of its key at least.
func (d *distribution) lookUpRight(j *Join) bool {
	scan, ok := d.t.right.leaf.(*Scan)
	if !ok || j.Kind == parse.JoinRight || j.Kind == parse.JoinFull {
		return false
	}
	rest, binds, found := d.a.lookUp(scan.Table, size(j.Left), d.here, d.t.left, d.t.right, &d.right)
	if !found {
		return false
	}
	d.here = rest
	for _, b := range binds {
		j.Bind = append(j.Bind, Binding{Slot: b.Slot, Expr: shift(b.Expr, -d.t.left.lo)})
	}
	j.Right = d.a.planTree(d.t.right, d.right)
	j.Cond = conjunction(shiftAll(d.here, -d.t.lo))
	return true
}

// lookUpLeft is lookUpRight with the sides exchanged, where that is the only way to look keys up,
// or the right side is the smaller one.
func (d *distribution) lookUpLeft(j *Join) Node {
	left, ok := d.t.left.leaf.(*Scan)
	if !ok || j.Kind != parse.JoinInner || len(d.t.binds) > 0 {
		return nil
	}
	rows := size(d.t.right.leaf)
	if right, ok := d.t.right.leaf.(*Scan); ok {
		rows = size(d.sized(right, d.t.right, d.right))
		others := size(d.sized(left, d.t.left, d.left))
		if rows >= others && d.canLookUp(right.Table, others) {
			return nil
		}
	}
	rest, binds, found := d.a.lookUp(left.Table, rows, d.here, d.t.right, d.t.left, &d.left)
	if !found {
		return nil
	}
	for _, b := range binds {
		j.Bind = append(j.Bind, Binding{Slot: b.Slot, Expr: shift(b.Expr, -d.t.right.lo)})
	}
	j.Left, j.Right = d.a.planTree(d.t.right, d.right), d.a.planTree(d.t.left, d.left)
	j.LeftWidth, j.RightWidth = j.RightWidth, j.LeftWidth
	j.Swapped = true
	j.Cond = conjunction(shiftAll(rest, -d.t.lo))
	return j
}

// canLookUp says whether a condition gives a value for the first column of one of the keys of the
// right side.
func (d *distribution) canLookUp(right *catalog.Table, rows int) bool {
	at := d.t.right
	local := shiftAll(slices.Concat(d.right, at.terms), -at.lo)
	for _, parts := range d.a.lookUpKeys(right, rows, local) {
		for _, term := range d.here {
			if parts[0].valueFrom(term, at, d.t.left) != nil {
				return true
			}
		}
	}
	return false
}

// sized gives a copy of a scan as it would be without the other side of the join.
func (d *distribution) sized(scan *Scan, at *joinTree, terms []Expr) Node {
	s := *scan
	all := shiftAll(slices.Concat(terms, at.terms), -at.lo)
	s.Access, s.Filter = d.a.keyAccess(s.Table, conjunction(all))
	return &s
}

// hashKeys takes the equalities between the two sides out of the conditions.
func (d *distribution) hashKeys(j *Join) {
	l, r := d.t.left, d.t.right
	rest := d.here[:0:0]
	for _, term := range d.here {
		cmp, ok := term.(*Compare)
		if !ok || cmp.Op != EQ || isVolatile(term) || runsQuery(term) ||
			!types.Keyable(cmp.L.Type().OID) {
			rest = append(rest, term)
			continue
		}
		x, y := cmp.L, cmp.R
		if !readsWithin(x, l) {
			x, y = y, x
		}
		if !readsWithin(x, l) || !readsWithin(y, r) {
			rest = append(rest, term)
			continue
		}
		j.LeftKeys = append(j.LeftKeys, shift(x, -l.lo))
		j.RightKeys = append(j.RightKeys, shift(y, -r.lo))
	}
	d.here = rest
}

// readsWithin says whether x reads columns, and of that tree alone.
func readsWithin(x Expr, t *joinTree) bool {
	lo, hi, any := reach(x)
	return any && t.lo <= lo && hi <= t.hi
}

// outerOf stands for a value of the other side's row.
func outerOf(value Expr, slot int) *Outer {
	o := &Outer{Slot: slot, T: value.Type(), of: value}
	if f, ok := value.(*Field); ok {
		o.Table, o.Name, o.of = f.Table, f.Name, nil
	}
	return o
}

// size ranks how many rows a source may give, for want of statistics: one, few, part of a table, or
// all of it.
func size(n Node) int {
	switch n := n.(type) {
	case *Result:
		return 0
	case *Scan:
		switch {
		case n.Access.one():
			return 0
		case n.Access.Points:
			return 1
		case n.Access.Narrowed():
			return 2
		}
		return 3
	case *Values, *VirtualScan, *FunctionScan, *WorkTableScan:
		return 1
	case *Limit:
		return 1
	case *Filter:
		return size(n.In)
	case *Project:
		return size(n.In)
	case *Join:
		return max(size(n.Left), size(n.Right))
	}
	return 2
}
