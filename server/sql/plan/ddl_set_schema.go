package plan

import (
	"fmt"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// setSchema plans ALTER TABLE, VIEW or SEQUENCE ... SET SCHEMA.
func (a *analyzer) setSchema(p *Prepared, n *parse.AlterSchemaStmt) (Node, error) {
	tags := map[parse.ObjectKind]string{parse.ObjectTable: "ALTER TABLE",
		parse.ObjectView: "ALTER VIEW", parse.ObjectSequence: "ALTER SEQUENCE"}
	p.Tag = tags[n.Kind]
	if p.Tag == "" || n.Table == nil {
		return nil, a.unsupported(parse.NoPos, "this ALTER ... SET SCHEMA")
	}
	rel := a.resolve(n.Table.Name)
	name := n.Table.Name.Name
	wrong := func(what string) (Node, error) {
		return nil, types.Errorf(types.CodeWrongObjectType, "\"%s\" is not a %s", name, what)
	}
	switch {
	case !rel.Exists() && n.IfExists:
		p.notice("00000", "relation \"%s\" does not exist, skipping", n.Table.Name.Name)
		return &Nothing{}, nil
	case !rel.Exists():
		return nil, withoutPosition(a.noRelation(n.Table))
	case n.Kind == parse.ObjectView && rel.View == nil:
		return wrong("view")
	case n.Kind == parse.ObjectSequence && rel.Sequence == nil:
		return wrong("sequence")
	case rel.Index != nil || rel.Virtual != nil:
		return wrong("table")
	}
	if n.Schema == catalog.TempAlias || catalog.IsTemp(n.Schema) || catalog.IsTemp(schemaOf(rel)) {
		return nil, types.Errorf(types.CodeFeatureNotSupported,
			"cannot move objects into or out of temporary schemas")
	}
	schema := a.env.Catalog.Schema(n.Schema)
	if schema == nil {
		return nil, types.Errorf(types.CodeInvalidSchemaName, "schema \"%s\" does not exist", n.Schema)
	}
	if _, err := a.writable(schema, name); err != nil {
		return nil, err
	}
	switch {
	case rel.View != nil:
		return a.moveView(rel.View, schema)
	case rel.Sequence != nil:
		return a.moveSequence(rel.Sequence, schema)
	}
	return a.moveTable(p, rel.Table, schema)
}

// takenIn says that a name is in use where something is to be moved to.
func (a *analyzer) takenIn(schema *catalog.Schema, name string) error {
	if a.taken(schema, name) == nil {
		return nil
	}
	return types.Errorf(CodeDuplicateTable, "relation \"%s\" already exists in schema \"%s\"",
		name, schema.Name)
}

func (a *analyzer) moveView(v *catalog.View, schema *catalog.Schema) (Node, error) {
	if v.SchemaOID == schema.OID {
		return &Nothing{}, nil
	}
	moved := *v
	moved.SchemaOID, moved.Schema = schema.OID, schema.Name
	return &CreateView{View: &moved, Old: v}, a.takenIn(schema, v.Name)
}

func (a *analyzer) moveSequence(q *catalog.Sequence, schema *catalog.Schema) (Node, error) {
	if t := a.usedRelation(q.OwnerTable).Table; t != nil {
		return nil, types.Errorf(types.CodeFeatureNotSupported,
			"cannot move an owned sequence into another schema").WithDetail(
			"Sequence \"%s\" is linked to table \"%s\".", q.Name, t.Name)
	}
	if q.SchemaOID == schema.OID {
		return &Nothing{}, nil
	}
	if err := a.refuseDefaultsOf(q, "ALTER SEQUENCE ... SET SCHEMA"); err != nil {
		return nil, err
	}
	moved := *q
	moved.SchemaOID, moved.Schema = schema.OID, schema.Name
	return &AlterSequence{Sequence: &moved, Rename: true}, a.takenIn(schema, q.Name)
}

// moveTable moves a table with its indexes and the sequences its columns own.
func (a *analyzer) moveTable(
	p *Prepared, t *catalog.Table, schema *catalog.Schema,
) (Node, error) {
	if t.SchemaOID == schema.OID {
		return &Nothing{}, nil
	}
	s := newAltering(a, p, t)
	s.t.SchemaOID, s.t.Schema = schema.OID, schema.Name
	names := []string{t.Name}
	for _, index := range t.Indexes {
		names = append(names, index.Name)
	}
	if t.PrimaryKey != nil {
		names = append(names, t.PrimaryKey.Name)
	}
	for _, q := range a.env.Catalog.Sequences() {
		if q.OwnerTable != t.OID {
			continue
		}
		moved := *q
		moved.SchemaOID, moved.Schema = schema.OID, schema.Name
		s.node.Sequences = append(s.node.Sequences, &AlterSequence{Sequence: &moved, Rename: true})
		names = append(names, q.Name)
		for i := range s.t.Columns {
			c := &s.t.Columns[i]
			c.Default = strings.ReplaceAll(c.Default,
				sequenceLiteral(q.Schema, q.Name), sequenceLiteral(schema.Name, q.Name))
		}
	}
	for _, name := range names {
		if err := a.takenIn(schema, name); err != nil {
			return nil, err
		}
	}
	return s.node, nil
}

// sequenceLiteral is a sequence as the default of a SERIAL column of an earlier version names it.
func sequenceLiteral(schema, name string) string {
	quoted := catalog.QuoteIdent(schema) + "." + catalog.QuoteIdent(name)
	return "'" + strings.ReplaceAll(quoted, "'", "''") + "'::regclass"
}

// refuseDefaultsOf refuses to give a sequence another name while a default holds the one it has.
// One holds its number, unless it is of an earlier version.
func (a *analyzer) refuseDefaultsOf(q *catalog.Sequence, what string) error {
	byNumber := fmt.Sprintf("'%d'::regclass", q.OID)
	for _, t := range a.env.Catalog.Tables() {
		for i := range t.Columns {
			c := &t.Columns[i]
			if !strings.Contains(c.Default, "::regclass") || c.Identity != "" ||
				strings.Contains(c.Default, byNumber) {
				continue
			}
			uses, err := a.defaultUses(c, q.OID)
			if err != nil {
				return err
			}
			if uses {
				return a.unsupported(parse.NoPos, what+" of one that a column's default uses")
			}
		}
	}
	return nil
}
