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
	triggers  bool // there are those that keep foreign keys
	checks    int
	shared    bool
	unlogged  bool
	temp      bool
	kind      byte
	columns   int
	options   []string
}

func (c *class) write(e *env, w *writer) error {
	if name, ok := e.only(w, "relname"); ok && name.Str() != c.name {
		return nil
	}
	persistence, identity, space := 'p', 'n', 0
	if c.unlogged {
		persistence = 'u'
	}
	if c.temp {
		persistence = 't'
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
	return w.add(c.oid, c.name, c.namespace, 0, 0, catalog.BootstrapRoleOID, c.method, c.file,
		space, c.pages, c.tuples, 0, 0, c.hasIndex, c.shared, persistence, c.kind, c.columns,
		c.checks, c.kind == 'v', c.triggers, false, false, false, true, identity, false, 0, 0, 0,
		nil, options, nil)
}

// classRows is pg_class. What was never analysed has -1 rows there, and nothing here ever is.
func classRows(e *env, w *writer) error {
	for _, h := range e.holders(w, "oid") {
		c := class{oid: h.oid, name: h.name, namespace: e.schemaOID(h.schema), kind: h.kind,
			columns: len(h.columns), shared: h.shared, tuples: -1, temp: catalog.IsTemp(h.schema)}
		if h.kind == 'r' {
			c.method, c.file = catalog.HeapAccessMethodOID, int64(h.oid)
		}
		if h.table != nil {
			c.ofTable(h.table)
		}
		if h.view != nil {
			c.options = h.view.Options
		}
		if err := c.write(e, w); err != nil {
			return err
		}
	}
	if err := indexClasses(e, w); err != nil {
		return err
	}
	for _, q := range e.sequences(w, "oid") {
		c := class{oid: q.OID, name: q.Name, namespace: q.SchemaOID, file: int64(q.OID), pages: 1,
			tuples: 1, kind: 'S', columns: len(sequenceColumns), temp: catalog.IsTemp(q.Schema)}
		if owner := e.Snapshot.TableByOID(q.OwnerTable); owner != nil {
			c.unlogged = owner.Unlogged
		}
		if err := c.write(e, w); err != nil {
			return err
		}
	}
	return nil
}

// ofTable fills in what a stored table has. Numbers of dropped columns count as columns.
func (c *class) ofTable(t *catalog.Table) {
	c.file, c.unlogged, c.options = int64(t.Storage), t.Unlogged, t.Options
	c.columns = int(t.NextAttnum()) - 1
	c.hasIndex, c.checks = len(indexesOf(t)) > 0, len(t.Checks)
	c.triggers = len(t.ForeignKeys)+len(t.ReferencedBy) > 0
}

func indexClasses(e *env, w *writer) error {
	oid, one := e.onlyOID(w, "oid")
	for _, t := range e.Snapshot.Tables() {
		for _, i := range indexesOf(t) {
			if one && i.OID != oid {
				continue
			}
			c := class{oid: i.OID, name: i.Name, namespace: t.SchemaOID, kind: 'i',
				method: catalog.BtreeAccessMethodOID, file: indexFile(&i), unlogged: t.Unlogged,
				columns: len(i.Columns) + len(i.Include), options: i.Options, temp: catalog.IsTemp(t.Schema)}
			if err := c.write(e, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexFile is where the entries are; a primary key is the order of the table itself.
func indexFile(i *index) int64 {
	if i.primary {
		return int64(i.OID)
	}
	return int64(i.Storage)
}

// schemaOID is the number of a schema that exists.
func (e *env) schemaOID(name string) uint32 {
	if s := e.Snapshot.Schema(name); s != nil {
		return s.OID
	}
	return 0
}
