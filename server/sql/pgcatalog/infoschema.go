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
	for _, h := range holders(e.Snapshot) {
		kind := "BASE TABLE"
		if h.kind == 'v' {
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
	for _, h := range holders(e.Snapshot) {
		if h.kind != 'v' {
			continue
		}
		err := w.add(e.site.Database, h.schema, h.name, nil, "NONE", "NO", "NO", "NO", "NO", "NO")
		if err != nil {
			return err
		}
	}
	return nil
}

func schemaSequences(e *env, w *writer) error {
	for _, q := range e.Snapshot.Sequences() {
		err := w.add(e.site.Database, q.Schema, q.Name, TypeName(q.TypeOID), integerBits[q.TypeOID],
			2, 0, fmt.Sprint(q.Start), fmt.Sprint(q.Min), fmt.Sprint(q.Max), fmt.Sprint(q.Increment),
			yesNo(q.Cycle))
		if err != nil {
			return err
		}
	}
	return nil
}

// notNullName names the check that information_schema takes NOT NULL for.
func notNullName(h *holder, schemaOID uint32, c *catalog.Column) string {
	return fmt.Sprintf("%d_%d_%d_not_null", schemaOID, h.oid, c.Attnum)
}

func schemaConstraints(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		for _, c := range constraintsOf(t) {
			err := w.add(e.site.Database, t.Schema, c.name, e.site.Database, t.Schema, t.Name,
				"PRIMARY KEY", "NO", "NO", "YES", nil)
			if err != nil {
				return err
			}
		}
	}
	return e.eachNotNull(func(h *holder, name string, _ *catalog.Column) error {
		return w.add(e.site.Database, h.schema, name, e.site.Database, h.schema, h.name, "CHECK",
			"NO", "NO", "YES", nil)
	})
}

func schemaChecks(e *env, w *writer) error {
	return e.eachNotNull(func(h *holder, name string, c *catalog.Column) error {
		return w.add(e.site.Database, h.schema, name, c.Name+" IS NOT NULL")
	})
}

func (e *env) eachNotNull(yield func(h *holder, name string, c *catalog.Column) error) error {
	for _, h := range holders(e.Snapshot) {
		schema := e.schemaOID(h.schema)
		for i := range h.columns {
			c := &h.columns[i]
			if h.kind != 'r' || !c.NotNull {
				continue
			}
			if err := yield(&h, notNullName(&h, schema, c), c); err != nil {
				return err
			}
		}
	}
	return nil
}

func schemaKeyUsage(e *env, w *writer) error {
	return e.eachConstraintColumn(func(c *constraint, at int, column string) error {
		return w.add(e.site.Database, c.table.Schema, c.name, e.site.Database, c.table.Schema,
			c.table.Name, column, at+1, nil)
	})
}

func schemaColumnUsage(e *env, w *writer) error {
	return e.eachConstraintColumn(func(c *constraint, _ int, column string) error {
		return w.add(e.site.Database, c.table.Schema, c.table.Name, column, e.site.Database,
			c.table.Schema, c.name)
	})
}

func (e *env) eachConstraintColumn(yield func(*constraint, int, string) error) error {
	for _, t := range e.Snapshot.Tables() {
		for _, c := range constraintsOf(t) {
			for at, column := range c.columns {
				if err := yield(&c, at, t.Columns[column].Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func schemaTableUsage(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		for _, c := range constraintsOf(t) {
			err := w.add(e.site.Database, t.Schema, t.Name, e.site.Database, t.Schema, c.name)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// integerBits are the bits of what counts as a number of a fixed size.
var integerBits = map[types.OID]int{types.Int2: 16, types.Int4: 32, types.Int8: 64}
