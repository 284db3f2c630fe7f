package plan

import (
	"strconv"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// What follows stands in definitions alone. Nothing there is ever computed, but some of it is asked
// for its type and compared with others by its text.

// Var is a column of a source.
type Var struct {
	source *definedSource
	at     int // -1 for tableoid
	T      types.Type
}

// Type implements Expr.
func (v *Var) Type() types.Type { return v.T }

// Eval implements Expr.
func (v *Var) Eval(*Eval, []types.Datum) (types.Datum, error) { return types.Null, errDefinition() }

func (v *Var) inputs() []Expr      { return nil }
func (v *Var) rebuild([]Expr) Expr { return v }

func (v *Var) print(p *printer) {
	p.WriteString("column " + strconv.Itoa(v.at) + " of " + strconv.Itoa(v.source.id))
}

// definedLink is a query in an expression.
type definedLink struct {
	id    int
	kind  parse.SubLinkKind
	left  []Expr // of ANY and ALL
	op    string
	query *definition
	T     types.Type
}

// Type implements Expr.
func (l *definedLink) Type() types.Type { return l.T }

// Eval implements Expr.
func (l *definedLink) Eval(*Eval, []types.Datum) (types.Datum, error) {
	return types.Null, errDefinition()
}

func (l *definedLink) inputs() []Expr { return l.left }

func (l *definedLink) rebuild(in []Expr) Expr {
	out := *l
	out.left = in
	return &out
}

func (l *definedLink) print(p *printer) { p.WriteString("query " + strconv.Itoa(l.id)) }

func errDefinition() error {
	return types.Errorf("XX000", "a definition is not there to be computed")
}

// spelledCall is a call in the syntax that SQL has for it: EXTRACT(year FROM x).
type spelledCall struct{ *Call }

// valueWord is CURRENT_DATE and the like.
type valueWord struct {
	Expr
	word *parse.SQLValueFunction
}

// collated is x COLLATE name.
type collated struct {
	Expr
	name string
}

func (c *collated) inputs() []Expr         { return []Expr{c.Expr} }
func (c *collated) rebuild(in []Expr) Expr { return &collated{in[0], c.name} }

// caseOf is CASE x WHEN y, of whose conditions x = y the right side is shown.
type caseOf struct {
	*Case
	arg Expr
}

// sugared is an expression that was written in a form of its own, as BETWEEN is, and is shown as
// what that stands for. In a text that is kept it has its own form: read again it is the same.
type sugared struct {
	Expr
	keep func(p *deparser)
}

// rowCompared is ROW(a, b) < ROW(c, d).
type rowCompared struct {
	Expr
	op          string
	left, right []Expr
}

// defineExpr resolves what a definition shows otherwise than a plan computes it; nil for the rest.
func (a *analyzer) defineExpr(n parse.Expr) (Expr, error) {
	switch n := n.(type) {
	case *parse.SubLink:
		return a.defineLink(n)
	case *parse.InExpr:
		return a.defineIn(n)
	case *parse.BetweenExpr:
		return a.defineBetween(n)
	case *parse.FuncCall:
		return a.defineCall(n)
	case *parse.SQLValueFunction:
		x, err := a.valueFunction(n)
		if err != nil {
			return nil, err
		}
		return &valueWord{Expr: x, word: n}, nil
	case *parse.CollateExpr:
		x, err := a.collate(n)
		if err != nil {
			return nil, err
		}
		return &collated{Expr: x, name: n.Collation.Name}, nil
	case *parse.CaseExpr:
		return a.defineCase(n)
	case *parse.OpExpr:
		return a.defineRows(n)
	}
	return nil, nil
}

// defineCall notes how a call was spelled, and the window of one that has one.
func (a *analyzer) defineCall(n *parse.FuncCall) (Expr, error) {
	switch {
	case n.WithinGroup:
		return nil, errNotDefined("WITHIN GROUP")
	case n.Variadic:
		return nil, errNotDefined("VARIADIC")
	}
	x, err := a.funcCall(n)
	if err != nil {
		return nil, err
	}
	switch x := x.(type) {
	case *WindowRef:
		a.defines.overs[x.call] = n.Over
	case *Call:
		if n.SQLSyntax {
			return &spelledCall{x}, nil
		}
	}
	return x, nil
}

func (a *analyzer) defineCase(n *parse.CaseExpr) (Expr, error) {
	x, err := a.caseExpr(n)
	if err != nil || n.Arg == nil {
		return x, err
	}
	arg, err := a.operand(n.Arg)
	if err != nil {
		return nil, err
	}
	return &caseOf{Case: x.(*Case), arg: arg}, nil
}

// defineRows resolves (a, b) < (c, d); all else that is an operator is none of its business.
func (a *analyzer) defineRows(n *parse.OpExpr) (Expr, error) {
	l, isRow := n.Left.(*parse.RowExpr)
	r, both := n.Right.(*parse.RowExpr)
	if isRow != both {
		return nil, errNotDefined("a row compared with what is not written as one")
	}
	if !isRow {
		return nil, nil
	}
	switch n.Op.Name {
	case "<", "<=", ">", ">=":
	default:
		return nil, nil
	}
	x, err := a.rowComparison(n.Op.Name, l, r, n.Pos)
	if err != nil {
		return nil, err
	}
	out := &rowCompared{Expr: x, op: n.Op.Name}
	for i := range l.Args {
		test, err := a.opExpr(
			&parse.OpExpr{Op: n.Op, Left: l.Args[i], Right: r.Args[i], Pos: n.Pos})
		if err != nil {
			return nil, err
		}
		pair := test.inputs()
		out.left, out.right = append(out.left, pair[0]), append(out.right, pair[1])
	}
	return out, nil
}

// defineIn resolves x IN (list). Elements that read columns are compared one by one; two or more of
// the others, if they have a common type, are an array.
func (a *analyzer) defineIn(n *parse.InExpr) (Expr, error) {
	if row, ok := n.Left.(*parse.RowExpr); ok {
		return a.defineRowIn(n, row)
	}
	arg, err := a.expr(n.Left)
	if err != nil {
		return nil, err
	}
	var constant, rest []parse.Expr
	for _, item := range n.List {
		x, err := a.expr(item)
		if err != nil {
			return nil, err
		}
		if readsColumns(x) {
			rest = append(rest, item)
		} else {
			constant = append(constant, item)
		}
	}
	op := "="
	if n.Not {
		op = "<>"
	}
	var tests, kept []Expr
	if len(constant) > 1 {
		x, err := a.inExpr(&parse.InExpr{Not: n.Not, Left: n.Left, List: constant, Pos: n.Pos})
		if err != nil {
			return nil, err
		}
		if array, ok := x.(*AnyAll); ok {
			tests, kept, constant = append(tests, x), array.List, nil
		} else {
			rest, constant = n.List, nil
		}
	}
	for _, item := range append(constant, rest...) {
		x, err := a.opExpr(&parse.OpExpr{Op: parse.QName{Name: op}, Left: n.Left, Right: item,
			Pos: n.Pos})
		if err != nil {
			return nil, err
		}
		tests, kept = append(tests, x), append(kept, x.inputs()[1])
	}
	x := paired(tests, n.Not)
	if len(tests) == 1 {
		return x, nil
	}
	return &sugared{Expr: x, keep: func(p *deparser) {
		p.within(true, func() {
			p.expr(arg, true)
			p.add(map[bool]string{true: " NOT IN (", false: " IN ("}[n.Not])
			p.list(kept, true)
			p.add(")")
		})
	}}, nil
}

// defineBetween resolves BETWEEN; what is kept has the bounds in the types they are compared in.
func (a *analyzer) defineBetween(n *parse.BetweenExpr) (Expr, error) {
	arg, err := a.expr(n.Arg)
	if err != nil {
		return nil, err
	}
	x, err := a.between(n)
	if err != nil {
		return nil, err
	}
	pair := x.inputs()
	if n.Symmetric {
		pair = pair[0].inputs()
	}
	return &sugared{Expr: x, keep: func(p *deparser) {
		p.within(true, func() {
			p.expr(arg, true)
			p.add(map[bool]string{true: " NOT BETWEEN ", false: " BETWEEN "}[n.Not])
			if n.Symmetric {
				p.add("SYMMETRIC ")
			}
			p.expr(pair[0].inputs()[1], true)
			p.add(" AND ")
			p.expr(pair[1].inputs()[1], true)
		})
	}}, nil
}

// defineRowIn resolves (a, b) IN ((c, d), ...).
func (a *analyzer) defineRowIn(n *parse.InExpr, row *parse.RowExpr) (Expr, error) {
	tests := make([]Expr, len(n.List))
	for i := range n.List {
		x, err := a.rowIn(&parse.InExpr{Not: n.Not, List: n.List[i : i+1], Pos: n.Pos}, row)
		if err != nil {
			return nil, err
		}
		tests[i] = x
	}
	return paired(tests, n.Not), nil
}

// paired joins tests by AND, or by OR, two at a time from the left.
func paired(tests []Expr, and bool) Expr {
	x := tests[0]
	for _, test := range tests[1:] {
		if and {
			x = &And{Args: []Expr{x, test}}
		} else {
			x = &Or{Args: []Expr{x, test}}
		}
	}
	return x
}

func readsColumns(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		switch x := x.(type) {
		case *Var, *Field:
			return false
		case *AggRef:
			for _, arg := range x.call.Args {
				if readsColumns(arg) {
					return false
				}
			}
		}
		return true
	})
}

// defineLink resolves a query in an expression.
func (a *analyzer) defineLink(n *parse.SubLink) (Expr, error) {
	q, err := a.defineInside(n.Query)
	if err != nil {
		return nil, err
	}
	a.defineCount++
	l := &definedLink{id: a.defineCount, kind: n.Kind, query: q, T: boolType}
	switch n.Kind {
	case parse.SubExists:
	case parse.SubScalar:
		l.T = q.columns[0].Type
	case parse.SubArray:
		l.T = types.Type{OID: types.ArrayOf(q.columns[0].Type.OID), Mod: types.NoMod}
	case parse.SubAny, parse.SubAll:
		s := &SubPlan{Kind: n.Kind}
		if _, err := a.quantified(s, n, q.columns); err != nil {
			return nil, err
		}
		if l.op = n.Op.Name; l.op == "" {
			l.op = "="
		}
		l.left = comparedBy(s)
	default:
		return nil, errNotDefined("this query in an expression")
	}
	return l, nil
}

// comparedBy gives the left side of ANY or ALL with the casts that its comparison makes.
func comparedBy(s *SubPlan) []Expr {
	tests := []Expr{s.Test}
	if len(s.Left) > 1 {
		tests = s.Test.inputs()
	}
	left := make([]Expr, len(s.Left))
	for i := range left {
		left[i] = rewrite(tests[i].inputs()[0], func(x Expr) Expr {
			if f, ok := x.(*Field); ok {
				return s.Left[f.Index]
			}
			return nil
		})
	}
	return left
}
