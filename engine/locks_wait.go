package engine

import (
	"context"
	"fmt"
	"time"
)

// await waits until w, enqueued at l, is granted or gives up. Giving up leaves no trace in the
// queue.
func (t *lockTable) await(
	ctx context.Context, w *lockWaiter, l *lockable, timeout time.Duration,
) error {
	began := time.Now()
	w.arm(t.pause(began, timeout))
	defer w.timer.Stop()
	for {
		select {
		case <-w.ready:
			return nil
		case <-ctx.Done():
			return t.giveUp(w, l, fmt.Errorf("engine: wait for a lock: %w", context.Cause(ctx)))
		case <-w.timer.C:
		}
		if timeout > 0 && time.Since(began) >= timeout {
			return t.giveUp(w, l, ErrLockTimeout)
		}
		// Looking again and again is not needed while every new edge of the graph begins with a
		// new waiter, who looks for itself. It costs little, and a missed edge would hang two
		// sessions for ever.
		if cycle := t.breakDeadlock(w); cycle != nil {
			return &DeadlockError{Cycle: cycle}
		}
		w.timer.Reset(t.pause(began, timeout))
	}
}

// arm starts the waiter's one timer.
func (w *lockWaiter) arm(d time.Duration) {
	if w.timer == nil {
		w.timer = time.NewTimer(d)
		return
	}
	w.timer.Reset(d)
}

// pause is how long to sleep until something besides a grant is due.
func (t *lockTable) pause(began time.Time, timeout time.Duration) time.Duration {
	if timeout <= 0 {
		return t.deadlockTimeout
	}
	return max(0, min(t.deadlockTimeout, timeout-time.Since(began)))
}

// giveUp leaves the queue with err, unless the grant came first: then the lock is held, and the
// caller is told so.
func (t *lockTable) giveUp(w *lockWaiter, l *lockable, err error) error {
	s := l.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.lock == nil {
		<-w.ready
		return nil
	}
	l.abandon(w)
	return err
}

// abandon takes w out of the queue and serves those it held up. The caller holds the shard's mu.
func (l *lockable) abandon(w *lockWaiter) {
	w.lock = nil
	l.dequeue(w)
	l.serve()
	if l.unused() {
		l.shard.drop(l)
	}
}
