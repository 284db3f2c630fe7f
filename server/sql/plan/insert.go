package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// insert plans INSERT and describes what RETURNING gives.
func (a *analyzer) insert(n *parse.InsertStmt) (Node, []Column, error) {
	t, err := a.table(n.Table)
	if err != nil {
		return nil, nil, err
	}
	targets, err := a.insertColumns(t, n)
	if err != nil {
		return nil, nil, err
	}
	ins := &Insert{Table: t, Alias: t.Name}
	var with *withClause
	if n.With != nil {
		if with, err = a.with(n.With); err != nil {
			return nil, nil, err
		}
		defer a.leave(with)
	}
	if err := a.insertSource(ins, targets, n); err != nil {
		return nil, nil, err
	}
	a.scope = newScope(nil)
	a.scope.add(tableSource(t, n.Table.Alias))
	if n.OnConflict != nil {
		if err := a.onConflict(ins, n); err != nil {
			return nil, nil, err
		}
	}
	var columns []Column
	if ins.Returning, columns, err = a.returning(n.Returning); err != nil {
		return nil, nil, err
	}
	ins.In = with.below(ins.In)
	if ins.Checks, err = a.rowChecks(t); err != nil {
		return nil, nil, err
	}
	if err := a.foreignOfInsert(ins); err != nil {
		return nil, nil, err
	}
	ins.insertReads()
	return with.above(ins), columns, nil
}

// insertReads finds out whether the statement reads the table it writes to. The source of its rows
// can be read to its end first; what is computed row by row behind a write cannot.
func (ins *Insert) insertReads() {
	reads := func(n Node) bool {
		return !visit(n, func(n Node) bool {
			scan, ok := n.(*Scan)
			return !ok || scan.Table != ins.Table
		})
	}
	ins.Gather = (readsLate(ins.In) || readsInPieces(ins.In)) && reads(ins.In)
	for _, sub := range subplans(ins) {
		ins.Apart = ins.Apart || reads(sub.Node)
	}
}

// insertColumns gives the position in the table of each target column.
func (a *analyzer) insertColumns(t *catalog.Table, n *parse.InsertStmt) ([]int, error) {
	if len(n.Columns) == 0 {
		all := make([]int, len(t.Columns))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	var targets []int
	for _, c := range n.Columns {
		i, err := a.targetColumn(t, c)
		if err != nil {
			return nil, err
		}
		if len(c.Steps) > 0 {
			return nil, a.unsupported(c.Pos, "INSERT into an element or field of a column")
		}
		if slices.Contains(targets, i) {
			return nil, a.errorf(c.Pos, CodeDuplicateColumn,
				"column \"%s\" specified more than once", c.Name)
		}
		targets = append(targets, i)
	}
	return targets, nil
}

func (a *analyzer) targetColumn(t *catalog.Table, c parse.InsertColumn) (int, error) {
	i := t.ColumnIndex(c.Name)
	if i < 0 {
		return 0, a.errorf(c.Pos, CodeUndefinedColumn,
			"column \"%s\" of relation \"%s\" does not exist", c.Name, t.Name)
	}
	return i, nil
}

// insertSource resolves what is inserted. The rows of VALUES are coerced to their columns one by
// one; those of a query as a whole.
func (a *analyzer) insertSource(ins *Insert, targets []int, n *parse.InsertStmt) error {
	t, q := ins.Table, n.Query
	given := make([]Expr, len(t.Columns))
	ignore, err := overridden(t, targets, n)
	if err != nil {
		return err
	}
	switch {
	case q == nil:
		ins.In = &Result{}
	case isPlainValues(q):
		rows, err := a.insertValues(t, targets, n, ignore)
		if err != nil {
			return err
		}
		ins.In = &Values{Rows: rows}
		for i, c := range targets[:len(rows[0])] {
			given[c] = &Field{Index: i, T: t.Columns[c].Type}
		}
	default:
		node, columns, err := a.insertQuery(t, targets, n)
		if err != nil {
			return err
		}
		ins.In = node
		for i, column := range columns {
			c := &t.Columns[targets[i]]
			x, err := a.assign(&Field{Index: i, T: column.Type}, c, parse.NoPos)
			if err != nil {
				return err
			}
			given[targets[i]] = x
		}
	}
	for i := range given {
		if ignore[i] {
			given[i] = nil
		}
	}
	return a.fillDefaults(ins, given)
}

func isPlainValues(q *parse.SelectStmt) bool {
	return q.Values != nil && q.OrderBy == nil && q.Limit == nil && q.Offset == nil &&
		q.With == nil && q.Locking == nil
}

// fillDefaults completes the row with the defaults of the columns nobody named.
func (a *analyzer) fillDefaults(ins *Insert, given []Expr) error {
	for i := range given {
		if given[i] != nil {
			continue
		}
		x, err := a.defaultExpr(&ins.Table.Columns[i])
		if err != nil {
			return err
		}
		given[i] = x
	}
	ins.Row = given
	return nil
}

func (a *analyzer) insertValues(
	t *catalog.Table, targets []int, n *parse.InsertStmt, ignore []bool,
) ([][]Expr, error) {
	a.place = "VALUES"
	list := n.Query.Values
	if err := a.checkInsertWidth(targets, n, len(list[0]), list[0]); err != nil {
		return nil, err
	}
	rows := make([][]Expr, len(list))
	for i, items := range list {
		if len(items) != len(list[0]) {
			return nil, a.errorf(startOf(items[0]), types.CodeSyntax,
				"VALUES lists must all be the same length")
		}
		rows[i] = make([]Expr, len(items))
		for j, item := range items {
			column := &t.Columns[targets[j]]
			if _, ok := item.(*parse.SetToDefault); ok && ignore[targets[j]] {
				// The default is computed once, for the row and not for the list.
				rows[i][j] = &Const{T: column.Type}
				continue
			}
			x, err := a.valueFor(column, item)
			if err != nil {
				return nil, err
			}
			rows[i][j] = x
		}
	}
	return rows, nil
}

// valueFor resolves an expression that is assigned to a column, or DEFAULT.
func (a *analyzer) valueFor(c *catalog.Column, n parse.Expr) (Expr, error) {
	if _, ok := n.(*parse.SetToDefault); ok {
		return a.defaultExpr(c)
	}
	x, err := a.expr(n)
	if err != nil {
		return nil, err
	}
	return a.assign(x, c, startOf(n))
}

func (a *analyzer) checkInsertWidth(
	targets []int, n *parse.InsertStmt, width int, items []parse.Expr,
) error {
	if width > len(targets) {
		pos := parse.NoPos
		if items != nil {
			pos = startOf(items[len(targets)])
		}
		return a.errorf(pos, types.CodeSyntax, "INSERT has more expressions than target columns")
	}
	if width < len(targets) && len(n.Columns) > 0 {
		return a.errorf(n.Columns[width].Pos, types.CodeSyntax,
			"INSERT has more target columns than expressions")
	}
	return nil
}

// insertQuery plans INSERT ... SELECT. A bare literal or parameter in its select list takes the
// type of the column it goes to.
func (a *analyzer) insertQuery(
	t *catalog.Table, targets []int, n *parse.InsertStmt,
) (Node, []Column, error) {
	for _, c := range targets {
		a.hints = append(a.hints, t.Columns[c].Type.OID)
	}
	inner := a.inner
	a.scope, a.inner = newScope(nil), true
	node, columns, err := a.query(n.Query)
	a.hints, a.inner = nil, inner
	if err != nil {
		return nil, nil, err
	}
	if err := a.checkInsertWidth(targets, n, len(columns), nil); err != nil {
		return nil, nil, err
	}
	return node, columns, nil
}

// onConflict resolves ON CONFLICT.
func (a *analyzer) onConflict(ins *Insert, n *parse.InsertStmt) error {
	oc := n.OnConflict
	arbiters, err := a.arbiters(ins.Table, oc)
	if err != nil {
		return err
	}
	c := &Conflict{DoUpdate: oc.DoUpdate, Any: !oc.Inferred && oc.Constraint == "",
		Arbiters: arbiters}
	ins.Conflict = c
	if !oc.DoUpdate {
		return nil
	}
	if c.Any {
		return a.errorf(oc.Pos, types.CodeSyntax,
			"ON CONFLICT DO UPDATE requires inference specification or constraint name").(*types.Error).
			WithHint("For example, ON CONFLICT (column_name).")
	}
	excluded := tableSource(ins.Table, &parse.Alias{Name: "excluded"})
	excluded.qualified = true
	table := a.scope
	a.scope = newScope(nil)
	a.scope.add(table.sources[0])
	a.scope.add(excluded)
	defer func() { a.scope = table }()
	if c.Set, err = a.assignments(ins.Table, oc.Set); err != nil {
		return err
	}
	if oc.Where != nil {
		if c.Where, err = a.condition(oc.Where, "WHERE"); err != nil {
			return err
		}
	}
	ins.BlindUpsert = isBlind(ins.Table, c)
	return nil
}

// isBlind says whether the conflict action makes the existing row equal to the proposed one.
func isBlind(t *catalog.Table, c *Conflict) bool {
	if c.Where != nil || t.Indexes != nil {
		return false
	}
	same := map[int]bool{}
	for _, set := range c.Set {
		x, ok := set.Expr.(*Field)
		if !ok || x.Index != len(t.Columns)+set.Column {
			return false
		}
		same[set.Column] = true
	}
	for i := range t.Columns {
		if !t.InKey(i) && !same[i] {
			return false
		}
		// A key column that is stored beside its key may differ in its written form.
		if t.InKey(i) && !same[i] && !types.KeyLossless(t.Columns[i].Type.OID) {
			return false
		}
	}
	return true
}

// returning resolves RETURNING over the scope.
func (a *analyzer) returning(list []parse.ResTarget) ([]Expr, []Column, error) {
	if len(list) == 0 {
		return nil, nil, nil
	}
	a.place = "RETURNING"
	var exprs []Expr
	var columns []Column
	for _, target := range list {
		outs, err := a.resTarget(target)
		if err != nil {
			return nil, nil, err
		}
		for _, out := range outs {
			exprs = append(exprs, out.expr)
			oid, attnum := a.scope.origin(out.expr)
			columns = append(columns, Column{Name: out.name, Type: out.expr.Type(), TableOID: oid,
				Attnum: attnum, pos: out.pos, fields: rowFields(out.expr)})
		}
	}
	return exprs, columns, nil
}

func withoutPosition(err error) error {
	if e, ok := err.(*types.Error); ok {
		placeless := *e
		placeless.Position = 0
		return &placeless
	}
	return err
}
