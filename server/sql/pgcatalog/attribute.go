package pgcatalog

import (
	"fmt"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// sequenceColumns are those of the row that a sequence is in PostgreSQL.
var sequenceColumns = []catalog.Column{
	{Name: "last_value", Attnum: 1, Type: types.Of(types.Int8), NotNull: true},
	{Name: "log_cnt", Attnum: 2, Type: types.Of(types.Int8), NotNull: true},
	{Name: "is_called", Attnum: 3, Type: types.Of(types.Bool), NotNull: true},
}

// attribute is a row of pg_attribute, as far as rows differ.
type attribute struct {
	*catalog.Column
	relation  uint32
	collation uint32
	missing   any // what rows from before the column read as, an array of it
}

// attributeRows is pg_attribute. There are no columns with negative numbers: a query cannot name
// any but tableoid.
func attributeRows(e *env, w *writer) error {
	for _, h := range e.holders(w, "attrelid") {
		if err := h.attributes(w); err != nil {
			return err
		}
	}
	oid, one := e.onlyOID(w, "attrelid")
	for _, t := range e.Snapshot.Tables() {
		for _, i := range indexesOf(t) {
			if one && i.OID != oid {
				continue
			}
			if err := indexAttributes(w, &i); err != nil {
				return err
			}
		}
	}
	for _, q := range e.sequences(w, "attrelid") {
		for i := range sequenceColumns {
			a := attribute{Column: &sequenceColumns[i], relation: q.OID}
			if err := a.write(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *holder) attributes(w *writer) error {
	for i := range h.columns {
		a := attribute{Column: &h.columns[i], relation: h.oid}
		a.collation = typeInfo(a.Type.OID).Collation
		if a.collation != 0 && h.kind == 'r' && h.table == nil {
			a.collation = cCollation
		}
		if h.table != nil && a.Missing != nil {
			a.missing = missingArray(h.table, i)
		}
		if err := a.write(w); err != nil {
			return err
		}
	}
	if h.table == nil {
		return nil
	}
	for _, d := range h.table.Dropped {
		if err := droppedAttribute(w, h.oid, d); err != nil {
			return err
		}
	}
	return nil
}

// indexAttributes: the columns of an index are numbered anew and may be NULL whatever the table's.
func indexAttributes(w *writer, i *index) error {
	names, list := i.ColumnNames(i.table), i.keyTypes()
	for _, at := range i.Include {
		list = append(list, i.table.Columns[at].Type)
	}
	for n, typ := range list {
		a := attribute{relation: i.OID, collation: typeInfo(typ.OID).Collation,
			Column: &catalog.Column{Name: names[n], Attnum: int16(n + 1), Type: typ}}
		if n >= len(i.Columns) {
			a.collation = 0
		}
		if err := a.write(w); err != nil {
			return err
		}
	}
	return nil
}

func (a *attribute) write(w *writer) error {
	info := typeInfo(a.Type.OID)
	dims, identity := 0, byte(0)
	if types.ElemOf(a.Type.OID) != 0 {
		dims = 1
	}
	if a.Identity != "" {
		identity = a.Identity[0]
	}
	return w.add(a.relation, a.Name, a.Type.OID, -1, info.Len, a.Attnum, dims, -1, a.Type.Mod,
		info.ByVal, info.Align, info.Storage, byte(0), a.NotNull, a.hasDefault(), a.missing != nil,
		identity, byte(0), false, true, 0, a.collation, nil, nil, nil, a.missing)
}

// hasDefault: the values of an identity column come from its sequence and are no default.
func (a *attribute) hasDefault() bool { return a.Default != "" && a.Identity == "" }

// missingArray is what a column reads as in rows from before it, as the array that holds it.
func missingArray(t *catalog.Table, column int) any {
	for slot, at := range t.Stored() {
		if v := t.Missing()[slot]; at == column && !v.IsNull() {
			return types.NewArray(t.Columns[column].Type.OID, []types.Datum{v})
		}
	}
	return nil
}

// droppedAttribute stands for the number of a column that is gone.
func droppedAttribute(w *writer, relation uint32, d catalog.DroppedColumn) error {
	info := typeInfo(d.Type)
	return w.add(relation, fmt.Sprintf("........pg.dropped.%d........", d.Attnum), 0, 0, info.Len,
		d.Attnum, 0, -1, -1, info.ByVal, info.Align, info.Storage, byte(0), false, false, false,
		byte(0), byte(0), true, true, 0, info.Collation, nil, nil, nil, nil)
}

// attrdefRows is pg_attrdef; the expression is held as its text, which is what pg_get_expr gives.
func attrdefRows(e *env, w *writer) error {
	for _, t := range e.tables(w, "adrelid") {
		for i := range t.Columns {
			a := attribute{Column: &t.Columns[i]}
			if !a.hasDefault() {
				continue
			}
			if err := w.add(defaultOID(t, a.Column), t.OID, a.Attnum, a.Default); err != nil {
				return err
			}
		}
	}
	return nil
}
