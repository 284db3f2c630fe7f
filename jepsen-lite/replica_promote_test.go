package jepsenlite

import (
	"bytes"
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The primary of loaded sessions dies; its standby is promoted; clients with one multi-host string
// find it; a replica below it follows across the fork, and so does one of the dead primary's that
// is pointed at the new one.
func TestReplicaPromotedUnderLoad(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	stop := underLoad(t, a)
	b := startReplica(t, c, "b", a.Addr)
	below := startReplica(t, c, "below", b.Addr)
	beside := startReplica(t, c, "beside", a.Addr)
	require.NoError(t, AwaitStreaming(t.Context(), a, "beside"))
	require.NoError(t, AwaitStreaming(t.Context(), b, "below"))

	// What beside has b will have, so that it is not beyond the fork.
	require.NoError(t, beside.Stop())
	_, err := AwaitReplayed(t.Context(), a, b)
	require.NoError(t, err)
	require.NoError(t, a.Kill())
	stop()
	found := make(chan error, 1)
	finding, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	go func() {
		found <- poll(finding, "a primary", func(ctx context.Context) (bool, error) {
			err := Do(ctx, MultiHost("read-write", a, b), "UPDATE ticker SET n = n")
			return err == nil, err
		})
	}()
	start := time.Now()
	promote(t, b)
	require.NoError(t, <-found)
	t.Logf("from pg_promote to a client's write: %v", time.Since(start))

	fill(t, b, 200_000)
	requireSame(t, b, below)
	beside.Args = append([]string{"--replica-of", b.Addr, "--slot", "beside"}, c.Args...)
	require.NoError(t, beside.Start(t.Context()))
	requireSame(t, b, beside)
}

// Sessions of the promoted node keep their connections and are told.
func TestReplicaPromotedKeepsItsSessions(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	require.NoError(t, CreateSchema(t.Context(), a.DSN()))
	b := startReplica(t, c, "b", a.Addr)
	requireSame(t, a, b)
	conn := hold(t, b.DSN())
	require.Equal(t, "on", conn.PgConn().ParameterStatus("in_hot_standby"))
	_, err := conn.Exec(t.Context(), "UPDATE ticker SET n = 1")
	require.Equal(t, "25006", sqlState(err))

	require.NoError(t, a.Kill())
	promote(t, b)
	_, err = conn.Exec(t.Context(), "UPDATE ticker SET n = 1")
	require.NoError(t, err)
	require.Equal(t, "off", conn.PgConn().ParameterStatus("in_hot_standby"))
	require.Equal(t, "false", ask(t, b, "SELECT pg_is_in_recovery()::text"))

	// A restart finds it a primary, on its timeline.
	before := ask(t, b, "SELECT max(timeline)::text FROM ack_epochs")
	require.NoError(t, b.Kill())
	b.Args = c.Args
	require.NoError(t, b.Start(t.Context()))
	do(t, b, "UPDATE ticker SET n = 2")
	require.Equal(t, before, ask(t, b, "SELECT max(timeline)::text FROM ack_epochs"))
}

// A promoted node that is started with the flag of its former life is not made a standby of a primary
// it has left: it waits for one that does not answer, and refuses one that is behind it.
func TestReplicaPromotedIsNotMadeAStandbyByItsOldFlag(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	fill(t, a, 100_000)
	b := startReplica(t, c, "b", a.Addr)
	requireSame(t, a, b)
	promote(t, b)
	fill(t, b, 100_000)
	require.NoError(t, b.Kill())
	held := logHash(t, b)
	requireStops(t, b)
	require.Equal(t, held, logHash(t, b))

	require.NoError(t, a.Kill())
	require.NoError(t, b.Launch())
	_, err := b.AwaitLine(t.Context(), regexp.MustCompile(`level=WARN.*was a primary.*timeline=2`))
	require.NoError(t, err)
	_, err = Ask(t.Context(), b.DSN(), "SELECT 1::text")
	require.Equal(t, "57P03", sqlState(err), "%v", err)
	require.NoError(t, b.Kill())
	require.Equal(t, held, logHash(t, b))
	b.Args = c.Args
	require.NoError(t, b.Start(t.Context()))
	fill(t, b, 100_000)
}

// A replica that holds more of the old timeline than the promoted one had: it stops, says 55000,
// and keeps its bytes.
func TestReplicaBeyondTheForkStopsAndKeepsItsBytes(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	p, err := NewProxy(a.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	b := startReplica(t, c, "b", p.Addr)
	ahead := startReplica(t, c, "ahead", a.Addr)
	fill(t, a, 200_000)
	requireSame(t, a, b)
	p.Set(Down, LinkFault{Hold: true})
	fill(t, a, 200_000)
	requireSame(t, a, ahead)
	require.NoError(t, a.Kill())
	require.NoError(t, ahead.Kill())
	promote(t, b)

	held := logHash(t, ahead)
	ahead.Args = append([]string{"--replica-of", b.Addr, "--slot", "ahead"}, c.Args...)
	requireStops(t, ahead)
	require.Equal(t, held, logHash(t, ahead), "not a byte is gone")
	_, err = b.AwaitLine(t.Context(), partedLine)
	require.NoError(t, err, "the new primary says so, too")
	requireStops(t, ahead) // and again
	require.Equal(t, held, logHash(t, ahead))
}

// Failovers to and fro, under load, with the standby waited for: no commit that waited for it is
// missing, and every receipt is judged as what became of it.
func TestReplicaFailoversKeepWhatWaitedForTheStandby(t *testing.T) {
	const failovers = 4
	v := runFailovers(t, &FailoverRun{Failovers: failovers, Required: true}, failovers)
	require.Positive(t, v.CalledDurable)
	for _, mode := range Modes {
		require.Positive(t, v.ByMode[mode], "no transaction was acknowledged in mode %s", mode)
	}
}

func runFailovers(t *testing.T, run *FailoverRun, rounds int) *Verdict {
	t.Helper()
	history := &bytes.Buffer{}
	run.Cluster, run.Sessions, run.Seed = newCluster(t), 2*len(Modes), seed(t)
	if d, ok := run.Disk.(*FuseDisk); ok {
		run.Cluster.Dir = d.Dir
	}
	run.Journal = NewJournal(history)
	require.NoError(t, run.Run(t.Context()))
	return requireKept(t, history, rounds)
}

// The same, and the power of the standby goes with its primary: what was acknowledged at on or
// remote_apply it had on its disk, and every receipt is still judged rightly.
func TestReplicaFailoversKeepWhatTheStandbyHadFlushed(t *testing.T) {
	const failovers = 3
	v := runFailovers(t, &FailoverRun{Failovers: failovers, Required: true, Disk: fuseDisk(t)}, failovers)
	require.Positive(t, v.ByMode["on"])
	require.Positive(t, v.ByMode["remote_apply"])
}

// The negative control: a standby whose disk lies acknowledges what it does not have.
func TestReplicaFailoverToALyingDiskIsCaught(t *testing.T) {
	history := &bytes.Buffer{}
	d := fuseDisk(t)
	run := &FailoverRun{Cluster: newCluster(t), Sessions: 2 * len(Modes), Seed: seed(t), Failovers: 3,
		Journal: NewJournal(history), Required: true, Disk: d}
	run.Cluster.Dir = d.Dir
	// From when the next standby is seeded until the next cut.
	run.Progress = func(int, *Seen) { d.Set(DiskFault{SyncLies: true}) }
	if err := run.Run(t.Context()); err != nil {
		var refused *ExitError
		require.ErrorAs(t, err, &refused, "a server that refuses has caught the lie as well")
		return
	}
	v, err := Judge(history)
	require.NoError(t, err)
	require.NotEmpty(t, v.Breaches, "the standby's disk lied about every fsync and nobody noticed")
}

// The negative control of both: nobody waits for the standby, whose link lags. Commits of every mode are
// gone then, the judge must say so, and the new primary must judge their receipts lost.
func TestReplicaFailoverWithoutWaitingLosesCommits(t *testing.T) {
	history := &bytes.Buffer{}
	run := &FailoverRun{Cluster: newCluster(t), Sessions: 2 * len(Modes), Seed: seed(t), Failovers: 1,
		Journal: NewJournal(history), Link: &LinkFault{Hold: true}}
	require.NoError(t, run.Run(t.Context()))
	v, err := Judge(history)
	require.NoError(t, err)
	t.Log(v)
	require.Positive(t, v.Lost)
	require.Positive(t, v.CalledLost)
	require.NotEmpty(t, v.Breaches)
	for _, breach := range v.Breaches {
		// What is lost is lost as a suffix, and judged as such.
		require.Regexp(t, "^J[56]", breach)
	}
}
