package wal_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// fork gives a machine on the disk that a power cut at this moment leaves, while this one goes on.
func (m *machine) fork(seed uint64) *machine {
	m.watch()
	after := *m
	after.disk, after.log, after.written = m.disk.Crash(seed), nil, 0
	after.rng = newMachine(m.t, seed).rng
	after.records = append([]record(nil), m.records...)
	after.receipts = append([]receipt(nil), m.receipts...)
	return &after
}

// fillTo appends commits until exactly gap bytes of the segment being written are left.
func (m *machine) fillTo(gap int64) record {
	m.t.Helper()
	for {
		next := m.log.NextLSN(0)
		left := machineSegment - segmentOffset(next)
		size := left - gap - wal.HeaderSize
		if max := int64(m.log.MaxPayload()); size > max {
			// Halves, so that what remains is never too small for a commit.
			size = min(max, size/2) &^ 7
		}
		require.NoError(m.t, m.append(m.payloadOf(int(size))))
		r := m.records[len(m.records)-1]
		if machineSegment-segmentOffset(r.end-1)-1 == gap {
			return r
		}
	}
}

// The places around a segment's end that a commit can end at: at the end itself, with no room for
// a header behind it, with room for exactly one, and for a little more.
var segmentGaps = []int64{0, 8, 48, 56, 64, 112}

// A commit that ends at, just before or just after a segment's end is there or not there as any
// other, whichever of the writes and names around it a power cut takes.
func TestCommitAroundASegmentsEnd(t *testing.T) {
	for _, gap := range segmentGaps {
		for _, flushed := range []string{"none", "before", "after"} {
			t.Run(fmt.Sprintf("gap=%d/flushed=%s", gap, flushed), func(t *testing.T) {
				eachSeed(t, 3, func(t *testing.T, seed uint64) {
					crashAroundEnd(t, seed, gap, flushed)
				})
			})
		}
	}
}

func crashAroundEnd(t *testing.T, seed uint64, gap int64, flushed string) {
	m := newMachine(t, seed)
	defer func() { m.stop() }()
	m.mustStart()
	last := m.fillTo(gap)
	require.EqualValues(t, gap, (machineSegment-segmentOffset(last.end))%machineSegment)
	if flushed == "before" {
		require.NoError(t, m.flush())
	}
	next := m.mustAppend(80)
	inNext := gap < next.size()
	require.Equal(t, inNext, segmentPath(next.lsn) != segmentPath(last.lsn))
	m.mustAppend(80)
	if flushed == "after" {
		require.NoError(t, m.flush())
	}
	for i := range uint64(3) {
		after := m.fork(seed*10 + i)
		require.NoError(t, after.start())
		// And the log goes on from there, over the next end.
		after.fillTo(gap)
		after.mustCommitLocal(30)
		after.powerCut(seed + i)
		require.NoError(t, after.start())
		after.stop()
	}
	m.kill()
	require.NoError(t, m.start())
}

func (r record) size() int64 { return int64(r.end - r.lsn) }

// A record of the largest size fits, one byte more is refused before anything is appended, and so
// is a group above its bound.
func TestLargestRecordAndGroup(t *testing.T) {
	m := newMachine(t, 1)
	defer m.stop()
	m.mustStart()
	m.mustCommitLocal(1)
	before := m.log.Inserted()
	require.ErrorIs(t, m.append(make([]byte, m.log.MaxPayload()+1)), wal.ErrRecordTooLarge)
	group := make([][]byte, 5)
	for i := range group {
		group[i] = m.payloadOf(m.log.MaxPayload() / 2)
	}
	require.ErrorIs(t, m.append(group...), wal.ErrGroupTooLarge)
	require.Equal(t, before, m.log.Inserted())
	for range 10 {
		require.NoError(t, m.append(m.payloadOf(m.log.MaxPayload())))
	}
	m.kill()
	require.NoError(t, m.start())
}

// A group of several commits that meets a segment's end is two writes; after kill -9 between them
// or a power cut, what is there is a prefix of it.
func TestGroupOverASegmentsEnd(t *testing.T) {
	eachSeed(t, 30, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.mustStart()
		m.fillTo(400)
		m.cutSomewhere()
		var group [][]byte
		for range 8 {
			group = append(group, m.payloadOf(104))
		}
		if err := m.append(group...); err == nil {
			_ = m.flush()
		}
		m.end()
		require.NoError(t, m.start())
	})
}

// SwitchSegment leaves a file that is complete, and a log that goes on in the next; twice in a row
// is once.
func TestSwitchSegmentAndCrash(t *testing.T) {
	eachSeed(t, 30, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.mustStart()
		for range 3 {
			m.mustAppend(50)
			end, err := m.log.SwitchSegment()
			require.NoError(t, err)
			require.Zero(t, segmentOffset(end))
			again, err := m.log.SwitchSegment()
			require.NoError(t, err)
			require.Equal(t, end, again)
			if m.rng.IntN(2) == 0 {
				require.NoError(t, m.flush())
			}
		}
		m.powerCut(seed)
		require.NoError(t, m.start())
		m.mustCommitLocal(10)
		m.powerCut(seed + 1)
		require.NoError(t, m.start())
	})
}
