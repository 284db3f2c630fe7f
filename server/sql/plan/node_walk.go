package plan

import "slices"

// inputs lists the nodes a node reads.
func inputs(n Node) []Node {
	switch n := n.(type) {
	case *Filter:
		return []Node{n.In}
	case *Project:
		return []Node{n.In}
	case *ProjectSet:
		return []Node{n.In}
	case *Aggregate:
		return []Node{n.In}
	case *Window:
		return []Node{n.In}
	case *Sort:
		return []Node{n.In}
	case *Unique:
		return []Node{n.In}
	case *DistinctOn:
		return []Node{n.In}
	case *Limit:
		return []Node{n.In}
	case *LockRows:
		return []Node{n.In}
	case *SubqueryScan:
		return []Node{n.In}
	case *Join:
		return []Node{n.Left, n.Right}
	case *SetOp:
		return []Node{n.Left, n.Right}
	case *RecursiveUnion:
		return []Node{n.First, n.Next}
	case *CTEScan:
		if n.CTE.Inline {
			return []Node{n.CTE.Node}
		}
	case *With:
		list := []Node{n.In}
		for _, cte := range n.CTEs {
			list = append(list, cte.Node)
		}
		return list
	}
	return inputsOfWrites(n)
}

// rows gives the node that yields them.
func (t *Target) rows() Node {
	if t.In != nil {
		return t.In
	}
	return t.Source
}

func inputsOfWrites(n Node) []Node {
	switch n := n.(type) {
	case *Insert:
		return []Node{n.In}
	case *Update:
		return []Node{n.rows()}
	case *Delete:
		return []Node{n.rows()}
	case *Explain:
		return []Node{n.Target.Root}
	case *CreateTableAs:
		return []Node{n.Query}
	case *Copy:
		if n.In != nil {
			return []Node{n.In}
		}
	}
	return nil
}

// exprs lists the expressions a node computes.
func exprs(n Node) []Expr {
	var list []Expr
	add := func(xs ...Expr) {
		for _, x := range xs {
			if x != nil {
				list = append(list, x)
			}
		}
	}
	switch n := n.(type) {
	case *Result:
		add(n.Filter)
	case *Scan:
		add(n.Filter)
		add(n.Access.exprs()...)
	case *VirtualScan:
		add(n.Filter)
	case *FunctionScan:
		for _, part := range n.Parts {
			add(part.Fn)
		}
		add(n.Filter)
	case *Values:
		for _, row := range n.Rows {
			add(row...)
		}
	case *Filter:
		add(n.Cond)
	case *Project:
		add(n.Exprs...)
	case *SubqueryScan:
		add(n.Filter)
	case *CTEScan:
		add(n.Filter)
	case *WorkTableScan:
		add(n.Filter)
	case *Join:
		add(n.Cond)
		add(n.LeftKeys...)
		add(n.RightKeys...)
		for _, b := range n.Bind {
			add(b.Expr)
		}
	case *Limit:
		add(n.Count, n.Offset)
	default:
		return exprsOfRows(n)
	}
	return list
}

// exprsOfRows is exprs of the steps that gather rows, and of those that write.
func exprsOfRows(n Node) []Expr {
	var list []Expr
	keys := func(keys []SortKey) {
		for _, key := range keys {
			list = append(list, key.Expr)
		}
	}
	switch n := n.(type) {
	case *ProjectSet:
		for _, set := range n.Sets {
			list = append(list, set.Call)
		}
	case *Aggregate:
		list = append(append(list, n.Keys...), n.Carry...)
		for _, call := range n.Calls {
			list = append(append(list, call.Args...), call.Direct...)
			if keys(call.OrderBy); call.Filter != nil {
				list = append(list, call.Filter)
			}
		}
	case *Window:
		for _, w := range slices.Concat(n.Over...) {
			list = append(append(list, w.Args...), w.PartitionBy...)
			keys(w.OrderBy)
			for _, x := range []Expr{w.Filter, w.Frame.Start.Offset, w.Frame.End.Offset} {
				if x != nil {
					list = append(list, x)
				}
			}
		}
	case *Sort:
		keys(n.Keys)
	case *DistinctOn:
		list = append(list, n.Keys...)
	case *LockRows:
		for _, outer := range n.Outer {
			if outer.On != nil {
				list = append(list, outer.On)
			}
		}
		if n.Recheck != nil {
			list = append(list, n.Recheck)
		}
	default:
		return exprsOfWrites(n)
	}
	return list
}

func exprsOfWrites(n Node) []Expr {
	var list []Expr
	sets := func(sets []SetColumn) {
		for _, set := range sets {
			list = append(list, set.Expr)
		}
	}
	switch n := n.(type) {
	case *Insert:
		list = append(append(list, n.Row...), n.Returning...)
		if c := n.Conflict; c != nil {
			if sets(c.Set); c.Where != nil {
				list = append(list, c.Where)
			}
		}
	case *Update:
		sets(n.Set)
		list = append(list, n.Returning...)
	case *Delete:
		list = append(list, n.Returning...)
	case *Copy:
		if n.Where != nil {
			list = append(list, n.Where)
		}
	}
	return list
}

// exprs lists what an access computes its keys from.
func (k *Access) exprs() []Expr {
	list := append(append([]Expr(nil), k.Prefix...), k.In...)
	for _, x := range []Expr{k.AnyOf, k.Like} {
		if x != nil {
			list = append(list, x)
		}
	}
	for _, b := range []*Bound{k.Low, k.High} {
		if b != nil {
			list = append(list, b.Value)
		}
	}
	return list
}

// visit shows every node of a plan, those of queries in expressions among them, until show returns
// false.
func visit(n Node, show func(Node) bool) bool {
	if !show(n) {
		return false
	}
	for _, in := range inputs(n) {
		if !visit(in, show) {
			return false
		}
	}
	for _, sub := range subplans(n) {
		if !visit(sub.Node, show) {
			return false
		}
	}
	return true
}

// subplans lists the queries in the expressions of one node.
func subplans(n Node) []*SubPlan {
	var list []*SubPlan
	for _, x := range exprs(n) {
		walk(x, func(x Expr) bool {
			if sub, ok := x.(*SubPlan); ok {
				if sub.Hashed != nil {
					sub = sub.Hashed.Query // which has the same tables
				}
				list = append(list, sub)
			}
			return true
		})
	}
	return list
}

// nodeVolatile says whether a plan computes anything volatile.
func nodeVolatile(n Node) bool {
	return !visit(n, func(n Node) bool {
		for _, x := range exprs(n) {
			if isVolatile(x) {
				return false
			}
		}
		return true
	})
}
