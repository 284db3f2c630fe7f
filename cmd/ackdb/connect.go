package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"ackdb/pgwire"
)

// connection is where commands that ask a running server find it.
type connection struct {
	Addr    string        `default:"127.0.0.1:5433" placeholder:"HOST:PORT" help:"The server (default ${default})."`
	Timeout time.Duration `default:"5m" help:"How long to wait for the answer (default ${default})."`
}

// ask runs one query on a connection of its own.
func (c *connection) ask(queries ...string) ([]*pgwire.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	client, err := pgwire.Dial(ctx, withHost(c.Addr), map[string]string{
		"user": "postgres", "database": "postgres", "application_name": "ackdb"})
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	var results []*pgwire.Result
	for _, q := range queries {
		r, err := client.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// printResult prints a row as lines of name and value.
func printResult(r *pgwire.Result) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for i, name := range r.Columns {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", name, text(r.Rows[0][i])); err != nil {
			return err
		}
	}
	return w.Flush()
}

// printTable prints rows as a table.
func printTable(r *pgwire.Result) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, name := range r.Columns {
		if _, err := fmt.Fprintf(w, "%s\t", name); err != nil {
			return err
		}
	}
	for _, row := range r.Rows {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		for _, v := range row {
			if _, err := fmt.Fprintf(w, "%s\t", text(v)); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return w.Flush()
}

func text(v *string) string {
	if v == nil {
		return "-"
	}
	return *v
}
