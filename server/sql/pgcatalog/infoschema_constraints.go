package pgcatalog

import (
	"fmt"
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
)

// The views of information_schema about constraints. NOT NULL is one of them there: a check with a
// name made of numbers.

var constraintTypes = map[byte]string{'p': "PRIMARY KEY", 'u': "UNIQUE", 'c': "CHECK",
	'f': "FOREIGN KEY"}

func schemaConstraints(e *env, w *writer) error {
	err := e.eachConstraint(func(c *constraint) error {
		var distinct any
		if c.kind == 'u' {
			distinct = "YES"
		}
		return w.add(e.site.Database, c.table.Schema, c.name, e.site.Database, c.table.Schema,
			c.table.Name, constraintTypes[c.kind], "NO", "NO", "YES", distinct)
	})
	if err != nil {
		return err
	}
	return e.eachNotNull(func(h *holder, name string, _ *catalog.Column) error {
		return w.add(e.site.Database, h.schema, name, e.site.Database, h.schema, h.name, "CHECK",
			"NO", "NO", "YES", nil)
	})
}

func schemaChecks(e *env, w *writer) error {
	d := e.definitions()
	err := e.eachConstraint(func(c *constraint) error {
		if c.check == nil {
			return nil
		}
		clause := "(" + d.Expression(c.table, c.check.Expr, false) + ")"
		return w.add(e.site.Database, c.table.Schema, c.name, clause)
	})
	if err != nil {
		return err
	}
	return e.eachNotNull(func(h *holder, name string, c *catalog.Column) error {
		return w.add(e.site.Database, h.schema, name, c.Name+" IS NOT NULL")
	})
}

func (e *env) eachConstraint(yield func(*constraint) error) error {
	for _, t := range e.Snapshot.Tables() {
		for _, c := range constraintsOf(t) {
			if err := yield(&c); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachNotNull calls yield with the columns of tables that are NOT NULL.
func (e *env) eachNotNull(yield func(h *holder, name string, c *catalog.Column) error) error {
	for _, h := range e.accessible() {
		schema := e.schemaOID(h.schema)
		for i := range h.columns {
			c := &h.columns[i]
			if h.kind != 'r' || !c.NotNull {
				continue
			}
			name := fmt.Sprintf("%d_%d_%d_not_null", schema, h.oid, c.Attnum)
			if err := yield(&h, name, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// schemaKeyUsage is key_column_usage: columns of keys, and where in the key they refer to.
func schemaKeyUsage(e *env, w *writer) error {
	return e.eachConstraint(func(c *constraint) error {
		if c.kind == 'c' {
			return nil
		}
		referred := e.referredIndex(c)
		for i, column := range c.columns {
			var position any
			if referred != nil {
				position = slices.Index(referred.attnums(), c.foreign.RefColumns[i]) + 1
			}
			err := w.add(e.site.Database, c.table.Schema, c.name, e.site.Database, c.table.Schema,
				c.table.Name, columnName(c.table, column), i+1, position)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// referredIndex is the index a foreign key refers to, nil for other constraints.
func (e *env) referredIndex(c *constraint) *index {
	if c.foreign == nil {
		return nil
	}
	return findIndex(e.Snapshot.TableByOID(c.foreign.RefTable), c.foreign.RefIndex)
}

func columnName(t *catalog.Table, attnum int16) string {
	if at := t.ColumnByAttnum(attnum); at >= 0 {
		return t.Columns[at].Name
	}
	return ""
}

// schemaColumnUsage is constraint_column_usage: a foreign key uses the columns it refers to.
func schemaColumnUsage(e *env, w *writer) error {
	return e.eachConstraint(func(c *constraint) error {
		table, columns := c.table, c.columns
		if c.foreign != nil {
			table, columns = e.Snapshot.TableByOID(c.foreign.RefTable), c.foreign.RefColumns
		}
		for _, column := range columns {
			err := w.add(e.site.Database, table.Schema, table.Name, columnName(table, column),
				e.site.Database, c.table.Schema, c.name)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// schemaTableUsage is constraint_table_usage.
func schemaTableUsage(e *env, w *writer) error {
	return e.eachConstraint(func(c *constraint) error {
		table := c.table
		switch c.kind {
		case 'c':
			return nil
		case 'f':
			table = e.Snapshot.TableByOID(c.foreign.RefTable)
		}
		return w.add(e.site.Database, table.Schema, table.Name, e.site.Database, c.table.Schema,
			c.name)
	})
}

// schemaReferences is referential_constraints.
func schemaReferences(e *env, w *writer) error {
	return e.eachConstraint(func(c *constraint) error {
		if c.foreign == nil {
			return nil
		}
		var key, schema any
		if i := e.referredIndex(c); i != nil {
			key, schema = i.Name, i.table.Schema
		}
		match := "NONE"
		if c.foreign.MatchFull {
			match = "FULL"
		}
		return w.add(e.site.Database, c.table.Schema, c.name, e.site.Database, schema, key, match,
			actionName(c.foreign.OnUpdate), actionName(c.foreign.OnDelete))
	})
}

func actionName(a catalog.ForeignAction) string {
	if a == catalog.NoAction {
		return "NO ACTION"
	}
	return strings.ToUpper(string(a))
}
