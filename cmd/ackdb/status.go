package main

import (
	"encoding/json"
	"fmt"
	"os"

	"ackdb/pgwire"
)

type statusCommand struct {
	connection
	JSON bool `name:"json" help:"Print JSON."`
}

// statusQueries need nothing but what any client may ask. Each gives one row, or none.
var statusQueries = []string{
	`SELECT current_setting('server_version') AS server_version,
		current_setting('data_directory') AS data_directory,
		pg_postmaster_start_time() AS started,
		CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS role`,
	`SELECT timeline FROM ack_epochs WHERE current`,
	`SELECT current_setting('synchronous_commit') AS synchronous_commit,
		current_setting('synchronous_standby_names') AS synchronous_standby_names,
		current_setting('wal_sync_method') AS wal_sync_method`,
}

// positionQueries differ by role: those of the other answer that recovery is, or is not, in
// progress.
var positionQueries = map[string][]string{
	"primary": {
		`SELECT pg_current_wal_insert_lsn() AS inserted, pg_current_wal_lsn() AS written,
			pg_current_wal_flush_lsn() AS flushed`,
	},
	"standby": {
		`SELECT pg_last_wal_receive_lsn() AS received, pg_last_wal_replay_lsn() AS replayed,
			pg_last_xact_replay_timestamp() AS last_commit,
			pg_get_wal_replay_pause_state() AS replay,
			current_setting('ack.staleness') AS staleness`,
		`SELECT status AS receiver, conninfo AS primary_conninfo,
			pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn()) AS behind_bytes
			FROM pg_stat_wal_receiver`,
	},
}

// counterQueries are of either role.
var counterQueries = []string{
	`SELECT wal_records, wal_bytes, wal_write AS wal_writes, wal_sync AS wal_flushes
		FROM pg_stat_wal`,
	`SELECT numbackends AS sessions, xact_commit AS commits, xact_rollback AS rollbacks,
		deadlocks FROM pg_stat_database`,
}

// replicaQuery lists those this node streams to.
const replicaQuery = `SELECT application_name AS replica, state, sync_state, sent_lsn AS sent,
	flush_lsn AS flushed, replay_lsn AS replayed, flush_lag, replay_lag FROM pg_stat_replication`

// Run prints what the server says of itself.
func (c *statusCommand) Run() error {
	status, err := c.ask(statusQueries...)
	if err != nil {
		return err
	}
	role := text(status[0].Rows[0][len(status[0].Columns)-1])
	more, err := c.ask(append(positionQueries[role], counterQueries...)...)
	if err != nil {
		return err
	}
	status = append(status, more...)
	replicas, err := c.ask(replicaQuery)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(status, replicas[0])
	}
	all := &pgwire.Result{Rows: [][]*string{nil}}
	for _, r := range status {
		if len(r.Rows) > 0 {
			all.Columns = append(all.Columns, r.Columns...)
			all.Rows[0] = append(all.Rows[0], r.Rows[0]...)
		}
	}
	if err := printResult(all); err != nil || len(replicas[0].Rows) == 0 {
		return err
	}
	fmt.Println()
	return printTable(replicas[0])
}

// printJSON prints the one row of each result as members of one object, and the replicas as a list
// of objects in it.
func printJSON(status []*pgwire.Result, replicas *pgwire.Result) error {
	object := make(map[string]any)
	for _, r := range status {
		for _, row := range r.Rows {
			fill(object, r.Columns, row)
		}
	}
	list := []map[string]any{}
	for _, row := range replicas.Rows {
		member := make(map[string]any)
		fill(member, replicas.Columns, row)
		list = append(list, member)
	}
	object["replicas"] = list
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(object)
}

func fill(object map[string]any, columns []string, row []*string) {
	for i, name := range columns {
		object[name] = row[i]
	}
}
