package wal_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// raw reads what a node has flushed of its timeline, from pos on.
func raw(t *testing.T, n *node, pos wal.LSN) []byte {
	t.Helper()
	r, err := n.log.RawReader(n.log.Timeline(), pos)
	require.NoError(t, err)
	var out []byte
	buf := make([]byte, segment)
	for {
		at, got, err := r.Read(buf)
		require.NoError(t, err)
		require.Equal(t, pos+wal.LSN(len(out)), at)
		if got == 0 {
			require.NoError(t, r.Close())
			return out
		}
		out = append(out, buf[:got]...)
	}
}

// pair is a primary and a standby that has all of its log.
func pair(t *testing.T, seed uint64) (up, down *node) {
	t.Helper()
	up = newNode(t, "a", seed).mustStart()
	up.work(2)
	down = up.backup("b", seed).mustStart()
	t.Cleanup(func() {
		up.stop()
		down.stop()
	})
	return up, down
}

// What is not a whole record yet is neither written nor counted, and asked for again when the link
// was dropped.
func TestReceiveHoldsAPartOfARecord(t *testing.T) {
	up, down := pair(t, 1)
	at := down.log.Tail().End
	require.Equal(t, at, down.log.ReceivePosition())
	entry := up.commit(500)
	flush(t, up.log)
	b := raw(t, up, at)
	for i := range b {
		require.Equal(t, at, down.log.Written())
		require.NoError(t, down.log.Receive(at+wal.LSN(i), b[i:i+1]))
		require.Equal(t, at+wal.LSN(i)+1, down.log.ReceivePosition())
		if i == len(b)/2 {
			down.log.ResetReceive()
			require.Equal(t, at, down.log.ReceivePosition())
			require.NoError(t, down.log.Receive(at, b[:i+1]))
		}
	}
	require.Equal(t, entry.End, down.log.Written())
	require.Equal(t, entry.End, down.log.Tail().End)
	require.NoError(t, down.log.Receive(entry.End, nil))
}

func TestReceiveAtTheWrongPosition(t *testing.T) {
	up, down := pair(t, 2)
	at := down.log.Tail().End
	up.work(1)
	b := raw(t, up, at)
	for _, pos := range []wal.LSN{0, at - 8, at + 8, at + segment} {
		var sequence *wal.SequenceError
		require.ErrorAs(t, down.log.Receive(pos, b), &sequence)
		require.Equal(t, wal.SequenceError{Want: at, Got: pos}, *sequence)
	}
	require.NoError(t, down.log.Receive(at, b))
	require.ErrorIs(t, up.log.Receive(up.log.Flushed(), b), wal.ErrNotStandby)
}

// One bit that is wrong, wherever it is: the record it is in and all behind it are refused, what is
// before is kept, and the right bytes are taken afterwards.
func TestReceiveRefusesAFlippedBit(t *testing.T) {
	up, down := pair(t, 3)
	at := down.log.Tail().End
	for _, size := range []int{10, 200, 50} {
		up.commit(size)
	}
	_, err := up.log.SwitchSegment()
	require.NoError(t, err)
	last := up.commit(10)
	flush(t, up.log)
	good := raw(t, up, at)
	ends := recordEnds(t, up, at)
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		bad := bytes.Clone(good)
		i := rng.IntN(len(bad))
		if rng.IntN(2) == 0 { // Most of the bytes are a filler's.
			i = rng.IntN(600)
		}
		bad[i] ^= 1 << rng.IntN(8)
		n := down.copied(t)
		var diverged *wal.DivergedError
		require.ErrorAs(t, n.log.Receive(at, bad), &diverged, "offset %d", i)
		kept := at
		for _, end := range ends {
			if end <= at+wal.LSN(i) {
				kept = end
			}
		}
		require.Equal(t, kept, n.log.Written(), "offset %d", i)
		require.Equal(t, kept, n.log.ReceivePosition())
		require.NoError(t, n.log.Receive(kept, good[kept-at:]))
		require.Equal(t, last.End, n.log.Written())
		n.stop()
	}
}

// copied is a started copy of a node.
func (n *node) copied(t *testing.T) *node {
	t.Helper()
	return n.again().mustStart()
}

func recordEnds(t *testing.T, n *node, from wal.LSN) (ends []wal.LSN) {
	t.Helper()
	c, err := n.log.Cursor(from)
	require.NoError(t, err)
	for {
		rec, err := c.Next()
		if err != nil {
			require.NoError(t, c.Close())
			return ends
		}
		ends = append(ends, rec.End)
	}
}

// The log of another database, that of another history of this one, and an epoch that the list
// knows otherwise are refused before a byte is written.
func TestReceiveRefusesAnotherHistory(t *testing.T) {
	up, down := pair(t, 4)
	at := down.log.Tail().End
	other := up.copied(t) // Begins an epoch of its own at the same position.
	defer other.stop()
	other.commit(10)
	flush(t, other.log)
	up.restart()
	up.commit(10)
	flush(t, up.log)
	mustShip(t, up, down)
	before := down.files()

	end := down.log.Tail().End
	var diverged *wal.DivergedError
	require.ErrorAs(t, down.log.Receive(end, raw(t, other, at)), &diverged)
	require.Equal(t, end, diverged.At)
	require.Equal(t, before, down.files())

	stranger := newNode(t, "s", 5).mustStart()
	defer stranger.stop()
	stranger.work(1)
	empty := up.backup("e", 4)
	empty.disk.Lose("/data/wal/" + wal.SegmentName(1, wal.FirstLSN, wal.SegmentSizeMin))
	empty.disk.Lose("/data/epochs")
	control := up.log.Control()
	control.EpochID = wal.EpochID{}
	empty.disk.Lose("/data/control")
	empty.create("/data/control", wal.EncodeBackupControl(control, 0, 0))
	empty.mustStart()
	defer empty.stop()
	var mismatch *wal.MismatchError
	require.ErrorAs(t, empty.log.Receive(wal.FirstLSN, raw(t, stranger, wal.FirstLSN)), &mismatch)
	require.Equal(t, "system identifier", mismatch.What)
	mustShip(t, up, empty)
	requireSameLogs(t, up, empty)
}

// A record whose crc holds, and which is not the next one: whatever it says of itself is wrong.
func TestReceiveRefusesARecordOutOfPlace(t *testing.T) {
	up, down := pair(t, 6)
	tail := down.log.Tail()
	up.commit(20)
	flush(t, up.log)
	next, err := up.log.ReadRecord(tail.End)
	require.NoError(t, err)
	begin := func(r *wal.Record, ended wal.LSN, id wal.EpochID) {
		r.Type, r.EpochID = wal.TypeEpochBegin, id
		r.Payload = wal.AppendBegin(nil, &wal.Begin{EpochID: id, Previous: tail.EpochID, Ended: ended})
	}
	later := wal.EpochID{Timeline: 1, Epoch: tail.Epoch + 1<<32}
	for name, change := range map[string]func(r *wal.Record){
		"previous":         func(r *wal.Record) { r.Prev += 8 },
		"chain":            func(r *wal.Record) { r.PrevCRC++ },
		"position":         func(r *wal.Record) { r.LSN += 8 },
		"epoch":            func(r *wal.Record) { r.Epoch++ },
		"a later epoch":    func(r *wal.Record) { r.EpochID = later },
		"an earlier epoch": func(r *wal.Record) { r.Epoch -= 1 << 32 },
		"timeline":         func(r *wal.Record) { r.Timeline = 2 },
		"a segment":        func(r *wal.Record) { r.Type = wal.TypeSegment },
		"a filler":         func(r *wal.Record) { r.Type, r.Payload, r.Length = wal.TypeNoop, nil, 64 },
		"the same epoch":   func(r *wal.Record) { begin(r, tail.End, tail.EpochID) },
		"ended elsewhere":  func(r *wal.Record) { begin(r, tail.End-8, later) },
		"a timeline-begin": func(r *wal.Record) { begin(r, tail.End, later); r.Type = wal.TypeTimelineBegin },
	} {
		bad := next
		change(&bad)
		var diverged *wal.DivergedError
		err := down.log.Receive(tail.End, append(wal.AppendRecord(nil, &bad), 0, 0, 0, 0, 0, 0, 0, 0))
		require.ErrorAs(t, err, &diverged, name)
		require.Equal(t, tail, down.log.Tail(), name)
		require.Len(t, down.log.Epochs(), 1, name)
	}
	var unsupported *wal.UnsupportedError
	bad := next
	bad.Type = 99
	require.ErrorAs(t, down.log.Receive(tail.End, wal.AppendRecord(nil, &bad)), &unsupported)
	require.NoError(t, down.log.Receive(tail.End, wal.AppendRecord(nil, &next)))
	require.Equal(t, next.End, down.log.Written())
}

// A timeline is taken only once it was said that it begins here.
func TestReceiveRefusesATimelineNotFollowed(t *testing.T) {
	for _, gap := range forkGaps {
		up, down := standbyAt(t, 1, gap)
		next := up.backup("c", 1).mustStart()
		up.stop()
		_, err := next.log.Promote(context.Background(), "")
		require.NoError(t, err)
		fork := down.log.Tail().End
		b := raw(t, next, fork)
		var diverged *wal.DivergedError
		require.ErrorAs(t, down.log.Receive(fork, b), &diverged)
		require.Equal(t, fork, down.log.Written())

		// And the other way around: once it is followed, the old one is not.
		require.NoError(t, down.log.FollowTimeline(context.Background(), 2, fork, nil))
		up.mustStart()
		up.commit(10)
		flush(t, up.log)
		require.ErrorAs(t, down.log.Receive(fork, raw(t, up, fork)), &diverged)
		require.Equal(t, fork, down.log.Written())

		require.NoError(t, down.log.Receive(fork, b))
		flush(t, down.log)
		requireSameLogs(t, next, down)
		for _, n := range []*node{up, down, next} {
			n.stop()
		}
	}
}

// A primary that loses its power behind the filler and the segment record in front of an epoch's
// begin begins another epoch in their place. A standby that was sent them takes the others.
func TestALeadIsNotWrittenBeforeItsBegin(t *testing.T) {
	up, down := standbyAt(t, 7, 64)
	defer func() { up.stop(); down.stop() }()
	end := down.log.Flushed()
	other := up.again()
	other.rng = rand.New(rand.NewPCG(8, 8)) // Another epoch.
	up.restart()
	b := raw(t, up, end)
	begun := recordEnds(t, up, end)[0]
	for cut := 1; cut < int(begun-end); cut++ {
		require.NoError(t, down.log.Receive(end, b[:cut]))
		require.Equal(t, end, down.log.Written(), "%d bytes", cut)
		require.Equal(t, end, down.log.Tail().End)
		down.log.ResetReceive()
	}
	require.Len(t, down.log.Epochs(), 1)
	require.NoError(t, down.log.Receive(end, b[:begun-end-8]))
	down.log.ResetReceive()
	other.mustStart()
	defer other.stop()
	mustShip(t, other, down)
	requireSameLogs(t, other, down)
}

// A full disk is met where a new segment is entered: nothing of that record is taken, and the same
// bytes do once there is space.
func TestReceiveOnAFullDisk(t *testing.T) {
	for _, gap := range []int64{0, 8, 64, 1000} {
		for _, begin := range []bool{false, true} {
			up, down := standbyAt(t, 11, gap)
			down.stop()
			if begin {
				up.restart()
			}
			for range 4 {
				up.commit(up.log.MaxPayload() / 2)
				_, err := up.log.SwitchSegment()
				require.NoError(t, err)
			}
			flush(t, up.log)
			fill := waltest.Fault{
				Op: waltest.OpWrite, Path: "prepared-*", Sticky: true, Err: unix.ENOSPC,
			}
			down.disk.Fail(fill)
			down.mustStart()
			at := down.log.ReceivePosition()
			b := raw(t, up, at)
			refused := 0
			for len(b) > 0 {
				pos, piece := down.log.ReceivePosition(), b[:min(len(b), 1+down.rng.IntN(1<<18))]
				err := down.log.Receive(pos, piece)
				if err != nil {
					require.ErrorIs(t, err, wal.ErrNoSpace)
					refused++
					down.disk.Heal()
				}
				taken := down.log.ReceivePosition()
				require.GreaterOrEqual(t, taken, pos)
				b = b[taken-pos:]
			}
			require.NotZero(t, refused)
			flush(t, down.log)
			requireSameLogs(t, up, down)
			up.stop()
			down.stop()
		}
	}
}

// FuzzReceive gives a standby any bytes from the network, in any pieces. Whatever they are, it
// takes whole records that continue its log and nothing else, and starts again on what it took.
func FuzzReceive(f *testing.F) {
	up := newNode(&testing.T{}, "a", 1).mustStart()
	image := up.backup("b", 1)
	at := up.log.Flushed()
	up.commit(100)
	if _, err := up.log.SwitchSegment(); err != nil {
		f.Fatal(err)
	}
	up.restart()
	good := raw(up.t, up, at)
	up.stop()
	f.Add(good[:300], uint16(1))
	f.Add(good[len(good)-300:], uint16(7))
	f.Add(bytes.Repeat([]byte{0}, 200), uint16(100))
	// One log for all inputs that leave it as it is, or nearly all time goes into making it.
	n := image.again().mustStart()
	f.Cleanup(func() { n.stop() })
	f.Fuzz(func(t *testing.T, b []byte, chunk uint16) {
		n.t = t
		start := n.log.Tail()
		pos := n.log.ReceivePosition()
		require.Equal(t, start.End, pos)
		for len(b) > 0 {
			piece := b[:min(len(b), int(chunk)+1)]
			if err := n.log.Receive(pos, piece); err != nil {
				require.NotErrorIs(t, err, wal.ErrPoisoned)
				break
			}
			pos, b = pos+wal.LSN(len(piece)), b[len(piece):]
			require.Equal(t, pos, n.log.ReceivePosition())
			require.LessOrEqual(t, n.log.Written(), pos)
		}
		n.log.ResetReceive()
		tail := n.log.Tail()
		require.Equal(t, n.log.Written(), tail.End)
		if tail == start {
			return
		}
		flush(t, n.log)
		n.powerCut(1)
		_, err := n.open()
		require.NoError(t, err)
		require.Equal(t, tail, n.log.Tail())
		n.stop()
		n = image.again().mustStart()
	})
}
