package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ackdb/pgwire"
)

type dumpCommand struct {
	Addr string `default:"127.0.0.1:5433" placeholder:"HOST:PORT" help:"Default ${default}."`

	SchemaOnly bool `help:"Definitions without rows." xor:"what"`
	DataOnly   bool `help:"Rows and values of sequences, without definitions." xor:"what"`

	// Table has names as they would be written in SQL.
	Table []string `sep:"none" placeholder:"NAME" help:"Only this [SCHEMA.]TABLE; may be repeated."`
}

// Run writes the database to standard output as SQL that psql loads, into ackdb or PostgreSQL.
func (c *dumpCommand) Run() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client, err := pgwire.Dial(ctx, withHost(c.Addr), map[string]string{"user": "postgres",
		"database": "postgres", "application_name": "ackdb dump", "client_encoding": "UTF8"})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	progress := startProgress(os.Stderr)
	defer progress.stop()
	d := &dumper{ctx: ctx, client: client, out: out, progress: progress, command: c}
	if err := d.run(); err != nil {
		return errors.Join(err, out.Flush())
	}
	return out.Flush()
}

// dumper is one dump. All of it but the values of sequences, which no transaction holds still, is
// read in one transaction, and the tables are locked against changes of their definitions.
type dumper struct {
	ctx      context.Context
	client   *pgwire.Client
	out      io.Writer
	progress *progress
	command  *dumpCommand
	schema   *dumpedSchema
}

// Names in definitions that the server makes are written out in full when nothing is on the path.
var dumpSession = []string{
	"SET search_path = ''",
	"SET statement_timeout = 0",
	"SET DateStyle = 'ISO'",
	"SET IntervalStyle = 'postgres'",
	"SET bytea_output = 'hex'",
	"SET extra_float_digits = 3",
	"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}

// dumpHead begins a block that dumpEnd ends: of a dump that was cut off, psql says at its end that
// the block has none, and fails under ON_ERROR_STOP.
const dumpHead = `-- A dump by ackdb, for psql. It is whole when its last line says so.
\if true
SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET client_min_messages = warning;
SET search_path = '';
`

const dumpEnd = `
\endif
-- The dump is whole.
`

func (d *dumper) run() error {
	for _, statement := range dumpSession {
		if _, err := d.client.Query(d.ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	if err := d.readSchema(); err != nil {
		return err
	}
	d.print(dumpHead)
	steps := []func() error{d.definitions, d.rows, d.sequenceValues, d.afterRows}
	switch {
	case d.command.SchemaOnly:
		steps = []func() error{d.definitions, d.afterRows}
	case d.command.DataOnly:
		steps = []func() error{d.rows, d.sequenceValues}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return d.print(dumpEnd)
}

// print writes to the buffered output, whose error is sticky: Flush reports it if nobody else does.
func (d *dumper) print(parts ...string) error {
	_, err := io.WriteString(d.out, strings.Join(parts, ""))
	return err
}

// query runs one query and returns its rows; NULL is the empty string.
func (d *dumper) query(sql string) ([][]string, error) {
	r, err := d.client.Query(d.ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("%w, in: %s", err, strings.Join(strings.Fields(sql), " "))
	}
	rows := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		for _, value := range row {
			if value == nil {
				value = new(string)
			}
			rows[i] = append(rows[i], *value)
		}
	}
	return rows, nil
}

// rows writes a COPY block for each table, those first that others refer to, so that a load into
// tables whose foreign keys are there already passes.
func (d *dumper) rows() error {
	for i, t := range d.schema.inOrder() {
		d.progress.begin(t.name, i+1, len(d.schema.tables))
		if err := d.copyRows(t); err != nil {
			return fmt.Errorf("rows of %s: %w", t.name, err)
		}
	}
	return nil
}

func (d *dumper) copyRows(t *dumpedTable) error {
	var columns string
	if names := t.columnNames(); names != "" {
		columns = " (" + names + ")"
	}
	if err := d.print("\nCOPY ", t.name, columns, " FROM stdin;\n"); err != nil {
		return err
	}
	from, err := d.client.CopyOut(d.ctx, "COPY "+t.name+columns+" TO STDOUT")
	if err != nil {
		return err
	}
	for {
		piece, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			_, err = d.out.Write(piece)
		}
		if err != nil {
			_, finishErr := from.Finish()
			return errors.Join(err, finishErr)
		}
		d.progress.add(len(piece))
	}
	if _, err := from.Finish(); err != nil {
		return err
	}
	return d.print("\\.\n")
}

// sequenceValues sets sequences to where they are now, which is behind every value in the rows.
func (d *dumper) sequenceValues() error {
	for _, q := range d.schema.sequences {
		rows, err := d.query("SELECT last_value, is_called FROM " + q.name)
		if err != nil {
			return err
		}
		if len(rows) != 1 {
			return fmt.Errorf("sequence %s has %d states", q.name, len(rows))
		}
		called := "false"
		if rows[0][1] == "t" {
			called = "true"
		}
		// The sequence of an identity column gets a name of its own where it is loaded.
		target := q.literal
		if q.identity {
			target = "pg_catalog.pg_get_serial_sequence(" + q.owner.literal + ", " + q.columnLiteral + ")"
		}
		err = d.print("\nSELECT pg_catalog.setval(", target, ", ", rows[0][0], ", ", called, ");\n")
		if err != nil {
			return err
		}
	}
	return nil
}

// selects says whether --table asks for the table, or for all.
func (c *dumpCommand) selects(schema, table string) bool {
	return len(c.Table) == 0 || slices.Contains(c.Table, table) ||
		slices.Contains(c.Table, schema+"."+table)
}
