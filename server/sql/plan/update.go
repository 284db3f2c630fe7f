package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// update plans UPDATE and describes what RETURNING gives.
func (a *analyzer) update(n *parse.UpdateStmt) (Node, []Column, error) {
	switch {
	case n.With != nil:
		return nil, nil, a.unsupported(n.With.Pos, "WITH")
	case len(n.From) > 0:
		return nil, nil, a.unsupported(parse.NoPos, "UPDATE ... FROM")
	}
	scan, err := a.targetScan(n.Table, n.Where)
	if err != nil {
		return nil, nil, err
	}
	up := &Update{Table: scan.Table, In: scan}
	a.place = "UPDATE"
	if up.Set, err = a.assignments(scan.Table, n.Set); err != nil {
		return nil, nil, err
	}
	for _, set := range up.Set {
		up.SetsKey = up.SetsKey || scan.Table.InKey(set.Column)
	}
	var columns []Column
	up.Returning, columns, err = a.returning(n.Returning)
	return up, columns, err
}

// delete plans DELETE and describes what RETURNING gives.
func (a *analyzer) delete(n *parse.DeleteStmt) (Node, []Column, error) {
	switch {
	case n.With != nil:
		return nil, nil, a.unsupported(n.With.Pos, "WITH")
	case len(n.Using) > 0:
		return nil, nil, a.unsupported(parse.NoPos, "DELETE ... USING")
	}
	scan, err := a.targetScan(n.Table, n.Where)
	if err != nil {
		return nil, nil, err
	}
	del := &Delete{Table: scan.Table, In: scan}
	var columns []Column
	del.Returning, columns, err = a.returning(n.Returning)
	return del, columns, err
}

// targetScan resolves the one table an UPDATE or DELETE works on, and its WHERE.
func (a *analyzer) targetScan(r *parse.RangeVar, where parse.Expr) (*Scan, error) {
	t, err := a.table(r)
	if err != nil {
		return nil, err
	}
	a.scope = &scope{}
	a.scope.add(tableSource(t, r.Alias))
	scan := &Scan{Table: t, Alias: a.scope.sources[0].name, WithKey: true}
	if where == nil {
		return scan, nil
	}
	cond, err := a.condition(where, "WHERE")
	if err != nil {
		return nil, err
	}
	scan.Access, scan.Filter = keyAccess(t, cond)
	return scan, nil
}

// assignments resolves SET.
func (a *analyzer) assignments(t *catalog.Table, list []parse.Assignment) ([]SetColumn, error) {
	var sets []SetColumn
	seen := map[int]bool{}
	for _, item := range list {
		values, err := a.assignedValues(item)
		if err != nil {
			return nil, err
		}
		for i, target := range item.Targets {
			column, err := a.targetColumn(t, target)
			if err != nil {
				return nil, err
			}
			if seen[column] {
				return nil, types.Errorf(types.CodeSyntax,
					"multiple assignments to same column \"%s\"", target.Name)
			}
			seen[column] = true
			x, err := a.valueFor(&t.Columns[column], values[i])
			if err != nil {
				return nil, err
			}
			sets = append(sets, SetColumn{Column: column, Expr: x})
		}
	}
	return sets, nil
}

// assignedValues gives a value for each target of one item of SET.
func (a *analyzer) assignedValues(item parse.Assignment) ([]parse.Expr, error) {
	if !item.Multi {
		return []parse.Expr{item.Value}, nil
	}
	row, ok := item.Value.(*parse.RowExpr)
	if !ok {
		return nil, a.unsupported(item.Value.Position(), "SET (...) = a subquery")
	}
	if len(row.Args) != len(item.Targets) {
		return nil, a.errorf(row.Pos, types.CodeSyntax,
			"number of columns does not match number of values")
	}
	return row.Args, nil
}
