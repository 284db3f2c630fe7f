package pgcatalog

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// sequenceColumns are those of the row that a sequence is in PostgreSQL.
var sequenceColumns = []catalog.Column{
	{Name: "last_value", Attnum: 1, Type: types.Of(types.Int8), NotNull: true},
	{Name: "log_cnt", Attnum: 2, Type: types.Of(types.Int8), NotNull: true},
	{Name: "is_called", Attnum: 3, Type: types.Of(types.Bool), NotNull: true},
}

// attributeRows is pg_attribute. There are no columns with negative numbers: a query cannot name
// any but tableoid.
func attributeRows(e *env, w *writer) error {
	for _, h := range holders(e.Snapshot) {
		for i := range h.columns {
			if err := attributeRow(w, h.oid, &h.columns[i]); err != nil {
				return err
			}
		}
		if h.table == nil {
			continue
		}
		for _, i := range indexesOf(h.table) {
			if err := indexAttributes(w, &i); err != nil {
				return err
			}
		}
	}
	for _, q := range e.Snapshot.Sequences() {
		for i := range sequenceColumns {
			if err := attributeRow(w, q.OID, &sequenceColumns[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexAttributes: the columns of an index are numbered anew and may be NULL whatever the table's.
func indexAttributes(w *writer, i *index) error {
	for n, at := range i.columns {
		c := i.table.Columns[at]
		c.Attnum, c.NotNull, c.Default = int16(n+1), false, ""
		if err := attributeRow(w, i.oid, &c); err != nil {
			return err
		}
	}
	return nil
}

func attributeRow(w *writer, relation uint32, c *catalog.Column) error {
	info := typeInfo(c.Type.OID)
	dims := 0
	if types.ElemOf(c.Type.OID) != 0 {
		dims = 1
	}
	return w.add(relation, c.Name, c.Type.OID, -1, info.Len, c.Attnum, dims, -1, c.Type.Mod,
		info.ByVal, info.Align, info.Storage, byte(0), c.NotNull, c.Default != "", false, byte(0),
		byte(0), false, true, 0, info.Collation, nil, nil, nil, nil)
}

// attrdefRows is pg_attrdef; the expression is held as its text, which is what pg_get_expr gives.
func attrdefRows(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		for i := range t.Columns {
			c := &t.Columns[i]
			if c.Default == "" {
				continue
			}
			if err := w.add(defaultOID(t, c), t.OID, c.Attnum, c.Default); err != nil {
				return err
			}
		}
	}
	return nil
}
