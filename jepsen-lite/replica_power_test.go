package jepsenlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// R1: a primary whose power is cut never comes back with less than its replica has: it streams only
// what it has flushed. So the replica follows on, byte by byte the same.
func TestReplicaNeverDivergesByAPowerCutOnExt4(t *testing.T) {
	d := loopDisk(t)
	cutPrimary(t, d, d.Dir, 5)
}

func TestReplicaNeverDivergesByAPowerCutThroughFuse(t *testing.T) {
	d := fuseDisk(t)
	cutPrimary(t, d, d.Dir, 4)
}

func cutPrimary(t *testing.T, d PowerDisk, dir string, cuts int) {
	c := newCluster(t)
	a, err := c.Primary("a")
	require.NoError(t, err)
	a.Dir = filepath.Join(dir, "a")
	history := &bytes.Buffer{}
	run := &FollowRun{Primary: a, Replica: newReplica(t, c, "b", a.Addr), Disk: d,
		Sessions: len(Modes), Strikes: cuts, Seed: seed(t), Journal: NewJournal(history)}
	require.NoError(t, run.Run(t.Context()))
	requireKept(t, history, cuts)
	require.NoError(t, c.Kill()) // before the disk goes
}

// A standby's own power is cut: it asks again for what it had not flushed, and whoever follows it
// in turn has nothing else.
func TestReplicaThatLosesItsPowerFollowsOn(t *testing.T) {
	d := fuseDisk(t)
	c := newCluster(t)
	a, err := c.Primary("a")
	require.NoError(t, err)
	b := newReplica(t, c, "b", a.Addr)
	b.Dir = filepath.Join(d.Dir, "b")
	below := newReplica(t, c, "below", b.Addr)
	history := &bytes.Buffer{}
	run := &FollowRun{Primary: a, Replica: b, ReplicaDisk: d, Sessions: len(Modes), Strikes: 4,
		Seed: seed(t), Journal: NewJournal(history)}
	run.Progress = func(round int, _ *Seen) {
		if round == 1 {
			require.NoError(t, below.Start(t.Context()))
		}
		requireSame(t, b, below)
	}
	require.NoError(t, run.Run(t.Context()))
	requireKept(t, history, run.Strikes)
	require.NoError(t, c.Kill()) // before the disk goes
}

// The negative control of the primary's cuts: a disk whose fsync lies lets the primary stream what
// it will not have. If nobody notices, the test above would notice nothing either.
func TestReplicaOfALyingDiskIsCaught(t *testing.T) {
	d := fuseDisk(t)
	c := newCluster(t)
	a, err := c.Primary("a")
	require.NoError(t, err)
	a.Dir = filepath.Join(d.Dir, "a")
	history := &bytes.Buffer{}
	run := &FollowRun{Primary: a, Replica: newReplica(t, c, "b", a.Addr), Disk: &liar{d},
		Sessions: len(Modes), Strikes: 5, Seed: seed(t), Journal: NewJournal(history)}
	err = run.Run(t.Context())
	require.NoError(t, c.Kill())
	if err != nil {
		t.Logf("caught by the nodes: %v", err)
		var refused *ExitError
		require.True(t, errors.Is(err, errEnded) || errors.As(err, &refused) ||
			strings.Contains(err.Error(), "compare: "), "it failed of something else")
		return
	}
	v, err := Judge(history)
	require.NoError(t, err)
	require.NotEmpty(t, v.Breaches, "the disk lied about every fsync and nobody noticed")
}

// What each side says of a divergence: the replica before it ends, the upstream that refused it.
var (
	divergedLine = regexp.MustCompile(`55000`)
	partedLine   = regexp.MustCompile(`level=ERROR.*has parted`)
)

// A primary put back to an old copy of its directory begins a new epoch below what its replica
// holds of the same timeline. The replica stops, says so, and keeps every byte.
func TestReplicaOfARestoredPrimaryStopsAndKeepsItsBytes(t *testing.T) {
	c := newCluster(t)
	a := startPrimary(t, c, "a")
	b := startReplica(t, c, "b", a.Addr)
	require.NoError(t, Fill(t.Context(), a.DSN(), 200_000))
	requireSame(t, a, b)
	require.NoError(t, a.Stop())
	old := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(old, os.DirFS(a.Dir)))

	require.NoError(t, a.Start(t.Context()))
	fill(t, a, 200_000)
	requireSame(t, a, b)
	require.NoError(t, b.Kill())
	held := logHash(t, b)
	require.NoError(t, a.Kill())
	require.NoError(t, os.RemoveAll(a.Dir))
	require.NoError(t, os.CopyFS(a.Dir, os.DirFS(old)))
	require.NoError(t, a.Start(t.Context()))

	requireStops(t, b)
	require.Equal(t, held, logHash(t, b), "not a byte is gone")
	_, err := a.AwaitLine(t.Context(), partedLine)
	require.NoError(t, err, "the primary says so, too")
}

// requireStops starts a replica that its upstream must refuse for good.
func requireStops(t *testing.T, b *Node) {
	t.Helper()
	var exit *ExitError
	err := b.Start(t.Context())
	if err == nil { // it had served before it heard
		err = b.Wait()
	}
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.Code(), exit.Output)
	require.Regexp(t, divergedLine, exit.Output)
}

// logHash is a hash over the names and bytes of a node's log.
func logHash(t *testing.T, n *Node) string {
	t.Helper()
	sum := sha256.New()
	dir := filepath.Join(n.Dir, "wal")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !segmentName.MatchString(d.Name()) {
			return err
		}
		data, err := os.ReadFile(path)
		sum.Write([]byte(d.Name()))
		sum.Write(data)
		return err
	})
	require.NoError(t, err)
	return hex.EncodeToString(sum.Sum(nil))
}
