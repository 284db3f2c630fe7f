package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// relationSchema gives the schema a new relation goes to: the session's own for temporary ones when
// it is TEMPORARY or its name says so.
func (a *analyzer) relationSchema(r *parse.RangeVar) (*catalog.Schema, error) {
	name, temporary := r.Name.Schema, r.Persistence == parse.Temporary
	own := name == catalog.TempAlias ||
		catalog.IsTemp(name) && name == catalog.TempIn(a.env.SearchPath)
	switch {
	case own && r.Persistence == parse.Unlogged:
		return nil, a.errorf(r.Pos, CodeInvalidTableDef,
			"only temporary relations may be created in temporary schemas")
	case own, temporary && name == "":
		return a.tempSchema(r.Pos)
	case catalog.IsTemp(name):
		return nil, a.errorf(r.Pos, CodeInvalidTableDef,
			"cannot create relations in temporary schemas of other sessions")
	}
	schema, err := a.creationSchema(r.Name, r.Pos)
	if err == nil && temporary {
		return nil, a.errorf(r.Pos, CodeInvalidTableDef,
			"cannot create temporary relation in non-temporary schema")
	}
	return schema, err
}

func (a *analyzer) tempSchema(pos parse.Pos) (*catalog.Schema, error) {
	if a.env.Temp == nil {
		return nil, a.unsupported(pos, "a temporary relation")
	}
	return a.env.Temp()
}

// viewSchema is relationSchema for a view, which is temporary when something it reads is.
func (a *analyzer) viewSchema(
	p *Prepared, v *catalog.View, n *parse.ViewStmt,
) (*catalog.Schema, error) {
	r := *n.View
	for i := range v.Refs {
		rel := a.env.Catalog.RelationByOID(v.Refs[i].OID)
		if r.Persistence != parse.Temporary && catalog.IsTemp(schemaOf(rel)) {
			r.Persistence = parse.Temporary
			p.notice("00000", "view \"%s\" will be a temporary view", r.Name.Name)
		}
	}
	return a.relationSchema(&r)
}

// schemaOf names the schema of a relation that is no catalog's; "" for any other.
func schemaOf(rel catalog.Relation) string {
	switch {
	case rel.Table != nil:
		return rel.Table.Schema
	case rel.Index != nil:
		return rel.Index.Schema
	case rel.Sequence != nil:
		return rel.Sequence.Schema
	case rel.View != nil:
		return rel.View.Schema
	}
	return ""
}

// onCommit is what ON COMMIT makes of a table.
func onCommit(schema *catalog.Schema, clause parse.OnCommit) (string, error) {
	if clause != parse.OnCommitNone && !catalog.IsTemp(schema.Name) {
		return "", types.Errorf(CodeInvalidTableDef,
			"ON COMMIT can only be used on temporary tables")
	}
	switch clause {
	case parse.OnCommitDelete:
		return catalog.OnCommitDelete, nil
	case parse.OnCommitDrop:
		return catalog.OnCommitDrop, nil
	}
	return "", nil
}

// ofAnotherSession refuses the temporary tables of others, which nothing keeps in place.
func (a *analyzer) ofAnotherSession(rel catalog.Relation) error {
	schema := schemaOf(rel)
	if !catalog.IsTemp(schema) || schema == catalog.TempIn(a.env.SearchPath) {
		return nil
	}
	return types.Errorf(types.CodeFeatureNotSupported,
		"cannot access temporary tables of other sessions")
}

// oneLifetime refuses a foreign key between a temporary table and one that is not.
func oneLifetime(child, parent *catalog.Table) error {
	kind := ""
	switch {
	case catalog.IsTemp(child.Schema) && !catalog.IsTemp(parent.Schema):
		kind = "temporary"
	case !catalog.IsTemp(child.Schema) && catalog.IsTemp(parent.Schema):
		kind = "permanent"
	default:
		return nil
	}
	return types.Errorf(CodeInvalidTableDef,
		"constraints on %s tables may reference only %s tables", kind, kind)
}
