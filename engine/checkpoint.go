package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/wal"
)

// durablePosition is what the store would still hold after a power cut now, as last read.
type durablePosition struct {
	applied, redo atomic.Uint64

	// reading makes reading the marker and publishing it one step: of two that read at once the
	// one with the older marker could otherwise publish last.
	reading sync.Mutex
}

func (d *durablePosition) load() marker {
	d.reading.Lock()
	defer d.reading.Unlock()
	return marker{applied: wal.LSN(d.applied.Load()), redo: wal.LSN(d.redo.Load())}
}

// checkpointer is the one goroutine that asks the store for flushes and learns what they made
// durable. It owns nothing but its channels; every poke of them is a non-blocking send, since one
// comes from the leader and one from under the store's lock.
type checkpointer struct {
	asked   chan struct{} // the log since the last flush has grown too long
	flushed chan struct{} // a flush of the store has ended
	moved   chan struct{} // the durable position has moved; the leader may wait for it
	stop    chan struct{}
	done    chan struct{}
}

func newCheckpointer() *checkpointer {
	return &checkpointer{
		asked:   make(chan struct{}, 1),
		flushed: make(chan struct{}, 1),
		moved:   make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (c *checkpointer) ask()      { poke(c.asked) }
func (c *checkpointer) flushEnd() { poke(c.flushed) }

// close ends the goroutine and awaits it.
func (c *checkpointer) close() {
	close(c.stop)
	<-c.done
}

// runCheckpoints is the checkpointer's goroutine.
func (db *DB) runCheckpoints() {
	c := db.checkpoints
	defer close(c.done)
	timer := time.NewTimer(db.opts.CheckpointTimeout())
	defer timer.Stop()
	running, covers := (<-chan struct{})(closedChan), wal.LSN(0)
	for {
		var err error
		select {
		case <-c.stop:
			return
		case <-c.flushed:
			err = db.readDurable()
			timer.Reset(db.opts.CheckpointTimeout())
		case <-c.asked:
			// The leader asks with every group until the position moves. A second flush begun
			// while the first runs would only cut the memtables into small ones. But the store
			// closes its channel well behind FlushEnd: a leader that saw the position move, and
			// needs more, asks in between, waits, and must not be taken for one that asked
			// before. So a flush whose marker is durable has ended too.
			if ended(running) || wal.LSN(db.durable.applied.Load()) >= covers {
				running, covers, err = db.startFlush()
			}
		case <-timer.C:
			running, covers, err = db.startFlush()
			timer.Reset(db.opts.CheckpointTimeout())
		}
		if err != nil && db.opts.Events.StoreError != nil {
			db.opts.Events.StoreError(err)
		}
	}
}

// askCheckpoint begins a checkpoint when the log since the last has grown too long. It is asked
// after each group or batch, which ends at end.
func (db *DB) askCheckpoint(end wal.LSN) {
	if int64(end-wal.LSN(db.durable.applied.Load())) > db.opts.MaxWALSize()/2 {
		db.checkpoints.ask()
	}
}

// startFlush asks the store to flush everything passed so far. An idle store is left alone: with
// the marker durable there is nothing a flush would add.
//
// covers is a marker that is durable once the flush has ended.
func (db *DB) startFlush() (done <-chan struct{}, covers wal.LSN, err error) {
	if err := db.applier.mark(); err != nil {
		return closedChan, 0, err
	}
	covers = db.applier.markedLSN()
	if covers == wal.LSN(db.durable.applied.Load()) {
		return closedChan, covers, nil
	}
	flushed, err := db.store.AsyncFlush()
	if err != nil {
		return closedChan, 0, fmt.Errorf("engine: flush the store: %w", err)
	}
	return flushed, covers, nil
}

func ended(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// readDurable learns the store's durable position, tells the log, and lets it drop what no
// recovery needs any more: nothing above redo, which the store itself now vouches for.
func (db *DB) readDurable() error {
	db.durable.reading.Lock()
	defer db.durable.reading.Unlock()
	m, err := durableMarker(db.store)
	if err != nil {
		return err
	}
	if m.applied <= wal.LSN(db.durable.applied.Load()) {
		return nil
	}
	db.setDurable(m)
	if err := db.log.Recycle(m.redo); err != nil {
		return fmt.Errorf("engine: recycle the log below %s: %w", m.redo, err)
	}
	if db.opts.Events.Checkpointed != nil {
		db.opts.Events.Checkpointed(CheckpointInfo{Applied: m.applied, Redo: m.redo})
	}
	return nil
}

// setDurable publishes the durable position. The order matters to awaitLogSpace, which looks
// again after each poke.
func (db *DB) setDurable(m marker) {
	db.log.SetDurableApplied(m.applied, m.redo)
	db.durable.redo.Store(uint64(m.redo))
	db.durable.applied.Store(uint64(m.applied))
	db.metrics.checkpoints.Add(1)
	poke(db.checkpoints.moved)
}

// Checkpoint makes the store durable up to everything committed before the call.
func (db *DB) Checkpoint(ctx context.Context) error {
	if err := db.closing(); err != nil {
		return err
	}
	return db.flushStore(ctx)
}

// awaitLogSpace holds the leader back while the log the store has not made durable, with the
// group to come, would pass max_wal_size (W6: full means wait). It compares with applied and not
// with redo: log that only an open large transaction keeps is a pin of its own, and waiting for
// it here would be waiting for ourselves.
//
// Nothing this waits for needs the leader: the checkpointer takes the applier's mutex, which the
// leader does not hold here, and the flush waits for the log's flusher alone.
func (db *DB) awaitLogSpace(need int64) error {
	limit := db.logSpaceMax()
	for space := db.logSpace(); space > 0 && space+need > limit; space = db.logSpace() {
		db.metrics.spaceWaits.Add(1)
		db.checkpoints.ask()
		select {
		case <-db.checkpoints.moved:
		case <-db.dead:
			return db.failure()
		}
	}
	return nil
}

// logSpace is how much log lies beyond the store's durable position.
func (db *DB) logSpace() int64 {
	return int64(db.Applied() - wal.LSN(db.durable.applied.Load()))
}

// logSpaceMax is what max_wal_size leaves for live log; at least a segment, so that the smallest
// setting still makes progress.
func (db *DB) logSpaceMax() int64 {
	segment := db.log.SegmentSize()
	return max(db.opts.MaxWALSize()-segmentsSpareCount*segment, segment)
}
