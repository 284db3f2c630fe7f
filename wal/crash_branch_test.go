package wal_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// forkGaps are the bytes left of a segment behind the fork: none, so that it is a segment's end;
// too few for a header; room for a header alone; not enough for timeline-begin, which then follows
// a filler; just enough for it; and plenty.
var forkGaps = []int64{0, 8, 48, 56, 64, 104, 112, 120, 1000, wal.SegmentSizeMin / 2}

func forkGap(seed uint64) int64 { return forkGaps[seed%uint64(len(forkGaps))] }

// stride is how many steps lie between two at which the power goes: each is another seed's.
func stride(n *node) int {
	if raceDetector {
		return 1 + n.rng.IntN(16)
	}
	return 1 + n.rng.IntN(4)
}

// requireBoth wants the power to have gone on both sides of the moment at which a timeline begins,
// or the test tested nothing.
func requireBoth(t *testing.T, happened map[bool]int) {
	t.Helper()
	if !t.Failed() && *seedFlag < 0 {
		require.NotZero(t, happened[false])
		require.NotZero(t, happened[true])
	}
}

// standbyAt gives a primary whose log ends so many bytes before a segment's end, and a standby that
// has all of it.
func standbyAt(t *testing.T, seed uint64, gap int64) (up, down *node) {
	t.Helper()
	up = newNode(t, "a", seed).mustStart()
	up.work(2)
	down = up.backup("b", seed).mustStart()
	up.fillTo(gap)
	mustShip(t, up, down)
	return up, down
}

// files gives the log's files of a node: names and contents.
func (n *node) files() map[string][]byte {
	out := map[string][]byte{}
	for _, path := range n.disk.Files() {
		name := filepath.Base(path)
		if _, _, ok := wal.ParseSegmentName(name, wal.SegmentSizeMin); ok {
			out[name] = n.disk.Content(path)
		}
	}
	return out
}

// again gives a node like this one, stopped, on a copy of its disk.
func (n *node) again() *node {
	copied := *n
	copied.log, copied.disk = nil, n.disk.Crash(0)
	return &copied
}

// startThroughCrashes starts the node, whose power may go again on the way.
func (n *node) startThroughCrashes(times int) {
	n.t.Helper()
	for range times {
		n.disk.PowerOffAt(1+n.rng.IntN(60), n.rng.Uint64())
		_, _ = n.open()
		n.powerCut(n.rng.Uint64())
	}
	_, err := n.open()
	require.NoError(n.t, err)
}

// requireBranch checks a node that was promoted, or not, at a position: either its log is what it
// was, or it has a timeline more, whole. The file of the old timeline is zero from the fork on in
// both cases.
func requireBranch(t *testing.T, n *node, before map[string][]byte, at wal.LSN) (promoted bool) {
	t.Helper()
	after := n.files()
	for name, content := range before {
		require.True(t, bytes.Equal(content, after[name]), "%s has changed", name)
	}
	promoted = n.log.Timeline() == 2
	if !promoted {
		require.Equal(t, at, n.log.Flushed())
		require.Len(t, after, len(before), "segments of a timeline that did not begin")
		require.Equal(t, wal.RoleStandby, n.log.Control().Role)
		return false
	}
	require.Greater(t, n.log.Flushed(), at)
	c, err := n.log.Cursor(at)
	require.NoError(t, err)
	rec, err := c.Next()
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.Equal(t, wal.TypeTimelineBegin, rec.Type)
	begin, err := wal.DecodeBegin(rec.Payload)
	require.NoError(t, err)
	require.Equal(t, at, begin.Ended)
	require.Equal(t, begin.EpochID, n.log.Epochs().Last().EpochID)
	require.NotEmpty(t, n.disk.Content("/data/wal/00000002.history"))
	require.NotEmpty(t, n.log.Timelines()[1].Time, "the history file was read")
	return true
}

// A promotion cut off by the power at any of its steps, and its recovery after it: the
// standby's log is what it was, or the new timeline is whole. What was confirmed has happened.
func TestPromotionCutAtAnyStep(t *testing.T) {
	happened := map[bool]int{}
	eachSeed(t, len(forkGaps), func(t *testing.T, seed uint64) { cutPromotion(t, seed, happened) })
	requireBoth(t, happened)
}

func cutPromotion(t *testing.T, seed uint64, happened map[bool]int) {
	up, standby := standbyAt(t, seed, forkGap(seed))
	up.stop()
	at, before := standby.log.Flushed(), standby.files()
	standby.stop()
	for step, done := 1, false; !done; step += stride(standby) {
		n := standby.again()
		n.mustStart()
		n.disk.PowerOffAt(step, n.rng.Uint64())
		_, err := n.log.Promote(context.Background(), "tried")
		done = err == nil && !n.disk.Off()
		n.powerCut(n.rng.Uint64())
		n.startThroughCrashes(n.rng.IntN(3))

		promoted := requireBranch(t, n, before, at)
		require.True(t, promoted || err != nil, "step %d: a confirmed promotion is gone", step)
		happened[promoted]++
		if promoted {
			require.Equal(t, wal.RolePrimary, n.log.Control().Role, "step %d", step)
			require.NoError(t, n.log.BeginEpoch(context.Background()))
		} else {
			_, err := n.log.Promote(context.Background(), "again")
			require.NoError(t, err, "step %d", step)
		}
		n.work(1)
		n.stop()
	}
}

// The same for a follower: switching to a new timeline, its first records, and the segments after.
func TestFollowerCutAtAnyStep(t *testing.T) {
	happened := map[bool]int{}
	eachSeed(t, len(forkGaps), func(t *testing.T, seed uint64) { cutFollower(t, seed, happened) })
	requireBoth(t, happened)
}

func cutFollower(t *testing.T, seed uint64, happened map[bool]int) {
	old, follower := standbyAt(t, seed, forkGap(seed))
	up := old.backup("c", seed).mustStart()
	old.stop()
	at, before := follower.log.Flushed(), follower.files()
	follower.stop()
	_, err := up.log.Promote(context.Background(), "old is gone")
	require.NoError(t, err)
	up.work(2)
	defer up.stop()
	for step, done := 1, false; !done; step += stride(follower) {
		n := follower.again()
		n.mustStart()
		n.disk.PowerOffAt(step, n.rng.Uint64())
		err := shipAll(up, n)
		done = err == nil && !n.disk.Off()
		confirmed := n.log.Flushed()
		n.powerCut(n.rng.Uint64())
		n.startThroughCrashes(n.rng.IntN(3))

		require.GreaterOrEqual(t, n.log.Flushed(), confirmed, "step %d", step)
		happened[requireBranch(t, n, before, at)]++
		require.Equal(t, wal.RoleStandby, n.log.Control().Role, "step %d", step)
		mustShip(t, up, n)
		requireSameLogs(t, up, n)
		n.stop()
	}
}

// Receiving cut off at any step, over the ends of segments and the begins of epochs.
func TestReceiveCutAtAnyStep(t *testing.T) {
	eachSeed(t, 3, func(t *testing.T, seed uint64) {
		up := newNode(t, "a", seed).mustStart()
		defer up.stop()
		up.work(1)
		standby := up.backup("b", seed).mustStart()
		standby.stop()
		for range 3 {
			up.fillTo(forkGaps[up.rng.IntN(len(forkGaps))])
			up.restart()
		}
		up.work(2)
		for step, done := 1, false; !done; step += stride(standby) {
			n := standby.again()
			n.mustStart()
			n.disk.PowerOffAt(step, n.rng.Uint64())
			err := shipAll(up, n)
			done = err == nil && !n.disk.Off()
			confirmed := n.log.Flushed()
			n.powerCut(n.rng.Uint64())
			n.startThroughCrashes(n.rng.IntN(3))
			require.GreaterOrEqual(t, n.log.Flushed(), confirmed, "step %d", step)
			require.Equal(t, up.log.Epochs().Before(n.log.Flushed()), n.log.Epochs(), "step %d", step)
			mustShip(t, up, n)
			requireSameLogs(t, up, n)
			n.stop()
		}
	})
}

// A test that passes on a disk which lies proves nothing.
func TestCutBranchesNoticeALyingDisk(t *testing.T) {
	for name, lies := range map[string]waltest.Lies{
		"fsync": {Sync: true}, "dir fsync": {SyncDir: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(50) {
				up, n := standbyAt(t, 1, 1000)
				up.stop()
				n.disk.Lie(lies)
				_, err := n.log.Promote(context.Background(), "")
				require.NoError(t, err)
				n.powerCut(seed)
				_, err = n.open()
				noticed := err != nil || n.log.Timeline() != 2
				n.stop()
				if noticed {
					return
				}
			}
			t.Fatal("no seed noticed")
		})
	}
}
