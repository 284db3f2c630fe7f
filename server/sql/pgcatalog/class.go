package pgcatalog

import (
	"ackdb/server/sql/catalog"
)

// class is a row of pg_class, as far as rows differ.
type class struct {
	oid       uint32
	name      string
	namespace uint32
	method    uint32 // access method, 0 for none
	file      int64
	pages     int
	tuples    int
	hasIndex  bool
	shared    bool
	unlogged  bool
	kind      byte
	columns   int
	options   []string
}

func (c *class) write(w *writer) error {
	persistence, identity, space := 'p', 'n', 0
	if c.unlogged {
		persistence = 'u'
	}
	if c.kind == 'r' && c.oid >= catalog.FirstUserOID {
		identity = 'd'
	}
	if c.shared {
		space = globalSpace
	}
	var options any
	if len(c.options) > 0 {
		options = anys(c.options)
	}
	return w.add(c.oid, c.name, c.namespace, 0, 0, catalog.BootstrapRoleOID, c.method, c.file, space,
		c.pages, c.tuples, 0, 0, c.hasIndex, c.shared, persistence, c.kind, c.columns, 0,
		c.kind == 'v', false, false, false, false, true, identity, false, 0, 0, 0, nil, options, nil)
}

// classRows is pg_class. What was never analysed has -1 rows there, and nothing here ever is.
func classRows(e *env, w *writer) error {
	for _, h := range holders(e.Snapshot) {
		c := class{oid: h.oid, name: h.name, namespace: e.schemaOID(h.schema), kind: h.kind,
			columns: len(h.columns), shared: h.shared, tuples: -1}
		if h.kind == 'r' {
			c.method, c.file = catalog.HeapAccessMethodOID, int64(h.oid)
		}
		if h.table != nil {
			c.file, c.unlogged = int64(h.table.Storage), h.table.Unlogged
			c.columns, c.options = lastAttnum(h.table), h.table.Options
			c.hasIndex = len(indexesOf(h.table)) > 0
		}
		if err := c.write(w); err != nil {
			return err
		}
	}
	if err := indexClasses(e, w); err != nil {
		return err
	}
	for _, q := range e.Snapshot.Sequences() {
		c := class{oid: q.OID, name: q.Name, namespace: q.SchemaOID, file: int64(q.OID), pages: 1,
			tuples: 1, kind: 'S', columns: len(sequenceColumns)}
		if err := c.write(w); err != nil {
			return err
		}
	}
	return nil
}

func indexClasses(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		for _, i := range indexesOf(t) {
			c := class{oid: i.oid, name: i.name, namespace: t.SchemaOID, kind: 'i',
				method: catalog.BtreeAccessMethodOID, file: int64(i.oid), unlogged: t.Unlogged,
				columns: len(i.columns)}
			if err := c.write(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func lastAttnum(t *catalog.Table) int {
	last := 0
	for i := range t.Columns {
		last = max(last, int(t.Columns[i].Attnum))
	}
	return last
}

// schemaOID is the number of a schema that exists.
func (e *env) schemaOID(name string) uint32 {
	if s := e.Snapshot.Schema(name); s != nil {
		return s.OID
	}
	return 0
}
