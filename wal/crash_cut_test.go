package wal_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// recordSize makes a commit's record as long as an epoch-begin, so that the records of two lives
// stand at the same positions and one could be taken for the other.
const recordSize = 112

// loseTail cuts the power so that the commit hole is torn and everything behind it, though never
// confirmed, reached the medium: the worst stale bytes there are, valid in themselves, at exactly
// the positions that the next life will use.
func loseTail(m *machine, hole record) {
	m.disk = m.writtenBack()
	m.disk.Damage(segmentPath(hole.lsn), func(data []byte) []byte {
		at := segmentOffset(hole.lsn)
		clear(data[at : at+40])
		return data
	})
}

// Commits of equal size before and after a cut stand at equal positions. Only the epoch tells the
// receipts apart: the old are lost for ever, the new are durable.
func TestEqualSizeCommitsBeforeAndAfterACut(t *testing.T) {
	eachSeed(t, 40, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.mustStart()
		require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
		require.NoError(t, m.flush())
		kept := len(m.receipts)
		for range 10 {
			require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
		}
		old := m.receipts[kept:]
		loseTail(m, m.records[kept])

		for life := range 3 {
			require.NoError(t, m.start(), "life %d", life)
			for range 10 {
				require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
			}
			require.NoError(t, m.flush())
			require.NoError(t, m.judge(), "life %d", life)
			requireSamePositions(t, m, old)
			m.powerCut(seed + uint64(life))
		}
		require.NoError(t, m.start())
		epochs := m.log.Epochs()
		for _, r := range old {
			require.Equal(t, wal.StatusLost, epochs.Judge(r.Token, m.log.Flushed()))
			// A bare position says the opposite, and the documentation says that it can.
			require.LessOrEqual(t, r.LSN, m.log.Flushed())
		}
	})
}

// requireSamePositions makes sure that the test tests something: most of the old receipts name a
// position at which a commit of a later epoch ends.
func requireSamePositions(t *testing.T, m *machine, old []receipt) {
	t.Helper()
	ends := map[wal.LSN]bool{}
	for _, r := range m.records {
		ends[r.end] = true
	}
	same := 0
	for _, r := range old {
		if ends[r.LSN] {
			same++
		}
	}
	require.Greater(t, same, len(old)/2)
}

// Bytes of a life that was cut off must not come back, though the power goes again and again while
// the next life writes over them, piece by piece.
func TestNoResurrection(t *testing.T) {
	eachSeed(t, 60, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.mustStart()
		require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
		require.NoError(t, m.flush())
		kept := len(m.records)
		for range 30 {
			require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
		}
		loseTail(m, m.records[kept])
		for range 4 {
			// compare, within start, knows each commit by its payload: one of a life that
			// ended would be one too many.
			require.NoError(t, m.startThroughCrashes())
			for range 1 + m.rng.IntN(10) {
				require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
			}
			m.powerCut(m.rng.Uint64())
		}
		require.NoError(t, m.start())
	})
}

// Suppose recovery's zeros had been lost: the bytes of the life before, put back behind the end,
// are refused by chain and epoch alone.
func TestStaleBytesBehindTheEndAreRefused(t *testing.T) {
	m := newMachine(t, 1)
	defer func() { m.stop() }()
	m.mustStart()
	m.mustCommitLocal(50)
	kept := len(m.records)
	for range 10 {
		require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
	}
	first := m.records[kept]
	path := segmentPath(first.lsn)
	stale := bytes.Clone(m.disk.Content(path))
	loseTail(m, first)

	require.NoError(t, m.start()) // Its epoch-begin has the place of the first lost commit.
	require.NoError(t, m.append(m.payloadOf(recordSize-wal.HeaderSize)))
	require.NoError(t, m.flush())
	end := m.log.Flushed()
	m.powerCut(1)
	m.disk.Damage(path, func(data []byte) []byte {
		copy(data[segmentOffset(end):], stale[segmentOffset(end):])
		return data
	})
	require.NoError(t, m.start())
	require.Equal(t, end, m.report.End)
	require.True(t, m.report.Torn)
	require.Contains(t, m.report.Stop, "chain")
}

// A recycled file that nobody zeroed: the records of another segment behind the end are at the
// wrong positions, and what they say of flushed counts for nothing.
func TestStaleRecycledBytesAreRefused(t *testing.T) {
	m := newMachine(t, 2)
	defer func() { m.stop() }()
	m.mustStart()
	for range 20 {
		m.mustCommitLocal(1000)
	}
	_, err := m.log.SwitchSegment()
	require.NoError(t, err)
	m.mustCommitLocal(50)
	end := m.log.Flushed()
	m.holdControl()
	m.powerCut(2)
	older := m.disk.Content(segmentPath(wal.FirstLSN))
	m.disk.Damage(segmentPath(end), func(data []byte) []byte {
		copy(data[segmentOffset(end):], older[segmentOffset(end):])
		return data
	})
	require.NoError(t, m.start())
	require.Equal(t, end, m.report.End)
	require.True(t, m.report.Torn)
}

// A later segment left behind by a life that was cut off, under its own name: the chain does not
// lead to it, so it is dropped, and its file zeroed before it is used again.
func TestStaleLaterSegmentIsDropped(t *testing.T) {
	eachSeed(t, 20, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.lazy = true // What is behind the hole must not say that the hole was flushed.
		m.mustStart()
		m.mustCommitLocal(50)
		hole := m.mustAppend(50)
		for range 3 {
			_, err := m.log.SwitchSegment()
			require.NoError(t, err)
			m.mustAppend(50)
		}
		loseTail(m, hole)
		for range 3 {
			require.NoError(t, m.startThroughCrashes())
			for range 6 {
				require.NoError(t, m.append(m.payloadOf(m.log.MaxPayload())))
			}
			m.powerCut(m.rng.Uint64())
		}
		require.NoError(t, m.start())
	})
}

// A cut that was decided is finished by the next start, wherever it was cut short; what was above
// it is lost, and judged so.
func TestDecidedCutIsFinished(t *testing.T) {
	eachSeed(t, 40, func(t *testing.T, seed uint64) {
		m := newMachine(t, seed)
		defer func() { m.stop() }()
		m.mustStart()
		for range 3 {
			m.mustCommitLocal(50)
			_, err := m.log.SwitchSegment()
			require.NoError(t, err)
			m.mustCommitLocal(50)
		}
		m.holdControl()
		keep := 1 + m.rng.IntN(len(m.records)-1)
		cut := wal.Cut{Timeline: 1, At: m.records[keep-1].end}
		m.powerCut(seed)

		dir, err := wal.OpenDir(m.options())
		require.NoError(t, err)
		require.NoError(t, dir.BeginCut(cut))
		require.NoError(t, dir.Close())
		m.disk = m.disk.Crash(seed)
		m.records, m.floor = m.records[:keep], cut.At

		require.NoError(t, m.startThroughCrashes())
		require.Equal(t, keep, len(m.records))
		m.mustCommitLocal(50)
		m.powerCut(seed + 1)
		require.NoError(t, m.start(), "a finished cut must not be finished again")
	})
}
