package plan

import (
	"fmt"
	"math"
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
	s := &shaping{a: a, t: t}
	for _, def := range n.Columns {
		if t.ColumnIndex(def.Name) >= 0 {
			return nil, types.Errorf(CodeDuplicateColumn,
				"column \"%s\" specified more than once", def.Name)
		}
		if err := s.addColumn(def); err != nil {
			return nil, err
		}
	}
	for _, con := range n.Constraints {
		s.constraints = append(s.constraints, &waitingConstraint{con: con})
	}
	if err := s.constrain(); err != nil {
		return nil, err
	}
	return &CreateTable{Table: t, Serials: s.serials}, nil
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
	if con.Deferrable || con.InitiallyDefer {
		return nil, a.unsupported(con.Pos, "a deferrable constraint")
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
