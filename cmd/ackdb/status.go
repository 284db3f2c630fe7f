package main

import (
	"encoding/json"
	"os"

	"ackdb/pgwire"
)

type statusCommand struct {
	connection
	JSON bool `name:"json" help:"Print JSON."`
}

// statusQueries need nothing but what any client may ask.
var statusQueries = []string{
	`SELECT current_setting('server_version') AS server_version,
		current_setting('data_directory') AS data_directory,
		pg_postmaster_start_time() AS started,
		current_setting('synchronous_commit') AS synchronous_commit,
		current_setting('wal_sync_method') AS wal_sync_method,
		pg_current_wal_insert_lsn() AS inserted,
		pg_current_wal_lsn() AS written,
		pg_current_wal_flush_lsn() AS flushed`,
	`SELECT wal_records, wal_bytes, wal_write AS wal_writes, wal_sync AS wal_flushes
		FROM pg_stat_wal`,
	`SELECT numbackends AS sessions, xact_commit AS commits, xact_rollback AS rollbacks,
		deadlocks FROM pg_stat_database`,
}

// Run prints what the server says of itself.
func (c *statusCommand) Run() error {
	results, err := c.ask(statusQueries...)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(results)
	}
	all := &pgwire.Result{Rows: [][]*string{nil}}
	for _, r := range results {
		all.Columns = append(all.Columns, r.Columns...)
		all.Rows[0] = append(all.Rows[0], r.Rows[0]...)
	}
	return printResult(all)
}

// printJSON prints the one row of each result as members of one object.
func printJSON(results []*pgwire.Result) error {
	object := make(map[string]*string)
	for _, r := range results {
		for i, name := range r.Columns {
			object[name] = r.Rows[0][i]
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(object)
}
