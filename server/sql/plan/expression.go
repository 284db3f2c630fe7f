package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// expr resolves an expression. Its type may still be unknown: a bare literal or parameter.
func (a *analyzer) expr(n parse.Expr) (Expr, error) {
	if a.defines != nil {
		if x, err := a.defineExpr(n); x != nil || err != nil {
			return x, err
		}
	}
	switch n := n.(type) {
	case *parse.Const:
		return a.constant(n)
	case *parse.ColumnRef:
		if n.Star {
			return a.starValue(n)
		}
		return a.columnRef(n)
	case *parse.ParamRef:
		return a.param(n.Number, n.Pos)
	case *parse.OpExpr:
		return a.opExpr(n)
	case *parse.BoolExpr:
		return a.boolExpr(n)
	case *parse.NullTest:
		return a.nullTest(n)
	case *parse.BooleanTest:
		return a.boolTest(n)
	case *parse.FuncCall:
		return a.funcCall(n)
	case *parse.SQLValueFunction:
		return a.valueFunction(n)
	case *parse.CastExpr:
		return a.castExpr(n)
	}
	return a.rareExpr(n)
}

// rareExpr is the rest of expr: what no statement in a hurry contains.
func (a *analyzer) rareExpr(n parse.Expr) (Expr, error) {
	switch n := n.(type) {
	case *parse.InExpr:
		return a.inExpr(n)
	case *parse.AnyAllExpr:
		return a.anyAll(n)
	case *parse.LikeExpr:
		return a.like(n)
	case *parse.BetweenExpr:
		return a.between(n)
	case *parse.DistinctExpr:
		return a.distinct(n)
	case *parse.NullIfExpr:
		return a.nullIf(n)
	case *parse.CaseExpr:
		return a.caseExpr(n)
	case *parse.CoalesceExpr:
		return a.coalesce(n)
	case *parse.MinMaxExpr:
		return a.minMax(n)
	case *parse.CollateExpr:
		return a.collate(n)
	case *parse.ArrayExpr:
		return a.array(n, 0)
	case *parse.IndirectionExpr:
		return a.indirection(n)
	case *parse.SubLink:
		return a.subLink(n)
	case *parse.RowExpr:
		return a.rowExpr(n)
	case *parse.SetToDefault:
		return nil, a.errorf(n.Pos, types.CodeSyntax, "DEFAULT is not allowed in this context")
	case *parse.CurrentOfExpr:
		return nil, a.unsupported(parse.NoPos, "WHERE CURRENT OF")
	case *parse.GroupingFunc:
		return a.groupingFunc(n)
	case *parse.NamedArg:
		return nil, a.unsupported(n.Pos, "an argument by name")
	}
	return nil, a.unsupported(n.Position(), "this expression")
}

// operand resolves an expression that must have a type: what is still unknown becomes text.
func (a *analyzer) operand(n parse.Expr) (Expr, error) {
	x, err := a.expr(n)
	if err != nil || x.Type().OID != types.Unknown {
		return x, err
	}
	return a.coerceUnknown(x, textType, types.Implicit, startOf(n))
}

func (a *analyzer) boolExpr(n *parse.BoolExpr) (Expr, error) {
	names := [...]string{parse.BoolAnd: "AND", parse.BoolOr: "OR", parse.BoolNot: "NOT"}
	args := make([]Expr, len(n.Args))
	for i, arg := range n.Args {
		x, err := a.expr(arg)
		if err != nil {
			return nil, err
		}
		if args[i], err = a.boolean(x, names[n.Op], startOf(arg)); err != nil {
			return nil, err
		}
	}
	switch n.Op {
	case parse.BoolAnd:
		return &And{Args: args}, nil
	case parse.BoolOr:
		return &Or{Args: args}, nil
	}
	return &Not{X: args[0]}, nil
}

func (a *analyzer) nullTest(n *parse.NullTest) (Expr, error) {
	x, err := a.expr(n.Arg) // which gives a bare parameter no type, as in Postgres
	if err != nil {
		return nil, err
	}
	return &NullTest{X: x, Negate: n.Not}, nil
}

func (a *analyzer) boolTest(n *parse.BooleanTest) (Expr, error) {
	names := [...]string{parse.IsTrue: "IS TRUE", parse.IsFalse: "IS FALSE",
		parse.IsUnknown: "IS UNKNOWN"}
	x, err := a.expr(n.Arg)
	if err != nil {
		return nil, err
	}
	if x, err = a.boolean(x, names[n.Kind], startOf(n.Arg)); err != nil {
		return nil, err
	}
	want := types.Null
	if n.Kind != parse.IsUnknown {
		want = types.NewBool(n.Kind == parse.IsTrue)
	}
	return &BoolTest{X: x, Want: want, Negate: n.Not}, nil
}

func (a *analyzer) castExpr(n *parse.CastExpr) (Expr, error) {
	to, err := a.typeName(&n.Type)
	if err != nil {
		return nil, err
	}
	if array, ok := n.Arg.(*parse.ArrayExpr); ok {
		if elem := types.ElemOf(to.OID); elem != 0 {
			return a.array(array, elem)
		}
	}
	x, err := a.expr(n.Arg)
	if err != nil {
		return nil, err
	}
	return a.coerce(x, to, types.Explicit, "", n.Pos)
}

func (a *analyzer) collate(n *parse.CollateExpr) (Expr, error) {
	switch n.Collation.Name {
	case "C", "POSIX", "default", "ucs_basic":
		return a.operand(n.Arg)
	}
	return nil, a.unsupported(n.Pos, "collation \""+n.Collation.Name+"\"")
}

func (a *analyzer) caseExpr(n *parse.CaseExpr) (Expr, error) {
	c := &Case{}
	saved := a.inChoice
	a.inChoice = "CASE"
	defer func() { a.inChoice = saved }()
	// The ELSE comes first, as in Postgres: it decides which types a mismatch is said to be of.
	var last Expr = &Const{T: unknownType}
	place := n.Pos
	if n.Else != nil {
		x, err := a.expr(n.Else)
		if err != nil {
			return nil, err
		}
		last, place = x, startOf(n.Else)
	}
	results, places := []Expr{last}, []parse.Pos{place}
	for _, when := range n.Whens {
		cond, err := a.caseCondition(n.Arg, when)
		if err != nil {
			return nil, err
		}
		result, err := a.expr(when.Result)
		if err != nil {
			return nil, err
		}
		c.When = append(c.When, cond)
		results = append(results, result)
		places = append(places, startOf(when.Result))
	}
	t, err := a.common(results, "CASE", places)
	if err != nil {
		return nil, err
	}
	c.Else, c.Then, c.T = results[0], results[1:], t
	return c, nil
}

func (a *analyzer) caseCondition(arg parse.Expr, when parse.CaseWhen) (Expr, error) {
	if arg == nil {
		x, err := a.expr(when.Cond)
		if err != nil {
			return nil, err
		}
		return a.boolean(x, "CASE/WHEN", startOf(when.Cond))
	}
	l, err := a.operand(arg)
	if err != nil {
		return nil, err
	}
	r, err := a.expr(when.Cond)
	if err != nil {
		return nil, err
	}
	return a.operator("=", l, r, startOf(when.Cond))
}

func (a *analyzer) coalesce(n *parse.CoalesceExpr) (Expr, error) {
	saved := a.inChoice
	a.inChoice = "COALESCE"
	args, t, err := a.alternatives(n.Args, "COALESCE")
	a.inChoice = saved
	return &Coalesce{Args: args, T: t}, err
}

func (a *analyzer) minMax(n *parse.MinMaxExpr) (Expr, error) {
	name := "GREATEST"
	if n.Least {
		name = "LEAST"
	}
	args, t, err := a.alternatives(n.Args, name)
	return &Extreme{Args: args, Least: n.Least, T: t}, err
}

func (a *analyzer) alternatives(list []parse.Expr, what string) ([]Expr, types.Type, error) {
	args, places := make([]Expr, len(list)), make([]parse.Pos, len(list))
	for i, n := range list {
		x, err := a.expr(n)
		if err != nil {
			return nil, types.Type{}, err
		}
		args[i], places[i] = x, startOf(n)
	}
	t, err := a.common(args, what, places)
	return args, t, err
}

func (a *analyzer) nullIf(n *parse.NullIfExpr) (Expr, error) {
	l, err := a.expr(n.Left)
	if err != nil {
		return nil, err
	}
	r, err := a.expr(n.Right)
	if err != nil {
		return nil, err
	}
	equal, err := a.operator("=", l, r, n.Pos)
	if err != nil {
		return nil, err
	}
	// It is of the type that the first operand is compared in, not of its own.
	return &NullIf{X: equal.inputs()[0], Equal: equal}, nil
}
