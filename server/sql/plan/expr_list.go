package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// inExpr resolves x [NOT] IN (list). When all of the list and x have a common type, the list is
// brought to it, as Postgres does; else each element is compared by an operator of its own.
func (a *analyzer) inExpr(n *parse.InExpr) (Expr, error) {
	if row, ok := n.Left.(*parse.RowExpr); ok {
		return a.rowIn(n, row)
	}
	x, err := a.expr(n.Left)
	if err != nil {
		return nil, err
	}
	list, oids := make([]Expr, len(n.List)), []types.OID{x.Type().OID}
	for i, item := range n.List {
		if list[i], err = a.expr(item); err != nil {
			return nil, err
		}
		oids = append(oids, list[i].Type().OID)
	}
	op := "="
	if n.Not {
		op = "<>"
	}
	common, _, ok := types.CommonType(oids)
	if !ok {
		return a.inByOperators(n, op, x, list)
	}
	if common == types.Unknown {
		common = types.Text
	}
	// The elements take the common type; x keeps its own if the two compare as they are, so that
	// a key column stays a bare column.
	for i := range list {
		to := types.Type{OID: common, Mod: types.NoMod}
		if list[i], err = a.coerce(list[i], to, types.Implicit, "", startOf(n.List[i])); err != nil {
			return nil, err
		}
	}
	x, test, err := a.elementTest(op, x, common, n.Pos)
	if err != nil {
		return nil, err
	}
	return &AnyAll{X: x, List: list, All: n.Not, Test: test, Op: op}, nil
}

func (a *analyzer) inByOperators(n *parse.InExpr, op string, x Expr, list []Expr) (Expr, error) {
	tests := make([]Expr, len(list))
	for i, item := range list {
		test, err := a.operator(op, x, item, n.Pos)
		if err != nil {
			return nil, err
		}
		tests[i] = test
	}
	if n.Not {
		return &And{Args: tests}, nil
	}
	return &Or{Args: tests}, nil
}

// elementTest makes the comparison of x with an element of type elem, over columns 0 and 1, and
// gives x in the type that comparison takes.
func (a *analyzer) elementTest(
	op string, x Expr, elem types.OID, pos parse.Pos,
) (Expr, Expr, error) {
	if x.Type().OID == types.Unknown {
		to := types.Type{OID: elem, Mod: types.NoMod}
		y, err := a.coerceUnknown(x, to, types.Implicit, pos)
		if err != nil {
			return nil, nil, err
		}
		x = y
	}
	l := &Field{Index: 0, T: x.Type()}
	r := &Field{Index: 1, T: types.Type{OID: elem, Mod: types.NoMod}}
	test, err := a.operator(op, l, r, pos)
	if err != nil {
		return nil, nil, err
	}
	if test.Type().OID != types.Bool {
		return nil, nil, a.errorf(pos, types.CodeWrongObjectType,
			"op ANY/ALL (array) requires operator to yield boolean")
	}
	return x, test, nil
}

func (a *analyzer) anyAll(n *parse.AnyAllExpr) (Expr, error) {
	x, err := a.expr(n.Left)
	if err != nil {
		return nil, err
	}
	array, err := a.expr(n.Array)
	if err != nil {
		return nil, err
	}
	if array.Type().OID == types.Unknown {
		elem := x.Type().OID
		if elem == types.Unknown || elem == types.VarChar {
			elem = types.Text
		}
		to := types.Type{OID: types.ArrayOf(elem), Mod: types.NoMod}
		if array, err = a.coerceUnknown(array, to, types.Implicit, startOf(n.Array)); err != nil {
			return nil, err
		}
	}
	elem := types.ElemOf(array.Type().OID)
	if elem == 0 {
		return nil, a.errorf(n.Pos, types.CodeWrongObjectType,
			"op ANY/ALL (array) requires array on right side")
	}
	op := n.Op.Name
	if op == "!=" {
		op = "<>"
	}
	x, test, err := a.elementTest(op, x, elem, n.Pos)
	if err != nil {
		return nil, err
	}
	if list, ok := array.(*ArrayOf); ok && len(list.Elems) > 0 &&
		types.ElemOf(list.Elems[0].Type().OID) == 0 {
		return &AnyAll{X: x, List: list.Elems, All: n.All, Test: test, Op: op}, nil
	}
	return &AnyAll{X: x, Array: array, All: n.All, Test: test, Op: op}, nil
}
