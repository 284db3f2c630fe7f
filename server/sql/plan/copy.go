package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Copy moves rows between a client and a table, or from a query to a client.
type Copy struct {
	From    bool
	Table   *catalog.Table // nil when a query is copied
	Columns []int          // of Table, in the order of the client's fields
	In      Node           // COPY ... TO: what is sent
	Insert  *Insert        // COPY ... FROM: In is nil, Row reads the client's fields
	Where   Expr           // COPY ... FROM: over the whole row of the table; nil for none
	Format  CopyFormat
}

// copyStmt plans COPY. What Postgres looks at first is looked at first: the table and its columns,
// WHERE, then the options.
func (a *analyzer) copyStmt(pl *Planner, n *parse.CopyStmt) (*Prepared, error) {
	switch {
	case n.Program:
		return nil, a.unsupported(parse.NoPos, "COPY PROGRAM")
	case n.Filename != "":
		return nil, a.unsupported(parse.NoPos, "COPY with a file on the server")
	}
	c := &Copy{From: n.From}
	switch {
	case n.Query != nil:
		return a.copyQuery(pl, c, n)
	case n.From:
		return a.copyFrom(c, n)
	}
	return a.copyTo(c, n)
}

// copyColumns gives the positions of the columns COPY names, all of them when it names none.
func (a *analyzer) copyColumns(t *catalog.Table, names []string) ([]int, error) {
	if len(names) == 0 {
		all := make([]int, len(t.Columns))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	var columns []int
	for _, name := range names {
		i := t.ColumnIndex(name)
		switch {
		case i < 0:
			return nil, a.errorf(parse.NoPos, CodeUndefinedColumn,
				"column \"%s\" of relation \"%s\" does not exist", name, t.Name)
		case slices.Contains(columns, i):
			return nil, a.errorf(parse.NoPos, CodeDuplicateColumn,
				"column \"%s\" specified more than once", name)
		}
		columns = append(columns, i)
	}
	return columns, nil
}

func (a *analyzer) copyFrom(c *Copy, n *parse.CopyStmt) (*Prepared, error) {
	t, err := a.table(n.Table)
	if err != nil {
		return nil, withoutPosition(err)
	}
	c.Table = t
	if err := a.copyWhere(c, n.Where); err != nil {
		return nil, err
	}
	if c.Columns, err = a.copyColumns(t, n.Columns); err != nil {
		return nil, err
	}
	names := make([]string, len(c.Columns))
	given := make([]Expr, len(t.Columns))
	for i, column := range c.Columns {
		names[i] = t.Columns[column].Name
		given[column] = &Field{Index: i, T: t.Columns[column].Type}
	}
	if err := a.copyFormat(c, n.Options, names); err != nil {
		return nil, err
	}
	c.Insert = &Insert{Table: t, Alias: t.Name}
	if err := a.fillDefaults(c.Insert, given); err != nil {
		return nil, err
	}
	if c.Insert.Checks, err = a.rowChecks(t); err != nil {
		return nil, err
	}
	if err := a.foreignOfInsert(c.Insert); err != nil {
		return nil, err
	}
	return &Prepared{Kind: KindCopyIn, Tag: "COPY", Refusal: "COPY FROM", Root: c}, nil
}

// copyWhere resolves the condition rows must meet to be kept: over the table's columns, without
// aggregates and queries.
func (a *analyzer) copyWhere(c *Copy, where parse.Expr) error {
	if where == nil {
		return nil
	}
	a.scope = newScope(nil)
	a.scope.add(tableSource(c.Table, nil))
	restore := a.without("COPY FROM WHERE conditions")
	x, err := a.expr(where)
	restore()
	if err != nil {
		return err
	}
	if c.Where, err = a.boolean(x, "WHERE", startOf(where)); err != nil {
		return err
	}
	if a.subplans > 0 {
		return a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
			"cannot use subquery in COPY FROM WHERE condition")
	}
	return nil
}

func (a *analyzer) copyTo(c *Copy, n *parse.CopyStmt) (*Prepared, error) {
	if v := a.resolve(n.Table.Name).View; v != nil {
		return nil, types.Errorf(types.CodeWrongObjectType, "cannot copy from view \"%s\"", v.Name).
			WithHint("Try the COPY (SELECT ...) TO variant.")
	}
	tree, err := a.fromTable(n.Table)
	if err != nil {
		return nil, withoutPosition(err)
	}
	scan, ok := tree.leaf.(*Scan)
	if !ok {
		return nil, types.Errorf(types.CodeWrongObjectType, "cannot copy from \"%s\"",
			n.Table.Name.String()).WithHint("Try the COPY (SELECT ...) TO variant.")
	}
	c.Table = scan.Table
	if c.Columns, err = a.copyColumns(c.Table, n.Columns); err != nil {
		return nil, err
	}
	src := a.scope.sources[0]
	exprs, columns := make([]Expr, len(c.Columns)), make([]Column, len(c.Columns))
	for i, column := range c.Columns {
		exprs[i] = src.column(column, parse.NoPos)
		columns[i] = Column{Name: src.columns[column].name, Type: src.columns[column].t}
	}
	c.In = &Project{In: scan, Exprs: exprs}
	return a.copyOut(c, n.Options, columns)
}

func (a *analyzer) copyQuery(pl *Planner, c *Copy, n *parse.CopyStmt) (*Prepared, error) {
	inner := *a.stmt
	inner.Tree = n.Query
	q, err := pl.analyze(a, &inner)
	if err != nil {
		return nil, err
	}
	if len(a.params) > 0 {
		return nil, a.errorf(parse.NoPos, CodeUndefinedParameter, "there is no parameter $1")
	}
	switch q.Kind {
	case KindRows, KindDMLReturning:
	default:
		return nil, a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
			"COPY query must have a RETURNING clause")
	}
	c.In = q.Root
	p, err := a.copyOut(c, n.Options, q.Columns)
	if err == nil {
		p.ReadOnly, p.Refusal = q.ReadOnly, q.Refusal
	}
	return p, err
}

func (a *analyzer) copyOut(c *Copy, options []parse.DefElem, columns []Column) (*Prepared, error) {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	if err := a.copyFormat(c, options, names); err != nil {
		return nil, err
	}
	return &Prepared{Kind: KindCopyOut, Tag: "COPY", ReadOnly: true, Root: c,
		Columns: nil, CopyColumns: columns}, nil
}
