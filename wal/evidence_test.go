package wal_test

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// lagging is a log on a killed machine whose control knows nothing of what was flushed since it
// was begun, and whose record at bad has a bit flipped.
func lagging(t *testing.T, disk *waltest.Disk, control []byte, bad wal.LSN) *waltest.Disk {
	t.Helper()
	disk = disk.Kill()
	disk.Damage("/data/control", func([]byte) []byte { return slices.Clone(control) })
	name := wal.SegmentName(1, bad, wal.SegmentSizeMin)
	disk.FlipBit(filepath.Join("/data/wal", name), int64(bad)%wal.SegmentSizeMin+16, 3)
	return disk
}

func requireEvidence(t *testing.T, disk *waltest.Disk, at wal.LSN, says string) {
	t.Helper()
	_, _, err := tryOpen(crashed(t, disk), wal.Start{})
	var corruption *wal.CorruptionError
	require.ErrorAs(t, err, &corruption)
	require.Equal(t, at, corruption.LSN)
	require.Equal(t, wal.SegmentName(1, at, wal.SegmentSizeMin), corruption.Segment)
	require.Equal(t, int64(at)%wal.SegmentSizeMin, corruption.Offset)
	require.Contains(t, corruption.Reason, says)
}

// The list of epochs is written once an epoch's begin is flushed, so the list itself says that the
// log was durable there, before any record does.
func TestTheListOfEpochsIsEvidence(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, crashed(t, disk), wal.Start{})
	require.NoError(t, log.Close(true))
	before := disk.Content("/data/control")
	log, report, err := tryOpen(crashed(t, disk), wal.Start{})
	require.NoError(t, err)
	require.NoError(t, log.BeginEpoch(context.Background()))
	disk = lagging(t, disk, before, report.End)
	requireEvidence(t, disk, report.End, "the list of epochs")
}

// The only record that tells of a flush may stand in a later segment than the damage.
func TestEvidenceInALaterSegment(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, crashed(t, disk), wal.Start{})
	before := disk.Content("/data/control")
	damaged := commit(t, log, "flushed later")
	end, err := log.SwitchSegment() // the filler was appended before the flush, and knows nothing
	require.NoError(t, err)
	flush(t, log)
	witness := commit(t, log, "behind the flush")
	require.Greater(t, witness.LSN, end)
	disk = lagging(t, disk, before, damaged.LSN)
	requireEvidence(t, disk, damaged.LSN, "the record at ")
}

// Without a witness the flip is a torn tail: that is the residual DURABILITY.md names.
func TestNoEvidenceIsATornTail(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, crashed(t, disk), wal.Start{})
	before := disk.Content("/data/control")
	damaged := commit(t, log, "flushed, then damaged")
	_, err := log.SwitchSegment()
	require.NoError(t, err)
	unflushed := commit(t, log, "in the next segment")
	disk = lagging(t, disk, before, damaged.LSN)

	log, report, err := tryOpen(crashed(t, disk), wal.Start{})
	require.NoError(t, err)
	require.True(t, report.Torn)
	require.Equal(t, damaged.LSN, report.End)
	require.Less(t, report.End, unflushed.LSN)
	requireContiguous(t, disk, log)
	require.NoError(t, log.Close(false))
}

// The records of another node tell of the flushes of another medium. On a standby they are no
// evidence, and neither are they on a primary for epochs that were not its own.
func TestOnlyOwnRecordsAreEvidence(t *testing.T) {
	for name, change := range map[string]func(*wal.Control){
		"this node's epochs":    nil,
		"another node's epochs": func(c *wal.Control) { c.NodeID += 2 },
		"a standby":             func(c *wal.Control) { c.Role = wal.RoleStandby },
	} {
		t.Run(name, func(t *testing.T) {
			disk := waltest.New()
			log, _ := open(t, crashed(t, disk), wal.Start{})
			before := disk.Content("/data/control")
			damaged := commit(t, log, "flushed")
			flush(t, log)
			commit(t, log, "behind the flush")
			disk = lagging(t, disk, before, damaged.LSN)
			if change == nil {
				requireEvidence(t, disk, damaged.LSN, "the record at ")
				return
			}
			dir, err := wal.OpenDir(crashed(t, disk))
			require.NoError(t, err)
			require.NoError(t, dir.ChangeControl(change))
			require.NoError(t, dir.Close())
			log, report, err := tryOpen(crashed(t, disk), wal.Start{})
			require.NoError(t, err)
			require.Equal(t, damaged.LSN, report.End)
			require.NoError(t, log.Close(false))
		})
	}
}

func TestAStandbyBeginsNoEpoch(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, crashed(t, disk), wal.Start{})
	end := log.Flushed()
	require.NoError(t, log.Close(true))
	dir, err := wal.OpenDir(crashed(t, disk))
	require.NoError(t, err)
	require.NoError(t, dir.ChangeControl(func(c *wal.Control) { c.Role = wal.RoleStandby }))
	require.NoError(t, dir.Close())
	log, _, err = tryOpen(crashed(t, disk), wal.Start{})
	require.NoError(t, err)
	require.ErrorContains(t, log.BeginEpoch(context.Background()), "standby")
	require.Equal(t, end, log.Written(), "a standby's start changes nothing in its log")
	require.NoError(t, log.Close(true))
}

// requireContiguous wants the segments there are to be those of the log, without a gap and without
// one behind its end.
func requireContiguous(t *testing.T, disk *waltest.Disk, log *wal.Log) {
	t.Helper()
	var starts []wal.LSN
	for _, path := range disk.Files() {
		if _, start, ok := wal.ParseSegmentName(filepath.Base(path), wal.SegmentSizeMin); ok {
			starts = append(starts, start)
		}
	}
	for i, start := range starts {
		require.Equal(t, starts[0]+wal.LSN(i)*segment, start, "a gap")
		require.Less(t, start, log.Written(), "a segment behind the log's end")
	}
}

// Files that were copied into place, as a restore does, and never synced by whoever copied them,
// are durable once the log has begun an epoch on them: their bytes and their names.
func TestACopiedDirectoryIsMadeDurable(t *testing.T) {
	eachSeed(t, 20, func(t *testing.T, seed uint64) {
		disk := waltest.New()
		log, _ := open(t, options(t, disk), wal.Start{})
		commit(t, log, "copied")
		require.NoError(t, log.Close(true))

		restored := waltest.New()
		require.NoError(t, restored.MkdirAll("/data/wal"))
		for _, path := range disk.Files() {
			if filepath.Base(path) == "lock" {
				continue
			}
			file, err := restored.Create(path)
			require.NoError(t, err)
			_, err = file.WriteAt(bytes.Clone(disk.Content(path)), 0)
			require.NoError(t, err)
			require.NoError(t, file.Close())
		}
		log, _ = open(t, crashed(t, restored), wal.Start{})
		end := log.Flushed()

		restored = restored.Crash(seed)
		log, report := open(t, options(t, restored), wal.Start{})
		require.Equal(t, end, report.End)
		require.Equal(t, []string{"copied"}, commits(t, log))
		require.NoError(t, log.Close(true))
	})
}

// What a failed fsync left of control in the page cache is not believed by the next start: a cut
// that was never durable must not be carried out.
func TestControlIsReadFromTheMedium(t *testing.T) {
	disk := waltest.New()
	log, _ := open(t, crashed(t, disk), wal.Start{})
	cut := wal.Cut{Timeline: 1, At: log.Flushed()}
	commit(t, log, "behind the cut")
	require.NoError(t, log.Close(true))
	dir, err := wal.OpenDir(crashed(t, disk))
	require.NoError(t, err)
	disk.Fail(waltest.Fault{Op: waltest.OpSync, Path: "control", Err: unix.EIO, MarkClean: true})
	require.ErrorIs(t, dir.BeginCut(cut), unix.EIO)
	require.ErrorIs(t, dir.BeginCut(cut), unix.EIO, "a failed fsync is not tried again")

	disk = disk.Kill()
	log, _, err = tryOpen(crashed(t, disk), wal.Start{})
	require.NoError(t, err)
	require.Equal(t, []string{"behind the cut"}, commits(t, log))
	require.NoError(t, log.Close(true))
}
