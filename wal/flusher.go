package wal

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// flusher is the one goroutine that makes the log durable. It is pinned to its thread, since the
// ring of io_uring belongs to the thread that made it, and it runs at its own pace: whatever was
// written while one fsync ran is covered by the next.
//
// It waits for the disk alone, never for the store, the leader or a new segment (E3): the store's
// gate waits for the flusher, and the leader may wait for the store.
type flusher struct {
	log     *Log
	started time.Time

	// oldest is when the oldest unflushed record was appended, in nanoseconds since started;
	// 0 for none.
	oldest atomic.Int64

	kick chan struct{} // capacity 1: a poke is remembered, two are one
	stop chan struct{}
	done chan struct{}

	// Owned by the goroutine; method, reason and floor are set before startFlusher returns.
	syncer Syncer
	method string
	reason string
	floor  time.Duration
	files  []File
}

// startFlusher starts the goroutine and waits until it knows how it will flush.
func startFlusher(l *Log) (*flusher, error) {
	f := &flusher{
		log: l, started: l.opts.Clock.Now(),
		kick: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	ready := make(chan error, 1)
	go f.run(ready)
	if err := <-ready; err != nil {
		<-f.done
		return nil, fmt.Errorf("wal: open syncer: %w", err)
	}
	return f, nil
}

// close ends the goroutine and awaits it. Nothing is flushed any more: Close has seen to that.
func (f *flusher) close() {
	close(f.stop)
	<-f.done
}

func (f *flusher) poke() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// appended is called by the leader behind every move of written. It wakes the flusher once for
// each batch of commits that nobody waits for, and when the batch has grown large.
func (f *flusher) appended() {
	// Written moves first, oldest second; the flusher clears oldest first and reads written
	// second. So a record it does not cover always leaves oldest set.
	if f.oldest.Load() == 0 && f.oldest.CompareAndSwap(0, f.now()) {
		f.poke()
		return
	}
	if int64(f.log.Written()-f.log.Flushed()) >= f.log.opts.FlushAfter() {
		f.poke()
	}
}

// now is nanoseconds since started on the monotonic clock, never 0.
func (f *flusher) now() int64 { return int64(f.log.opts.Clock.Now().Sub(f.started)) | 1 }

func (f *flusher) run(ready chan<- error) {
	defer close(f.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syncer, err := f.log.opts.Disk.Syncer(f.log.opts.SyncMethod, f.log.segs.dir)
	if err != nil {
		ready <- err
		return
	}
	f.syncer, f.method, f.reason = syncer, syncer.Method(), syncer.Reason()
	if f.log.opts.FloorSamples > 0 {
		if f.floor, err = f.measureFloor(); err != nil {
			ready <- errors.Join(fmt.Errorf("measure the fsync floor: %w", err), syncer.Close())
			return
		}
	}
	ready <- nil
	for f.sleep() {
		if err := f.flush(); err != nil {
			f.log.poison(err)
			break
		}
	}
	if err := syncer.Close(); err != nil {
		f.log.poison(fmt.Errorf("close syncer: %w", err))
	}
}

// sleep returns true when it is time to flush, false when it is time to end. It sleeps only while
// nothing waits and neither the delay nor the size is due.
func (f *flusher) sleep() bool {
	for {
		wait, due := f.due()
		if due {
			select {
			case <-f.stop:
				return false
			default:
				return true
			}
		}
		if !f.rest(wait) {
			return false
		}
	}
}

// due says whether to flush now, and if not how long from now at most: negative means until poked.
func (f *flusher) due() (wait time.Duration, due bool) {
	l := f.log
	if l.Written() == l.Flushed() {
		// An append that moves written behind the second look finds oldest 0, and pokes.
		f.oldest.Store(0)
		if l.Written() == l.Flushed() {
			return -1, false
		}
	}
	if l.urgent() || int64(l.Written()-l.Flushed()) >= l.opts.FlushAfter() {
		return 0, true
	}
	// Still 0 when this goroutine overtook the leader between its two steps.
	f.oldest.CompareAndSwap(0, f.now())
	wait = l.opts.WriterDelay() - time.Duration(f.now()-f.oldest.Load())
	return wait, wait <= 0
}

// rest sleeps until poked, or for wait unless that is negative. False means: end.
func (f *flusher) rest(wait time.Duration) bool {
	var fired <-chan time.Time
	if wait >= 0 {
		timer, stop := f.log.opts.Clock.Timer(wait)
		defer stop()
		fired = timer
	}
	select {
	case <-f.kick:
	case <-fired:
	case <-f.stop:
		return false
	}
	return true
}

// flush is one round: everything written when it begins is durable when it ends.
func (f *flusher) flush() error {
	l := f.log
	f.oldest.Store(0)
	target, from := l.Written(), l.Flushed()
	l.flushing.Store(uint64(target))
	f.files = l.dirty(f.files[:0], target)
	began := l.opts.Clock.Now()
	if err := f.syncer.Sync(f.files); err != nil {
		return fmt.Errorf("flush %s to %s: %w", from, target, err)
	}
	took := l.opts.Clock.Now().Sub(began)
	l.advance(target)
	err := l.dropFlushed(target)
	l.keeper.poke()
	l.stats.flushed(int64(target-from), took)
	if l.opts.Events.Flushed != nil {
		l.opts.Events.Flushed(target, int64(target-from), took)
	}
	return err
}

// dirty appends to files those of the segments with records below target not known to be durable.
func (l *Log) dirty(files []File, target LSN) []File {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.unflushed {
		if s.start < target {
			files = append(files, s.file)
		}
	}
	return files
}

// dropFlushed closes the segments that end at or below flushed. The last is kept: the leader may
// be writing to it.
func (l *Log) dropFlushed(flushed LSN) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.unflushed) > 1 && l.unflushed[0].start+LSN(l.segs.size) <= flushed {
		s := l.unflushed[0]
		l.unflushed = l.unflushed[1:]
		if err := s.file.Close(); err != nil {
			return fmt.Errorf("close segment %s: %w", s.name, err)
		}
	}
	return nil
}
