package server

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
)

// startUnit starts a server for tests that look inside.
func startUnit(t *testing.T, opts Options) *Server {
	t.Helper()
	opts.Dir, opts.Listen = t.TempDir(), "127.0.0.1:0"
	opts.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	opts.Fatal = func(err error) { panic(err) }
	srv, _, err := Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Shutdown(context.Background())) })
	return srv
}

// run runs statements on a connection of its own.
func (srv *Server) run(t *testing.T, statements ...string) {
	t.Helper()
	c, err := pgwire.Dial(t.Context(), srv.listener.Addr().String(), map[string]string{
		"user": superuser, "database": databaseName})
	require.NoError(t, err)
	for _, sql := range statements {
		_, err := c.Query(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	require.NoError(t, c.Close())
}

// TestPlanOlderThanSnapshot: DDL that is applied between the plan and the snapshot of a statement
// makes it plan again (C5): with the old plan it would read where the rows no longer are.
func TestPlanOlderThanSnapshot(t *testing.T) {
	primary := startUnit(t, Options{})
	primary.run(t, "create table t (a int primary key, b text)", "insert into t values (1, 'x')")
	standby := startUnit(t, Options{ReplicaOf: primary.listener.Addr().String()})
	stmt, err := parse.ParseOne("select * from t")
	require.NoError(t, err)
	path := []string{"public"}
	prepared, err := standby.planner.Prepare(plan.Env{Catalog: standby.catalog.Snapshot(),
		SearchPath: path, User: superuser}, stmt, nil)
	require.NoError(t, err)

	primary.run(t, "drop table t", "create table t (a int primary key, b text)",
		"insert into t values (2, 'y')", "checkpoint")
	require.NoError(t, standby.db.AwaitApplied(t.Context(), primary.db.Applied()))

	txn := standby.executor.Begin(engine.TxnOptions{ReadOnly: true})
	defer txn.Rollback()
	cursor, err := standby.executor.Open(t.Context(), prepared, &exec.Env{Txn: txn,
		Session: standby.executor.NewSession(nil), SearchPath: path, User: superuser})
	require.NoError(t, err)
	defer cursor.Close()
	row, err := cursor.Next(t.Context())
	require.NoError(t, err)
	require.Len(t, row, 2)
	require.Equal(t, int64(2), row[0].Int())
	require.Equal(t, "y", row[1].Str())
}
