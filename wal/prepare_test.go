package wal_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

const prepareSize = 1 << 20

// newPreparer starts a preparer for /wal on d, which it makes.
func newPreparer(t *testing.T, d *waltest.Disk, onErr func(error)) wal.Preparer {
	t.Helper()
	require.NoError(t, d.MkdirAll("/wal"))
	require.NoError(t, d.SyncDir("/"))
	p, err := wal.NewPreparer(d, "/wal", prepareSize, onErr)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func takeSegment(t *testing.T, p wal.Preparer, path string) wal.File {
	t.Helper()
	f, err := p.Take(context.Background(), path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestTakenSegmentIsDurableZeros(t *testing.T) {
	d := waltest.New()
	p := newPreparer(t, d, nil)
	for i := range 5 {
		path := fmt.Sprintf("/wal/seg%d", i)
		f := takeSegment(t, p, path)
		require.Equal(t, path, f.Name())
		for seed := range uint64(20) {
			got := d.Crash(seed).Content(path)
			require.True(t, bytes.Equal(got, make([]byte, prepareSize)), "seed %d", seed)
		}
	}
}

// A file whose name came back after a crash must not bring old records along: it is zeroed again
// before it is handed out, whichever step the crash struck.
func TestRecycledSegmentsNeverShowOldBytes(t *testing.T) {
	eachSeed(t, 40, func(t *testing.T, seed uint64) {
		d := waltest.New()
		p := newPreparer(t, d, nil)
		for i := range 3 {
			writeStripes(t, takeSegment(t, p, fmt.Sprintf("/wal/seg%d", i)))
		}
		d.PowerOffAt(1+int(seed%40), seed)
		_ = p.Recycle("/wal/seg0", "/wal/seg1")
		_, _ = p.Take(context.Background(), "/wal/seg3")
		p.Close()

		after := d.Crash(seed)
		for _, name := range []string{"/wal/seg0", "/wal/seg1", "/wal/seg2"} {
			if got := after.Content(name); got != nil {
				require.Equal(t, prepareStripes, bytes.Count(got, []byte{0xee}),
					"%s under its own name with other bytes", name)
			}
		}
		next := newPreparer(t, after, nil)
		for i := range 4 {
			path := fmt.Sprintf("/wal/new%d", i)
			takeSegment(t, next, path)
			require.True(t, bytes.Equal(after.Content(path), make([]byte, prepareSize)),
				"%s holds old bytes", path)
		}
	})
}

const prepareStripes = 32

// writeStripes makes a segment recognizable, a byte here and there, durably.
func writeStripes(t *testing.T, f wal.File) {
	t.Helper()
	for i := range int64(prepareStripes) {
		_, err := f.WriteAt([]byte{0xee}, i*prepareSize/prepareStripes)
		require.NoError(t, err)
	}
	require.NoError(t, f.Sync())
}

// With lying syncs the same check must fail, or it checks nothing.
func TestZeroingIsReallySynced(t *testing.T) {
	d := waltest.New()
	p := newPreparer(t, d, nil)
	writeStripes(t, takeSegment(t, p, "/wal/seg0"))
	takeSegment(t, p, "/wal/seg1")
	takeSegment(t, p, "/wal/seg2")
	d.Lie(waltest.Lies{Sync: true})
	require.NoError(t, p.Recycle("/wal/seg0"))
	stale := 0
	for i := range 3 { // The two made ready, and what the spare became.
		takeSegment(t, p, fmt.Sprintf("/wal/new%d", i))
	}
	for seed := range uint64(50) {
		after := d.Crash(seed)
		for i := range 3 {
			if bytes.Contains(after.Content(fmt.Sprintf("/wal/new%d", i)), []byte{0xee}) {
				stale++
			}
		}
	}
	require.NotZero(t, stale, "the disk lied and nothing was lost")
}

func TestFullDiskStrikesTheTask(t *testing.T) {
	d := waltest.New()
	var reports atomic.Int64
	p := newPreparer(t, d, func(error) { reports.Add(1) })
	var now atomic.Int64
	p.SetClock(func() time.Time { return time.Unix(0, now.Load()) })
	for i := range 3 {
		takeSegment(t, p, fmt.Sprintf("/wal/seg%d", i))
	}
	d.Fail(waltest.Fault{Op: waltest.OpWrite, Path: "prepared-*", Err: unix.ENOSPC, Sticky: true})

	// What is ready is still handed out, then the task's failure is the answer.
	var err error
	taken := 3
	for ; err == nil; taken++ {
		require.LessOrEqual(t, taken, 3+2*wal.PreparedAhead)
		_, err = p.Take(context.Background(), fmt.Sprintf("/wal/seg%d", taken))
	}
	require.ErrorIs(t, err, wal.ErrNoSpace)
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NotZero(t, reports.Load())
	names, err := d.List("/wal")
	require.NoError(t, err)
	require.Len(t, names, taken-1, "a half-made file keeps space from a full disk")

	// No second try before its time: a commit a microsecond must not fill the disk each time.
	before := d.Ops()
	_, err = p.Take(context.Background(), "/wal/again")
	require.ErrorIs(t, err, wal.ErrNoSpace)
	require.Equal(t, before, d.Ops())

	// Space comes back, and so does service, by itself.
	d.Heal()
	now.Add(int64(wal.PrepareRetryMin) + 1)
	takeSegment(t, p, "/wal/after")
}

// A waiting commit can go away; the task is not disturbed.
func TestTakeCanBeCancelled(t *testing.T) {
	d := waltest.New()
	gate := d.Stall(waltest.OpSync, "prepared-*")
	p := newPreparer(t, d, nil)
	t.Cleanup(gate.Open) // Before the preparer's close, which waits for the task.
	<-gate.Entered()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := p.Take(ctx, "/wal/seg0")
	require.ErrorIs(t, err, context.Canceled)
	gate.Open()
	takeSegment(t, p, "/wal/seg0")
}

func TestTakeAfterCloseIsRefused(t *testing.T) {
	d := waltest.New()
	d.Fail(waltest.Fault{Op: waltest.OpCreate, Err: unix.EIO, Sticky: true})
	p := newPreparer(t, d, nil)
	_, err := p.Take(context.Background(), "/wal/seg0")
	require.ErrorIs(t, err, unix.EIO)
	require.NotErrorIs(t, err, wal.ErrNoSpace)
	p.Close()
	_, err = p.Take(context.Background(), "/wal/seg0")
	require.Error(t, err)
}

func TestSparesAreBounded(t *testing.T) {
	d := waltest.New()
	p := newPreparer(t, d, nil)
	var paths []string
	for i := range 4 * wal.PreparedSpares {
		paths = append(paths, fmt.Sprintf("/wal/seg%02d", i))
		takeSegment(t, p, paths[i])
	}
	require.NoError(t, p.Recycle(paths...))
	names, err := d.List("/wal")
	require.NoError(t, err)
	require.LessOrEqual(t, len(names), wal.PreparedAhead+wal.PreparedSpares+1)
	for _, name := range names {
		require.True(t, strings.HasPrefix(name, "prepared-"), name)
	}
}

// Files of another segment size, left by an earlier life, are made to fit.
func TestAdoptedSpareOfAnotherSize(t *testing.T) {
	disk, dir := wal.OSDisk(), t.TempDir()
	f, err := disk.Create(filepath.Join(dir, "prepared-7.tmp"))
	require.NoError(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{1}, 3*prepareSize), 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	p, err := wal.NewPreparer(disk, dir, prepareSize, nil)
	require.NoError(t, err)
	defer p.Close()
	for i := range 3 {
		got := takeSegment(t, p, filepath.Join(dir, fmt.Sprintf("seg%d", i)))
		size, err := got.Size()
		require.NoError(t, err)
		require.EqualValues(t, prepareSize, size)
		b := make([]byte, prepareSize)
		_, err = got.ReadAt(b, 0)
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, make([]byte, prepareSize)))
	}
}
