package parse

import pg "github.com/pganalyze/pg_query_go/v6"

func (c *converter) exprs(nodes []*pg.Node) []Expr {
	if len(nodes) == 0 {
		return nil
	}
	out := make([]Expr, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, c.expr(n))
	}
	return out
}

// expr converts an expression; an absent one is nil.
func (c *converter) expr(node *pg.Node) Expr {
	if node.GetNode() == nil {
		return nil
	}
	if e := c.leaf(node); e != nil {
		return e
	}
	if e := c.operation(node); e != nil {
		return e
	}
	if e := c.construct(node); e != nil {
		return e
	}
	c.fail(expressionName(node), -1)
	return nil
}

// leaf converts what has no expression inside.
func (c *converter) leaf(node *pg.Node) Expr {
	switch n := node.Node.(type) {
	case *pg.Node_ColumnRef:
		return c.columnRef(n.ColumnRef)
	case *pg.Node_AConst:
		return c.constant(n.AConst)
	case *pg.Node_ParamRef:
		return &ParamRef{Number: int(n.ParamRef.Number), Pos: c.pos(n.ParamRef.Location)}
	case *pg.Node_SqlvalueFunction:
		return c.valueFunction(n.SqlvalueFunction)
	case *pg.Node_SetToDefault:
		return &SetToDefault{Pos: c.pos(n.SetToDefault.Location)}
	case *pg.Node_CurrentOfExpr:
		return &CurrentOfExpr{Cursor: n.CurrentOfExpr.CursorName}
	case *pg.Node_Integer:
		return &Const{Kind: ConstInt4, Int: int64(n.Integer.Ival), Lit: NoLit, Pos: NoPos}
	case *pg.Node_String_:
		return &Const{Kind: ConstString, Str: n.String_.Sval, Lit: NoLit, Pos: NoPos}
	}
	return nil
}

// operation converts operators and tests.
func (c *converter) operation(node *pg.Node) Expr {
	switch n := node.Node.(type) {
	case *pg.Node_AExpr:
		return c.operator(n.AExpr)
	case *pg.Node_BoolExpr:
		return c.boolExpr(n.BoolExpr)
	case *pg.Node_NullTest:
		t := n.NullTest
		return &NullTest{
			Not: t.Nulltesttype == pg.NullTestType_IS_NOT_NULL,
			Arg: c.expr(t.Arg), Pos: c.pos(t.Location),
		}
	case *pg.Node_BooleanTest:
		return c.booleanTest(n.BooleanTest)
	case *pg.Node_TypeCast:
		return c.cast(n.TypeCast)
	case *pg.Node_CollateClause:
		l := n.CollateClause
		return &CollateExpr{
			Arg: c.expr(l.Arg), Collation: c.name(l.Collname), Pos: c.pos(l.Location),
		}
	case *pg.Node_AIndirection:
		return &IndirectionExpr{
			Arg:   c.expr(n.AIndirection.Arg),
			Steps: c.indirection(n.AIndirection.Indirection),
		}
	}
	return nil
}

// construct converts calls, subqueries, and what is built of a list.
func (c *converter) construct(node *pg.Node) Expr {
	switch n := node.Node.(type) {
	case *pg.Node_FuncCall:
		return c.funcCall(n.FuncCall)
	case *pg.Node_NamedArgExpr:
		a := n.NamedArgExpr
		return &NamedArg{Name: a.Name, Arg: c.expr(a.Arg), Pos: c.pos(a.Location)}
	case *pg.Node_SubLink:
		return c.subLink(n.SubLink)
	case *pg.Node_CaseExpr:
		return c.caseExpr(n.CaseExpr)
	case *pg.Node_CoalesceExpr:
		e := n.CoalesceExpr
		return &CoalesceExpr{Args: c.exprs(e.Args), Pos: c.pos(e.Location)}
	case *pg.Node_MinMaxExpr:
		e := n.MinMaxExpr
		return &MinMaxExpr{
			Least: e.Op == pg.MinMaxOp_IS_LEAST, Args: c.exprs(e.Args), Pos: c.pos(e.Location),
		}
	case *pg.Node_AArrayExpr:
		e := n.AArrayExpr
		return &ArrayExpr{Elements: c.exprs(e.Elements), Pos: c.pos(e.Location)}
	case *pg.Node_RowExpr:
		e := n.RowExpr
		return &RowExpr{
			Explicit: e.RowFormat == pg.CoercionForm_COERCE_EXPLICIT_CALL,
			Args:     c.exprs(e.Args), Pos: c.pos(e.Location),
		}
	case *pg.Node_GroupingFunc:
		e := n.GroupingFunc
		return &GroupingFunc{Args: c.exprs(e.Args), Pos: c.pos(e.Location)}
	case *pg.Node_GroupingSet:
		return c.groupingSet(n.GroupingSet)
	}
	return nil
}

func (c *converter) columnRef(n *pg.ColumnRef) Expr {
	out := &ColumnRef{Pos: c.pos(n.Location)}
	for _, f := range n.Fields {
		if f.GetAStar() != nil {
			out.Star = true
			continue
		}
		out.Fields = append(out.Fields, f.GetString_().GetSval())
	}
	return out
}

var boolOps = map[pg.BoolExprType]BoolOp{
	pg.BoolExprType_AND_EXPR: BoolAnd,
	pg.BoolExprType_OR_EXPR:  BoolOr,
	pg.BoolExprType_NOT_EXPR: BoolNot,
}

func (c *converter) boolExpr(n *pg.BoolExpr) Expr {
	return &BoolExpr{Op: boolOps[n.Boolop], Args: c.exprs(n.Args), Pos: c.pos(n.Location)}
}

func (c *converter) booleanTest(n *pg.BooleanTest) Expr {
	out := &BooleanTest{Arg: c.expr(n.Arg), Pos: c.pos(n.Location)}
	switch n.Booltesttype {
	case pg.BoolTestType_IS_NOT_TRUE:
		out.Not = true
	case pg.BoolTestType_IS_FALSE:
		out.Kind = IsFalse
	case pg.BoolTestType_IS_NOT_FALSE:
		out.Kind, out.Not = IsFalse, true
	case pg.BoolTestType_IS_UNKNOWN:
		out.Kind = IsUnknown
	case pg.BoolTestType_IS_NOT_UNKNOWN:
		out.Kind, out.Not = IsUnknown, true
	}
	return out
}

// cast converts a cast. TRUE and FALSE come as casts that nobody wrote.
func (c *converter) cast(n *pg.TypeCast) Expr {
	if v := n.Arg.GetAConst(); v != nil && n.TypeName.GetLocation() < 0 {
		if _, isBool := v.Val.(*pg.A_Const_Boolval); isBool {
			return c.constant(v)
		}
	}
	out := &CastExpr{Arg: c.expr(n.Arg), Pos: c.pos(n.Location)}
	if t := c.typeName(n.TypeName); t != nil {
		out.Type = *t
	}
	if out.Pos < 0 { // DATE '2020-01-01'
		out.Pos = out.Type.Pos
	}
	return out
}

func (c *converter) indirection(nodes []*pg.Node) []Indirection {
	var out []Indirection
	for _, n := range nodes {
		switch s := n.GetNode().(type) {
		case *pg.Node_String_:
			out = append(out, Indirection{Field: s.String_.Sval})
		case *pg.Node_AStar:
			out = append(out, Indirection{Star: true})
		case *pg.Node_AIndices:
			out = append(out, Indirection{
				Subscript: true,
				Slice:     s.AIndices.IsSlice,
				Lower:     c.expr(s.AIndices.Lidx),
				Upper:     c.expr(s.AIndices.Uidx),
			})
		}
	}
	return out
}

func (c *converter) caseExpr(n *pg.CaseExpr) Expr {
	out := &CaseExpr{Arg: c.expr(n.Arg), Else: c.expr(n.Defresult), Pos: c.pos(n.Location)}
	for _, w := range n.Args {
		when := w.GetCaseWhen()
		out.Whens = append(out.Whens, CaseWhen{
			Cond: c.expr(when.GetExpr()), Result: c.expr(when.GetResult()),
			Pos: c.pos(when.GetLocation()),
		})
	}
	return out
}

var subLinkKinds = map[pg.SubLinkType]SubLinkKind{
	pg.SubLinkType_EXISTS_SUBLINK:    SubExists,
	pg.SubLinkType_ANY_SUBLINK:       SubAny,
	pg.SubLinkType_ALL_SUBLINK:       SubAll,
	pg.SubLinkType_EXPR_SUBLINK:      SubScalar,
	pg.SubLinkType_ARRAY_SUBLINK:     SubArray,
	pg.SubLinkType_MULTIEXPR_SUBLINK: SubMulti,
}

func (c *converter) subLink(n *pg.SubLink) Expr {
	return &SubLink{
		Kind:  subLinkKinds[n.SubLinkType],
		Test:  c.expr(n.Testexpr),
		Op:    c.name(n.OperName),
		Query: c.query(n.Subselect),
		Pos:   c.pos(n.Location),
	}
}
