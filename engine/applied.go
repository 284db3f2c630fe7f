package engine

import (
	"container/heap"
	"context"
	"sync"
	"sync/atomic"

	"ackdb/wal"
)

// appliedPosition is how far the log is visible, and who waits for it to be.
type appliedPosition struct {
	lsn atomic.Uint64

	// waiting is how many wait: the leader looks at it with every group, and takes mu only when
	// there is somebody. Who waits counts himself in before he looks at lsn, and the leader moves
	// lsn before it looks at waiting, so one of the two sees the other.
	waiting atomic.Int32

	mu sync.Mutex

	// guarded by mu
	queue     appliedQueue
	listeners []func(wal.LSN)
}

func (p *appliedPosition) load() wal.LSN { return wal.LSN(p.lsn.Load()) }

// publish moves the position and wakes who waited for it. One goroutine at a time: the leader, or
// the standby's applying one.
func (p *appliedPosition) publish(lsn wal.LSN) {
	p.lsn.Store(uint64(lsn))
	if p.waiting.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) > 0 && p.queue[0].lsn <= lsn {
		close(heap.Pop(&p.queue).(*appliedWait).done)
	}
}

// tell calls the listeners.
func (p *appliedPosition) tell(lsn wal.LSN) {
	p.mu.Lock()
	listeners := p.listeners
	p.mu.Unlock()
	for _, f := range listeners {
		f(lsn)
	}
}

// enqueue adds a wait; its done is closed once lsn is applied.
func (p *appliedPosition) enqueue(lsn wal.LSN) *appliedWait {
	w := &appliedWait{lsn: lsn, done: make(chan struct{})}
	p.mu.Lock()
	heap.Push(&p.queue, w)
	p.mu.Unlock()
	return w
}

// leave takes a wait that ended early out of the queue.
func (p *appliedPosition) leave(w *appliedWait) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.index >= 0 {
		heap.Remove(&p.queue, w.index)
	}
}

// appliedWait is one who waits.
type appliedWait struct {
	lsn   wal.LSN
	done  chan struct{}
	index int // in the queue, -1 outside
}

// appliedQueue is a heap of waits, the lowest position first. It is bounded by the sessions.
type appliedQueue []*appliedWait

func (q appliedQueue) Len() int           { return len(q) }
func (q appliedQueue) Less(i, j int) bool { return q[i].lsn < q[j].lsn }

func (q appliedQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *appliedQueue) Push(x any) {
	w := x.(*appliedWait)
	w.index = len(*q)
	*q = append(*q, w)
}

func (q *appliedQueue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last], w.index = nil, -1
	*q = (*q)[:last]
	return w
}

// Applied is the end of the last commit whose effects are visible. On a standby it also passes
// what has no effects, so it reaches the end of the log.
func (db *DB) Applied() wal.LSN { return db.applied.load() }

// AwaitApplied returns once everything that ends at or below the LSN is visible. It waits on when
// replay is paused, and through a promotion.
func (db *DB) AwaitApplied(ctx context.Context, lsn wal.LSN) error {
	p := &db.applied
	if p.load() >= lsn {
		return nil
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	w := p.enqueue(lsn)
	defer p.leave(w)
	if p.load() >= lsn {
		return nil
	}
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-db.dead:
		return db.failure()
	case <-db.ending:
		return db.closedError()
	}
}

// OnApplied has f called after every advance of applied on a standby, on the goroutine that
// applies: f must not block. The commits of a primary call nobody.
func (db *DB) OnApplied(f func(wal.LSN)) {
	db.applied.mu.Lock()
	defer db.applied.mu.Unlock()
	db.applied.listeners = append(db.applied.listeners[:len(db.applied.listeners):len(
		db.applied.listeners)], f)
}
