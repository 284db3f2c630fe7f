package pgcatalog

import (
	"sync"

	"ackdb/server/sql/types"
)

// indexRows is pg_index.
func indexRows(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		for _, i := range indexesOf(t) {
			var collations, classes, options []any
			for _, at := range i.columns {
				typ := t.Columns[at].Type.OID
				collations = append(collations, typeInfo(typ).Collation)
				classes = append(classes, defaultClass(typ))
				options = append(options, 0)
			}
			err := w.add(i.oid, t.OID, len(i.columns), len(i.columns), i.unique, false, i.primary,
				false, true, false, true, false, true, true, false, attnums(t, i.columns), collations,
				classes, options, nil, nil)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// defaultClasses maps a type to the operator class that an index over it has.
var defaultClasses = sync.OnceValue(func() map[types.OID]uint32 {
	const oid, input, isDefault = 0, 6, 7 // columns of pg_opclass
	classes := map[types.OID]uint32{}
	for _, row := range factRows("pg_opclass") {
		if row[isDefault].Bool() {
			classes[types.OID(row[input].Int())] = uint32(row[oid].Int())
		}
	}
	return classes
})

// defaultClass knows of PostgreSQL's types without a class of their own which one they use.
func defaultClass(typ types.OID) uint32 {
	switch {
	case typ == types.VarChar:
		typ = types.Text
	case typ == types.RegProc || typ == types.RegClass || typ == types.RegType ||
		typ == types.RegProcedure || typ == types.RegNamespace || typ == types.RegRole:
		typ = types.Oid
	case typ != types.OidVector && types.ElemOf(typ) != 0:
		typ = types.AnyArray
	}
	return defaultClasses()[typ]
}

// constraintRows is pg_constraint.
func constraintRows(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		for _, c := range constraintsOf(t) {
			err := w.add(c.oid, c.name, t.SchemaOID, c.kind, false, false, true, t.OID, 0, c.index, 0,
				0, ' ', ' ', ' ', true, 0, true, attnums(t, c.columns), nil, nil, nil, nil, nil, nil,
				nil)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
