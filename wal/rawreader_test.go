package wal_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

func openRaw(t *testing.T, n *node, timeline uint32, from wal.LSN) *wal.RawReader {
	t.Helper()
	r, err := n.log.RawReader(timeline, from)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// Not a byte above flushed is given (W3), nor one of the next segment; every byte below is, from
// any position.
func TestRawReaderStopsAtFlushed(t *testing.T) {
	n := newNode(t, "a", 1).mustStart()
	defer n.stop()
	n.fillTo(200)
	n.commit(1000)
	flush(t, n.log)
	end := n.log.Flushed()
	n.commit(10)
	require.Greater(t, n.log.Written(), end)
	for _, from := range []wal.LSN{wal.FirstLSN, wal.FirstLSN + 13, end - 1, end} {
		r := openRaw(t, n, 1, from)
		buf := make([]byte, 4*segment)
		for r.Position() < end {
			pos := r.Position()
			at, got, err := r.Read(buf)
			require.NoError(t, err)
			require.Equal(t, pos, at)
			stop := min(end, (pos/segment+1)*segment)
			require.Equal(t, stop, pos+wal.LSN(got))
			path := "/data/wal/" + n.log.SegmentName(pos)
			require.Equal(t, n.disk.Content(path)[pos%segment:][:got], buf[:got])
		}
		_, got, err := r.Read(buf)
		require.NoError(t, err)
		require.Zero(t, got)
	}
	_, err := n.log.RawReader(1, end+1)
	require.ErrorIs(t, err, wal.ErrNotFlushed)
	_, err = n.log.RawReader(2, end)
	require.ErrorIs(t, err, wal.ErrUnknownTimeline)
	_, err = n.log.RawReader(1, wal.FirstLSN-1)
	require.ErrorIs(t, err, wal.ErrRecycled)
}

func TestRawReaderWaits(t *testing.T) {
	n := newNode(t, "a", 1).mustStart()
	defer n.stop()
	r := openRaw(t, n, 1, n.log.Flushed())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Wait(ctx), context.Canceled)
	woken := make(chan error)
	go func() { woken <- r.Wait(context.Background()) }()
	n.commit(1)
	flush(t, n.log)
	require.NoError(t, <-woken)
	go func() { woken <- r.Wait(context.Background()) }()
	require.NoError(t, <-woken, "there is something to read")
	_, got, err := r.Read(make([]byte, segment))
	require.NoError(t, err)
	require.NotZero(t, got)
	go func() { woken <- r.Wait(context.Background()) }()
	n.stop()
	require.ErrorIs(t, <-woken, wal.ErrClosed)
}

// A segment recycled under a reader is told, whatever was read: never zeros as if they were log.
func TestRawReaderUnderRecycling(t *testing.T) {
	n := newNode(t, "a", 1).mustStart()
	defer n.stop()
	for range 4 {
		n.fillTo(0)
	}
	first := openRaw(t, n, 1, wal.FirstLSN)
	_, got, err := first.Read(make([]byte, 100))
	require.NoError(t, err)
	require.Equal(t, 100, got)
	gate := n.disk.Stall(waltest.OpRead, n.log.SegmentName(wal.FirstLSN))
	read := make(chan error)
	go func() {
		_, _, err := first.Read(make([]byte, 100))
		read <- err
	}()
	<-gate.Entered() // It has looked at the position, and is about to read.
	n.log.SetDurableApplied(n.log.Flushed(), n.log.Flushed())
	require.NoError(t, n.log.Recycle(n.log.Flushed()))
	gate.Open()
	require.ErrorIs(t, <-read, wal.ErrRecycled)
	_, _, err = openRaw(t, n, 1, n.log.Oldest()).Read(make([]byte, 100))
	require.NoError(t, err)
}

// What Hold asks for is kept, and a hold registered in Reserve is in time.
func TestHoldAndReserve(t *testing.T) {
	n := newNode(t, "a", 1)
	var hold wal.LSN
	n.full = func(opts *wal.Options) { opts.Hold = func() wal.LSN { return hold } }
	n.mustStart()
	defer n.stop()
	for range 5 {
		n.fillTo(0)
	}
	end := n.log.Flushed()
	n.log.SetDurableApplied(end, end)
	hold = wal.FirstLSN + segment + 1
	require.NoError(t, n.log.Recycle(end))
	require.Equal(t, wal.FirstLSN+segment, n.log.Oldest())
	n.log.Reserve(func(oldest wal.LSN) {
		require.Equal(t, n.log.Oldest(), oldest)
		hold = oldest
	})
	require.NoError(t, n.log.Recycle(end))
	require.Equal(t, wal.FirstLSN+segment, n.log.Oldest())
	openRaw(t, n, 1, hold)
	hold = 0
	require.NoError(t, n.log.Recycle(end))
	require.Equal(t, end-segment, n.log.Oldest())
}

// LinkAt finds every record by its end, and nothing between two of them.
func TestLinkAt(t *testing.T) {
	up, down := pair(t, 1)
	up.fillTo(8)
	up.commit(3)
	up.restart()
	up.commit(5)
	flush(t, up.log)
	mustShip(t, up, down)
	tail := down.log.Tail()
	got, err := up.log.LinkAt(tail.End)
	require.NoError(t, err)
	require.Equal(t, tail, got)
	require.Equal(t, up.log.EpochID(), got.EpochID)

	ends := map[wal.LSN]bool{wal.FirstLSN: true, wal.FirstLSN + 88: true}
	for _, end := range recordEnds(t, up, wal.FirstLSN) {
		ends[end] = true
	}
	ends[wal.FirstLSN+segment+88] = true // The second segment's record, which no cursor shows.
	for at := tail.End - 2000; at <= tail.End; at += 8 {
		_, err := up.log.LinkAt(at)
		if ends[at] {
			require.NoError(t, err, "%s", at)
		} else {
			require.ErrorIs(t, err, wal.ErrNoRecord, "%s", at)
		}
	}
	for at, want := range map[wal.LSN]error{
		0: wal.ErrNoRecord, wal.FirstLSN: nil, wal.FirstLSN + 88: nil, wal.FirstLSN + 80: wal.ErrNoRecord,
		tail.End + 8: wal.ErrNotFlushed,
	} {
		_, err := up.log.LinkAt(at)
		require.ErrorIs(t, err, want, "%s", at)
	}
}

// Readers of the old timeline get every byte below the fork and not one behind it, while the
// promotion goes on; those of the new one get both; and a cursor reads through the fork.
func TestReadersThroughAFork(t *testing.T) {
	for _, gap := range forkGaps {
		up, n := standbyAt(t, 1, gap)
		up.stop()
		fork := n.log.Flushed()
		raw := openRaw(t, n, 1, fork-8)
		cursor, err := n.log.Cursor(0)
		require.NoError(t, err)
		for err == nil {
			_, err = cursor.Next()
		}
		require.ErrorIs(t, err, io.EOF)
		ended := make(chan error)
		go func() { ended <- readToEnd(raw) }()
		following := make(chan wal.Record)
		go follow(t, cursor, following)

		_, err = n.log.Promote(context.Background(), "readers")
		require.NoError(t, err)
		end := <-ended
		var timelineEnd *wal.TimelineEndError
		require.ErrorAs(t, end, &timelineEnd, "gap %d", gap)
		require.Equal(t, wal.TimelineEndError{Next: 2, Fork: fork}, *timelineEnd)
		require.Equal(t, fork, raw.Position())
		require.Equal(t, wal.TypeTimelineBegin, (<-following).Type)

		at, got, err := openRaw(t, n, 2, fork-8).Read(make([]byte, 1<<20))
		require.NoError(t, err)
		require.Equal(t, fork-8, at)
		require.Positive(t, got)
		_, got, err = openRaw(t, n, 1, fork).Read(make([]byte, 10))
		require.Zero(t, got)
		require.ErrorAs(t, err, &timelineEnd)
		_, err = n.log.RawReader(1, fork+8)
		require.ErrorIs(t, err, wal.ErrNotOnTimeline)
		n.stop()
	}
}

// The same on a follower, whose applier and whose own standbys read on while it changes over.
func TestReadersThroughAForkFollowed(t *testing.T) {
	for _, gap := range forkGaps {
		old, n := standbyAt(t, 1, gap)
		heir := old.backup("c", 1).mustStart()
		old.stop()
		fork := heir.promote("").Ended
		heir.commit(10)
		flush(t, heir.log)
		raw := openRaw(t, n, 1, fork-8)
		cursor, err := n.log.Cursor(0)
		require.NoError(t, err)
		for err == nil {
			_, err = cursor.Next()
		}
		require.ErrorIs(t, err, io.EOF)
		ended := make(chan error)
		go func() { ended <- readToEnd(raw) }()
		following := make(chan wal.Record)
		go follow(t, cursor, following)

		mustShip(t, heir, n)
		var end *wal.TimelineEndError
		require.ErrorAs(t, <-ended, &end, "gap %d", gap)
		require.Equal(t, wal.TimelineEndError{Next: 2, Fork: fork}, *end)
		require.Equal(t, wal.TypeTimelineBegin, (<-following).Type)
		requireSameLogs(t, heir, n)
		heir.stop()
		n.stop()
	}
}

func readToEnd(r *wal.RawReader) error {
	for {
		if err := r.Wait(context.Background()); err != nil {
			return err
		}
		if _, _, err := r.Read(make([]byte, 5)); err != nil {
			return err
		}
	}
}

// follow gives the next record that a cursor at the log's end comes to.
func follow(t *testing.T, c *wal.Cursor, out chan<- wal.Record) {
	for {
		rec, err := c.Next()
		if err == nil {
			out <- rec
			_ = c.Close()
			return
		}
		if err != io.EOF || c.Wait(context.Background()) != nil {
			t.Errorf("cursor: %v", err)
			close(out)
			return
		}
	}
}

// While timeline-begin is not flushed, nobody is told that the old timeline ended, and nothing of
// the new one is shown.
func TestAForkIsToldOnceItIsDurable(t *testing.T) {
	up, n := standbyAt(t, 1, 5000)
	up.stop()
	defer n.stop()
	fork := n.log.Flushed()
	r := openRaw(t, n, 1, fork)
	gate := waltest.NewGate()
	n.disk.Fail(waltest.Fault{
		Op: waltest.OpSync, Path: wal.SegmentName(2, fork, wal.SegmentSizeMin), Nth: 2, Gate: gate,
	})
	done := make(chan error)
	go func() {
		_, err := n.log.Promote(context.Background(), "")
		done <- err
	}()
	<-gate.Entered() // The flush: the first was of the copy.
	require.Greater(t, n.log.Written(), fork)
	require.Equal(t, uint32(1), n.log.Timeline())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Wait(ctx), context.Canceled)
	_, got, err := r.Read(make([]byte, 10))
	require.NoError(t, err)
	require.Zero(t, got)
	_, err = n.log.RawReader(2, fork)
	require.ErrorIs(t, err, wal.ErrUnknownTimeline)
	gate.Open()
	require.NoError(t, <-done)
	_, _, err = r.Read(make([]byte, 10))
	require.ErrorContains(t, err, "timeline 2")
}
