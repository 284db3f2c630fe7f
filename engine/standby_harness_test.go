package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

const testConnInfo = "host=primary application_name=standby"

// copyBackup makes a base backup of db on fs, as a stream of files would.
func copyBackup(db *DB, fs *enginetest.CrashFS) (err error) {
	ctx := context.Background()
	snap, err := db.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	to := fs.FS()
	if err := to.MkdirAll("/data/wal", 0o755); err != nil {
		return err
	}
	if _, err := vfs.Clone(db.opts.FS, to, snap.Dir(), "/data/store", vfs.CloneSync); err != nil {
		return err
	}
	end := db.log.Flushed()
	if err := copyLog(db.log, to, snap.Redo(), end); err != nil {
		return err
	}
	epochs := wal.EncodeEpochs(db.log.Epochs().Before(end))
	control := wal.EncodeBackupControl(db.log.Control(), snap.Redo(), end)
	return errors.Join(
		writeDurably(to, "/data/epochs", epochs), writeDurably(to, "/data/control", control))
}

// copyLog copies the segments from the one with the byte before redo on, with zeros behind end.
func copyLog(log *wal.Log, to vfs.FS, redo, end wal.LSN) error {
	size := wal.LSN(log.SegmentSize())
	for start := (redo - 1) / size * size; start < end; start += size {
		segment := make([]byte, size)
		reader, err := log.RawReader(log.Timeline(), start)
		if err != nil {
			return err
		}
		for at := start; at < min(end, start+size); {
			_, n, err := reader.Read(segment[at-start : min(end, start+size)-start])
			if err == nil && n == 0 {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return errors.Join(err, reader.Close())
			}
			at += wal.LSN(n)
		}
		name := path.Join("/data/wal", log.SegmentName(start))
		if err := errors.Join(reader.Close(), writeDurably(to, name, segment)); err != nil {
			return err
		}
	}
	return nil
}

func writeDurably(fs vfs.FS, name string, b []byte) error {
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		d, err := fs.OpenDir(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil || dir == "/" {
			return err
		}
	}
}

// standbyOptions are those of a standby on fs.
func standbyOptions(fs *enginetest.CrashFS) Options {
	opts := crashOptions(fs)
	opts.ReplicaOf = testConnInfo
	return opts
}

// feeder copies the flushed log of one node to another, as a sender and a receiver do.
type feeder struct {
	from, to *DB
	chunk    func() int    // bytes to copy at once
	timeline uint32        // that is copied; 0 is the one the standby is on
	held     atomic.Uint64 // from where on the primary has to keep its log: a slot
	dead     atomic.Bool   // the standby has lost its power: the slot hears of it no more
}

// step copies once; false says that there is nothing more to copy now.
func (f *feeder) step() (bool, error) {
	if f.timeline == 0 {
		f.timeline = f.to.log.Timeline()
	}
	reader, err := f.from.log.RawReader(f.timeline, f.to.log.ReceivePosition())
	if err != nil {
		return false, err
	}
	defer reader.Close()
	buf := make([]byte, f.chunk())
	pos, n, err := reader.Read(buf)
	var ended *wal.TimelineEndError
	if errors.As(err, &ended) {
		return true, f.follow(ended)
	}
	if err != nil || n == 0 {
		return false, err
	}
	if err := f.to.log.Receive(pos, buf[:n]); err != nil {
		return false, err
	}
	f.to.log.RequestFlush(f.to.log.Written())
	// In this order: what it had flushed while it was not dead survives.
	if flushed := f.to.log.Flushed(); !f.dead.Load() {
		f.held.Store(uint64(flushed))
	}
	return true, nil
}

// follow has the standby go on in the timeline that its primary's history goes on in.
func (f *feeder) follow(ended *wal.TimelineEndError) error {
	_, history, err := f.from.log.HistoryFile(ended.Next)
	if err != nil {
		return err
	}
	f.timeline = ended.Next
	return f.to.log.FollowTimeline(context.Background(), ended.Next, ended.Fork, history)
}

// all copies what there is.
func (f *feeder) all() error {
	for {
		more, err := f.step()
		if err != nil || !more {
			return err
		}
	}
}

// catchUp brings the standby to where the primary is and has it apply all of that.
func (f *feeder) catchUp() error {
	ctx := context.Background()
	if err := f.from.log.WaitFlushed(ctx, f.from.log.Inserted()); err != nil {
		return err
	}
	if err := f.all(); err != nil {
		return err
	}
	tail := f.from.log.Tail()
	if got := f.to.log.Tail(); got != tail {
		return fmt.Errorf("the standby's log ends with %+v, its primary's with %+v", got, tail)
	}
	return f.to.AwaitApplied(ctx, tail.End)
}

// pair is a primary and its standby, without a network.
type pair struct {
	feeder
	pfs, sfs *enginetest.CrashFS
}

func newPair(t testing.TB, sabotage func(standby *Options)) *pair {
	t.Helper()
	p := &pair{pfs: enginetest.New(), sfs: enginetest.New()}
	p.chunk = func() int { return 64 << 10 }
	opts := crashOptions(p.pfs)
	opts.Log.Hold = func() wal.LSN { return wal.LSN(p.held.Load()) }
	p.from = mustOpen(t, opts)
	t.Cleanup(func() { _ = p.from.Close(context.Background()) })
	require.NoError(t, copyBackup(p.from, p.sfs))
	opts = standbyOptions(p.sfs)
	if sabotage != nil {
		sabotage(&opts)
	}
	p.to = mustOpen(t, opts)
	p.held.Store(uint64(p.to.log.Flushed()))
	t.Cleanup(func() { _ = p.to.Close(context.Background()) })
	return p
}

func (p *pair) mustCatchUp(t testing.TB) {
	t.Helper()
	require.NoError(t, p.catchUp())
}

func requireSameRows(t testing.TB, want, got *DB) {
	t.Helper()
	wantRows, err := storedRows(want)
	require.NoError(t, err)
	gotRows, err := storedRows(got)
	require.NoError(t, err)
	require.NoError(t, diffRows(wantRows, gotRows))
}
