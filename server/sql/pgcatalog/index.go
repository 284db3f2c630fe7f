package pgcatalog

import (
	"sync"

	"ackdb/server/sql/types"
)

// indexRows is pg_index.
func indexRows(e *env, w *writer) error {
	oid, one := e.onlyOID(w, "indexrelid")
	for _, t := range e.tables(w, "indrelid") {
		for _, i := range indexesOf(t) {
			if one && i.OID != oid {
				continue
			}
			var collations, classes, options []any
			for n, at := range i.Columns {
				typ := t.Columns[at].Type.OID
				collations = append(collations, typeInfo(typ).Collation)
				classes = append(classes, defaultClass(typ))
				options = append(options, orderBits(i.Order(n)))
			}
			err := w.add(i.OID, t.OID, len(i.Columns), len(i.Columns), i.unique, false, i.primary,
				false, true, false, true, false, true, true, false, anys(i.attnums()), collations,
				classes, options, nil, nil)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// orderBits is an element of pg_index.indoption.
func orderBits(o types.KeyOrder) int {
	const descending, nullsFirst = 1, 2
	bits := 0
	if o.Desc {
		bits |= descending
	}
	if o.NullsFirst {
		bits |= nullsFirst
	}
	return bits
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

// defaultClass is the operator class of an index over a type.
func defaultClass(typ types.OID) uint32 { return defaultClasses()[comparedAs(typ)] }

// comparedAs is the type by whose operators values of a type without its own are compared.
func comparedAs(typ types.OID) types.OID {
	switch {
	case typ == types.VarChar:
		return types.Text
	case typ == types.RegProc || typ == types.RegClass || typ == types.RegType ||
		typ == types.RegProcedure || typ == types.RegNamespace || typ == types.RegRole:
		return types.Oid
	case typ != types.OidVector && types.ElemOf(typ) != 0:
		return types.AnyArray
	}
	return typ
}
