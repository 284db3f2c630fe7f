package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// array resolves ARRAY[...]; elem is the element type a cast around it asks for, or 0. If one
// element is an array, all have to be, and the result has a dimension more than they.
func (a *analyzer) array(n *parse.ArrayExpr, elem types.OID) (Expr, error) {
	list, places := make([]Expr, len(n.Elements)), make([]parse.Pos, len(n.Elements))
	nested := false
	for i, item := range n.Elements {
		x, err := a.arrayElement(item, elem)
		if err != nil {
			return nil, err
		}
		nested = nested || types.ElemOf(x.Type().OID) != 0
		list[i], places[i] = x, startOf(item)
	}
	if elem == 0 {
		if len(list) == 0 {
			return nil, a.errorf(n.Pos, types.CodeIndeterminateType,
				"cannot determine type of empty array").(*types.Error).WithHint(
				"Explicitly cast to the desired type, for example ARRAY[]::integer[].")
		}
		t, err := a.common(list, "ARRAY", places)
		if err != nil {
			return nil, err
		}
		elem = t.OID
	}
	oid := types.ArrayOf(elem)
	if nested {
		oid = list[0].Type().OID
	}
	if oid == 0 {
		return nil, a.errorf(n.Pos, types.CodeUndefinedObject,
			"could not find array type for data type %s", types.FormatType(elem, types.NoMod))
	}
	return &ArrayOf{Elems: list, Nested: nested, T: types.Type{OID: oid, Mod: types.NoMod}}, nil
}

// arrayElement resolves an element of ARRAY[...], in the type that a cast around it asks for.
func (a *analyzer) arrayElement(item parse.Expr, elem types.OID) (Expr, error) {
	if inner, ok := item.(*parse.ArrayExpr); ok {
		return a.array(inner, elem)
	}
	x, err := a.expr(item)
	if err != nil || elem == 0 {
		return x, err
	}
	to := types.Type{OID: elem, Mod: types.NoMod}
	if types.ElemOf(x.Type().OID) != 0 {
		to.OID = types.ArrayOf(elem)
	}
	return a.coerce(x, to, types.Explicit, "", startOf(item))
}

// indirection resolves what follows a value: subscripts, slices, a field.
func (a *analyzer) indirection(n *parse.IndirectionExpr) (Expr, error) {
	x, err := a.operand(n.Arg)
	if err != nil {
		return nil, err
	}
	for i, step := range n.Steps {
		switch {
		case step.Star:
			return nil, a.errorf(startOf(n), types.CodeFeatureNotSupported,
				"row expansion via \"*\" is not supported here")
		case step.Subscript && i == 0:
			return a.elements(x, n)
		case step.Subscript:
			return nil, a.unsupported(startOf(n), "an element of a field")
		}
		if x, err = a.field(x, step.Field, startOf(n)); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// elements resolves the brackets behind a value, and what follows them.
func (a *analyzer) elements(x Expr, n *parse.IndirectionExpr) (Expr, error) {
	for _, step := range n.Steps {
		if !step.Subscript {
			return nil, a.unsupported(startOf(n), "a field of an element")
		}
	}
	if x.Type().OID == types.JSONB {
		return a.jsonSubscripts(x, n.Steps)
	}
	elem := types.ElemOf(x.Type().OID)
	if elem == 0 {
		return nil, a.errorf(startOf(n), types.CodeDatatypeMismatch,
			"cannot subscript type %s because it does not support subscripting",
			types.FormatType(x.Type().OID, x.Type().Mod))
	}
	return a.subscripts(x, n.Steps, elem)
}

// subscripts resolves the brackets behind an array. If one is a slice, all are: [n] is [1:n] then.
func (a *analyzer) subscripts(x Expr, steps []parse.Indirection, elem types.OID) (Expr, error) {
	if len(steps) > types.MaxArrayDims {
		return nil, types.Errorf(types.CodeProgramLimit,
			"number of array dimensions (%d) exceeds the maximum allowed (%d)", len(steps),
			types.MaxArrayDims)
	}
	lower, upper := make([]Expr, len(steps)), make([]Expr, len(steps))
	sliced := false
	for i, step := range steps {
		var err error
		if lower[i], err = a.subscript(step.Lower); err != nil {
			return nil, err
		}
		if upper[i], err = a.subscript(step.Upper); err != nil {
			return nil, err
		}
		sliced = sliced || step.Slice
	}
	if !sliced {
		return &Subscript{X: x, Index: upper, T: types.Type{OID: elem, Mod: types.NoMod}}, nil
	}
	for i, step := range steps {
		if !step.Slice {
			lower[i] = &Const{Value: types.NewInt4(1), T: int4Type}
		}
	}
	return &Slice{X: x, Lower: lower, Upper: upper}, nil
}

func (a *analyzer) subscript(n parse.Expr) (Expr, error) {
	if n == nil {
		return nil, nil
	}
	x, err := a.expr(n)
	if err != nil {
		return nil, err
	}
	if x.Type().OID != types.Unknown && x.Type().OID != types.Int4 {
		_, ok := types.FindCast(x.Type().OID, types.Int4, types.Assignment)
		if !ok {
			return nil, a.errorf(startOf(n), types.CodeDatatypeMismatch,
				"array subscript must have type integer")
		}
	}
	return a.coerce(x, int4Type, types.Assignment, "", startOf(n))
}
