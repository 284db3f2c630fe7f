package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// CreateTableAs makes a table of the rows of a query: CREATE TABLE AS and SELECT INTO.
type CreateTableAs struct {
	Create *CreateTable
	Query  Node
	Row    []Expr // the columns of the table, over a row of the query
	NoData bool
}

func (n *CreateTableAs) explain(x *explainer) { x.step(n, "Utility Statement") }

// createTableAs plans the statement. It answers with the number of rows, as a SELECT.
func (a *analyzer) createTableAs(n *parse.CreateTableAsStmt) (*Prepared, error) {
	p := &Prepared{Kind: KindDDL, Tag: "SELECT", Refusal: "CREATE TABLE AS"}
	if n.SelectInto {
		p.Refusal = "SELECT INTO"
	}
	query, isQuery := n.Query.(*parse.SelectStmt)
	switch {
	case n.Kind != parse.ObjectTable:
		return nil, a.unsupported(parse.NoPos, "CREATE MATERIALIZED VIEW")
	case !isQuery:
		return nil, a.unsupported(parse.NoPos, "CREATE TABLE AS EXECUTE")
	}
	into := n.Into
	table := &parse.CreateTableStmt{Table: into.Table, Options: into.Options,
		OnCommit: into.OnCommit, Tablespace: into.Tablespace, AccessMethod: into.AccessMethod}
	t, err := a.newTable(table)
	if err != nil {
		return nil, withoutPosition(err)
	}
	if taken := a.taken(&catalog.Schema{Name: t.Schema}, t.Name); taken != nil {
		if !n.IfNotExists {
			return nil, taken
		}
		p.notice(CodeDuplicateTable, "%s, skipping", taken.Message)
		p.Tag, p.Root = p.Refusal, &Nothing{}
		return p, nil
	}
	node := &CreateTableAs{Create: &CreateTable{Table: t}, NoData: into.NoData}
	if err := a.columnsOf(node, query, into.Columns); err != nil {
		return nil, err
	}
	if node.NoData {
		p.Tag = p.Refusal
	}
	p.Root = node
	return p, nil
}

// columnsOf gives the table the columns of a query.
func (a *analyzer) columnsOf(n *CreateTableAs, query *parse.SelectStmt, names []string) error {
	node, columns, err := a.query(query)
	if err != nil {
		return err
	}
	if len(names) > len(columns) {
		return types.Errorf(types.CodeSyntax, "too many column names were specified")
	}
	t := n.Create.Table
	for i, c := range columns {
		column := catalog.Column{Name: c.Name, Attnum: t.NextAttnum(), Type: c.Type}
		if i < len(names) {
			column.Name = names[i]
		}
		from := &Field{Index: i, T: c.Type}
		if column.Type.OID == types.Unknown {
			column.Type = types.Type{OID: types.Text, Mod: types.NoMod}
		}
		if info := types.Lookup(column.Type.OID); info.Pseudo {
			return types.Errorf(CodeInvalidTableDef,
				"column \"%s\" has pseudo-type %s", column.Name, info.SQLName)
		}
		if err := systemName(column.Name); err != nil {
			return err
		}
		if t.ColumnIndex(column.Name) >= 0 {
			return types.Errorf(CodeDuplicateColumn,
				"column \"%s\" specified more than once", column.Name)
		}
		x, err := a.assign(from, &column, parse.NoPos)
		if err != nil {
			return err
		}
		t.Columns, n.Row = append(t.Columns, column), append(n.Row, x)
	}
	if len(t.Columns) > catalog.MaxColumns {
		return types.Errorf(CodeTooManyColumns,
			"tables can have at most %d columns", catalog.MaxColumns)
	}
	n.Query = node
	return nil
}

// misplacedInto is the error of an INTO that is not the statement's.
func (a *analyzer) misplacedInto(n *parse.IntoClause) error {
	return a.errorf(n.Table.Pos, types.CodeSyntax, "SELECT ... INTO is not allowed here")
}

// takeInto takes INTO off a query: off its first SELECT, where it stands in a UNION.
func takeInto(n *parse.SelectStmt) (*parse.CreateTableAsStmt, bool) {
	first := n
	for first.Left != nil {
		first = first.Left
	}
	if first.Into == nil {
		return nil, false
	}
	return &parse.CreateTableAsStmt{Kind: parse.ObjectTable, Into: first.Into, SelectInto: true,
		Query: withoutInto(n)}, true
}

// withoutInto gives a copy of a query: the statement may be planned again.
func withoutInto(n *parse.SelectStmt) *parse.SelectStmt {
	c := *n
	if c.Left == nil {
		c.Into = nil
		return &c
	}
	c.Left = withoutInto(c.Left)
	return &c
}
