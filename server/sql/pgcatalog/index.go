package pgcatalog

import (
	"strings"
	"sync"

	"ackdb/server/sql/catalog"
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
			if err := i.write(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *index) write(w *writer) error {
	var collations, classes, options []any
	for n, typ := range i.keyTypes() {
		collations = append(collations, typeInfo(typ.OID).Collation)
		class := defaultClass(typ.OID)
		if i.Classes != nil && i.Classes[n] != "" {
			class = namedClasses()[i.Classes[n]]
		}
		classes = append(classes, class)
		options = append(options, orderBits(i.Order(n)))
	}
	var exprs, predicate any
	if len(i.Exprs) > 0 {
		texts := make([]string, len(i.Exprs))
		for n, x := range i.Exprs {
			texts[n] = x.SQL
		}
		exprs = strings.Join(texts, ", ")
	}
	if i.Where != "" {
		predicate = i.Where
	}
	return w.add(i.OID, i.table.OID, len(i.Columns)+len(i.Include), len(i.Columns), i.unique,
		i.NullsNotDistinct, i.primary, false, true, false, true, false, true, true, false,
		anys(append(i.attnums(), i.included()...)), collations, classes, options, exprs, predicate)
}

// keyTypes lists the types of what the key consists of.
func (i *index) keyTypes() []types.Type {
	list, exprs := make([]types.Type, len(i.Columns)), i.Exprs
	for n, at := range i.Columns {
		if at == catalog.ExprColumn {
			list[n], exprs = exprs[0].Type, exprs[1:]
		} else {
			list[n] = i.table.Columns[at].Type
		}
	}
	return list
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

// namedClasses maps the operator classes that are no type's default to their oids.
var namedClasses = sync.OnceValue(func() map[string]uint32 {
	const oid, method, name, isDefault = 0, 1, 2, 7 // columns of pg_opclass
	classes := map[string]uint32{}
	for _, row := range factRows("pg_opclass") {
		if !row[isDefault].Bool() && row[method].Int() == int64(catalog.BtreeAccessMethodOID) {
			classes[row[name].Str()] = uint32(row[oid].Int())
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
