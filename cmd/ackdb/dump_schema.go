package main

import (
	"fmt"
	"slices"
	"strings"
)

// dumpedSchema is what the catalog says. Names are quoted and written out in full.
type dumpedSchema struct {
	schemas   []string
	tables    []*dumpedTable
	sequences []*dumpedSequence
	views     []*dumpedView
	comments  []string // statements
	byOID     map[string]*dumpedTable
}

type dumpedTable struct {
	oid, name, literal string
	unlogged           bool
	columns            []dumpedColumn
	inline             []string // constraints that are made with the table
	indexes            []string // statements
	unique             []string // statements
	foreign            []string // statements
	refersTo           []string // oids
}

type dumpedColumn struct {
	name, definition string
}

type dumpedSequence struct {
	name, literal string
	options       string
	owner         *dumpedTable // whose column it goes away with; nil when it stands alone
	column        string
	columnLiteral string
	identity      bool
}

type dumpedView struct {
	oid, name, schema, columns, query string

	path  string   // that its text needs; "" where its names are written out in full
	after []string // oids of what it reads
}

func (t *dumpedTable) columnNames() string {
	var names []string
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// readSchema reads the definitions of what was asked for, and keeps tables from changing.
func (d *dumper) readSchema() error {
	d.schema = &dumpedSchema{byOID: map[string]*dumpedTable{}}
	for _, read := range []func() error{d.readTables, d.readSequences, d.readColumns,
		d.readConstraints, d.readIndexes, d.readViews, d.readComments} {
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

// ours is what a dump holds of a catalog table n of schemas.
const ours = ` n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' `

// full is the name of a relation c in a schema n.
const full = ` pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) `

func (d *dumper) readTables() error {
	rows, err := d.query(`SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname),
		c.oid, pg_catalog.quote_literal(` + full + `), c.relpersistence
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND ` + ours + ` ORDER BY 1, 2`)
	if err != nil {
		return err
	}
	var names []string
	for _, r := range rows {
		if !d.command.selects(r[0], r[1]) {
			continue
		}
		t := &dumpedTable{oid: r[2], name: r[0] + "." + r[1], literal: r[3], unlogged: r[4] == "u"}
		d.schema.tables = append(d.schema.tables, t)
		d.schema.byOID[t.oid] = t
		names = append(names, t.name)
	}
	if len(d.command.Table) > 0 {
		return d.lock(names)
	}
	rows, err = d.query(`SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace n
		WHERE nspname <> 'public' AND ` + ours + ` ORDER BY 1`)
	for _, r := range rows {
		d.schema.schemas = append(d.schema.schemas, r[0])
	}
	if err != nil {
		return err
	}
	return d.lock(names)
}

func (d *dumper) lock(names []string) error {
	if len(names) == 0 {
		if len(d.command.Table) > 0 {
			return fmt.Errorf("no table is named %s", strings.Join(d.command.Table, " or "))
		}
		return nil
	}
	_, err := d.query("LOCK TABLE " + strings.Join(names, ", ") + " IN ACCESS SHARE MODE")
	return err
}

func (d *dumper) readSequences() error {
	rows, err := d.query(`SELECT ` + full + `, pg_catalog.quote_literal(` + full + `),
		' AS ' || pg_catalog.format_type(s.seqtypid, NULL),
		' START WITH ' || s.seqstart || ' INCREMENT BY ' || s.seqincrement || ' MINVALUE '
		|| s.seqmin || ' MAXVALUE ' || s.seqmax || ' CACHE ' || s.seqcache
		|| CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END,
		d.refobjid, d.deptype, pg_catalog.quote_ident(a.attname),
		pg_catalog.quote_literal(a.attname)
		FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
		AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
		AND d.deptype IN ('a', 'i')
		LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		WHERE ` + ours + ` ORDER BY 1`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		q := &dumpedSequence{name: r[0], literal: r[1], options: r[3], owner: d.schema.byOID[r[4]],
			identity: r[5] == "i", column: r[6], columnLiteral: r[7]}
		if !q.identity {
			q.options = r[2] + q.options
		}
		if q.owner != nil || len(d.command.Table) == 0 {
			d.schema.sequences = append(d.schema.sequences, q)
		}
	}
	return nil
}

func (d *dumper) readColumns() error {
	rows, err := d.query(`SELECT a.attrelid, pg_catalog.quote_ident(a.attname),
		pg_catalog.format_type(a.atttypid, a.atttypmod)
		|| CASE WHEN a.attcollation <> t.typcollation
		THEN ' COLLATE pg_catalog.' || pg_catalog.quote_ident(l.collname) ELSE '' END
		|| CASE WHEN f.adbin IS NULL THEN ''
		ELSE ' DEFAULT ' || pg_catalog.pg_get_expr(f.adbin, f.adrelid) END
		|| CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, a.attidentity
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
		LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
		LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
		WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		t := d.schema.byOID[r[0]]
		if t == nil {
			continue
		}
		c := dumpedColumn{name: r[1], definition: r[1] + " " + r[2]}
		if r[3] != "" {
			kind := map[string]string{"a": "ALWAYS", "d": "BY DEFAULT"}[r[3]]
			c.definition += " GENERATED " + kind + " AS IDENTITY (" + d.identityOptions(t, c.name) + ")"
		}
		t.columns = append(t.columns, c)
	}
	return nil
}

func (d *dumper) identityOptions(t *dumpedTable, column string) string {
	for _, q := range d.schema.sequences {
		if q.identity && q.owner == t && q.column == column {
			return strings.TrimSpace(q.options)
		}
	}
	return ""
}

// readConstraints: a row of ackdb is its key, so the primary key is made with its table; so are
// checks, which each row passes by itself. What looks at other rows waits for them.
func (d *dumper) readConstraints() error {
	rows, err := d.query(`SELECT conrelid, contype, convalidated, confrelid,
		'CONSTRAINT ' || pg_catalog.quote_ident(conname) || ' '
		|| pg_catalog.pg_get_constraintdef(oid)
		FROM pg_catalog.pg_constraint ORDER BY conrelid, contype DESC, conname`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		t := d.schema.byOID[r[0]]
		if t == nil {
			continue
		}
		add := "ALTER TABLE " + t.name + " ADD " + r[4] + ";\n"
		switch {
		case r[1] == "p", r[1] == "c" && r[2] == "t":
			t.inline = append(t.inline, r[4])
		case r[1] == "f":
			t.foreign = append(t.foreign, add)
			t.refersTo = append(t.refersTo, r[3])
		case r[1] == "u", r[1] == "c":
			t.unique = append(t.unique, add)
		default:
			return fmt.Errorf("%s: a constraint of type %s cannot be dumped: %s", t.name, r[1], r[4])
		}
	}
	return nil
}

func (d *dumper) readIndexes() error {
	rows, err := d.query(`SELECT i.indrelid, pg_catalog.pg_get_indexdef(i.indexrelid)
		FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
		WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid
		AND k.conrelid = i.indrelid) ORDER BY i.indrelid, c.relname`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if t := d.schema.byOID[r[0]]; t != nil {
			t.indexes = append(t.indexes, r[1]+";\n")
		}
	}
	return nil
}

// inOrder lists tables behind those that they refer to; where they refer to one another in a
// circle, no order would do, and any is taken.
func (s *dumpedSchema) inOrder() (list []*dumpedTable) {
	done := map[string]bool{}
	var visit func(t *dumpedTable)
	visit = func(t *dumpedTable) {
		if t == nil || done[t.oid] {
			return
		}
		done[t.oid] = true
		for _, oid := range t.refersTo {
			visit(s.byOID[oid])
		}
		list = append(list, t)
	}
	for _, t := range slices.Clone(s.tables) {
		visit(t)
	}
	return list
}
