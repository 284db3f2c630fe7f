package jepsenlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A primary is stopped in order, its standby promoted, and it follows that one: nothing is missing
// anywhere and nothing has to be seeded. Then back again.
func TestReplicaSwitchover(t *testing.T) {
	c := newCluster(t)
	primary := startPrimary(t, c, "a")
	stop := underLoad(t, primary)
	standby := startReplica(t, c, "b", primary.Addr)
	require.NoError(t, AwaitStreaming(t.Context(), primary, "b"))
	require.Eventually(t, func() bool { return ask(t, primary, "SELECT n::text FROM ticker") > "3" },
		startTimeout, pollEvery)
	for range 2 {
		end := ask(t, primary, "SELECT n::text FROM ticker")
		require.NoError(t, primary.Stop())
		stop()
		promote(t, standby)
		require.GreaterOrEqual(t, atoi(t, ask(t, standby, "SELECT n::text FROM ticker")), atoi(t, end))
		primary, standby = standby, primary
		fill(t, primary, 100_000)
		standby.Args = append([]string{"--replica-of", primary.Addr, "--slot", "old"}, c.Args...)
		require.NoError(t, standby.Start(t.Context()))
		require.NotContains(t, standby.Output(), "seeding")
		requireSame(t, primary, standby)
	}
}

func atoi(t *testing.T, s string) (n int) {
	t.Helper()
	_, err := fmt.Sscan(s, &n)
	require.NoError(t, err)
	return n
}

// A standby is pointed at another upstream without a restart.
func TestReplicaIsPointedElsewhereOnline(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	stop := underLoad(t, a)
	b, d := startReplica(t, c, "b", a.Addr), startReplica(t, c, "d", a.Addr)
	require.NoError(t, AwaitStreaming(t.Context(), a, "d"))
	do(t, d, fmt.Sprintf("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=%s'", portOf(t, b)),
		"SELECT pg_reload_conf()")
	require.NoError(t, AwaitStreaming(t.Context(), b, "d"))
	require.Equal(t, portOf(t, b), ask(t, d, "SELECT sender_port::text FROM pg_stat_wal_receiver"))
	stop()
	requireSame(t, b, d)
	requireSame(t, a, d)
}

// Its own write is read at once on the standby by who waits for it there, by the receipt; and a
// snapshot on the standby is not cancelled, nor does it change, whatever is replayed meanwhile.
func TestReplicaReads(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	do(t, a, "CREATE TABLE t (k int PRIMARY KEY)", "INSERT INTO t VALUES (0)")
	b := startReplica(t, c, "b", a.Addr)
	writer, reader := hold(t, a.DSN("ack.report_commit=on")), hold(t, b.DSN())

	old := hold(t, b.DSN())
	_, err := old.Exec(t.Context(), "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t")
	require.NoError(t, err)
	for k := 1; k <= 50; k++ {
		_, err := writer.Exec(t.Context(), "INSERT INTO t VALUES ($1)", k)
		require.NoError(t, err)
		token := writer.PgConn().ParameterStatus("ack.commit_lsn")
		_, err = reader.Exec(t.Context(), "WAIT FOR LSN '"+token+"'")
		require.NoError(t, err)
		var n int
		require.NoError(t, reader.QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&n))
		require.Equal(t, k+1, n)
	}
	do(t, a, "DELETE FROM t", "TRUNCATE t", "CHECKPOINT")
	fill(t, a, 2<<20)
	requireSame(t, a, b)
	var n int
	require.NoError(t, old.QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&n))
	require.Equal(t, 1, n)
	require.Equal(t, "0", ask(t, b, "SELECT count(*)::text FROM t"))
}

// The power goes while a standby is being promoted. It comes back a standby that goes on, or a
// primary on a timeline of its own that has everything; never anything between.
func TestReplicaThatLosesItsPowerWhilePromoting(t *testing.T) {
	d := fuseDisk(t)
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	fill(t, a, 500_000)
	s := seed(t)
	rng := rand.New(rand.NewPCG(s, 3))
	promoted := 0
	for round := range 6 {
		name := fmt.Sprintf("b%d", round)
		b := newReplica(t, c, name, a.Addr)
		b.Dir = filepath.Join(d.Dir, name)
		require.NoError(t, b.Start(t.Context()))
		requireSame(t, a, b)
		ctx, cancel := context.WithCancel(t.Context())
		asked := make(chan string, 1)
		dsn := b.DSN()
		go func() {
			answer, _ := Ask(ctx, dsn, "SELECT pg_promote()::text")
			asked <- answer
		}()
		wait(ctx, time.Duration(rng.IntN(20))*time.Millisecond)
		require.NoError(t, down(b, d))
		cancel()
		answered, said := <-asked == "true", b.Output()

		require.NoError(t, d.Restore(s+uint64(round)))
		b.Args = c.Args // the flag would make a standby of it, whatever it has become
		require.NoError(t, b.Start(t.Context()))
		if ask(t, b, "SELECT pg_is_in_recovery()::text") == "true" {
			require.False(t, answered, "a promotion that was acknowledged is gone:\n%s", said)
			requireSame(t, a, b)
			require.NoError(t, b.Kill())
			continue
		}
		promoted++
		require.Equal(t, "2", ask(t, b, "SELECT max(timeline)::text FROM ack_epochs"))
		require.NoError(t, SameState(t.Context(), a, b))
		do(t, b, "CREATE TABLE t (k int)")
		require.NoError(t, b.Kill())
	}
	t.Logf("%d of 6 had become primaries", promoted)
	require.NoError(t, c.Kill()) // before the disk goes
}

// The primary dies in the midst of a transaction whose pieces its standby has received already: it
// is ended by the promotion, none of it is shown, and followers agree.
func TestReplicaPromotedAmidALargeTransaction(t *testing.T) {
	c := newCluster(t, "-c", "max_wal_size=256MB")
	a := startPrimary(t, c, "a")
	fill(t, a, 100_000)
	b := startReplica(t, c, "b", a.Addr)
	below := startReplica(t, c, "below", b.Addr)
	requireSame(t, b, below)
	rows := ask(t, a, "SELECT count(*)::text FROM filler")

	before := position(t, a)
	committed := make(chan error, 1)
	dsn := a.DSN()
	go func() { committed <- FillAtOnce(context.WithoutCancel(t.Context()), dsn, 64<<20) }()
	received := func() uint64 {
		lsn, err := parseLSN(ask(t, b, "SELECT pg_last_wal_receive_lsn()::text"))
		require.NoError(t, err)
		return lsn
	}
	amid := func() bool { return received() > before+8<<20 }
	require.Eventually(t, amid, startTimeout, time.Millisecond)
	require.NoError(t, a.Kill())
	whole := <-committed == nil
	promote(t, b)
	if after := ask(t, b, "SELECT count(*)::text FROM filler"); !whole {
		require.Equal(t, rows, after)
	}
	fill(t, b, 500_000)
	requireSame(t, b, below)
}
