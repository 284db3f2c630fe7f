package pgcatalog

import (
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Definitions prints objects as statements that would make them: what pg_get_indexdef and its kin
// give.
type Definitions struct {
	Snapshot *catalog.Snapshot
	Path     []string // where a name printed in the short form is looked for
}

// Index is CREATE INDEX, or one of the index' columns, counted from 1; false when there is no such
// index. The short form qualifies the table only where it must.
func (d Definitions) Index(oid uint32, column int, short bool) (string, bool) {
	i := findIndex(d.Snapshot, oid)
	switch {
	case i == nil:
		return "", false
	case column == 0:
		return d.index(i, short), true
	case column < 0 || column > len(i.columns):
		return "", true
	}
	return catalog.QuoteIdent(i.table.Columns[i.columns[column-1]].Name), true
}

func findIndex(s *catalog.Snapshot, oid uint32) *index {
	for _, t := range s.Tables() {
		for _, i := range indexesOf(t) {
			if i.oid == oid {
				return &i
			}
		}
	}
	return nil
}

func (d Definitions) index(i *index, short bool) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if i.unique {
		b.WriteString("UNIQUE ")
	}
	b.WriteString("INDEX " + catalog.QuoteIdent(i.name) + " ON ")
	b.WriteString(d.tableName(i.table, short))
	b.WriteString(" USING btree (" + columnList(i.table, i.columns) + ")")
	return b.String()
}

func (d Definitions) tableName(t *catalog.Table, short bool) string {
	if short && d.Snapshot.Resolve(d.Path, "", t.Name).Table == t {
		return catalog.QuoteIdent(t.Name)
	}
	return catalog.QuoteIdent(t.Schema) + "." + catalog.QuoteIdent(t.Name)
}

func columnList(t *catalog.Table, positions []int) string {
	names := make([]string, len(positions))
	for i, at := range positions {
		names[i] = catalog.QuoteIdent(t.Columns[at].Name)
	}
	return strings.Join(names, ", ")
}

// Constraint is the constraint as it stands in CREATE TABLE; false when there is none.
func (d Definitions) Constraint(oid uint32) (string, bool) {
	for _, t := range d.Snapshot.Tables() {
		for _, c := range constraintsOf(t) {
			if c.oid == oid {
				return "PRIMARY KEY (" + columnList(t, c.columns) + ")", true
			}
		}
	}
	return "", false
}

// Visible reports whether an object is found by its bare name. Kind is the type of its catalog:
// RegClass, RegType, RegProc, RegProcedure for operators.
func (d Definitions) Visible(kind types.OID, object uint32) (visible, exists bool) {
	switch kind {
	case types.RegType:
		_, pseudo := PseudoTypeName(types.OID(object))
		return true, pseudo || types.Lookup(types.OID(object)) != nil
	case types.RegProc:
		return true, findProc(object) != nil
	case types.RegClass:
		name := d.relationName(object)
		if name == "" {
			return false, false
		}
		return relationOID(d.Snapshot.Resolve(d.Path, "", name)) == object, true
	}
	return true, true
}

// relationName is the name of a relation, "" when there is none of that number.
func (d Definitions) relationName(oid uint32) string {
	if t := d.Snapshot.TableByOID(oid); t != nil {
		return t.Name
	}
	if q := d.Snapshot.SequenceByOID(oid); q != nil {
		return q.Name
	}
	if v := d.Snapshot.VirtualByOID(oid); v != nil {
		return v.Name
	}
	if v := d.Snapshot.ViewByOID(oid); v != nil {
		return v.Name
	}
	if i := findIndex(d.Snapshot, oid); i != nil {
		return i.name
	}
	return ""
}

func relationOID(r catalog.Relation) uint32 {
	switch {
	case r.Table != nil:
		return r.Table.OID
	case r.Sequence != nil:
		return r.Sequence.OID
	case r.Virtual != nil:
		return r.Virtual.OID
	case r.View != nil:
		return r.View.OID
	case r.Index != nil:
		return r.Index.PrimaryKey.OID
	}
	return 0
}

// Comment is what an object of a catalog, "" for any, is described with.
func Comment(object uint32, table string, column int) (string, bool) {
	for _, name := range []string{"pg_description", "pg_shdescription"} {
		for _, row := range factRows(name) {
			class := relations()[[2]string{catalog.PgCatalog, table}]
			switch {
			case uint32(row[0].Int()) != object || column != 0:
			case table == "" || class != nil && class.oid == uint32(row[1].Int()):
				return row[len(row)-1].Str(), true
			}
		}
	}
	return "", false
}
