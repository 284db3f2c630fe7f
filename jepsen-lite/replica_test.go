package jepsenlite

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// replicaArgs keep segments and checkpoints small and have a lost peer noticed soon.
var replicaArgs = append([]string{"-c", "wal_sender_timeout=2s", "-c", "wal_receiver_timeout=2s",
	"-c", "wal_receiver_status_interval=1s"}, smallArgs...)

func newCluster(t *testing.T, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{Bin: binary(t), Dir: t.TempDir(), Args: slices.Concat(replicaArgs, args)}
	t.Cleanup(func() {
		if t.Failed() {
			for _, n := range c.nodes {
				t.Logf("%s at %s printed last:\n%s", filepath.Base(n.Dir), n.Addr, n.Output())
			}
		}
		require.NoError(t, c.Kill())
	})
	return c
}

// startPrimary starts a node that follows nobody.
func startPrimary(t *testing.T, c *Cluster, name string, args ...string) *Node {
	t.Helper()
	n, err := c.Primary(name, args...)
	require.NoError(t, err)
	require.NoError(t, n.Start(t.Context()))
	return n
}

// startReplica is the one command that makes a replica.
func startReplica(t *testing.T, c *Cluster, name, upstream string, args ...string) *Node {
	t.Helper()
	n := newReplica(t, c, name, upstream, args...)
	require.NoError(t, n.Start(t.Context()))
	return n
}

func newReplica(t *testing.T, c *Cluster, name, upstream string, args ...string) *Node {
	t.Helper()
	n, err := c.Replica(name, upstream, args...)
	require.NoError(t, err)
	return n
}

// underLoad loads a node with the workload, whose tables it makes, until the test calls stop, which
// returns the history so far.
func underLoad(t *testing.T, node *Node) (stop func() *bytes.Buffer) {
	t.Helper()
	require.NoError(t, CreateSchema(t.Context(), node.DSN()))
	history := &bytes.Buffer{}
	w := &Workload{Sessions: len(Modes), Seed: seed(t), Journal: NewJournal(history)}
	ctx, cancel := context.WithCancel(t.Context())
	next := map[int]int64{}
	for id := 1; id <= w.Sessions; id++ {
		next[id] = 1
	}
	ended := make(chan error, 1)
	dsn := node.DSN()
	go func() { ended <- w.Run(ctx, dsn, next) }()
	return sync.OnceValue(func() *bytes.Buffer {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, w.Journal.Flush())
		return history
	})
}

func ask(t *testing.T, node *Node, sql string, args ...any) string {
	t.Helper()
	value, err := Ask(t.Context(), node.DSN(), sql, args...)
	require.NoError(t, err, sql)
	return value
}

func do(t *testing.T, node *Node, statements ...string) {
	t.Helper()
	require.NoError(t, Do(t.Context(), node.DSN(), statements...))
}

func requireSame(t *testing.T, upstream, standby *Node) {
	t.Helper()
	require.NoError(t, Same(t.Context(), upstream, standby))
}

// fill writes about that many bytes of log into the table filler, which it makes.
func fill(t *testing.T, node *Node, size int) {
	t.Helper()
	require.NoError(t, Fill(t.Context(), node.DSN(), size))
}

// A replica is one command, also against a primary under load. It seeds itself, follows, shows only
// prefixes, refuses to write, and is its primary byte by byte and row by row.
func TestReplicaFollowsUnderLoad(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	stop := underLoad(t, a)
	b := startReplica(t, c, "b", a.Addr)
	require.NoError(t, AwaitStreaming(t.Context(), a, "b"))

	reading, cancel := context.WithCancel(t.Context())
	defer cancel()
	read := make(chan error, 1)
	go func() { read <- ReadPrefixes(reading, b.DSN()) }()
	before := ask(t, b, "SELECT n::text FROM ticker")
	require.Eventually(t, func() bool { return ask(t, b, "SELECT n::text FROM ticker") != before },
		startTimeout, pollEvery, "the replica stands still")
	cancel()
	require.NoError(t, <-read)

	stop()
	requireSame(t, a, b)
	require.Equal(t, "on", ask(t, b, "SHOW in_hot_standby"))
	err := Do(t.Context(), b.DSN(), "INSERT INTO ticker VALUES (2, 0)")
	require.Equal(t, "25006", sqlState(err), "%v", err)

	// It is a standby without the flag, too, until it is promoted.
	require.NoError(t, b.Stop())
	b.Args = c.Args
	require.NoError(t, b.Start(t.Context()))
	do(t, a, "UPDATE ticker SET n = -1")
	requireSame(t, a, b)
}

// The comparison is no better than its eyes: a replica that lacks the last commit, and one whose
// file differs in one byte, must be seen.
func TestReplicaComparisonSeesDifferences(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	require.NoError(t, CreateSchema(t.Context(), a.DSN()))
	b := startReplica(t, c, "b", a.Addr)
	requireSame(t, a, b)
	lsn := ask(t, a, "SELECT pg_current_wal_insert_lsn()::text")
	require.NoError(t, b.Kill())
	do(t, a, "SET synchronous_commit = local; INSERT INTO ticker VALUES (2, 0)")
	ahead := ask(t, a, "SELECT pg_current_wal_insert_lsn()::text")
	_, err := SameLog(filepath.Join(a.Dir, "wal"), filepath.Join(b.Dir, "wal"), lsn)
	require.NoError(t, err)
	_, err = SameLog(filepath.Join(a.Dir, "wal"), filepath.Join(b.Dir, "wal"), ahead)
	require.ErrorContains(t, err, "differ at offset")
	require.NoError(t, b.Start(t.Context()))
	requireSame(t, a, b)
}

// A replica of a replica.
func TestReplicaCascades(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	stop := underLoad(t, a)
	b := startReplica(t, c, "b", a.Addr)
	d := startReplica(t, c, "d", b.Addr)
	require.NoError(t, AwaitStreaming(t.Context(), b, "d"))
	require.NoError(t, b.Kill())
	require.NoError(t, b.Start(t.Context()))
	stop()
	requireSame(t, a, b)
	requireSame(t, b, d)
	requireSame(t, a, d)
}

// Either side is killed, again and again, under load.
func TestReplicaKills(t *testing.T) {
	const strikes = 10
	c := newCluster(t)
	a, err := c.Primary("a")
	require.NoError(t, err)
	history := &bytes.Buffer{}
	run := &FollowRun{Primary: a, Replica: newReplica(t, c, "b", a.Addr), Sessions: len(Modes),
		Strikes: strikes, Seed: seed(t), Journal: NewJournal(history)}
	require.NoError(t, run.Run(t.Context()))
	requireKept(t, history, strikes)
}

// requireKept judges the history of a run.
func requireKept(t *testing.T, history *bytes.Buffer, rounds int) *Verdict {
	t.Helper()
	v, err := Judge(history)
	require.NoError(t, err)
	t.Log(v)
	require.Empty(t, v.Breaches)
	require.Equal(t, rounds, v.Rounds)
	require.Positive(t, v.Acknowledged)
	return v
}

// hold opens a connection to the node for as long as the test.
func hold(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
