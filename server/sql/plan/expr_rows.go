package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// rowExpr resolves ROW(a, b).
func (a *analyzer) rowExpr(n *parse.RowExpr) (Expr, error) {
	r := &RowOf{}
	for _, item := range n.Args {
		if ref, ok := item.(*parse.ColumnRef); ok && ref.Star {
			outs, err := a.star(ref)
			if err != nil {
				return nil, err
			}
			for _, out := range outs {
				r.Args = append(r.Args, out.expr)
			}
			continue
		}
		x, err := a.operand(item)
		if err != nil {
			return nil, err
		}
		r.Args = append(r.Args, x)
	}
	return r, nil
}

// rowComparison resolves (a, b) op (c, d), column by column.
func (a *analyzer) rowComparison(op string, l, r *parse.RowExpr, pos parse.Pos) (Expr, error) {
	if op == "!=" {
		op = "<>"
	}
	switch {
	case len(l.Args) != len(r.Args):
		return nil, a.errorf(pos, types.CodeSyntax, "unequal number of entries in row expressions")
	case len(l.Args) == 0:
		return nil, a.errorf(pos, types.CodeFeatureNotSupported,
			"cannot compare rows of zero length")
	}
	left, err := a.arguments(l.Args)
	if err != nil {
		return nil, err
	}
	right, err := a.arguments(r.Args)
	if err != nil {
		return nil, err
	}
	return a.rowTest(op, left, right, pos)
}

// rowTest compares two rows of one length.
func (a *analyzer) rowTest(op string, left, right []Expr, pos parse.Pos) (Expr, error) {
	switch op {
	case "=", "<>":
		tests, err := a.pairwise(op, left, right, pos)
		if err != nil {
			return nil, err
		}
		if op == "=" {
			return conjunction(tests), nil
		}
		return disjunction(tests), nil
	case "<", "<=", ">", ">=":
		return a.rowOrder(op, left, right, pos)
	}
	tests, err := a.pairwise(op, left, right, pos)
	switch {
	case err != nil:
		return nil, err
	case len(tests) == 1:
		return tests[0], nil
	}
	return nil, a.errorf(pos, types.CodeFeatureNotSupported,
		"could not determine interpretation of row comparison operator %s", op).(*types.Error).
		WithHint("Row comparison operators must be associated with btree operator families.")
}

func disjunction(terms []Expr) Expr {
	if len(terms) == 1 {
		return terms[0]
	}
	return &Or{Args: terms}
}

func (a *analyzer) pairwise(op string, l, r []Expr, pos parse.Pos) ([]Expr, error) {
	tests := make([]Expr, len(l))
	for i := range l {
		x, err := a.operator(op, l[i], r[i], pos)
		if err != nil {
			return nil, err
		}
		if x.Type().OID != types.Bool {
			return nil, a.errorf(pos, types.CodeDatatypeMismatch,
				"row comparison operator must yield type boolean, not type %s",
				types.FormatType(x.Type().OID, types.NoMod))
		}
		tests[i] = x
	}
	return tests, nil
}

// rowOrder compares rows by their first columns that differ: (a, b) < (c, d) is a < c, or a = c
// and b < d.
func (a *analyzer) rowOrder(op string, l, r []Expr, pos parse.Pos) (Expr, error) {
	strict := op[:1]
	last, err := a.operator(op, l[len(l)-1], r[len(r)-1], pos)
	if err != nil {
		return nil, err
	}
	for i := len(l) - 2; i >= 0; i-- {
		less, err := a.operator(strict, l[i], r[i], pos)
		if err != nil {
			return nil, err
		}
		equal, err := a.operator("=", l[i], r[i], pos)
		if err != nil {
			return nil, err
		}
		last = &Or{Args: []Expr{less, &And{Args: []Expr{equal, last}}}}
	}
	return last, nil
}

// rowIn resolves (a, b) IN ((c, d), ...).
func (a *analyzer) rowIn(n *parse.InExpr, left *parse.RowExpr) (Expr, error) {
	op := "="
	if n.Not {
		op = "<>"
	}
	tests := make([]Expr, len(n.List))
	for i, item := range n.List {
		right, ok := item.(*parse.RowExpr)
		if !ok {
			return nil, a.unsupported(n.Pos, "a row compared with what is not written as a row")
		}
		x, err := a.rowComparison(op, left, right, n.Pos)
		if err != nil {
			return nil, err
		}
		tests[i] = x
	}
	if n.Not {
		return conjunction(tests), nil
	}
	return disjunction(tests), nil
}

// rowDistinct resolves (a, b) IS DISTINCT FROM (c, d).
func (a *analyzer) rowDistinct(n *parse.DistinctExpr, l, r *parse.RowExpr) (Expr, error) {
	if len(l.Args) != len(r.Args) {
		return nil, a.errorf(n.Pos, types.CodeSyntax,
			"unequal number of entries in row expressions")
	}
	tests := make([]Expr, len(l.Args))
	for i := range l.Args {
		x, err := a.distinct(&parse.DistinctExpr{Left: l.Args[i], Right: r.Args[i], Pos: n.Pos})
		if err != nil {
			return nil, err
		}
		tests[i] = x
	}
	if n.Not {
		return &Not{X: disjunction(tests)}, nil
	}
	return disjunction(tests), nil
}
