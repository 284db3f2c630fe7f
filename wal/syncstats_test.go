package wal_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// The floor is measured on a real disk, no fsync is below it by much, and nothing stays behind.
func TestSyncFloor(t *testing.T) {
	dir := t.TempDir()
	opts := wal.Options{
		Dir: dir, SegmentSize: wal.SegmentSizeMin, FloorSamples: wal.FloorSamplesDefault,
	}
	log, _ := open(t, opts, wal.Start{})
	for range 5 {
		e := commit(t, log, "x")
		require.NoError(t, log.WaitFlushed(context.Background(), e.End))
	}
	s := log.Stats().Sync
	require.Positive(t, s.Floor)
	require.GreaterOrEqual(t, s.Count, uint64(6))
	require.LessOrEqual(t, s.P50, s.P99)
	require.LessOrEqual(t, s.P99, s.Max)
	require.NoFileExists(t, dir+"/wal/floor.tmp")
	require.NoError(t, log.Close(true))
}

// Not asked for, nothing is measured; a file that a crash left is no hindrance.
func TestSyncFloorLeftBehind(t *testing.T) {
	disk := waltest.New()
	opts := options(t, disk)
	log, _ := open(t, opts, wal.Start{})
	require.Zero(t, log.Stats().Sync.Floor)
	require.NoError(t, log.Close(true))

	disk.Fail(waltest.Fault{Op: waltest.OpRemove, Path: "floor.tmp", Err: unix.EIO})
	opts.FloorSamples = 3
	_, _, err := tryOpen(opts, wal.Start{})
	require.ErrorIs(t, err, unix.EIO, "a disk that fails already")
	disk.Fail(waltest.Fault{Op: waltest.OpSync, Path: "floor.tmp", Err: unix.EIO})
	_, _, err = tryOpen(opts, wal.Start{})
	require.ErrorContains(t, err, "floor")
	disk.Heal()

	file, err := disk.Create("/data/wal/floor.tmp")
	if err == nil {
		require.NoError(t, file.Close())
	}
	log, _ = open(t, opts, wal.Start{})
	require.GreaterOrEqual(t, log.Stats().Sync.Floor, time.Duration(0))
	require.NotContains(t, disk.Files(), "/data/wal/floor.tmp")
	require.NoError(t, log.Close(true))
}
