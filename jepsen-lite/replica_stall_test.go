package jepsenlite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A primary that stands still (SIGSTOP) takes nothing from its replica's readers, until they ask
// not to be shown what is old. When it goes on, so does the replica.
func TestReplicaOfAStalledPrimary(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	b := startReplica(t, c, "b", a.Addr)
	fill(t, a, 200_000)
	requireSame(t, a, b)

	conn := hold(t, b.DSN())
	_, err := conn.Exec(t.Context(), "SET ack.max_staleness = '1s'")
	require.NoError(t, err)
	read := func() error {
		_, err := conn.Exec(t.Context(), "SELECT count(*) FROM filler")
		return err
	}
	require.Eventually(t, func() bool { return read() == nil }, startTimeout, pollEvery)
	require.NoError(t, a.Signal(syscall.SIGSTOP))
	require.Eventually(t, func() bool { return sqlState(read()) == "55000" }, startTimeout, pollEvery,
		"a reader that wants nothing older than a second is shown it")
	ask(t, b, "SELECT count(*)::text FROM filler") // who did not ask for freshness is served
	require.NoError(t, a.Signal(syscall.SIGCONT))

	fill(t, a, 200_000)
	requireSame(t, a, b)
	require.Eventually(t, func() bool { return read() == nil }, startTimeout, pollEvery)
}

// R3: a replica that stands still costs its primary disk and nothing else.
func TestReplicaThatStallsHoldsUpNobody(t *testing.T) {
	t.Parallel() // it waits for a timeout
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	b := startReplica(t, c, "b", a.Addr)
	require.NoError(t, AwaitStreaming(t.Context(), a, "b"))
	require.NoError(t, b.Signal(syscall.SIGSTOP))
	fill(t, a, 20<<20)
	// It is shown out, by wal_sender_timeout, and its slot keeps the log for it.
	require.Eventually(t, func() bool {
		return ask(t, a, "SELECT count(*)::text FROM pg_stat_replication") == "0"
	}, startTimeout, pollEvery)
	require.Equal(t, "false",
		ask(t, a, "SELECT active::text FROM pg_replication_slots WHERE slot_name = 'b'"))
	require.NoError(t, b.Signal(syscall.SIGCONT))
	requireSame(t, a, b)
}

// smallDisk is a file system of ours that is soon full.
func smallDisk(t *testing.T) *LoopDisk {
	t.Helper()
	if missing := LoopMissing(); missing != "" {
		t.Skip("SKIPPED, no small file system: ", missing)
	}
	dir := t.TempDir()
	d, err := newLoopDisk(&LoopDisk{Dir: filepath.Join(dir, "mnt"),
		image: filepath.Join(dir, "disk.img"), bytes: 96 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// fillUp takes what is left of the file system.
func fillUp(t *testing.T, dir string) (remove func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	require.NoError(t, err)
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	return func() { require.NoError(t, os.Remove(path)) }
}

// The replica's disk is full: the primary does not notice, the replica goes on once there is room.
func TestReplicaWithAFullDisk(t *testing.T) {
	d := smallDisk(t)
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	b := newReplica(t, c, "b", a.Addr)
	b.Dir = filepath.Join(d.Dir, "b")
	require.NoError(t, b.Start(t.Context()))
	fill(t, a, 200_000)
	requireSame(t, a, b)

	remove := fillUp(t, d.Dir)
	fill(t, a, 12<<20)
	ask(t, b, "SELECT count(*)::text FROM filler") // reads go on
	remove()
	requireSame(t, a, b)
	require.NoError(t, c.Kill()) // before the disk goes
}

// The primary's disk is full: commits are refused, the replica stays, and both go on.
func TestReplicaOfAPrimaryWithAFullDisk(t *testing.T) {
	d := smallDisk(t)
	c := newCluster(t)
	a, err := c.Primary("a")
	require.NoError(t, err)
	a.Dir = filepath.Join(d.Dir, "a")
	require.NoError(t, a.Start(t.Context()))
	b := startReplica(t, c, "b", a.Addr)
	fill(t, a, 200_000)
	requireSame(t, a, b)

	remove := fillUp(t, d.Dir)
	err = Fill(t.Context(), a.DSN(), 40<<20)
	require.Equal(t, "53100", sqlState(err), "%v", err)
	requireSame(t, a, b)
	remove()
	require.Eventually(t, func() bool { return Fill(t.Context(), a.DSN(), 100_000) == nil },
		startTimeout, pollEvery)
	requireSame(t, a, b)
	require.NoError(t, c.Kill()) // before the disk goes
}
