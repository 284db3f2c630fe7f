package pgcatalog

import (
	"fmt"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// The views of information_schema. PostgreSQL's show what the asking role may use; there is one
// role, which may use everything.

func schemaCatalogName(e *env, w *writer) error { return w.add(e.site.Database) }

func schemaRoles(e *env, w *writer) error {
	for _, r := range e.roles() {
		if err := w.add(r.name); err != nil {
			return err
		}
	}
	return nil
}

func schemaSchemata(e *env, w *writer) error {
	for _, s := range e.Snapshot.Schemas() {
		owner, _ := e.site.RoleName(schemaOwner(s))
		if err := w.add(e.site.Database, s.Name, owner, nil, nil, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

func schemaTables(e *env, w *writer) error {
	for _, h := range e.accessible() {
		kind := "BASE TABLE"
		switch {
		case catalog.IsTemp(h.schema):
			kind = "LOCAL TEMPORARY"
		case h.kind == 'v':
			kind = "VIEW"
		}
		err := w.add(e.site.Database, h.schema, h.name, kind, nil, nil, nil, nil, nil,
			yesNo(h.kind == 'r'), "NO", nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func schemaViews(e *env, w *writer) error {
	for _, h := range e.accessible() {
		if h.kind != 'v' {
			continue
		}
		err := w.add(e.site.Database, h.schema, h.name, e.definition(&h), "NONE", "NO", "NO",
			"NO", "NO", "NO")
		if err != nil {
			return err
		}
	}
	return nil
}

func schemaSequences(e *env, w *writer) error {
	for _, q := range e.Snapshot.Sequences() {
		if isIdentity(e.Snapshot, q) {
			continue
		}
		err := w.add(e.site.Database, q.Schema, q.Name, TypeName(q.TypeOID), integerBits[q.TypeOID],
			2, 0, fmt.Sprint(q.Start), fmt.Sprint(q.Min), fmt.Sprint(q.Max),
			fmt.Sprint(q.Increment), yesNo(q.Cycle))
		if err != nil {
			return err
		}
	}
	return nil
}

func schemaViewTables(e *env, w *writer) error {
	for _, v := range e.Snapshot.Views() {
		for _, ref := range v.Refs {
			schema, name := e.relationOf(&ref)
			err := w.add(e.site.Database, v.Schema, v.Name, e.site.Database, schema, name)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func schemaViewColumns(e *env, w *writer) error {
	for _, v := range e.Snapshot.Views() {
		for _, ref := range v.Refs {
			schema, name := e.relationOf(&ref)
			for _, c := range ref.Columns {
				if !c.Used {
					continue
				}
				err := w.add(e.site.Database, v.Schema, v.Name, e.site.Database, schema, name,
					c.Name)
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// relationOf names what a view reads, as it is called now.
func (e *env) relationOf(ref *catalog.ViewRef) (schema, name string) {
	if t := e.Snapshot.TableByOID(ref.OID); t != nil {
		return t.Schema, t.Name
	}
	if v := e.Snapshot.ViewByOID(ref.OID); v != nil {
		return v.Schema, v.Name
	}
	if v := e.Snapshot.VirtualByOID(ref.OID); v != nil {
		return v.Schema, v.Name
	}
	return ref.Schema, ref.Name
}

// integerBits are the bits of what counts as a number of a fixed size.
var integerBits = map[types.OID]int{types.Int2: 16, types.Int4: 32, types.Int8: 64}
