package parse

// Walk shows the nodes of a tree to visit, an outer one before those inside it: expressions, items
// of FROM, and statements. What is inside a node for which visit returns false is
// left out.
func Walk(n any, visit func(n any) bool) {
	if n == nil || !visit(n) {
		return
	}
	w := walker(func(n any) { Walk(n, visit) })
	switch n := n.(type) {
	case TableExpr:
		w.table(n)
	case Statement:
		w.statement(n)
	case Expr:
		w.expr(n)
	}
}

// walker takes the nodes that are right inside another one.
type walker func(n any)

func (w walker) exprs(list []Expr) {
	for _, x := range list {
		w.one(x)
	}
}

func (w walker) one(x Expr) {
	if x != nil {
		w(x)
	}
}

func (w walker) order(list []SortBy) {
	for _, s := range list {
		w.one(s.Expr)
	}
}

func (w walker) targets(list []ResTarget) {
	for _, t := range list {
		w.one(t.Val)
	}
}

func (w walker) query(q *SelectStmt) {
	if q != nil {
		w(q)
	}
}

func (w walker) window(def *WindowDef) {
	if def == nil {
		return
	}
	w.exprs(def.PartitionBy)
	w.order(def.OrderBy)
	w.one(def.StartOffset)
	w.one(def.EndOffset)
}

func (w walker) tables(list []TableExpr) {
	for _, t := range list {
		w(t)
	}
}

func (w walker) table(n TableExpr) {
	switch n := n.(type) {
	case *RangeSubselect:
		w.query(n.Query)
	case *RangeFunction:
		for _, f := range n.Funcs {
			w.one(f.Func)
		}
	case *JoinExpr:
		w(n.Left)
		w(n.Right)
		w.one(n.On)
	}
}

func (w walker) with(n *WithClause) {
	if n == nil {
		return
	}
	for _, cte := range n.CTEs {
		w(cte.Query)
	}
}

func (w walker) statement(n Statement) {
	switch n := n.(type) {
	case *SelectStmt:
		w.selectStmt(n)
	case *InsertStmt:
		w.with(n.With)
		w.query(n.Query)
		if n.OnConflict != nil {
			w.assignments(n.OnConflict.Set)
			w.one(n.OnConflict.Where)
		}
		w.targets(n.Returning)
	case *UpdateStmt:
		w.with(n.With)
		w.assignments(n.Set)
		w.tables(n.From)
		w.one(n.Where)
		w.targets(n.Returning)
	case *DeleteStmt:
		w.with(n.With)
		w.tables(n.Using)
		w.one(n.Where)
		w.targets(n.Returning)
	}
}

func (w walker) assignments(list []Assignment) {
	for _, a := range list {
		w.one(a.Value)
	}
}

func (w walker) selectStmt(n *SelectStmt) {
	w.with(n.With)
	w.query(n.Left)
	w.query(n.Right)
	w.exprs(n.DistinctOn)
	w.targets(n.Targets)
	w.tables(n.From)
	w.one(n.Where)
	w.exprs(n.GroupBy)
	w.one(n.Having)
	for _, def := range n.Windows {
		w.window(def)
	}
	for _, row := range n.Values {
		w.exprs(row)
	}
	w.order(n.OrderBy)
	w.one(n.Limit)
	w.one(n.Offset)
}

func (w walker) expr(n Expr) {
	switch n := n.(type) {
	case *OpExpr:
		w.exprs([]Expr{n.Left, n.Right})
	case *AnyAllExpr:
		w.exprs([]Expr{n.Left, n.Array})
	case *DistinctExpr:
		w.exprs([]Expr{n.Left, n.Right})
	case *NullIfExpr:
		w.exprs([]Expr{n.Left, n.Right})
	case *InExpr:
		w.one(n.Left)
		w.exprs(n.List)
	case *LikeExpr:
		w.exprs([]Expr{n.Left, n.Pattern, n.Escape})
	case *BetweenExpr:
		w.exprs([]Expr{n.Arg, n.Low, n.High})
	case *BoolExpr:
		w.exprs(n.Args)
	case *NullTest:
		w.one(n.Arg)
	case *BooleanTest:
		w.one(n.Arg)
	case *FuncCall:
		w.exprs(n.Args)
		w.order(n.OrderBy)
		w.one(n.Filter)
		w.window(n.Over)
	case *SubLink:
		w.one(n.Test)
		w.query(n.Query)
	default:
		w.rareExpr(n)
	}
}

func (w walker) rareExpr(n Expr) {
	switch n := n.(type) {
	case *CaseExpr:
		w.one(n.Arg)
		for _, when := range n.Whens {
			w.exprs([]Expr{when.Cond, when.Result})
		}
		w.one(n.Else)
	case *CoalesceExpr:
		w.exprs(n.Args)
	case *MinMaxExpr:
		w.exprs(n.Args)
	case *NamedArg:
		w.one(n.Arg)
	case *CastExpr:
		w.one(n.Arg)
	case *CollateExpr:
		w.one(n.Arg)
	case *ArrayExpr:
		w.exprs(n.Elements)
	case *RowExpr:
		w.exprs(n.Args)
	case *IndirectionExpr:
		w.one(n.Arg)
		for _, step := range n.Steps {
			w.exprs([]Expr{step.Lower, step.Upper})
		}
	case *GroupingFunc:
		w.exprs(n.Args)
	case *GroupingSet:
		w.exprs(n.Items)
	}
}
