package wal_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// field is a part of a record's header, for the names of tests.
type field struct {
	name     string
	from, to int64
}

// recordFields are the fields of a record with a payload of n bytes, padding included.
func recordFields(n int64) []field {
	return []field{
		{"crc", 0, 4}, {"prev crc", 4, 8}, {"length", 8, 12}, {"timeline", 12, 16},
		{"lsn", 16, 24}, {"prev", 24, 32}, {"epoch", 32, 40}, {"flushed", 40, 48},
		{"type", 48, 49}, {"flags", 49, 50}, {"reserved", 50, 56},
		{"payload", 56, 56 + n}, {"padding", 56 + n, (56 + n + 7) &^ 7},
	}
}

// segmentPath is the file that holds pos, on timeline 1.
func segmentPath(pos wal.LSN) string {
	return filepath.Join(machineDir, "wal", wal.SegmentName(1, pos, machineSegment))
}

func segmentOffset(pos wal.LSN) int64 { return int64(pos) % machineSegment }

// flipEach recovers a copy of the disk once for every byte of the record with a bit of it turned
// over, or every bit in a long run. Of a long payload it takes a sample.
func flipEach(m *machine, r record, check func(t *testing.T, m *machine)) {
	image, appended, floor := m.disk, m.records, m.floor
	for _, f := range recordFields(int64(len(r.payload))) {
		m.t.Run(f.name, func(t *testing.T) {
			for off := f.from; off < f.to; off += 1 + (f.to-f.from)/32 {
				for _, bit := range bitsToFlip(m) {
					m.disk, m.records, m.floor = image.Crash(0), appended, floor
					m.disk.FlipBit(segmentPath(r.lsn), segmentOffset(r.lsn)+off, bit)
					t.Logf("byte %d bit %d of %s", off, bit, f.name)
					check(t, m)
					m.stop()
				}
			}
		})
	}
	m.disk, m.records, m.floor = image, appended, floor
}

func bitsToFlip(m *machine) []uint {
	if *seedsFlag > 0 {
		return []uint{0, 1, 2, 3, 4, 5, 6, 7}
	}
	return []uint{uint(m.rng.IntN(8))}
}

// requireDamaged wants recovery to refuse, to name the place, and to change nothing.
func requireDamaged(t *testing.T, m *machine, at record) {
	t.Helper()
	ops := m.disk.Changes()
	err := m.recover()
	require.Error(t, err, "damage to durable data was taken for a torn tail")
	var damaged *wal.CorruptionError
	require.ErrorAs(t, err, &damaged)
	require.Equal(t, wal.SegmentName(1, at.lsn, machineSegment), damaged.Segment)
	require.Equal(t, segmentOffset(at.lsn), damaged.Offset)
	require.Equal(t, at.lsn, damaged.LSN)
	require.Equal(t, ops, m.disk.Changes(), "a refused recovery changed something")
}

// requireTruncated wants recovery to end the log right before a record.
func requireTruncated(t *testing.T, m *machine, at record) {
	t.Helper()
	require.NoError(t, m.recover())
	require.Equal(t, at.lsn, m.log.Flushed())
	require.True(t, m.report.Torn)
	got, err := m.found()
	require.NoError(t, err)
	for _, r := range got {
		require.Less(t, r.lsn, at.lsn)
	}
}

// A flip in an `off` commit that was never flushed: the log ends before it.
func TestFlipInUnflushedCommitTruncates(t *testing.T) {
	m := newMachine(t, 1)
	m.mustStart()
	m.mustCommitLocal(20)
	victim := m.mustAppend(21)
	m.mustAppend(22)
	m.disk = m.writtenBack()
	flipEach(m, victim, func(t *testing.T, m *machine) { requireTruncated(t, m, victim) })
}

// writtenBack gives the disk as it is when the kernel wrote everything back in time.
func (m *machine) writtenBack() *waltest.Disk {
	m.t.Helper()
	for _, path := range m.disk.Files() {
		f, err := m.disk.Open(path)
		require.NoError(m.t, err)
		require.NoError(m.t, f.Sync())
		require.NoError(m.t, f.Close())
	}
	after := m.disk.Crash(0)
	m.stop()
	m.written = 0
	return after
}

// A flip in a flushed `local` commit which control, that lags, does not know of. A record appended
// after the flush carries the figure, so this is damage to durable data: refuse.
func TestFlipInFlushedCommitRefuses(t *testing.T) {
	m := newMachine(t, 2)
	m.mustStart()
	m.holdControl()
	victim := m.mustCommitLocal(21)
	require.LessOrEqual(t, m.log.Control().Flushed, victim.lsn, "control must lag")
	m.mustAppend(22)
	m.disk = m.writtenBack()
	flipEach(m, victim, func(t *testing.T, m *machine) { requireDamaged(t, m, victim) })
}

// The same with the witness in the next segment, behind a torn record and a filler.
func TestFlipWitnessedFromTheNextSegment(t *testing.T) {
	m := newMachine(t, 3)
	m.mustStart()
	m.holdControl()
	victim := m.mustCommitLocal(21)
	torn := m.mustAppend(22)
	_, err := m.log.SwitchSegment()
	require.NoError(t, err)
	m.mustAppend(23)
	m.disk = m.writtenBack()
	m.disk.FlipBit(segmentPath(torn.lsn), segmentOffset(torn.lsn)+60, 1)
	flipEach(m, victim, func(t *testing.T, m *machine) { requireDamaged(t, m, victim) })
}

// With nothing behind the last flushed batch and a control that lags, nobody can know that it was
// durable: it is cut off. DURABILITY.md states this residual; if it ever closes, the page changes
// with this test.
func TestFlipInLastFlushedCommitIsTheResidual(t *testing.T) {
	m := newMachine(t, 4)
	m.mustStart()
	m.holdControl()
	victim := m.mustCommitLocal(21)
	m.disk = m.writtenBack()
	m.floor = 0 // The promise that this residual breaks.
	flipEach(m, victim, func(t *testing.T, m *machine) { requireTruncated(t, m, victim) })
}

// Once control has caught up, as it does a second after the flusher goes idle, the same flip is
// refused.
func TestFlipInLastFlushedCommitRefusesOnceControlKnows(t *testing.T) {
	m := newMachine(t, 5)
	m.mustStart()
	victim := m.mustCommitLocal(21)
	m.holdControl()
	m.disk = m.writtenBack()
	flipEach(m, victim, func(t *testing.T, m *machine) { requireDamaged(t, m, victim) })
}

// Below the store's marker the log is durable too, whoever else has forgotten.
func TestFlipBelowTheMarkerRefuses(t *testing.T) {
	m := newMachine(t, 6)
	m.mustStart()
	m.holdControl()
	victim := m.mustCommitLocal(21)
	m.marker = m.mustCommitLocal(22).end
	m.disk = m.writtenBack()
	m.disk.FlipBit(segmentPath(victim.lsn), segmentOffset(victim.lsn)+60, 0)
	requireDamaged(t, m, victim)
}

// The first records of a log are as durable as the rest.
func TestFlipInSegmentAndEpochRecordsRefuses(t *testing.T) {
	m := newMachine(t, 7)
	m.mustStart()
	m.mustCommitLocal(21)
	m.holdControl()
	m.disk = m.writtenBack()
	first := record{lsn: wal.FirstLSN}
	second := record{lsn: wal.FirstLSN + 88} // Behind the segment record.
	for _, victim := range []record{first, second} {
		for off := range int64(56) {
			disk := m.disk
			m.disk = disk.Crash(0)
			m.disk.FlipBit(segmentPath(victim.lsn), segmentOffset(victim.lsn)+off, uint(off))
			requireDamaged(t, m, victim)
			m.stop()
			m.disk = disk
		}
	}
}

// What a later version wrote is intact: it is refused by name, and never called corruption. The
// same bytes with a crc that does not hold are a torn tail.
func TestUnknownTypeIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		name string
		off  int64
		set  byte
		want string
	}{
		{"type", 48, 99, "record type 99"},
		{"flags", 49, 4, "flag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, 8)
			m.mustStart()
			m.holdControl()
			m.mustCommitLocal(20)
			victim := m.mustAppend(21)
			m.disk = m.writtenBack()
			plain := m.disk.Crash(0)
			m.disk.Damage(segmentPath(victim.lsn), func(data []byte) []byte {
				rec := data[segmentOffset(victim.lsn):segmentOffset(victim.end)]
				rec[c.off] = c.set
				binary.LittleEndian.PutUint32(rec, wal.Checksum(rec[4:]))
				return data
			})
			err := m.recover()
			var unsupported *wal.UnsupportedError
			require.ErrorAs(t, err, &unsupported)
			require.Contains(t, unsupported.What, c.want)
			require.Equal(t, segmentOffset(victim.lsn), unsupported.Offset)
			var damaged *wal.CorruptionError
			require.NotErrorAs(t, err, &damaged)

			m.disk = plain
			m.disk.Damage(segmentPath(victim.lsn), func(data []byte) []byte {
				data[segmentOffset(victim.lsn)+c.off] = c.set
				return data
			})
			requireTruncated(t, m, victim)
			m.stop()
		})
	}
}

// Every prefix of the last records, cut at any multiple of 8 bytes, ends the log before the first
// record that is not whole.
func TestTornTailAtEveryCut(t *testing.T) {
	m := newMachine(t, 9)
	m.mustStart()
	m.holdControl()
	m.mustCommitLocal(20)
	tail := []record{m.mustAppend(5), m.mustAppend(64), m.mustAppend(13)}
	m.disk = m.writtenBack()
	image, appended := m.disk, m.records
	for cut := tail[0].lsn; cut <= tail[2].end; cut += 8 {
		for _, rest := range []byte{0x00, 0xff} {
			t.Run(fmt.Sprintf("%s rest %x", cut, rest), func(t *testing.T) {
				m.disk, m.records = image.Crash(0), appended
				m.disk.Damage(segmentPath(cut), func(data []byte) []byte {
					for i := segmentOffset(cut); i < segmentOffset(tail[2].end); i++ {
						data[i] = rest
					}
					return data
				})
				want := tail[0].lsn
				for _, r := range tail {
					if r.end <= cut {
						want = r.end
					}
				}
				require.NoError(t, m.recover())
				require.Equal(t, want, m.log.Flushed())
				m.stop()
				// The rest is gone for good: a new life finds zeros there.
				rest := m.disk.Content(segmentPath(want))[segmentOffset(want):]
				require.Equal(t, len(rest), bytes.Count(rest, []byte{0}))
			})
		}
	}
}
