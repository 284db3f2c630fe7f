package wal

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// horizon is the three positions of a log and everyone waiting for the last of them.
//
//	flushed <= written <= inserted
//
// Each has one writer: the leader moves inserted before its write and written behind it, the
// flusher moves flushed. They never go back.
type horizon struct {
	inserted atomic.Uint64
	written  atomic.Uint64
	flushed  atomic.Uint64
	flushing atomic.Uint64 // where flushed will stand after the fsync under way, or stands

	failure atomic.Pointer[error] // sticky: poisoned or closed
	halted  atomic.Bool           // poisoned; set before failure
	ended   chan struct{}         // closed once failure is set for a poisoning

	mu       sync.Mutex
	waiters  waitQueue     // guarded by mu
	asked    LSN           // guarded by mu; the highest that RequestFlush asked for
	advanced chan struct{} // guarded by mu; nil until a cursor waits, closed by the next advance
	heard    []func(LSN)   // guarded by mu; what OnFlushed was given
}

func (h *horizon) start(at LSN) {
	h.inserted.Store(uint64(at))
	h.written.Store(uint64(at))
	h.flushed.Store(uint64(at))
	h.flushing.Store(uint64(at))
}

// err is why nothing more is confirmed, or nil.
func (h *horizon) err() error {
	if p := h.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// wait blocks until flushed >= lsn, and says so, or until expired fires. kick tells the flusher
// that someone waits.
func (h *horizon) wait(
	ctx context.Context, lsn LSN, expired <-chan time.Time, kick func(),
) (reached bool, err error) {
	// The failure is looked at first: behind a poisoned log nothing is confirmed, not even what
	// was flushed in time (W4).
	if err := h.err(); err != nil {
		return false, err
	}
	if LSN(h.flushed.Load()) >= lsn {
		return true, nil
	}
	w := waiterPool.Get().(*waiter)
	w.lsn = lsn
	if !h.enqueue(w) {
		waiterPool.Put(w)
		return h.wait(ctx, lsn, expired, kick)
	}
	kick()
	reached, err = h.await(ctx, w, expired)
	waiterPool.Put(w)
	return reached, err
}

// enqueue queues w unless there is nothing to wait for any more. Advance and fail take the lock
// behind their store, so a waiter that saw the old position here is found by them.
func (h *horizon) enqueue(w *waiter) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err() != nil || LSN(h.flushed.Load()) >= w.lsn {
		return false
	}
	h.waiters.add(w)
	return true
}

func (h *horizon) await(
	ctx context.Context, w *waiter, expired <-chan time.Time,
) (reached bool, err error) {
	select {
	case woken := <-w.done:
		return woken.outcome()
	case <-expired:
	case <-ctx.Done():
		err = fmt.Errorf("wal: wait for %s to be flushed: %w", w.lsn, ctx.Err())
	}
	h.mu.Lock()
	queued := h.waiters.remove(w)
	h.mu.Unlock()
	if !queued {
		woken := <-w.done // it was being woken meanwhile: the better answer is there
		return woken.outcome()
	}
	return false, err
}

// ask notes that someone wants lsn flushed without waiting for it.
func (h *horizon) ask(lsn LSN) {
	h.mu.Lock()
	h.asked = max(h.asked, lsn)
	h.mu.Unlock()
}

// urgent says whether flushing up to written would end a wait.
func (h *horizon) urgent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	written := LSN(h.written.Load())
	if first := h.waiters.first(); first != nil && first.lsn <= written {
		return true
	}
	// An ask above written is for records still to come.
	return h.asked > LSN(h.flushed.Load()) && LSN(h.flushed.Load()) < written
}

// advance moves flushed and wakes whoever waited for it.
func (h *horizon) advance(to LSN) {
	h.flushed.Store(uint64(to)) // W2: only ever called with what the kernel confirmed
	h.mu.Lock()
	h.waiters.wake(to, nil)
	heard := h.heard
	h.wakeCursorsLocked()
	h.mu.Unlock()
	for _, f := range heard {
		f(to)
	}
}

// wakeCursorsLocked ends every passive wait. REQUIRES: mu.
func (h *horizon) wakeCursorsLocked() {
	if h.advanced != nil {
		close(h.advanced)
		h.advanced = nil
	}
}

// fail ends every wait, now and later, with err. The first failure stays; it reports whether this
// was it.
func (h *horizon) fail(err error) bool {
	if !h.failure.CompareAndSwap(nil, &err) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiters.wake(math.MaxUint64, err)
	h.wakeCursorsLocked()
	return true
}

// waitPast blocks until flushed > lsn without hurrying the flusher: cursors follow the log, they
// do not drive it.
func (h *horizon) waitPast(ctx context.Context, lsn LSN) error {
	return h.follow(ctx, func() bool { return LSN(h.flushed.Load()) > lsn })
}

// follow blocks until reached says so, which is asked again at every advance and every nudge.
func (h *horizon) follow(ctx context.Context, reached func() bool) error {
	for {
		h.mu.Lock()
		err := h.err()
		if h.advanced == nil {
			h.advanced = make(chan struct{})
		}
		advanced := h.advanced
		h.mu.Unlock()
		// Asked behind the channel was taken: an advance since then has closed it.
		if err != nil || reached() {
			return err
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nudge has everyone in follow look again.
func (h *horizon) nudge() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakeCursorsLocked()
}

// onAdvance adds f to those told of each advance, on the flusher's goroutine.
func (h *horizon) onAdvance(f func(LSN)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard[:len(h.heard):len(h.heard)], f)
}
