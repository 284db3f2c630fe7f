package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (a *analyzer) createTable(p *Prepared, n *parse.CreateTableStmt) (Node, error) {
	if err := a.refuseTable(n); err != nil {
		return nil, err
	}
	schema, err := a.creationSchema(n.Table.Name, n.Table.Pos)
	if err != nil {
		return nil, err
	}
	name := n.Table.Name.Name
	if err := a.taken(schema, name); err != nil {
		if !n.IfNotExists {
			return nil, err
		}
		p.notice(CodeDuplicateTable, "%s, skipping", err.Message)
		return &Nothing{}, nil
	}
	t := &catalog.Table{SchemaOID: schema.OID, Schema: schema.Name, Name: name,
		Unlogged: n.Table.Persistence == parse.Unlogged, Tablespace: n.Tablespace}
	for _, option := range n.Options {
		t.Options = append(t.Options, option.Name+"="+defString(option))
	}
	node := &CreateTable{Table: t}
	for _, def := range n.Columns {
		if err := a.addColumn(node, def); err != nil {
			return nil, err
		}
	}
	if len(t.Columns) > catalog.MaxColumns {
		return nil, types.Errorf(CodeTooManyColumns,
			"tables can have at most %d columns", catalog.MaxColumns)
	}
	return node, a.tableConstraints(t, n)
}

// refuseTable names what belongs to a later issue.
func (a *analyzer) refuseTable(n *parse.CreateTableStmt) error {
	switch {
	case n.Table.Persistence == parse.Temporary:
		return a.unsupported(n.Table.Pos, "a temporary table")
	case len(n.Likes) > 0:
		return a.unsupported(parse.NoPos, "CREATE TABLE ... LIKE")
	case n.PartitionBy:
		return a.unsupported(parse.NoPos, "partitioning")
	case len(n.Inherits) > 0:
		return a.unsupported(parse.NoPos, "INHERITS")
	case n.AccessMethod != "" && n.AccessMethod != "heap":
		return a.unsupported(parse.NoPos, "table access method \""+n.AccessMethod+"\"")
	}
	return nil
}

// serialTypes are the pseudo types that bring a sequence.
var serialTypes = map[string]types.OID{
	"smallserial": types.Int2, "serial2": types.Int2, "serial": types.Int4, "serial4": types.Int4,
	"bigserial": types.Int8, "serial8": types.Int8,
}

func (a *analyzer) addColumn(node *CreateTable, def *parse.ColumnDef) error {
	t := node.Table
	if t.ColumnIndex(def.Name) >= 0 {
		return types.Errorf(CodeDuplicateColumn,
			"column \"%s\" specified more than once", def.Name)
	}
	c := catalog.Column{Name: def.Name, Attnum: int16(len(t.Columns) + 1)}
	var err error
	serial, isSerial := serialTypes[def.Type.Name.Name]
	isSerial = isSerial && def.Type.Name.Schema == "" && def.Type.ArrayDims == 0
	if isSerial {
		c.Type, c.NotNull = types.Type{OID: serial, Mod: types.NoMod}, true
	} else if c.Type, err = a.columnType(def); err != nil {
		return err
	}
	t.Columns = append(t.Columns, c)
	column := &t.Columns[len(t.Columns)-1]
	for _, con := range def.Constraints {
		if err := a.columnConstraint(t, column, con, isSerial); err != nil {
			return err
		}
	}
	if isSerial {
		node.Serials = append(node.Serials, newSerial(t, len(t.Columns)-1))
	}
	return nil
}

func newSerial(t *catalog.Table, column int) Serial {
	c := &t.Columns[column]
	q := &catalog.Sequence{SchemaOID: t.SchemaOID, Schema: t.Schema,
		Name: ObjectName(t.Name, c.Name, "seq"), TypeOID: c.Type.OID,
		Start: 1, Increment: 1, Min: 1, Max: maxOf(c.Type.OID), Cache: 1, OwnerColumn: c.Attnum}
	return Serial{Column: column, Sequence: q}
}

// ObjectName joins a table's name, a column's and a suffix into a name that fits, shortening the
// longer of the first two (makeObjectName of Postgres).
func ObjectName(table, column, suffix string) string {
	over := func() int {
		n := len(table) + 1 + len(suffix) - catalog.MaxNameBytes
		if column != "" {
			n += len(column) + 1
		}
		return n
	}
	for over() > 0 {
		if len(table) > len(column) {
			table = cutRune(table)
		} else {
			column = cutRune(column)
		}
	}
	if column == "" {
		return table + "_" + suffix
	}
	return table + "_" + column + "_" + suffix
}

func cutRune(s string) string {
	runes := []rune(s)
	return string(runes[:len(runes)-1])
}

func maxOf(oid types.OID) int64 {
	switch oid {
	case types.Int2:
		return math.MaxInt16
	case types.Int4:
		return math.MaxInt32
	}
	return math.MaxInt64
}

func (a *analyzer) columnType(def *parse.ColumnDef) (types.Type, error) {
	if def.Collation != nil {
		switch def.Collation.Name {
		case "C", "POSIX", "default", "ucs_basic":
		default:
			return types.Type{}, a.unsupported(def.Pos,
				"collation \""+def.Collation.Name+"\"")
		}
	}
	t, err := a.typeName(def.Type)
	if err != nil {
		return t, err
	}
	if info := types.Lookup(t.OID); info.Pseudo {
		return t, a.errorf(def.Pos, CodeInvalidTableDef,
			"column \"%s\" has pseudo-type %s", def.Name, info.SQLName)
	}
	return t, nil
}

func (a *analyzer) columnConstraint(
	t *catalog.Table, c *catalog.Column, con *parse.Constraint, serial bool,
) error {
	switch con.Kind {
	case parse.ConstraintNull:
		if c.NotNull {
			return a.errorf(con.Pos, types.CodeSyntax,
				"conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"", c.Name, t.Name)
		}
	case parse.ConstraintNotNull:
		c.NotNull = true
	case parse.ConstraintDefault:
		if serial || c.Default != "" {
			return a.errorf(con.Pos, types.CodeSyntax,
				"multiple default values specified for column \"%s\" of table \"%s\"", c.Name, t.Name)
		}
		text, err := a.defaultText(c, con.Expr)
		if err != nil {
			return err
		}
		c.Default = text
	case parse.ConstraintPrimary:
		return a.primaryKey(t, con, []string{c.Name})
	default:
		return a.refuseConstraint(con)
	}
	return nil
}

// refuseConstraint names the constraints that belong to a later issue.
func (a *analyzer) refuseConstraint(con *parse.Constraint) error {
	name, ok := map[parse.ConstraintKind]string{
		parse.ConstraintIdentity: "an identity column", parse.ConstraintCheck: "CHECK",
		parse.ConstraintGenerated: "a generated column", parse.ConstraintUnique: "UNIQUE",
		parse.ConstraintExclusion: "EXCLUDE", parse.ConstraintForeign: "FOREIGN KEY",
	}[con.Kind]
	if !ok {
		name = "a deferrable constraint"
	}
	return a.unsupported(con.Pos, name)
}

// defaultText checks a default and gives the text that is kept of it. The assignment to the column
// is not part of it: it is made again whenever the text is read.
func (a *analyzer) defaultText(c *catalog.Column, n parse.Expr) (string, error) {
	saved := a.scope
	a.scope, a.place = &scope{}, "DEFAULT expressions"
	defer func() { a.scope = saved }()
	if ref, ok := n.(*parse.ColumnRef); ok {
		return "", a.errorf(ref.Pos, types.CodeFeatureNotSupported,
			"cannot use column reference in DEFAULT expression")
	}
	x, err := a.expr(n)
	if err != nil {
		return "", err
	}
	if _, isParam := x.(*Param); isParam {
		return "", a.errorf(startOf(n), CodeUndefinedParameter, "there is no parameter $1")
	}
	y, err := a.assign(x, c, startOf(n))
	if err != nil {
		return "", err
	}
	if x.Type().OID == types.Unknown {
		x = y
	}
	return Print(x), nil
}

func (a *analyzer) tableConstraints(t *catalog.Table, n *parse.CreateTableStmt) error {
	for _, con := range n.Constraints {
		if con.Kind != parse.ConstraintPrimary {
			return a.refuseConstraint(con)
		}
		if err := a.primaryKey(t, con, con.Keys); err != nil {
			return err
		}
	}
	if t.PrimaryKey != nil && t.PrimaryKey.Name != "" {
		schema := a.env.Catalog.Schema(t.Schema)
		if err := a.taken(schema, t.PrimaryKey.Name); err != nil {
			return err
		}
	}
	return nil
}

// primaryKey gives a table its key.
func (a *analyzer) primaryKey(t *catalog.Table, con *parse.Constraint, names []string) error {
	if t.PrimaryKey != nil {
		return a.errorf(con.Pos, CodeInvalidTableDef,
			"multiple primary keys for table \"%s\" are not allowed", t.Name)
	}
	columns, err := a.keyColumns(t, con, names)
	if err != nil {
		return err
	}
	for _, i := range columns {
		t.Columns[i].NotNull = true
	}
	t.PrimaryKey = &catalog.Index{Name: con.Name, Columns: columns}
	return nil
}

func (a *analyzer) keyColumns(
	t *catalog.Table, con *parse.Constraint, names []string,
) ([]int, error) {
	switch {
	case con.Deferrable || con.InitiallyDefer:
		return nil, a.unsupported(con.Pos, "a deferrable constraint")
	case len(con.Including) > 0:
		return nil, a.unsupported(con.Pos, "PRIMARY KEY ... INCLUDE")
	case con.IndexName != "":
		return nil, a.unsupported(con.Pos, "PRIMARY KEY USING INDEX")
	}
	var columns []int
	for _, name := range names {
		i := t.ColumnIndex(name)
		if i < 0 {
			return nil, a.errorf(con.Pos, CodeUndefinedColumn,
				"column \"%s\" named in key does not exist", name)
		}
		if slices.Contains(columns, i) {
			return nil, a.errorf(con.Pos, CodeDuplicateColumn,
				"column \"%s\" appears twice in primary key constraint", name)
		}
		if oid := t.Columns[i].Type.OID; !types.Keyable(oid) {
			return nil, types.Errorf(types.CodeUndefinedObject,
				"data type %s has no default operator class for access method \"btree\"",
				types.FormatType(oid, types.NoMod)).WithHint("You must specify an operator" +
				" class for the index or define a default operator class for the data type.")
		}
		columns = append(columns, i)
	}
	return columns, nil
}

func (a *analyzer) alterTable(p *Prepared, n *parse.AlterTableStmt) (Node, error) {
	if n.Kind != parse.ObjectTable {
		return nil, a.unsupported(parse.NoPos, "this ALTER")
	}
	rel := a.resolve(n.Table.Name)
	if !rel.Exists() {
		if !n.IfExists {
			return nil, withoutPosition(a.noRelation(n.Table))
		}
		p.notice("00000", "relation \"%s\" does not exist, skipping", n.Table.Name.String())
		return &Nothing{}, nil
	}
	if rel.Table == nil {
		return nil, types.Errorf(types.CodeWrongObjectType,
			"\"%s\" is not a table", n.Table.Name.Name)
	}
	if len(n.Commands) != 1 {
		return nil, a.unsupported(parse.NoPos, "ALTER TABLE with several actions")
	}
	cmd := n.Commands[0]
	con := cmd.Constraint
	if cmd.Kind != parse.AlterAddConstraint {
		return nil, a.unsupported(parse.NoPos, alterName(cmd))
	}
	if con.Kind != parse.ConstraintPrimary {
		return nil, a.refuseConstraint(con)
	}
	return a.addPrimaryKey(rel.Table, con)
}

func (a *analyzer) addPrimaryKey(t *catalog.Table, con *parse.Constraint) (Node, error) {
	if t.PrimaryKey != nil {
		return nil, types.Errorf(CodeInvalidTableDef,
			"multiple primary keys for table \"%s\" are not allowed", t.Name)
	}
	columns, err := a.keyColumns(t, con, con.Keys)
	if err != nil {
		return nil, err
	}
	if con.Name != "" {
		if err := a.taken(a.env.Catalog.Schema(t.Schema), con.Name); err != nil {
			return nil, err
		}
	}
	return &AddPrimaryKey{Table: t, Name: con.Name, Columns: columns}, nil
}

// alterName is what a refused action of ALTER TABLE is called.
func alterName(cmd parse.AlterTableCmd) string {
	names := map[parse.AlterKind]string{
		parse.AlterAddColumn: "ADD COLUMN", parse.AlterDropColumn: "DROP COLUMN",
		parse.AlterColumnDefault: "ALTER COLUMN ... DEFAULT",
		parse.AlterSetNotNull:    "ALTER COLUMN ... SET NOT NULL",
		parse.AlterDropNotNull:   "ALTER COLUMN ... DROP NOT NULL",
		parse.AlterColumnType:    "ALTER COLUMN ... TYPE", parse.AlterOwner: "OWNER TO",
		parse.AlterDropConstraint: "DROP CONSTRAINT", parse.AlterSetOptions: "SET (...)",
		parse.AlterSetTablespace: "SET TABLESPACE", parse.AlterSetLogged: "SET LOGGED",
		parse.AlterSetUnlogged: "SET UNLOGGED",
	}
	if name, ok := names[cmd.Kind]; ok {
		return "ALTER TABLE ... " + name
	}
	return strings.TrimSpace(fmt.Sprintf("ALTER TABLE ... %s", cmd.Text))
}
