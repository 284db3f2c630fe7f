package wal_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

const (
	controlPath = machineDir + "/control"
	epochsPath  = machineDir + "/epochs"
	controlCopy = 4096
)

// fourSegments is a machine, stopped, whose log has four segments, all of it durable and known to
// be, and the first commit of each.
func fourSegments(t *testing.T, seed uint64) (*machine, []record) {
	m := newMachine(t, seed)
	m.mustStart()
	var firsts []record
	for range 4 {
		firsts = append(firsts, m.mustAppend(100))
		_, err := m.log.SwitchSegment()
		require.NoError(t, err)
	}
	m.mustCommitLocal(10)
	m.holdControl()
	m.powerCut(seed)
	return m, firsts
}

// A segment that is not there is damage, and named, wherever in the log it was.
func TestMissingSegmentRefuses(t *testing.T) {
	m, firsts := fourSegments(t, 1)
	image := m.disk
	for i, r := range firsts {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m.disk = image.Crash(0)
			m.disk.Lose(segmentPath(r.lsn))
			err := m.recover()
			var damaged *wal.CorruptionError
			require.ErrorAs(t, err, &damaged)
			require.Equal(t, filepath.Base(segmentPath(r.lsn)), damaged.Segment)
		})
	}
}

// Cut short to any length, a segment of durable log is damage.
func TestShortSegmentRefuses(t *testing.T) {
	m, firsts := fourSegments(t, 2)
	image := m.disk
	for _, size := range []int64{0, 1, 100, machineSegment - 1} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			m.disk = image.Crash(0)
			m.disk.Damage(segmentPath(firsts[1].lsn), func(b []byte) []byte { return b[:size] })
			var damaged *wal.CorruptionError
			require.ErrorAs(t, m.recover(), &damaged)
			require.Equal(t, filepath.Base(segmentPath(firsts[1].lsn)), damaged.Segment)
		})
	}
}

// What lies below the store's redo is not needed: recovery does not ask for it.
func TestSegmentBelowRedoMayBeMissing(t *testing.T) {
	m, firsts := fourSegments(t, 3)
	defer m.stop()
	m.marker = firsts[2].end
	m.disk.Lose(segmentPath(firsts[0].lsn))
	m.disk.Lose(segmentPath(firsts[1].lsn))
	require.NoError(t, m.start())
}

// Bytes of the filler behind a switch must read as zeros: its crc covers its header only.
func TestDamagedFillerRefuses(t *testing.T) {
	m, firsts := fourSegments(t, 4)
	m.disk.FlipBit(segmentPath(firsts[1].lsn), machineSegment-100, 2)
	var damaged *wal.CorruptionError
	require.ErrorAs(t, m.recover(), &damaged)
	require.Contains(t, damaged.Reason, "filler")
}

// A power cut in the middle of rewriting control leaves one of the two copies whole, whatever
// pieces of the other are new, old or garbage.
func TestHalfWrittenControl(t *testing.T) {
	m := newMachine(t, 5)
	m.mustStart()
	m.mustCommitLocal(10)
	m.holdControl()
	m.powerCut(5)
	image, before, floor := m.disk, m.records, m.floor
	for hurt := range 2 {
		for part := range controlCopy / 512 {
			t.Run(fmt.Sprintf("copy=%d/piece=%d", hurt, part), func(t *testing.T) {
				m.disk, m.records, m.floor = image.Crash(0), before, floor
				m.disk.Damage(controlPath, func(b []byte) []byte {
					at := hurt*controlCopy + part*512
					fill := b[at : at+512]
					for i := range fill {
						fill[i] ^= 0x5a
					}
					return b
				})
				require.NoError(t, m.start())
				m.stop()
			})
		}
	}
	for name, hurt := range map[string]func(b []byte) []byte{
		"both":  func(b []byte) []byte { b[100] ^= 1; b[controlCopy+100] ^= 1; return b },
		"empty": func(b []byte) []byte { return nil },
		"zeros": func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			m.disk = image.Crash(0)
			m.disk.Damage(controlPath, hurt)
			var damaged *wal.CorruptionError
			require.ErrorAs(t, m.recover(), &damaged)
			require.Equal(t, "control", damaged.Segment)
		})
	}
	t.Run("missing", func(t *testing.T) {
		m.disk = image.Crash(0)
		m.disk.Lose(controlPath)
		// A directory with a database in it must not be given a new identity.
		var damaged *wal.CorruptionError
		require.ErrorAs(t, m.recover(), &damaged)
	})
	t.Run("later version", func(t *testing.T) {
		m.disk = image.Crash(0)
		m.disk.Damage(controlPath, func(b []byte) []byte {
			for at := 0; at < len(b); at += controlCopy {
				wal.SealControl(b[at:at+controlCopy], 99)
			}
			return b
		})
		var unsupported *wal.UnsupportedError
		require.ErrorAs(t, m.recover(), &unsupported)
		require.Contains(t, unsupported.What, "99")
	})
}

// Control's older copy is as good as the newer: D is lower, nothing else.
func TestOlderControlStillKnowsWhoWeAre(t *testing.T) {
	m := newMachine(t, 6)
	defer m.stop()
	m.mustStart()
	id := m.log.Control().SystemID
	for range 3 {
		m.mustCommitLocal(10)
		m.holdControl()
	}
	m.powerCut(6)
	m.disk.Damage(controlPath, func(b []byte) []byte {
		newest := 0
		if string(b[16:24]) < string(b[controlCopy+16:controlCopy+24]) { // seq, below 256
			newest = controlCopy
		}
		b[newest+200] ^= 1
		return b
	})
	require.NoError(t, m.start())
	require.Equal(t, id, m.log.Control().SystemID)
}

// Without the list of epochs no receipt could be judged: damage to it, or its loss, is refused.
func TestDamagedEpochsRefuses(t *testing.T) {
	m := newMachine(t, 7)
	m.mustStart()
	m.mustCommitLocal(10)
	m.powerCut(7)
	image := m.disk
	size := len(image.Content(epochsPath))
	for off := range size {
		m.disk = image.Crash(0)
		m.disk.FlipBit(epochsPath, int64(off), uint(off))
		err := m.recover()
		require.Error(t, err, "byte %d", off)
		require.Contains(t, err.Error(), "epochs", "byte %d", off)
	}
	m.disk = image.Crash(0)
	m.disk.Lose(epochsPath)
	require.ErrorContains(t, m.recover(), "epochs")
}

// Files that are no segments are left alone.
func TestStrangeFilesAreLeftAlone(t *testing.T) {
	m := newMachine(t, 8)
	defer m.stop()
	m.mustStart()
	m.mustCommitLocal(10)
	m.powerCut(8)
	for _, name := range []string{
		"00000002.history", "archive_status", "README", "000000010000000000000010.partial",
	} {
		f, err := m.disk.Create(machineDir + "/wal/" + name)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	require.NoError(t, m.start())
	names := strings.Join(m.disk.Files(), " ")
	require.Contains(t, names, "00000002.history")
	require.Contains(t, names, "README")
	require.Contains(t, names, ".partial")
}

// A directory whose segments belong to another database is refused.
func TestSegmentsOfAnotherSystem(t *testing.T) {
	ours, theirs := newMachine(t, 9), newMachine(t, 10)
	for _, m := range []*machine{ours, theirs} {
		m.mustStart()
		m.mustCommitLocal(10)
		m.holdControl()
		m.powerCut(1)
	}
	path := segmentPath(wal.FirstLSN)
	foreign := theirs.disk.Content(path)
	ours.disk.Damage(path, func([]byte) []byte { return foreign })
	var mismatch *wal.MismatchError
	require.ErrorAs(t, ours.recover(), &mismatch)
	require.Equal(t, "system identifier", mismatch.What)
}
