package wal_test

import (
	"context"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// A frame that is bad on a standby: below the durable point it is damage, and named; above, it is
// cut off and fetched again.
func TestBadFrameOnAStandby(t *testing.T) {
	for _, below := range []bool{false, true} {
		up, down := pair(t, 1)
		at := down.log.Tail().End
		for range 20 {
			up.commit(100)
		}
		flush(t, up.log)
		control := down.disk.Content("/data/control")
		mustShip(t, up, down)
		if below {
			require.NoError(t, down.log.Close(true)) // Control knows.
			down.log = nil
		} else {
			down.powerCut(1)
			down.restore("/data/control", control)
		}
		damaged := recordEnds(t, up, at)[5]
		path := "/data/wal/" + up.log.SegmentName(damaged)
		down.disk.FlipBit(path, int64(damaged%segment)+20, 1)
		// What other records say was flushed was flushed on the primary.
		report, err := down.open()
		if !below {
			require.NoError(t, err)
			require.Equal(t, damaged, report.End)
			require.True(t, report.Torn)
			mustShip(t, up, down)
			requireSameLogs(t, up, down)
			continue
		}
		var corruption *wal.CorruptionError
		require.ErrorAs(t, err, &corruption)
		require.Equal(t, damaged, corruption.LSN)
		require.Equal(t, filepath.Base(path), corruption.Segment)
		require.Equal(t, int64(damaged%segment), corruption.Offset)
		down.log = nil
	}
}

// Damage in front of a timeline-begin that was durable is damage: the log does not go back to the
// timeline before.
func TestDamageAtAForkIsNoWayBack(t *testing.T) {
	for _, promoted := range []bool{false, true} {
		old, heir := standbyAt(t, 1, 9000)
		down := old.backup("c", 1).mustStart()
		old.stop()
		fork := heir.promote("").Ended
		heir.work(1)
		mustShip(t, heir, down)
		n, other := down, heir
		if promoted {
			n, other = heir, down
		}
		other.stop()
		require.NoError(t, n.log.Close(true))
		name := wal.SegmentName(2, fork, wal.SegmentSizeMin)
		n.disk.FlipBit("/data/wal/"+name, int64(fork%segment)+60, 1)
		before := n.files()
		_, err := n.open()
		var corruption *wal.CorruptionError
		require.ErrorAs(t, err, &corruption)
		require.Equal(t, fork, corruption.LSN)
		require.Equal(t, name, corruption.Segment)
		require.Equal(t, before, n.files(), "nothing was touched")
	}
}

// The list of epochs on a standby: no entry beyond what a torn tail leaves of the log, and every
// entry that the log has.
func TestEpochsOfATornStandby(t *testing.T) {
	up, down := pair(t, 1)
	begun := up.log.Flushed()
	up.restart()
	up.commit(10)
	flush(t, up.log)
	control := down.disk.Content("/data/control")
	mustShip(t, up, down)
	require.Len(t, down.log.Epochs(), 2)
	down.powerCut(1)
	down.restore("/data/control", control) // As if the keeper had not come to it yet.
	image := down.disk
	for off := range up.log.Flushed() - begun {
		down.disk = image.Crash(0)
		down.disk.Damage("/data/wal/"+up.log.SegmentName(begun), func(data []byte) []byte {
			clear(data[(begun+off)%segment:])
			return data
		})
		_, err := down.open()
		require.NoError(t, err)
		want := up.log.Epochs().Before(down.log.Flushed())
		require.Equal(t, want, down.log.Epochs(), "torn at %d", off)
		if off%16 == 0 {
			mustShip(t, up, down)
			requireSameLogs(t, up, down)
		}
		down.stop()
	}
}

// An epoch is in the list, durably, before the first byte of its record is written.
func TestAnEpochIsListedBeforeItsRecordIsWritten(t *testing.T) {
	up, down := pair(t, 1)
	at := down.log.Tail().End
	up.restart()
	b := raw(t, up, at)
	gate := down.disk.Stall(waltest.OpSyncDir, "data")
	received := make(chan error)
	go func() { received <- down.log.Receive(at, b) }()
	<-gate.Entered()
	require.Equal(t, at, down.log.Written())
	path := "/data/wal/" + up.log.SegmentName(at)
	require.Zero(t, down.disk.Content(path)[at%segment+20])
	gate.Open()
	require.NoError(t, <-received)
	require.Equal(t, up.log.Epochs(), down.log.Epochs())
}

// A backup must hold the log up to its end. One that does not is refused, whatever is missing.
func TestABackupThatStopsShort(t *testing.T) {
	up := newNode(t, "a", 1).mustStart()
	up.fillTo(0)
	up.work(3)
	defer up.stop()
	end := up.log.Flushed()
	for name, damage := range map[string]func(*node){
		"a byte":         func(b *node) { b.zero(end-16, 16) },
		"a record":       func(b *node) { b.zero(recordEnds(t, up, 0)[3], segment) },
		"a segment":      func(b *node) { b.disk.Lose("/data/wal/" + up.log.SegmentName(end)) },
		"the first one":  func(b *node) { b.disk.Lose("/data/wal/" + up.log.SegmentName(wal.FirstLSN)) },
		"a short file":   func(b *node) { b.cutFile(end - 8) },
		"nothing at all": nil,
	} {
		t.Run(name, func(t *testing.T) {
			b := up.backup("b", 1)
			defer b.stop()
			if damage == nil {
				b.mustStart()
				requireSameLogs(t, up, b)
				return
			}
			damage(b)
			var corruption *wal.CorruptionError
			require.ErrorAs(t, b.start(), &corruption)
			require.Contains(t, corruption.Error(), "the backup's end")
			b.log = nil
		})
	}
}

// restore puts back what a file held before.
func (n *node) restore(path string, content []byte) {
	n.disk.Damage(path, func([]byte) []byte { return content })
}

// zero clears so many bytes of the log at pos, or what there is of them in the segment.
func (n *node) zero(pos, count wal.LSN) {
	n.disk.Damage("/data/wal/"+wal.SegmentName(1, pos, wal.SegmentSizeMin), func(b []byte) []byte {
		clear(b[pos%segment : min(pos%segment+count, segment)])
		return b
	})
}

func (n *node) cutFile(pos wal.LSN) {
	n.disk.Damage("/data/wal/"+wal.SegmentName(1, pos, wal.SegmentSizeMin), func(b []byte) []byte {
		return b[:pos%segment]
	})
}

// The file control of a base backup, to the byte: it says nothing of the node it was made on but
// whose log it needs, and how far.
func TestBackupControlGolden(t *testing.T) {
	id := wal.EpochID{Timeline: 2, Epoch: 0x5_9f31c07b}
	b := wal.EncodeBackupControl(wal.Control{
		SystemID: 0x4142434445464748, NodeID: 0x0d0e0f, SegmentSize: 16 << 20, Time: 1,
		Role: wal.RolePrimary, Clean: true, EpochID: id, Flushed: 0x3000000, Applied: 0x3000000,
		Redo: 0x3000000, PrimaryConn: "host=elsewhere", Cut: wal.Cut{Timeline: 1, At: 0x1000000},
	}, 0x2000000, 0x2345678)
	require.Len(t, b, 2*4096)
	wal.Golden(t, "backup.golden", hex.Dump(b[:192]))
	require.Zero(t, strings.Trim(string(b[192:]), "\x00"))
}

// A backup draws an identity of its own once, keeps it, and becomes a standby or, by itself, the
// primary of a timeline of its own: never of its source's.
func TestABackupBecomesANodeOfItsOwn(t *testing.T) {
	up := newNode(t, "a", 1).mustStart()
	defer up.stop()
	up.work(2)
	b := up.backup("b", 1)
	_, err := b.open()
	require.NoError(t, err)
	id := b.log.Control().NodeID
	require.NotZero(t, id)
	require.NotEqual(t, up.log.Control().NodeID, id)
	require.Equal(t, up.log.Control().SystemID, b.log.Control().SystemID)
	require.ErrorContains(t, b.log.BeginEpoch(context.Background()), "backup")
	b.powerCut(1)
	_, err = b.open()
	require.NoError(t, err)
	require.Equal(t, id, b.log.Control().NodeID)

	begin := b.promote("started alone")
	require.Equal(t, uint32(2), begin.Timeline)
	control := b.log.Control()
	require.Equal(t, wal.RolePrimary, control.Role)
	require.Zero(t, control.BackupEnd)
	require.GreaterOrEqual(t, control.Flushed, begin.Ended)
	b.work(1)
	b.restart()
	require.Equal(t, uint32(2), b.log.Timeline())
	b.stop()
}

// The role is in both copies of control, the string of a standby with it.
func TestSetRole(t *testing.T) {
	n := newNode(t, "a", 1)
	n.mustStart().stop()
	dir, err := wal.OpenDir(n.options())
	require.NoError(t, err)
	require.NoError(t, dir.SetRole(wal.RoleStandby, "host=up port=5433"))
	require.ErrorContains(t, dir.SetRole(wal.RoleStandby, string(make([]byte, 1025))), "1025 bytes")
	require.NoError(t, dir.Close())
	for at := range int64(2) {
		disk := n.disk.Crash(0)
		disk.FlipBit("/data/control", at*4096+100, 1)
		opts := n.options()
		opts.Disk = disk
		dir, err := wal.OpenDir(opts)
		require.NoError(t, err)
		require.Equal(t, wal.RoleStandby, dir.Control().Role)
		require.Equal(t, "host=up port=5433", dir.Control().PrimaryConn)
		require.NoError(t, dir.Close())
	}
}
