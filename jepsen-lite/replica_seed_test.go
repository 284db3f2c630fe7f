package jepsenlite

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seedBytes is what the seeds below carry: enough to be interrupted within.
const seedBytes = 8 << 20

// A base backup that is interrupted, by its link and by a kill of the replica, is made again, by
// itself, until one is whole.
func TestReplicaSeedInterrupted(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	fill(t, a, seedBytes)
	p, err := NewProxy(a.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	b := newReplica(t, c, "b", p.Addr)

	slow := LinkFault{Delay: time.Millisecond, CutAfter: seedBytes / 4}
	p.Set(Down, slow)
	require.NoError(t, b.Launch())
	carried := func() bool { return p.Carried(Down) >= seedBytes/4 }
	require.Eventually(t, carried, startTimeout, pollEvery)
	heldAt(t, p, p.Carried(Down)+seedBytes/4)
	require.NotContains(t, b.Output(), "ready")
	require.NotEqual(t, "0", ask(t, a, "SELECT count(*)::text FROM pg_stat_progress_basebackup"+
		" WHERE phase = 'streaming database files' AND backup_streamed > 0"))
	require.NoError(t, b.Kill())
	p.Set(Down, LinkFault{})
	require.NoError(t, b.Start(t.Context()))
	requireSame(t, a, b)
	require.NoFileExists(t, filepath.Join(b.Dir, "seeding"))
}

// heldAt lets the proxy carry up to that many bytes in all downwards, about, and holds it there.
func heldAt(t *testing.T, p *Proxy, carried int64) {
	t.Helper()
	require.Eventually(t, func() bool { return p.Carried(Down) >= carried }, startTimeout, pollEvery)
	p.Set(Down, LinkFault{Hold: true})
}

// A standby is promoted while another seeds itself from it.
func TestReplicaSeededWhileItsUpstreamIsPromoted(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	fill(t, a, seedBytes)
	b := startReplica(t, c, "b", a.Addr)
	requireSame(t, a, b)
	p, err := NewProxy(b.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	d := newReplica(t, c, "d", p.Addr)
	p.Set(Down, LinkFault{Delay: time.Millisecond}) // slow enough to be caught in the midst
	require.NoError(t, d.Launch())
	heldAt(t, p, seedBytes/4)
	require.NotContains(t, d.Output(), "ready")

	require.NoError(t, a.Kill())
	promote(t, b)
	fill(t, b, 200_000)
	p.Set(Down, LinkFault{})
	require.NoError(t, d.AwaitReady(t.Context()))
	requireSame(t, b, d)
}

// promote makes a standby the primary and returns once it takes writes.
func promote(t *testing.T, n *Node) {
	t.Helper()
	require.Equal(t, "true", ask(t, n, "SELECT pg_promote()::text"))
	require.Equal(t, "off", ask(t, n, "SHOW transaction_read_only"))
}

var (
	slotWarning = regexp.MustCompile(`(?i)level=WARN.*slot`)
	reseedLine  = regexp.MustCompile(`(?i)reseed|seed`)
)

// A replica that was away for longer than its slot keeps log for seeds itself again, without a
// person; the primary has warned before, and keeps no more than it was told to.
func TestReplicaWhoseSlotWasLostReseedsItself(t *testing.T) {
	c := newCluster(t, "-c", "max_slot_wal_keep_size=4MB")
	a := startPrimary(t, c, "a")
	b := startReplica(t, c, "b", a.Addr)
	fill(t, a, 200_000)
	requireSame(t, a, b)
	require.NoError(t, b.Kill())

	state := func() string {
		return ask(t, a, "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'b'")
	}
	lost := false
	for range 40 {
		fill(t, a, 1<<20)
		do(t, a, "CHECKPOINT")
		if lost = state() == "lost"; lost {
			break
		}
	}
	require.True(t, lost, "40 MB were written, and a slot bound to 4 MB is %s", state())
	_, err := a.AwaitLine(t.Context(), slotWarning)
	require.NoError(t, err)
	files, err := segmentFiles(filepath.Join(a.Dir, "wal"))
	require.NoError(t, err)
	require.LessOrEqual(t, len(files), 16, "the log of a lost slot is still there")

	require.NoError(t, b.Start(t.Context()))
	requireSame(t, a, b)
	_, err = b.AwaitLine(t.Context(), reseedLine)
	require.NoError(t, err)
	require.NotEqual(t, "lost", state())
}

// The negative control: within its bound a slot keeps the log, and nobody seeds anew.
func TestReplicaWhoseSlotKeptTheLogFollowsOn(t *testing.T) {
	c := newCluster(t, "-c", "max_slot_wal_keep_size=64MB")
	a := startPrimary(t, c, "a")
	b := startReplica(t, c, "b", a.Addr)
	requireSame(t, a, b)
	require.NoError(t, b.Kill())
	mark := filepath.Join(b.Dir, "store", "CURRENT-of-the-first-life")
	require.NoError(t, os.WriteFile(mark, nil, 0o600))
	fill(t, a, 12<<20)
	do(t, a, "CHECKPOINT", "CHECKPOINT")
	require.NoError(t, b.Start(t.Context()))
	requireSame(t, a, b)
	require.FileExists(t, mark, "the replica has seeded itself anew, though its log was there")
}
