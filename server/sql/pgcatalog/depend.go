package pgcatalog

import (
	"strings"

	"ackdb/server/sql/catalog"
)

// dependRows is pg_depend, as far as objects of users go: what is dropped with what.
func dependRows(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		if err := schemaDepends(w, t.OID, t.SchemaOID); err != nil {
			return err
		}
		for _, c := range constraintsOf(t) {
			if err := c.depends(w); err != nil {
				return err
			}
		}
		if err := defaultDepends(e, w, t); err != nil {
			return err
		}
	}
	for _, v := range e.Snapshot.Views() {
		if err := schemaDepends(w, v.OID, v.SchemaOID); err != nil {
			return err
		}
		if err := ruleDepends(w, v); err != nil {
			return err
		}
	}
	return sequenceDepends(e, w)
}

// ruleDepends: the rule that makes a view goes with it, and needs what its query reads: the columns
// it uses, or the relation alone when it uses none.
func ruleDepends(w *writer, v *catalog.View) error {
	err := w.add(classOfRules, v.OID, 0, classOfRelations, v.OID, 0, 'i')
	if err == nil { // its query names the view itself, too, as the row before and after
		err = w.add(classOfRules, v.OID, 0, classOfRelations, v.OID, 0, 'n')
	}
	for _, ref := range v.Refs {
		used := []int16{}
		for _, c := range ref.Columns {
			if c.Used {
				used = append(used, c.Attnum)
			}
		}
		if len(used) == 0 {
			used = append(used, 0)
		}
		for _, number := range used {
			if err == nil {
				err = w.add(classOfRules, v.OID, 0, classOfRelations, ref.OID, number, 'n')
			}
		}
	}
	return err
}

// schemaDepends: a relation goes with its schema.
func schemaDepends(w *writer, relation, schema uint32) error {
	return w.add(classOfRelations, relation, 0, classOfSchemas, schema, 0, 'n')
}

// sequenceDepends: a sequence goes with the column it belongs to, an identity's as a part of it.
func sequenceDepends(e *env, w *writer) error {
	for _, q := range e.Snapshot.Sequences() {
		if err := schemaDepends(w, q.OID, q.SchemaOID); err != nil {
			return err
		}
		if q.OwnerTable == 0 {
			continue
		}
		kind := 'a'
		if isIdentity(e.Snapshot, q) {
			kind = 'i'
		}
		err := w.add(classOfRelations, q.OID, 0, classOfRelations, q.OwnerTable, q.OwnerColumn,
			kind)
		if err != nil {
			return err
		}
	}
	return nil
}

// isIdentity says whether a sequence is that of an identity column.
func isIdentity(s *catalog.Snapshot, q *catalog.Sequence) bool {
	t := s.TableByOID(q.OwnerTable)
	if t == nil {
		return false
	}
	at := t.ColumnByAttnum(q.OwnerColumn)
	return at >= 0 && t.Columns[at].Identity != ""
}

func (c *constraint) depends(w *writer) error {
	if c.kind == 'p' || c.kind == 'u' {
		err := w.add(classOfRelations, c.index, 0, classOfConstraints, c.oid, 0, 'i')
		if err != nil {
			return err
		}
	}
	for _, number := range c.columns {
		err := w.add(classOfConstraints, c.oid, 0, classOfRelations, c.table.OID, number, 'a')
		if err != nil {
			return err
		}
	}
	if c.foreign == nil {
		return nil
	}
	for _, number := range c.foreign.RefColumns {
		err := w.add(classOfConstraints, c.oid, 0, classOfRelations, c.foreign.RefTable, number,
			'n')
		if err != nil {
			return err
		}
	}
	return w.add(classOfConstraints, c.oid, 0, classOfRelations, c.index, 0, 'n')
}

func defaultDepends(e *env, w *writer, t *catalog.Table) error {
	owned := ownedSequences(e.Snapshot, t)
	for i := range t.Columns {
		a := attribute{Column: &t.Columns[i]}
		if !a.hasDefault() {
			continue
		}
		oid := defaultOID(t, a.Column)
		err := w.add(classOfDefaults, oid, 0, classOfRelations, t.OID, a.Attnum, 'a')
		q := owned[a.Attnum]
		if q != nil && err == nil && strings.HasPrefix(a.Default, "nextval(") {
			err = w.add(classOfDefaults, oid, 0, classOfRelations, q.OID, 0, 'n')
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ownedSequences maps a table's columns, by number, to the sequences dropped with them.
func ownedSequences(s *catalog.Snapshot, t *catalog.Table) map[int16]*catalog.Sequence {
	owned := map[int16]*catalog.Sequence{}
	for _, q := range s.Sequences() {
		if q.OwnerTable == t.OID {
			owned[q.OwnerColumn] = q
		}
	}
	return owned
}
