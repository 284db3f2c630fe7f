package exec

import (
	"context"
	"testing"
	"time"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/wal"

	"github.com/stretchr/testify/require"
)

// TestWriterWaitsForPublication stops a DDL between its apply, where the engine lets go of the
// table lock, and the publication of its descriptors. A writer that gets the lock in that gap must
// wait (C3): its plan is of the old table, and a row put into the old storage would be lost. Without
// the wait in Executor.settled this test fails, and so does TestRekeyLosesNothing.
func TestWriterWaitsForPublication(t *testing.T) {
	ctx := context.Background()
	x := openExecutor(t)
	runOne(t, x, "CREATE TABLE r (id int, v text)")
	runOne(t, x, "INSERT INTO r VALUES (1, 'before')")

	ddl := x.Begin(engine.TxnOptions{})
	executeIn(t, x, ddl, "ALTER TABLE r ADD PRIMARY KEY (id)")
	inserted := make(chan struct{})
	err := ddl.ddl.Commit(func() error {
		_, err := ddl.txn.Commit(ctx, engine.CommitOptions{Level: wal.LevelLocal})
		require.NoError(t, err)
		require.Nil(t, x.catalog.Snapshot().Relation(catalog.Public, "r").Table.PrimaryKey,
			"nothing is published yet")
		go func() {
			defer close(inserted)
			runOne(t, x, "INSERT INTO r VALUES (2, 'in the gap')")
		}()
		// The writer has its table lock once it holds it; from there it can only wait for us.
		storage := x.catalog.Snapshot().Relation(catalog.Public, "r").Table.Storage
		require.Eventually(t, func() bool { return isLocked(x.db, storage) }, waitMax, tick)
		select {
		case <-inserted:
			t.Fatal("the writer ran on the old descriptor")
		default:
		}
		return nil
	})
	require.NoError(t, err)
	<-inserted
	require.Equal(t, 2, countRows(t, x, "SELECT id FROM r"))
}

const (
	waitMax = 30 * time.Second
	tick    = time.Millisecond
)

func isLocked(db *engine.DB, table engine.TableID) bool {
	for _, l := range db.Locks() {
		if l.Table == table && l.Granted {
			return true
		}
	}
	return false
}

func openExecutor(t *testing.T) *Executor {
	ctx := context.Background()
	db, _, err := engine.Open(ctx, engine.Options{Dir: t.TempDir(),
		Log: wal.Options{SegmentSize: 1 << 20, SyncMethod: "fdatasync"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(ctx)) })
	c, err := catalog.Open(ctx, db)
	require.NoError(t, err)
	return New(db, c, plan.New(c, plan.Options{}))
}

func runOne(t *testing.T, x *Executor, sql string) {
	txn := x.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	executeIn(t, x, txn, sql)
	_, err := txn.Commit(context.Background(), engine.CommitOptions{})
	require.NoError(t, err)
}

func countRows(t *testing.T, x *Executor, sql string) int {
	txn := x.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	return executeIn(t, x, txn, sql)
}

// executeIn runs a statement to its end and counts its rows.
func executeIn(t *testing.T, x *Executor, txn *Txn, sql string) int {
	ctx := context.Background()
	stmt, err := parse.ParseOne(sql)
	require.NoError(t, err)
	env := &Env{Txn: txn, Session: x.NewSession(nil), SearchPath: []string{catalog.Public}}
	p, err := x.planner.Prepare(env.Plan(), stmt, nil)
	require.NoError(t, err)
	c, err := x.Open(ctx, p, env)
	require.NoError(t, err)
	defer c.Close()
	for {
		row, err := c.Next(ctx)
		require.NoError(t, err)
		if row == nil {
			return int(c.Rows())
		}
	}
}
