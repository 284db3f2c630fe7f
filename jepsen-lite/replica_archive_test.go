package jepsenlite

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// startArchive makes a slot of that name at the node and archives through it.
func startArchive(t *testing.T, n *Node, slot string) *Archive {
	t.Helper()
	if missing := ArchiveMissing(); missing != "" {
		t.Skip("SKIPPED, no archive: ", missing)
	}
	archive := &Archive{Dir: filepath.Join(t.TempDir(), "archive"), Slot: slot}
	t.Cleanup(func() {
		out, err := archive.End(syscall.SIGKILL)
		require.NoError(t, err)
		if t.Failed() {
			t.Logf("pg_receivewal printed last:\n%s", out)
		}
	})
	require.NoError(t, archive.CreateSlot(t.Context(), n.Addr))
	require.NoError(t, archive.Start(n.Addr))
	return archive
}

// requireArchived awaits all of the node's log in the archive and compares it.
func requireArchived(t *testing.T, archive *Archive, n *Node) {
	t.Helper()
	lsn := ask(t, n, "SELECT pg_current_wal_insert_lsn()::text")
	require.NoError(t, archive.Await(t.Context(), n, lsn))
	_, err := archive.Same(n, lsn)
	require.NoError(t, err)
}

// pg_receivewal archives segments that are ours byte for byte, through restarts of either side.
func TestReplicaArchiveIsOurLogThroughRestarts(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	archive := startArchive(t, a, "s")
	requireArchived(t, archive, a)
	stop := underLoad(t, a)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		fill(t, a, 2<<20)
		_, err := archive.End(sig)
		require.NoError(t, err)
		fill(t, a, 1<<20)
		require.NoError(t, archive.Start(a.Addr))
	}
	stop()
	requireArchived(t, archive, a)
	for _, end := range []func() error{a.Kill, a.Stop} {
		fill(t, a, 1<<20)
		require.NoError(t, end())
		_, err := archive.End(syscall.SIGINT) // it has ended by itself: its server is gone
		require.NoError(t, err)
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, archive.Start(a.Addr))
		requireArchived(t, archive, a)
	}
	segments, err := filepath.Glob(filepath.Join(archive.Dir, strings.Repeat("?", 24)))
	require.NoError(t, err)
	require.Greater(t, len(segments), 5, "the archive holds whole segments")
}

// The archive of a standby, and of a primary, goes on through a promotion, with the fork exactly at
// a segment's boundary, one record before it and just behind it.
func TestReplicaArchiveGoesOnThroughAPromotion(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, n *Node){
		"at a boundary":             endAtBoundary,
		"one record before it":      endBeforeBoundary,
		"one record behind it":      endBehindBoundary,
		"in the midst of a segment": func(t *testing.T, n *Node) { fill(t, n, 100_000) },
	} {
		t.Run(name, func(t *testing.T) {
			// The archive of the primary has no slot at the standby that would keep the fork for it.
			c := newCluster(t, "-c", "wal_keep_size=64MB")
			a := startPrimary(t, c, "a")
			do(t, a, "CREATE TABLE pad (k bigint PRIMARY KEY, v text)")
			b := startReplica(t, c, "b", a.Addr)
			ofStandby := startArchive(t, b, "s")
			ofPrimary := startArchive(t, a, "p")
			fill(t, a, 2<<20)
			end(t, a)
			fork, err := AwaitReplayed(t.Context(), a, b)
			require.NoError(t, err)
			require.NoError(t, ofStandby.Await(t.Context(), b, fork))
			require.NoError(t, ofPrimary.Await(t.Context(), a, fork))
			require.NoError(t, a.Kill())
			_, err = ofPrimary.End(syscall.SIGINT)
			require.NoError(t, err)

			promote(t, b)
			fill(t, b, 2<<20)
			requireArchived(t, ofStandby, b)
			require.FileExists(t, filepath.Join(ofStandby.Dir, "00000002.history"))

			// The one of the dead primary goes on at the new one, where it must ask for the fork.
			require.NoError(t, ofPrimary.CreateSlot(t.Context(), b.Addr))
			_, err = ofStandby.End(syscall.SIGINT)
			require.NoError(t, err)
			require.NoError(t, ofPrimary.Start(b.Addr))
			requireArchived(t, ofPrimary, b)
			require.FileExists(t, filepath.Join(ofPrimary.Dir, "00000002.history"))
		})
	}
}

func position(t *testing.T, n *Node) uint64 {
	t.Helper()
	lsn, err := parseLSN(ask(t, n, "SELECT pg_current_wal_insert_lsn()::text"))
	require.NoError(t, err)
	return lsn
}

// pad commits one row of that many bytes and returns how much log it took.
func pad(t *testing.T, n *Node, size int) uint64 {
	t.Helper()
	before := position(t, n)
	do(t, n, fmt.Sprintf("INSERT INTO pad VALUES (%d, '%s')", before, strings.Repeat("p", size)))
	return position(t, n) - before
}

func endAtBoundary(t *testing.T, n *Node) {
	do(t, n, "SELECT pg_switch_wal()")
	require.Zero(t, position(t, n)%compareSegment, "the log does not end at a boundary")
}

func endBehindBoundary(t *testing.T, n *Node) {
	endAtBoundary(t, n)
	pad(t, n, 1)
	require.Less(t, position(t, n)%compareSegment, uint64(1024))
}

// endBeforeBoundary leaves room for one small record and not for two.
func endBeforeBoundary(t *testing.T, n *Node) {
	small := pad(t, n, 1)
	const step = 100_000
	overhead := pad(t, n, step) - step
	room := func() uint64 { return compareSegment - position(t, n)%compareSegment }
	if room() < step+2*overhead {
		do(t, n, "SELECT pg_switch_wal()")
		pad(t, n, 1)
	}
	for room() > 2*step {
		pad(t, n, step)
	}
	pad(t, n, int(room()-overhead-small-small/2)&^7)
	left := room()
	require.GreaterOrEqual(t, left, small, "%d left, a record takes %d", left, small)
	require.Less(t, left, 2*small, "%d left, a record takes %d", left, small)
}

// pg_basebackup makes a directory that follows its source, byte by byte, and another that, started
// alone, is a primary of its own on a timeline of its own.
func TestReplicaFromPgBasebackup(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	if missing := ArchiveMissing(); missing != "" {
		t.Skip("SKIPPED, no pg_basebackup: ", missing)
	}
	stop := underLoad(t, a)
	fill(t, a, 2<<20)
	follower, alone := newReplica(t, c, "follower", a.Addr), newReplica(t, c, "alone", a.Addr)
	for _, n := range []*Node{follower, alone} {
		baseBackup(t, a, n.Dir)
	}
	stop()
	require.NoError(t, follower.Start(t.Context()))
	requireSame(t, a, follower)

	alone.Args = c.Args
	require.NoError(t, alone.Start(t.Context()))
	conn := hold(t, alone.DSN("ack.report_commit=on"))
	_, err := conn.Exec(t.Context(), "UPDATE ticker SET n = n")
	require.NoError(t, err)
	require.Regexp(t, "^2[.]", conn.PgConn().ParameterStatus("ack.commit_lsn"))
	require.Equal(t, "false", ask(t, alone, "SELECT pg_is_in_recovery()::text"))
}

func baseBackup(t *testing.T, from *Node, dir string) {
	t.Helper()
	args, err := clientArgs(from.Addr)
	require.NoError(t, err)
	args = append(args, "-X", "none", "--no-manifest", "-P", "-D", dir)
	cmd := exec.CommandContext(t.Context(), "pg_basebackup", args...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "1/1 tablespace", "no progress")
	require.NotContains(t, string(out), "error")
}
