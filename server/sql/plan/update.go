package plan

import (
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Target says which rows of a table an UPDATE or DELETE works on. In is set where the table's own
// columns decide, and a row is worked on as soon as it is found. Else Source yields them: its rows
// begin with the table's columns and the storage key. All of them are found and locked, and what is
// to become of them computed, before the first is written: the statement reads tables while it
// runs, and must not see its own writes.
type Target struct {
	Table   *catalog.Table
	Alias   string
	In      *Scan // WithKey
	Source  Node
	Recheck Expr // over a row of Source, when the row it begins with changed before it was locked

	Lock engine.LockMode // of each row
}

// update plans UPDATE and describes what RETURNING gives.
func (a *analyzer) update(n *parse.UpdateStmt) (Node, []Column, error) {
	t, err := a.target(n.With, n.Table, n.From, n.Where)
	if err != nil {
		return nil, nil, err
	}
	defer t.leave()
	up := &Update{}
	a.place = "UPDATE"
	if up.Set, err = a.assignments(t.table, n.Set); err != nil {
		return nil, nil, err
	}
	for _, set := range up.Set {
		up.SetsKey = up.SetsKey || t.table.InKey(set.Column)
	}
	var columns []Column
	if up.Returning, columns, err = a.returning(n.Returning); err != nil {
		return nil, nil, err
	}
	up.Target = t.plan(subplans(up))
	if up.Checks, err = a.rowChecks(t.table); err != nil {
		return nil, nil, err
	}
	up.Target.gatherMoved(up.Set)
	up.Foreign, err = a.foreign(t.table, func(column int) bool {
		return slices.ContainsFunc(up.Set, func(s SetColumn) bool { return s.Column == column })
	}, false)
	if err != nil {
		return nil, nil, err
	}
	up.Lock = keyLock(up.SetsKey, up.Foreign)
	return t.with.above(up), columns, nil
}

// delete plans DELETE and describes what RETURNING gives.
func (a *analyzer) delete(n *parse.DeleteStmt) (Node, []Column, error) {
	t, err := a.target(n.With, n.Table, n.Using, n.Where)
	if err != nil {
		return nil, nil, err
	}
	defer t.leave()
	del := &Delete{}
	var columns []Column
	if del.Returning, columns, err = a.returning(n.Returning); err != nil {
		return nil, nil, err
	}
	del.Target = t.plan(subplans(del))
	del.Lock = engine.RowUpdate
	del.Foreign, err = a.foreign(t.table, func(int) bool { return false }, true)
	return t.with.above(del), columns, err
}

// targeting gathers what an UPDATE or DELETE works on.
type targeting struct {
	a     *analyzer
	table *catalog.Table
	alias string
	with  *withClause
	tree  *joinTree
	where Expr
}

func (a *analyzer) target(
	with *parse.WithClause, r *parse.RangeVar, from []parse.TableExpr, where parse.Expr,
) (*targeting, error) {
	table, err := a.table(r)
	if err != nil {
		return nil, err
	}
	a.scope = newScope(nil)
	t := &targeting{a: a, table: table}
	if with != nil {
		if t.with, err = a.with(with); err != nil {
			return nil, err
		}
	}
	src := tableSource(table, r.Alias)
	src.key = true
	t.alias = src.name
	t.tree, err = a.item(src, r.Alias, &Scan{Table: table, Alias: src.name, WithKey: true})
	if err != nil {
		return nil, err
	}
	for _, item := range from {
		mark := len(*a.scope.open)
		right, err := a.fromItem(item)
		if err != nil {
			return nil, err
		}
		if t.tree, err = a.joined(t.tree, right, mark); err != nil {
			return nil, err
		}
	}
	if where != nil {
		t.where, err = a.condition(where, "WHERE")
	}
	return t, err
}

func (t *targeting) leave() {
	if t.with != nil {
		t.a.leave(t.with)
	}
}

// plan makes the plan of the rows. queries are those in the other expressions of the statement.
func (t *targeting) plan(queries []*SubPlan) Target {
	terms, _ := t.tree.conditions(nil)
	if t.where != nil {
		terms = conjuncts(t.where, terms)
	}
	out := Target{Table: t.table, Alias: t.alias, Recheck: conjunction(terms)}
	var where []Expr
	if t.where != nil {
		where = conjuncts(t.where, nil)
	}
	node := t.a.planTree(t.tree, where)
	node = t.with.below(node)
	scan, alone := node.(*Scan)
	if alone && len(queries) == 0 && len(subplans(scan)) == 0 {
		out.In, out.Recheck = scan, nil
		return out
	}
	out.Source = node
	return out
}

// assignments resolves SET.
func (a *analyzer) assignments(t *catalog.Table, list []parse.Assignment) ([]SetColumn, error) {
	var sets []SetColumn
	seen := map[int]bool{}
	parts := map[int]int{} // where in sets a column stands of which only parts are assigned to
	for _, item := range list {
		if len(item.Targets) == 1 && len(item.Targets[0].Steps) > 0 && !item.Multi {
			if err := a.assignPart(t, item, seen, parts, &sets); err != nil {
				return nil, err
			}
			continue
		}
		value, err := a.assignedValues(item)
		if err != nil {
			return nil, err
		}
		for i, target := range item.Targets {
			column, err := a.targetColumn(t, target)
			if err != nil {
				return nil, err
			}
			if seen[column] {
				return nil, errAssignedTwice(target.Name)
			}
			if len(target.Steps) > 0 {
				return nil, a.unsupported(target.Pos,
					"assignment to an element or field of a column among several")
			}
			seen[column] = true
			x, err := value(&t.Columns[column], i)
			if err != nil {
				return nil, err
			}
			sets = append(sets, SetColumn{Column: column, Expr: x})
		}
	}
	return sets, nil
}

func errAssignedTwice(column string) error {
	return types.Errorf(types.CodeSyntax, "multiple assignments to same column \"%s\"", column)
}

// assignPart resolves column[...] = value, behind other such assignments to the column.
func (a *analyzer) assignPart(
	t *catalog.Table, item parse.Assignment, seen map[int]bool, parts map[int]int, sets *[]SetColumn,
) error {
	target := item.Targets[0]
	column, err := a.targetColumn(t, target)
	if err != nil {
		return err
	}
	c := &t.Columns[column]
	at, again := parts[column]
	if seen[column] && !again {
		return errAssignedTwice(target.Name)
	}
	if !again {
		at, seen[column] = len(*sets), true
		parts[column] = at
		*sets = append(*sets, SetColumn{Column: column, Expr: &Field{Index: column, T: c.Type}})
	}
	set := &(*sets)[at]
	if err := checkAlways(c, item.Value); err != nil {
		return err
	}
	set.Expr, err = a.assignedPart(c, set.Expr, target, item.Value)
	return err
}

// assignedValues gives what makes the value for each target of one item of SET.
func (a *analyzer) assignedValues(
	item parse.Assignment,
) (func(c *catalog.Column, i int) (Expr, error), error) {
	values := []parse.Expr{item.Value}
	if item.Multi {
		if link, ok := item.Value.(*parse.SubLink); ok {
			return a.assignedQuery(item, link)
		}
		row, ok := item.Value.(*parse.RowExpr)
		if !ok {
			return nil, a.errorf(item.Value.Position(), types.CodeFeatureNotSupported,
				"source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
		}
		if values = row.Args; len(values) != len(item.Targets) {
			return nil, a.errorf(row.Pos, types.CodeSyntax,
				"number of columns does not match number of values")
		}
	}
	return func(c *catalog.Column, i int) (Expr, error) {
		if err := checkAlways(c, values[i]); err != nil {
			return nil, err
		}
		return a.valueFor(c, values[i])
	}, nil
}

// assignedQuery resolves SET (a, b) = (query).
func (a *analyzer) assignedQuery(
	item parse.Assignment, link *parse.SubLink,
) (func(c *catalog.Column, i int) (Expr, error), error) {
	s := &SubPlan{Kind: parse.SubMulti, Index: a.subplans,
		T: types.Type{OID: types.Record, Mod: types.NoMod}}
	a.subplans++
	columns, err := a.innerQuery(s, link.Query)
	if err != nil {
		return nil, err
	}
	if len(columns) != len(item.Targets) {
		return nil, a.errorf(link.Pos, types.CodeSyntax,
			"number of columns does not match number of values")
	}
	return func(c *catalog.Column, i int) (Expr, error) {
		if err := checkAlways(c, link); err != nil {
			return nil, err
		}
		return a.assign(&RowField{X: s, Index: i, T: columns[i].Type}, c, link.Pos)
	}, nil
}
