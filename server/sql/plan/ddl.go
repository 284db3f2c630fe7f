package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// CreateTable makes a table. Its descriptor has no oids yet, nor do its sequences.
type CreateTable struct {
	Table   *catalog.Table
	Serials []Serial
	Parents []*catalog.Table // that its foreign keys refer to
}

// Serial is a sequence a column of CREATE TABLE brings with it.
type Serial struct {
	Attnum   int16             // of the column
	Sequence *catalog.Sequence // Name is a wish: a free name like it is taken
}

// DropTables removes tables, with the sequences their columns own.
type DropTables struct {
	Tables  []*catalog.Table
	Parents []*catalog.Table // that their foreign keys refer to

	// CASCADE:
	Views   []*catalog.View
	Foreign []Unreferenced
}

// Truncate empties tables.
type Truncate struct {
	Tables  []*catalog.Table
	Restart bool // sequences owned by their columns start again
}

// CreateSchema makes a schema.
type CreateSchema struct{ Name string }

// DropSchemas removes schemas that hold nothing, or with Cascade what they hold too.
type DropSchemas struct {
	Schemas []*catalog.Schema
	Cascade bool
}

// CreateSequence makes a sequence.
type CreateSequence struct {
	Sequence *catalog.Sequence
	Owner    *catalog.Table // of OWNED BY; nil for none
}

// AlterSequence changes a sequence, and with Restart its state.
type AlterSequence struct {
	Sequence *catalog.Sequence // as it will be
	Owner    *catalog.Table    // of OWNED BY; nil when the statement names none
	Restart  *int64
	Rename   bool // its name is new
}

// Nothing does nothing: what IF [NOT] EXISTS makes of a statement.
type Nothing struct{}

func (n *CreateTable) explain(x *explainer)    { x.step(n, "Utility Statement") }
func (n *DropTables) explain(x *explainer)     { x.step(n, "Utility Statement") }
func (n *Truncate) explain(x *explainer)       { x.step(n, "Utility Statement") }
func (n *CreateSchema) explain(x *explainer)   { x.step(n, "Utility Statement") }
func (n *DropSchemas) explain(x *explainer)    { x.step(n, "Utility Statement") }
func (n *CreateSequence) explain(x *explainer) { x.step(n, "Utility Statement") }
func (n *AlterSequence) explain(x *explainer)  { x.step(n, "Utility Statement") }
func (n *DropSequences) explain(x *explainer)  { x.step(n, "Utility Statement") }
func (n *Nothing) explain(x *explainer)        { x.step(n, "Utility Statement") }

// definition plans DDL.
func (a *analyzer) definition(tree parse.Statement) (*Prepared, error) {
	p := &Prepared{Kind: KindDDL}
	var err error
	switch n := tree.(type) {
	case *parse.CreateTableStmt:
		p.Tag = "CREATE TABLE"
		p.Root, err = a.createTable(p, n)
	case *parse.TruncateStmt:
		p.Tag = "TRUNCATE TABLE"
		p.Root, err = a.truncate(p, n)
	case *parse.AlterTableStmt:
		p.Tag = "ALTER TABLE"
		p.Root, err = a.alterTable(p, n)
	case *parse.CommentStmt:
		p.Tag = "COMMENT"
		p.Root, err = a.comment(n)
	case *parse.ViewStmt:
		p.Tag = "CREATE VIEW"
		p.Root, err = a.createView(p, n)
	case *parse.AlterSchemaStmt:
		p.Root, err = a.setSchema(p, n)
	case *parse.RenameStmt:
		p.Root, err = a.rename(p, n)
	case *parse.CreateSchemaStmt:
		p.Tag = "CREATE SCHEMA"
		p.Root, err = a.createSchema(p, n)
	case *parse.CreateSequenceStmt:
		p.Tag = "CREATE SEQUENCE"
		p.Root, err = a.createSequence(p, n)
	case *parse.AlterSequenceStmt:
		p.Tag = "ALTER SEQUENCE"
		p.Root, err = a.alterSequence(p, n)
	case *parse.DropStmt:
		p.Root, err = a.drop(p, n)
	case *parse.IndexStmt:
		p.Tag = "CREATE INDEX"
		p.Root, err = a.createIndex(p, n)
	default:
		err = a.laterDefinition(tree)
	}
	p.Refusal = p.Tag
	return p, err
}

// laterDefinition names the DDL that a later issue brings.
func (a *analyzer) laterDefinition(tree parse.Statement) error {
	feature := "this statement"
	switch tree.(type) {
	case *parse.AlterOwnerStmt:
		feature = "ALTER ... OWNER TO"
	}
	return a.unsupported(parse.NoPos, feature)
}

// notice adds a notice that the statement sends when it runs.
func (p *Prepared) notice(code types.Code, format string, args ...any) {
	p.Notices = append(p.Notices, types.Errorf(code, format, args...))
}

// creationSchema gives the schema a new object goes to.
func (a *analyzer) creationSchema(name parse.QName, pos parse.Pos) (*catalog.Schema, error) {
	if name.Schema != "" {
		s := a.env.Catalog.Schema(name.Schema)
		if s == nil {
			return nil, a.errorf(pos, types.CodeInvalidSchemaName,
				"schema \"%s\" does not exist", name.Schema)
		}
		return a.writable(s, name.Name)
	}
	for _, path := range a.env.SearchPath[a.env.Implicit:] {
		if path == catalog.TempAlias || catalog.IsTemp(path) {
			return a.tempSchema(pos)
		}
		if s := a.env.Catalog.Schema(path); s != nil && path != catalog.PgCatalog {
			return a.writable(s, name.Name)
		}
	}
	return nil, a.errorf(pos, types.CodeInvalidSchemaName,
		"no schema has been selected to create in")
}

func (a *analyzer) writable(s *catalog.Schema, object string) (*catalog.Schema, error) {
	if s.Name != catalog.PgCatalog && s.Name != catalog.InformationSchema {
		return s, nil
	}
	return nil, types.Errorf(types.CodeInsufficientPrivilege,
		"permission denied to create \"%s.%s\"", s.Name, object).WithDetail(
		"System catalog modifications are currently disallowed.")
}

// taken says what an error or a notice about a name in use says. Also the answer that the name is
// free is remembered, since the plan rests on it (P2).
func (a *analyzer) taken(schema *catalog.Schema, name string) *types.Error {
	rel := a.resolve(parse.QName{Schema: schema.Name, Name: name})
	if !rel.Exists() {
		return nil
	}
	return types.Errorf(CodeDuplicateTable, "relation \"%s\" already exists", name)
}

func (a *analyzer) createSchema(p *Prepared, n *parse.CreateSchemaStmt) (Node, error) {
	if n.Owner != nil {
		return nil, a.unsupported(parse.NoPos, "CREATE SCHEMA ... AUTHORIZATION")
	}
	if len(n.Name) > 3 && n.Name[:3] == "pg_" {
		return nil, types.Errorf(CodeReservedName, "unacceptable schema name \"%s\"", n.Name).
			WithDetail("The prefix \"pg_\" is reserved for system schemas.")
	}
	if a.env.Catalog.Schema(n.Name) == nil {
		return &CreateSchema{Name: n.Name}, nil
	}
	if !n.IfNotExists {
		return nil, types.Errorf(CodeDuplicateSchema, "schema \"%s\" already exists", n.Name)
	}
	p.notice(CodeDuplicateSchema, "schema \"%s\" already exists, skipping", n.Name)
	return &Nothing{}, nil
}

func (a *analyzer) truncate(p *Prepared, n *parse.TruncateStmt) (Node, error) {
	node := &Truncate{Restart: n.RestartIdentity}
	for _, r := range n.Tables {
		t, err := a.table(r)
		if err != nil {
			return nil, withoutPosition(err)
		}
		node.Tables = append(node.Tables, t)
	}
	return node, a.checkTruncate(p, node, n.Behavior)
}

func (a *analyzer) drop(p *Prepared, n *parse.DropStmt) (Node, error) {
	switch n.Kind {
	case parse.ObjectTable:
		p.Tag = "DROP TABLE"
		return a.dropTables(p, n)
	case parse.ObjectView:
		p.Tag = "DROP VIEW"
		return a.dropViews(p, n)
	case parse.ObjectSequence:
		p.Tag = "DROP SEQUENCE"
		return a.dropSequences(p, n)
	case parse.ObjectSchema:
		p.Tag = "DROP SCHEMA"
		return a.dropSchemas(p, n)
	case parse.ObjectIndex:
		p.Tag = "DROP INDEX"
		return a.dropIndexes(p, n)
	}
	what, ok := map[parse.ObjectKind]string{
		parse.ObjectFunction: "FUNCTION",
		parse.ObjectType:     "TYPE", parse.ObjectMatView: "MATERIALIZED VIEW",
	}[n.Kind]
	if !ok {
		return nil, a.unsupported(parse.NoPos, "this DROP")
	}
	return nil, a.unsupported(parse.NoPos, "DROP "+what)
}

// missing answers a DROP of what is not there.
func (a *analyzer) missing(
	p *Prepared, n *parse.DropStmt, code types.Code, what string, name parse.QName,
) error {
	noSchema := name.Schema != "" && name.Schema != catalog.TempAlias &&
		a.env.Catalog.Schema(name.Schema) == nil
	switch {
	case noSchema && !n.IfExists:
		return types.Errorf(types.CodeInvalidSchemaName, "schema \"%s\" does not exist", name.Schema)
	case !n.IfExists:
		return types.Errorf(code, "%s \"%s\" does not exist", what, name.Name)
	case noSchema:
		p.notice("00000", "schema \"%s\" does not exist, skipping", name.Schema)
		return nil
	}
	p.notice("00000", "%s \"%s\" does not exist, skipping", what, name.Name)
	return nil
}

func (a *analyzer) dropTables(p *Prepared, n *parse.DropStmt) (Node, error) {
	node := &DropTables{}
	for _, name := range n.Names {
		switch rel := a.resolve(name); {
		case rel.Table != nil:
			node.Tables = append(node.Tables, rel.Table)
		case rel.Exists():
			return nil, notThatKind(rel, name, "table")
		default:
			if err := a.missing(p, n, types.CodeUndefinedTable, "table", name); err != nil {
				return nil, err
			}
		}
	}
	return node, a.dropDependents(p, node, n.Behavior)
}

// dropDependents refuses to drop tables that views read, or with CASCADE drops those too.
func (a *analyzer) dropDependents(p *Prepared, node *DropTables, behavior parse.Behavior) error {
	d := dependents{a: a, tables: node.Tables}
	what := ""
	for _, t := range node.Tables {
		name := "table " + a.shown(t.Schema, t.Name)
		d.ofRelation(t.OID, name)
		if d.ofTable(t, name); what == "" && !d.none() {
			what = name
		}
	}
	if !d.none() && behavior != parse.Cascade {
		return d.refuseOf(len(node.Tables), what)
	}
	d.announce(p)
	node.Views, node.Foreign, node.Parents = d.views, d.foreign, a.parentsOf(node.Tables...)
	return nil
}

func (a *analyzer) dropSchemas(p *Prepared, n *parse.DropStmt) (Node, error) {
	node := &DropSchemas{Cascade: n.Behavior == parse.Cascade}
	for _, name := range n.Names {
		s := a.env.Catalog.Schema(name.Name)
		if s == nil {
			if !n.IfExists {
				return nil, types.Errorf(types.CodeInvalidSchemaName,
					"schema \"%s\" does not exist", name.Name)
			}
			p.notice("00000", "schema \"%s\" does not exist, skipping", name.Name)
			continue
		}
		switch s.Name {
		case catalog.Public:
			return nil, a.unsupported(parse.NoPos, "DROP SCHEMA public")
		case catalog.PgCatalog, catalog.InformationSchema:
			return nil, types.Errorf(CodeDependentObjects, "cannot drop schema %s because it is"+
				" required by the database system", s.Name)
		}
		node.Schemas = append(node.Schemas, s)
	}
	return node, nil
}
