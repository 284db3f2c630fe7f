package wal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// Log is an open log that is appended to. One goroutine at a time, the leader, calls Append,
// SwitchSegment, NextLSN and BeginEpoch; everything else may be called by anyone.
type Log struct {
	dir  *Dir
	opts Options
	segs segments

	horizon
	head     head // leader only
	flusher  *flusher
	keeper   *keeper
	preparer *preparer
	stats    stats

	ctx    context.Context // ends when Close begins
	cancel context.CancelFunc

	oldest  atomic.Uint64 // start of the oldest segment kept
	redo    atomic.Uint64 // the durable redo: nothing at or above it is recycled
	applied atomic.Uint64 // the store's durable marker

	epoch atomic.Pointer[EpochID] // nil before BeginEpoch

	recycling sync.Mutex

	// receiving makes those who write a standby's log one at a time.
	receiving sync.Mutex
	in        intake // guarded by receiving

	mu        sync.Mutex
	unflushed []*segment // guarded by mu; ascending, the last is the one being written
	closed    bool       // guarded by mu
}

// newLog starts the goroutines of a log that recovery has found to end at r.tail.
func newLog(d *Dir, r *recovery) (*Log, error) {
	l := &Log{dir: d, opts: d.opts, segs: d.segments()}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	tail := r.chain.tail()
	l.head = head{
		link: tail, limit: tail.end, arena: make([]byte, 0, arenaSizeMin),
		clean: r.report.Clean,
	}
	l.in.start(l.segs.size, tail)
	l.horizon.start(tail.end)
	l.ended = make(chan struct{})
	l.oldest.Store(uint64(r.oldest))
	l.SetDurableApplied(r.start.Applied, r.start.Redo)
	if err := l.openHead(); err != nil {
		return nil, err
	}
	l.preparer = r.preparer
	flusher, err := startFlusher(l)
	if err != nil {
		return nil, errors.Join(err, l.closeSegments())
	}
	l.flusher, l.keeper = flusher, startKeeper(l)
	return l, nil
}

// openHead opens the segment in which the log goes on, when it ends inside one.
func (l *Log) openHead() error {
	end := l.head.end
	if end == segmentStart(end, l.segs.size) {
		return nil
	}
	file, err := l.segs.disk.Open(l.segs.path(end))
	if err != nil {
		return fmt.Errorf("wal: open segment %s: %w", l.segs.name(end), err)
	}
	start := segmentStart(end, l.segs.size)
	l.head.segment = &segment{start: start, name: l.segs.name(end), file: file}
	l.head.limit = segmentEnd(end, l.segs.size)
	l.unflushed = []*segment{l.head.segment}
	return nil
}

// Inserted is the end of the last record that has been given a position.
func (l *Log) Inserted() LSN { return LSN(l.inserted.Load()) }

// Written is the end of the last record in the page cache: it survives the process.
func (l *Log) Written() LSN { return LSN(l.written.Load()) }

// Flushed is the end of the last record on the medium.
func (l *Log) Flushed() LSN { return LSN(l.flushed.Load()) }

// Flushing is where flushed will stand when the fsync under way returns, or where it stands. It
// is a hint: the next fsync may have begun.
func (l *Log) Flushing() LSN { return LSN(l.flushing.Load()) }

// Err is why the log takes and confirms nothing any more, or nil.
func (l *Log) Err() error { return l.err() }

// EpochID is the epoch that records are written in, zero before BeginEpoch.
func (l *Log) EpochID() EpochID {
	if id := l.epoch.Load(); id != nil {
		return *id
	}
	return EpochID{}
}

// Epochs is the list of epochs of this log, the current one included.
func (l *Log) Epochs() EpochList { return l.dir.Epochs() }

// Control is what the node's control says, newest copy.
func (l *Log) Control() Control { return l.dir.Control() }

// SegmentSize is the size of the log's segments.
func (l *Log) SegmentSize() int64 { return l.segs.size }

// SegmentName is the file name of the segment that holds pos.
func (l *Log) SegmentName(pos LSN) string { return l.segs.name(pos) }

// WaitFlushed returns nil once flushed >= lsn. Waiting hurries the flusher; ctx ends only the wait.
// A position beyond the end of the log is ErrBeyondEnd at once: nothing says that it ever comes.
func (l *Log) WaitFlushed(ctx context.Context, lsn LSN) error {
	_, err := l.waitFlushed(ctx, lsn, nil)
	return err
}

// WaitFlushedFor is WaitFlushed for d at most, by the log's clock; it says whether flushed has
// reached lsn. The time running out is no error.
func (l *Log) WaitFlushedFor(
	ctx context.Context, lsn LSN, d time.Duration,
) (reached bool, err error) {
	if l.Flushed() >= lsn && l.err() == nil {
		return true, nil
	}
	expired, stop := l.opts.Clock.Timer(d)
	defer stop()
	return l.waitFlushed(ctx, lsn, expired)
}

func (l *Log) waitFlushed(
	ctx context.Context, lsn LSN, expired <-chan time.Time,
) (reached bool, err error) {
	if end := l.Inserted(); lsn > end && l.err() == nil {
		return false, fmt.Errorf("%w: %s, the log ends at %s", ErrBeyondEnd, lsn, end)
	}
	reached, err = l.horizon.wait(ctx, lsn, expired, l.flusher.poke)
	if err != nil {
		return false, covering(err, min(lsn, l.Inserted()))
	}
	return reached, nil
}

// AwaitFlushed returns flushed once it is beyond the position. It does not hurry the flusher: it is
// for those who follow the log, and any number of advances meanwhile are one.
func (l *Log) AwaitFlushed(ctx context.Context, beyond LSN) (LSN, error) {
	if err := l.waitPast(ctx, beyond); err != nil {
		return 0, err
	}
	return l.Flushed(), nil
}

// RequestFlush asks for lsn to be flushed soon, without waiting for it.
func (l *Log) RequestFlush(lsn LSN) {
	if l.Flushed() >= lsn {
		return
	}
	l.ask(lsn)
	l.flusher.poke()
}

// OnFlushed has f called after every advance of flushed, on the flusher's goroutine: f must not
// block.
func (l *Log) OnFlushed(f func(LSN)) { l.onAdvance(f) }

// SetDurableApplied tells the log how far the store is durable: the marker, and the redo position
// that Recycle must never pass. They only grow.
func (l *Log) SetDurableApplied(applied, redo LSN) {
	l.applied.Store(max(l.applied.Load(), uint64(applied)))
	l.redo.Store(max(l.redo.Load(), uint64(redo)))
}

// Recycle gives the segments wholly below keep to be used again, except what KeepSize, Hold and the
// durable redo hold. The segment with the byte before keep stays: recovery anchors the chain there.
func (l *Log) Recycle(keep LSN) error {
	keep = min(keep, LSN(l.redo.Load()))
	if behind := LSN(max(l.opts.KeepSize(), 0)); behind < l.Flushed() {
		keep = min(keep, l.Flushed()-behind)
	} else {
		return nil
	}
	// A lock of its own: it is held over an fsync of the directory, which neither the leader nor
	// the flusher may wait for.
	l.recycling.Lock()
	defer l.recycling.Unlock()
	if l.ctx.Err() != nil {
		return ErrClosed
	}
	if hold := l.opts.Hold(); hold != 0 {
		keep = min(keep, hold)
	}
	start := LSN(l.oldest.Load())
	for start+LSN(l.segs.size) < keep {
		start += LSN(l.segs.size)
	}
	if start == LSN(l.oldest.Load()) {
		return nil
	}
	paths, err := l.segs.before(start)
	if err != nil {
		return err
	}
	// Readers must learn it before the files go, or they would take zeros for damage.
	l.oldest.Store(uint64(start))
	if err := l.preparer.recycle(paths...); err != nil && !errors.Is(err, fs.ErrNotExist) {
		// A directory whose fsync failed once may say yes the next time and mean nothing: the
		// name of the next segment would hang on it (W4).
		l.poison(fmt.Errorf("recycle segments before %s: %w", keep, err))
		return l.err()
	}
	l.stats.recycled.Add(uint64(len(paths)))
	return nil
}

// Oldest is where the oldest segment kept begins.
func (l *Log) Oldest() LSN { return LSN(l.oldest.Load()) }

// Reserve runs f while nothing is recycled: a hold that f registers for oldest or above is in time.
// f must not call Reserve or Recycle.
func (l *Log) Reserve(f func(oldest LSN)) {
	l.recycling.Lock()
	defer l.recycling.Unlock()
	f(l.Oldest())
}

// Close ends the log's goroutines and gives the directory back. A clean close first flushes what
// is written and says in control that nothing was left behind.
func (l *Log) Close(clean bool) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	l.closed = true
	l.mu.Unlock()
	var err error
	if clean {
		err = l.WaitFlushed(context.Background(), l.Written())
	}
	l.fail(ErrClosed)
	l.cancel()
	l.flusher.close()
	// Before control is told of the clean stop: a rewrite still under way would take it back.
	l.keeper.close()
	if clean && err == nil {
		err = l.saveControl(true)
	}
	return errors.Join(err, l.release(), l.dir.Close())
}

// release ends the preparer and closes every segment.
func (l *Log) release() error {
	l.recycling.Lock()
	defer l.recycling.Unlock()
	l.preparer.close()
	return l.closeSegments()
}

func (l *Log) closeSegments() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	for _, s := range l.unflushed {
		err = errors.Join(err, s.file.Close())
	}
	l.unflushed = nil
	return err
}

// saveControl rewrites control with the positions of now.
func (l *Log) saveControl(clean bool) error {
	return l.dir.control.update(func(c *Control) {
		c.Flushed = max(c.Flushed, l.Flushed())
		c.Applied, c.Redo = LSN(l.applied.Load()), LSN(l.redo.Load())
		if id := l.epoch.Load(); id != nil {
			c.EpochID, c.Clean = *id, clean
		} else if c.Role == RoleStandby {
			c.Clean = clean
		}
	})
}
