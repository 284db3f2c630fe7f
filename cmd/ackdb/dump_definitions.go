package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A server of ackdb starts with this table, so it is there before a dump is loaded.
const (
	startingTable   = "public.kv"
	startingColumns = "key text NOT NULL,value text,CONSTRAINT kv_pkey PRIMARY KEY (key)"
)

// definitions writes what has to be there before rows.
func (d *dumper) definitions() error {
	for _, s := range d.schema.schemas {
		d.print("\nCREATE SCHEMA ", s, ";\n")
	}
	for _, q := range d.schema.sequences {
		if !q.identity {
			d.print("\nCREATE SEQUENCE ", q.name, q.options, ";\n")
		}
	}
	for _, t := range d.schema.tables {
		parts := slices.Clone(t.inline)
		for i, c := range t.columns {
			parts = slices.Insert(parts, i, c.definition)
		}
		create := "CREATE TABLE "
		if t.unlogged {
			create = "CREATE UNLOGGED TABLE "
		} else if t.name == startingTable && strings.Join(parts, ",") == startingColumns {
			create = "CREATE TABLE IF NOT EXISTS "
		}
		body := ""
		if len(parts) > 0 {
			body = "\n    " + strings.Join(parts, ",\n    ") + "\n"
		}
		d.print("\n", create, t.name, " (", body, ");\n")
	}
	for _, q := range d.schema.sequences {
		if q.owner != nil && !q.identity {
			d.print("\nALTER SEQUENCE ", q.name, " OWNED BY ", q.owner.name, ".", q.column, ";\n")
		}
	}
	return d.print("\n")
}

// afterRows writes what is made faster, or can be made at all, when rows are there.
func (d *dumper) afterRows() error {
	for _, of := range []func(*dumpedTable) []string{
		func(t *dumpedTable) []string { return t.unique },
		func(t *dumpedTable) []string { return t.indexes },
		func(t *dumpedTable) []string { return t.foreign },
	} {
		for _, t := range d.schema.tables {
			for _, statement := range of(t) {
				d.print("\n", statement)
			}
		}
	}
	for _, v := range d.schema.views {
		create := "CREATE VIEW " + v.name + " (" + v.columns + ") AS\n" + v.query + "\n"
		if v.path != "" {
			create = "SET search_path = " + v.path + ";\n" + create + "SET search_path = '';\n"
		}
		d.print("\n", create)
	}
	return d.print("\n" + strings.Join(d.schema.comments, ""))
}

// readViews reads views, in the order in which they were made where no other is known.
func (d *dumper) readViews() error {
	if len(d.command.Table) > 0 {
		return nil
	}
	rows, err := d.query(`SELECT c.oid, ` + full + `, pg_catalog.quote_ident(n.nspname),
		pg_catalog.pg_get_viewdef(c.oid), (SELECT pg_catalog.string_agg(
		pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
		WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
		(SELECT pg_catalog.string_agg(d.refobjid::pg_catalog.text, ',')
		FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
		ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
		WHERE r.ev_class = c.oid AND d.refobjid <> c.oid)
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'v' AND ` + ours + ` ORDER BY c.oid`)
	if err != nil {
		return err
	}
	var views []*dumpedView
	for _, r := range rows {
		views = append(views, &dumpedView{oid: r[0], name: r[1], schema: r[2], query: r[3],
			columns: r[4], after: strings.Split(r[5], ",")})
	}
	d.schema.views = viewsInOrder(views)
	for _, v := range d.schema.views {
		if err := d.findPath(v); err != nil {
			return err
		}
	}
	return nil
}

// findPath sees that a view's text can be loaded. Names in it are written out in full, but for a
// text that the server could not print anew and shows as it was written: that one gets a search
// path under which it means something.
func (d *dumper) findPath(v *dumpedView) error {
	unqualified := d.resolves(v, "''")
	if unqualified == nil {
		return nil
	}
	v.path = v.schema
	for _, s := range append([]string{"public"}, d.schema.schemas...) {
		if s != v.schema {
			v.path += ", " + s
		}
	}
	if d.resolves(v, v.path) == nil {
		return nil
	}
	return fmt.Errorf("the text of view %s does not mean any more what it meant when the view was"+
		" made; make the view anew (CREATE OR REPLACE VIEW): %w", v.name, unqualified)
}

// resolves plans a view's text under a search path.
func (d *dumper) resolves(v *dumpedView, path string) error {
	if _, err := d.query("SAVEPOINT before"); err != nil {
		return err
	}
	_, err := d.query("SET LOCAL search_path = " + path)
	if err == nil {
		_, err = d.query("EXPLAIN " + v.query)
	}
	_, back := d.query("ROLLBACK TO SAVEPOINT before")
	return errors.Join(err, back)
}

// viewsInOrder lists views behind those that they read.
func viewsInOrder(views []*dumpedView) (list []*dumpedView) {
	done := map[*dumpedView]bool{}
	var visit func(v *dumpedView)
	visit = func(v *dumpedView) {
		done[v] = true
		for _, other := range views {
			if slices.Contains(v.after, other.oid) && !done[other] {
				visit(other)
			}
		}
		list = append(list, v)
	}
	for _, v := range views {
		if !done[v] {
			visit(v)
		}
	}
	return list
}

// readComments reads what COMMENT said about what is dumped.
func (d *dumper) readComments() error {
	rows, err := d.query(`SELECT CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'S' THEN 'SEQUENCE '
		WHEN 'i' THEN 'INDEX ' ELSE 'TABLE ' END || ` + full + `, a.attname IS NOT NULL,
		'COLUMN ' || ` + full + ` || '.' || pg_catalog.quote_ident(a.attname),
		pg_catalog.quote_literal(d.description), c.relkind, c.oid
		FROM pg_catalog.pg_description d JOIN pg_catalog.pg_class c ON c.oid = d.objoid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
		AND d.objsubid > 0
		WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND ` + ours + `
		ORDER BY n.nspname, c.relname, d.objsubid`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if len(d.command.Table) > 0 && d.schema.byOID[r[5]] == nil {
			continue
		}
		on := r[0]
		if r[1] == "t" {
			on = r[2]
		}
		d.schema.comments = append(d.schema.comments, "COMMENT ON "+on+" IS "+r[3]+";\n")
	}
	return d.readOtherComments()
}

func (d *dumper) readOtherComments() error {
	rows, err := d.query(`SELECT k.conrelid, 'CONSTRAINT ' || pg_catalog.quote_ident(k.conname)
		|| ' ON ' || ` + full + `, pg_catalog.quote_literal(d.description)
		FROM pg_catalog.pg_description d JOIN pg_catalog.pg_constraint k ON k.oid = d.objoid
		JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND ` + ours + `
		UNION ALL SELECT 0, 'SCHEMA ' || pg_catalog.quote_ident(n.nspname),
		pg_catalog.quote_literal(d.description)
		FROM pg_catalog.pg_description d JOIN pg_catalog.pg_namespace n ON n.oid = d.objoid
		WHERE d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
		AND n.nspname <> 'public' AND ` + ours + ` ORDER BY 2`)
	for _, r := range rows {
		if d.schema.byOID[r[0]] != nil || r[0] == "0" && len(d.command.Table) == 0 {
			d.schema.comments = append(d.schema.comments, "COMMENT ON "+r[1]+" IS "+r[2]+";\n")
		}
	}
	return err
}
