package wal_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// promote promotes a standby and gives where it did.
func (n *node) promote(reason string) wal.Begin {
	n.t.Helper()
	begin, err := n.log.Promote(context.Background(), reason)
	require.NoError(n.t, err)
	return begin
}

// Three timelines, all forks in one segment: every file of it is what it was at its fork, and zero
// behind it; the log goes on in the last.
func TestForksInOneSegment(t *testing.T) {
	a, b := standbyAt(t, 1, 200_000)
	c := a.backup("c", 1).mustStart()
	nodes := []*node{a, b, c}
	var forks []wal.LSN
	for _, reason := range []string{"first\tword\n2", strings.Repeat("ü", 200)} {
		up, down := nodes[0], nodes[1]
		up.stop()
		forks = append(forks, down.promote(reason).Ended)
		down.commit(30)
		flush(t, down.log)
		mustShip(t, down, nodes[2])
		requireSameLogs(t, down, nodes[2])
		nodes = append(nodes[1:], down.backup("d", 1).mustStart())
	}
	last := nodes[0]
	require.Equal(t, uint32(3), last.log.Timeline())
	for i, fork := range forks {
		content := last.disk.Content("/data/wal/" +
			wal.SegmentName(uint32(i+1), fork, wal.SegmentSizeMin))
		newest := last.disk.Content("/data/wal/" + last.log.SegmentName(fork))
		require.Equal(t, newest[:fork%segment], content[:fork%segment])
		require.Zero(t, strings.Trim(string(content[fork%segment:]), "\x00"))
	}
	timelines := last.log.Timelines()
	require.Equal(t, "first word 2", timelines[1].Reason)
	require.Equal(t, wal.Timeline{
		ID: 3, Parent: 2, Fork: forks[1], Time: timelines[2].Time, Reason: timelines[2].Reason,
	}, timelines[2])

	// And the same after each of them lost its power.
	last.restart()
	for _, n := range nodes[1:] {
		n.restart()
		mustShip(t, last, n)
		requireSameLogs(t, last, n)
		require.Equal(t, timelines, n.log.Timelines())
		n.stop()
	}
	last.stop()
}

// The history file, to the byte, as tools read it.
func TestHistoryFile(t *testing.T) {
	_, b := standbyAt(t, 1, 200_000)
	b.promote("the primary's disk failed")
	b.commit(1)
	flush(t, b.log)
	c := b.backup("c", 1).mustStart()
	c.promote("")
	name, content, err := c.log.HistoryFile(3)
	require.NoError(t, err)
	require.Equal(t, "00000003.history", name)
	wal.Golden(t, "history.golden", string(content))

	_, _, err = c.log.HistoryFile(1)
	require.ErrorIs(t, err, wal.ErrUnknownTimeline)
	_, _, err = c.log.HistoryFile(4)
	require.ErrorIs(t, err, wal.ErrUnknownTimeline)
	name, parent, err := c.log.HistoryFile(2)
	require.NoError(t, err)
	require.Equal(t, "00000002.history", name)
	require.True(t, strings.HasPrefix(string(content), string(parent)))

	// Lost, it is made from the list of epochs, without the words.
	c.disk.Lose("/data/wal/00000003.history")
	_, made, err := c.log.HistoryFile(3)
	require.NoError(t, err)
	require.Equal(t, string(content), string(made), "the words are still in memory")
	c.stop()
	b.stop()
}

// A timeline that was announced and of which nothing came is forgotten with the link; its number is
// not given again, and another one may follow instead.
func TestATimelineAnnouncedAndNotReceived(t *testing.T) {
	for _, gap := range []int64{0, 64, 9000} {
		for _, crash := range []bool{false, true} {
			up, down := standbyAt(t, 1, gap)
			heir := up.backup("c", 1).mustStart()
			up.stop()
			before, fork := down.files(), down.log.Flushed()
			heir.promote("")
			_, history, err := heir.log.HistoryFile(2)
			require.NoError(t, err)
			ctx := context.Background()
			require.NoError(t, down.log.FollowTimeline(ctx, 2, fork, history))
			require.NoError(t, down.log.FollowTimeline(ctx, 2, fork, history), "again")
			require.Equal(t, uint32(1), down.log.Timeline())
			if crash {
				down.powerCut(1)
				down.mustStart()
			} else {
				down.log.ResetReceive()
			}
			require.Equal(t, before, down.files())
			require.Equal(t, fork, down.log.ReceivePosition())
			down.promote("this one takes over instead")
			require.Equal(t, uint32(3), down.log.Timeline())
			_, _, err = down.log.HistoryFile(2)
			require.ErrorIs(t, err, wal.ErrUnknownTimeline)
			down.work(1)
			down.restart()
			require.Len(t, down.log.Timelines(), 2)
			heir.stop()
			down.stop()
		}
	}
}

func TestFollowTimelineRefuses(t *testing.T) {
	up, down := standbyAt(t, 1, 9000)
	defer func() { up.stop(); down.stop() }()
	fork := down.log.Flushed()
	ctx := context.Background()
	var sequence *wal.SequenceError
	require.ErrorAs(t, down.log.FollowTimeline(ctx, 2, fork-8, nil), &sequence)
	require.Equal(t, wal.SequenceError{Want: fork, Got: fork - 8}, *sequence)
	var diverged *wal.DivergedError
	require.ErrorAs(t, down.log.FollowTimeline(ctx, 1, fork, nil), &diverged)
	line := "1\t" + fork.String() + "\t\n"
	for _, history := range []string{
		"1\t0/1000058\t\n",                    // another fork
		"1\t0/1000058\t\n2\t" + fork.String(), // another parent
		"3\t" + fork.String() + "\tfrom 3\n",  // a parent not below
		line + line,                           // twice
		"no history",                          // and what is none
		"1 0/1000058\n", "1\tzero\n", "0\t0/0", "4294967296\t0/1",
	} {
		require.Error(t, down.log.FollowTimeline(ctx, 2, fork, []byte(history)), history)
	}
	require.ErrorIs(t, up.log.FollowTimeline(ctx, 2, up.log.Flushed(), nil), wal.ErrNotStandby)
	_, err := up.log.Promote(ctx, "")
	require.ErrorIs(t, err, wal.ErrNotStandby)
	require.Len(t, down.files(), 1)
	require.NoError(t, down.log.FollowTimeline(ctx, 2, fork, []byte(line)))
}

// The segment that a timeline was to begin in, got before the disk was full and given up with the
// link, is not the one that another timeline begins in.
func TestAFullDiskBetweenTwoTimelines(t *testing.T) {
	for _, gap := range []int64{0, 64} {
		up, down := standbyAt(t, 1, gap)
		first, second := up.backup("c", 1).mustStart(), up.backup("d", 2).mustStart()
		up.stop()
		fork := down.log.Flushed()
		first.promote("")
		_, history, err := first.log.HistoryFile(2)
		require.NoError(t, err)
		ctx := context.Background()
		require.NoError(t, second.log.FollowTimeline(ctx, 2, fork, history))
		second.log.ResetReceive()
		second.promote("not the first")
		require.Equal(t, uint32(3), second.log.Timeline())
		second.work(3)
		flush(t, second.log)

		require.NoError(t, down.log.FollowTimeline(ctx, 2, fork, history))
		down.disk.Fail(waltest.Fault{Op: waltest.OpWrite, Path: "epochs.new", Err: unix.ENOSPC})
		require.ErrorIs(t, down.log.Receive(fork, raw(t, first, fork)), wal.ErrNoSpace, "gap %d", gap)
		mustShip(t, second, down)
		requireSameLogs(t, second, down)
		down.restart()
		requireSameLogs(t, second, down)
		for _, n := range []*node{first, second, down} {
			n.stop()
		}
	}
}

// A standby that meets a full disk stays what it is, and can be promoted later.
func TestPromoteOnAFullDisk(t *testing.T) {
	for _, gap := range forkGaps {
		up, down := standbyAt(t, 1, gap)
		down.stop()
		down.disk.Fail(waltest.Fault{
			Op: waltest.OpWrite, Path: "prepared-*", Sticky: true, Err: unix.ENOSPC,
		})
		down.mustStart()
		before := down.files()
		_, err := down.log.Promote(context.Background(), "")
		require.ErrorIs(t, err, wal.ErrNoSpace, "gap %d", gap)
		require.Equal(t, before, down.files())
		require.Equal(t, wal.RoleStandby, down.log.Control().Role)
		up.commit(1)
		flush(t, up.log)
		down.disk.Heal()
		down.restart() // Or wait: the preparer does not try again at once.
		mustShip(t, up, down)
		requireSameLogs(t, up, down)
		up.stop()
		down.promote("")
		down.work(1)
		down.stop()
	}
}

// A promotion whose timeline-begin cannot be flushed is not denied: the log is poisoned.
func TestPromotePoisoned(t *testing.T) {
	up, down := standbyAt(t, 1, 9000)
	up.stop()
	fork := down.log.Flushed()
	down.disk.Fail(waltest.Fault{
		Op: waltest.OpSync, Path: wal.SegmentName(2, fork, wal.SegmentSizeMin), Nth: 2, Err: unix.EIO,
	})
	_, err := down.log.Promote(context.Background(), "")
	require.ErrorIs(t, err, wal.ErrPoisoned)
	require.True(t, down.log.Halted())
	down.disk = down.disk.Kill()
	down.stop()
	down.mustStart()
	require.Equal(t, fork < down.log.Flushed(), down.log.Control().Role == wal.RolePrimary)
	down.stop()
}

// A node that was promoted once and follows another now finds its own timeline-begin in its log at
// every start, and stays a standby.
func TestAFormerPrimaryStaysAStandby(t *testing.T) {
	up, down := standbyAt(t, 1, 9000)
	up.stop()
	down.promote("for a while")
	down.work(1)
	require.NoError(t, down.log.Close(true))
	dir, err := wal.OpenDir(down.options())
	require.NoError(t, err)
	require.NoError(t, dir.SetRole(wal.RoleStandby, "host=other"))
	require.NoError(t, dir.Close())
	for range 3 {
		down.powerCut(1)
		_, err = down.open()
		require.NoError(t, err)
		require.Equal(t, wal.RoleStandby, down.log.Control().Role)
		require.Equal(t, "host=other", down.log.Control().PrimaryConn)
	}
	down.stop()
}

// What a fork left of its segment goes when the segment goes.
func TestRecyclingTakesTheOldTimelinesFileAlong(t *testing.T) {
	up, down := standbyAt(t, 1, 9000)
	up.stop()
	fork := down.promote("").Ended
	for range 3 {
		down.fillTo(0)
	}
	require.Contains(t, down.files(), wal.SegmentName(1, fork, wal.SegmentSizeMin))
	down.log.SetDurableApplied(down.log.Flushed(), down.log.Flushed())
	require.NoError(t, down.log.Recycle(down.log.Flushed()))
	require.NotContains(t, down.files(), wal.SegmentName(1, fork, wal.SegmentSizeMin))
	require.Len(t, down.files(), 1)
	down.stop()
}

// Bytes that stand behind the fork in the old timeline's file, as no code leaves them, are zeroed
// by the next start that reads the fork.
func TestRecoveryZeroesTheOldTimelineBehindTheFork(t *testing.T) {
	up, down := standbyAt(t, 1, 9000)
	up.stop()
	fork := down.promote("").Ended
	down.powerCut(1)
	path := "/data/wal/" + wal.SegmentName(1, fork, wal.SegmentSizeMin)
	clean := down.disk.Content(path)
	down.disk.Damage(path, func(data []byte) []byte {
		copy(data[fork%segment+100:], "bytes of a primary that was deposed")
		return data
	})
	down.mustStart()
	require.Equal(t, clean, down.disk.Content(path))
	down.stop()
}

// Who looks at a log sees what the next start will: not the segment of a timeline that has not
// begun, half copied as it may be.
func TestVerifyAroundAFork(t *testing.T) {
	for _, gap := range forkGaps {
		up, down := standbyAt(t, 1, gap)
		up.stop()
		fork := down.log.Flushed()
		half := "/data/wal/" + wal.SegmentName(2, fork, wal.SegmentSizeMin)
		down.create(half, make([]byte, segment))
		report, err := wal.Verify(down.disk, "/data")
		require.NoError(t, err)
		require.Equal(t, fork.String(), report.End, "%+v", report)
		require.Equal(t, wal.VerdictOK, report.Verdict, "%+v", report)
		down.disk.Lose(half)

		down.promote("")
		down.work(1)
		end := down.log.Flushed()
		require.NoError(t, down.log.Close(true))
		report, err = wal.Verify(down.disk, "/data")
		require.NoError(t, err)
		require.Equal(t, end.String(), report.End)
		require.Equal(t, wal.VerdictOK, report.Verdict, "%+v", report)
		require.EqualValues(t, 1, report.Records["timeline-begin"])
	}
}
