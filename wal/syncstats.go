package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// SyncStats is what making the log durable costs here.
type SyncStats struct {
	Count         uint64
	P50, P99, Max time.Duration

	// Floor is the least that one fsync of one written block took when the log was opened, by the
	// method in use and in the log's directory; 0 when it was not measured. No commit that waits
	// for the disk can be faster.
	Floor time.Duration

	Latency LatencyStats // all of them
}

// Bounds of the measurement of the floor.
const (
	// FloorSamplesDefault is enough to meet the disk at its best once.
	FloorSamplesDefault = 16

	// floorTimeMax ends the measurement early: a slow disk must not hold up a start.
	floorTimeMax = 100 * time.Millisecond

	floorBlockSize = 4096
	floorName      = "floor.tmp"
)

func (f *flusher) syncStats() SyncStats {
	s := SyncStats{Floor: f.floor, Latency: f.log.stats.syncs.Read()}
	s.Count, s.Max = s.Latency.Count, s.Latency.Max
	s.P50, s.P99 = s.Latency.Quantile(0.5), s.Latency.Quantile(0.99)
	return s
}

// measureFloor times fsyncs of one block that is there already, as the log's blocks are: the
// segments are zeroed ahead. A disk that cannot sync this file could not sync the log either, so
// an error refuses the start.
func (f *flusher) measureFloor() (floor time.Duration, err error) {
	disk, clock := f.log.opts.Disk, f.log.opts.Clock
	path := filepath.Join(f.log.segs.dir, floorName)
	// A crash may have left it.
	if err := disk.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	file, err := disk.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), disk.Remove(path)) }()
	block := make([]byte, floorBlockSize)
	began := clock.Now()
	for i := range f.log.opts.FloorSamples + 1 {
		if _, err := file.WriteAt(block, 0); err != nil {
			return 0, err
		}
		start := clock.Now()
		if err := f.syncer.Sync([]File{file}); err != nil {
			return 0, fmt.Errorf("sync %s: %w", floorName, err)
		}
		end := clock.Now()
		// The first makes the file longer, which costs more than overwriting.
		if took := end.Sub(start); i > 0 && (floor == 0 || took < floor) {
			floor = took
		}
		if end.Sub(began) > floorTimeMax && i > 0 {
			break
		}
	}
	return floor, nil
}
