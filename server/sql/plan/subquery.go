package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// subLink resolves a query in an expression.
func (a *analyzer) subLink(n *parse.SubLink) (Expr, error) {
	s := &SubPlan{Kind: n.Kind, Index: a.subplans, T: boolType}
	a.subplans++
	columns, err := a.innerQuery(s, n.Query)
	if err != nil {
		return nil, err
	}
	switch n.Kind {
	case parse.SubExists:
		a.hash(s, n.Query)
		return s, nil
	case parse.SubAny, parse.SubAll, parse.SubRow:
		x, err := a.quantified(s, n, columns)
		if err == nil && s.Kind == parse.SubAny {
			a.hash(s, n.Query)
		}
		return x, err
	case parse.SubMulti:
		s.T = types.Type{OID: types.Record, Mod: types.NoMod}
		return s, nil
	}
	if len(columns) != 1 {
		return nil, a.errorf(n.Pos, types.CodeSyntax, "subquery must return only one column")
	}
	s.T, s.fields = columns[0].Type, columns[0].fields
	if n.Kind == parse.SubArray {
		elem := s.T.OID
		s.T = types.Type{OID: types.ArrayOf(elem), Mod: types.NoMod}
		if s.T.OID == 0 {
			return nil, a.errorf(n.Pos, types.CodeUndefinedObject,
				"could not find array type for data type %s", types.FormatType(elem, types.NoMod))
		}
	}
	return s, nil
}

// innerQuery plans the query of s and finds out what it reads of the rows around it.
func (a *analyzer) innerQuery(s *SubPlan, q *parse.SelectStmt) ([]Column, error) {
	var columns []Column
	mark := len(*a.scope.open)
	reads, err := a.nested(a.scope, func() (err error) {
		s.Node, columns, err = a.query(q)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, b := range (*a.scope.open)[mark:] {
		s.Bind = append(s.Bind, b.Binding)
	}
	*a.scope.open = (*a.scope.open)[:mark]
	s.Fixed, s.Volatile = len(reads) == 0, nodeVolatile(s.Node)
	return columns, nil
}

// quantified resolves x op ANY (query), x op ALL (query) and x IN (query).
func (a *analyzer) quantified(s *SubPlan, n *parse.SubLink, columns []Column) (Expr, error) {
	op := n.Op.Name
	switch op {
	case "":
		op = "="
	case "!=":
		op = "<>"
	}
	list := []parse.Expr{n.Test}
	if row, ok := n.Test.(*parse.RowExpr); ok {
		list = row.Args
	}
	switch {
	case len(list) < len(columns):
		return nil, a.errorf(n.Pos, types.CodeSyntax, "subquery has too many columns")
	case len(list) > len(columns):
		return nil, a.errorf(n.Pos, types.CodeSyntax, "subquery has too few columns")
	}
	left, right := make([]Expr, len(list)), make([]Expr, len(list))
	for i, item := range list {
		x, err := a.expr(item)
		if err != nil {
			return nil, err
		}
		if x.Type().OID == types.Unknown {
			to := types.Type{OID: columns[i].Type.OID, Mod: types.NoMod}
			if x, err = a.coerceUnknown(x, to, types.Implicit, startOf(item)); err != nil {
				return nil, err
			}
		}
		left[i] = &Field{Index: i, T: x.Type()}
		right[i] = &Field{Index: len(list) + i, T: columns[i].Type}
		s.Left = append(s.Left, x)
	}
	test, err := a.rowTest(op, left, right, n.Pos)
	if err != nil {
		return nil, err
	}
	s.Test, s.Hash = test, s.Kind == parse.SubAny && keyEquality(test)
	return s, nil
}

// keyEquality says whether a test is an equality of two columns that their key bytes decide.
func keyEquality(x Expr) bool {
	cmp, ok := x.(*Compare)
	if !ok || cmp.Op != EQ {
		return false
	}
	l, isColumn := cmp.L.(*Field)
	r, both := cmp.R.(*Field)
	return isColumn && both && types.Keyable(l.T.OID) && types.Keyable(r.T.OID)
}
