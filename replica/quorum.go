package replica

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"ackdb/wal"
)

// rung is what a peer can confirm of a position: that it is written, flushed or applied there.
type rung int

const (
	rungWrite rung = iota
	rungFlush
	rungApply
	rungs
)

// positions is one position a rung; 0 is none.
type positions [rungs]wal.LSN

// rungOf is what a level needs from standbys; ok is false for one that needs nothing of them.
func rungOf(level wal.Level) (r rung, ok bool) {
	switch level {
	case wal.LevelRemoteWrite:
		return rungWrite, true
	case wal.LevelOn:
		return rungFlush, true
	case wal.LevelRemoteApply:
		return rungApply, true
	}
	return 0, false
}

// member is a connected peer as the quorum sees it. All fields but the first four are guarded by
// quorum.mu.
type member struct {
	app       string
	node      uint64 // of a replica that shook hands, else 0
	isReplica bool
	order     uint64 // of connecting: who came first is chosen first

	streaming bool      // it has all the current timeline had when it last looked
	proven    positions // what it has reported and that counts; never goes back
}

// quorum knows what every peer has confirmed, and holds the commits that wait for some of them.
//
// For each rung reached is the highest position that as many peers had confirmed as the setting in
// force asks for, and it stands when they leave: what they confirmed, they have. A peer that leaves
// does not lower what is asked for.
//
// Its lock is a leaf.
type quorum struct {
	required atomic.Bool // names are not empty

	mu      sync.Mutex
	names   StandbyNames
	joined  uint64
	members []*member // in the order they connected
	reached positions
	waiting [rungs]syncQueue
	counts  []*countWaiter // ascending by position
	closed  bool
}

// countWaiter waits for n replicas to have flushed a position.
type countWaiter struct {
	lsn  wal.LSN
	n    int
	done chan error // capacity 1
}

// join takes a peer in; node is 0 unless it shook hands. Of a node that is there already only this
// connection counts from now on: the one before is half open, its timeout not over yet, and one
// disk would be taken for two.
func (q *quorum) join(app string, node uint64) *member {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.joined++
	m := &member{app: app, node: node, isReplica: node != 0, order: q.joined}
	q.members = slices.DeleteFunc(q.members, func(o *member) bool {
		return node != 0 && o.node == node
	})
	q.members = append(q.members, m)
	q.recomputeLocked() // as when one leaves
	return m
}

func (q *quorum) leave(m *member) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.members = slices.DeleteFunc(q.members, func(o *member) bool { return o == m })
	// With FIRST n another may move up, whose position is higher.
	q.recomputeLocked()
}

// stream says that a peer has caught up. From now on it counts.
func (q *quorum) stream(m *member) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m.streaming = true
	q.recomputeLocked()
}

// report takes what a peer has proven to have. A position lower than before, or 0, changes nothing.
func (q *quorum) report(m *member, p positions) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := m.proven
	for r := range p {
		m.proven[r] = max(m.proven[r], p[r])
	}
	if m.streaming && m.proven != before {
		q.recomputeLocked()
	}
	if m.isReplica && m.proven[rungFlush] > before[rungFlush] {
		q.wakeCountsLocked()
	}
}

// set puts a new value of synchronous_standby_names in force. What was reached under the old one
// says nothing about the new one.
func (q *quorum) set(names StandbyNames) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.names, q.reached = names, positions{}
	q.required.Store(!names.Empty())
	if names.Empty() {
		for r := range q.waiting {
			q.waiting[r].wakeAll(nil)
		}
	}
	q.recomputeLocked()
}

// candidatesLocked are those who count for a rung, first those who are chosen first. REQUIRES: mu.
func (q *quorum) candidatesLocked(r rung) []*member {
	var found []*member
	for _, m := range q.members {
		if m.streaming && m.proven[r] != 0 && q.names.Priority(m.app, m.isReplica) != 0 {
			found = append(found, m)
		}
	}
	if !q.names.Any {
		// Stable: of two with the same name the one that connected first comes first.
		slices.SortStableFunc(found, func(a, b *member) int {
			return cmp.Compare(q.names.Priority(a.app, a.isReplica),
				q.names.Priority(b.app, b.isReplica))
		})
	}
	return found
}

// recomputeLocked moves reached and wakes whom it passes. REQUIRES: mu.
func (q *quorum) recomputeLocked() {
	if q.names.Empty() {
		return
	}
	for r := range rungs {
		found := q.candidatesLocked(r)
		if len(found) < q.names.N {
			continue
		}
		at := make([]wal.LSN, len(found))
		for i, m := range found {
			at[i] = m.proven[r]
		}
		var reached wal.LSN
		if q.names.Any {
			slices.Sort(at)
			reached = at[len(at)-q.names.N]
		} else {
			reached = slices.Min(at[:q.names.N])
		}
		if reached > q.reached[r] {
			q.reached[r] = reached
			q.waiting[r].wake(reached, nil)
		}
	}
}

// wait returns when as many peers as asked for have confirmed lsn on the rung, or when nobody is
// asked any more.
func (q *quorum) wait(ctx context.Context, lsn wal.LSN, r rung) error {
	w, err := q.enqueue(lsn, r)
	if w == nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	q.mu.Lock()
	removed := q.waiting[r].remove(w)
	q.mu.Unlock()
	if !removed {
		// It was reached in the same moment, and that is the better answer.
		return <-w.done
	}
	return context.Cause(ctx)
}

// enqueue puts a wait into its queue, unless it is over already: then it gives no waiter.
func (q *quorum) enqueue(lsn wal.LSN, r rung) (*syncWaiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return nil, ErrHubClosed
	case q.names.Empty() || q.reached[r] >= lsn:
		return nil, nil
	}
	w := &syncWaiter{lsn: lsn, done: make(chan error, 1)}
	q.waiting[r].add(w)
	return w, nil
}

// countFlushedLocked is how many replicas have flushed lsn. REQUIRES: mu.
func (q *quorum) countFlushedLocked(lsn wal.LSN) int {
	n := 0
	for _, m := range q.members {
		if m.isReplica && m.proven[rungFlush] >= lsn {
			n++
		}
	}
	return n
}

func (q *quorum) countFlushed(lsn wal.LSN) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.countFlushedLocked(lsn)
}

// wakeCountsLocked wakes those whose count is complete. REQUIRES: mu.
func (q *quorum) wakeCountsLocked() {
	q.counts = slices.DeleteFunc(q.counts, func(w *countWaiter) bool {
		if q.countFlushedLocked(w.lsn) < w.n {
			return false
		}
		w.done <- nil
		return true
	})
}

// waitCount returns when n replicas at once are known to have flushed lsn.
func (q *quorum) waitCount(ctx context.Context, n int, lsn wal.LSN) error {
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return ErrHubClosed
	case q.countFlushedLocked(lsn) >= n:
		q.mu.Unlock()
		return nil
	}
	w := &countWaiter{lsn: lsn, n: n, done: make(chan error, 1)}
	q.counts = append(q.counts, w)
	q.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	q.mu.Lock()
	at := slices.Index(q.counts, w)
	if at >= 0 {
		q.counts = slices.Delete(q.counts, at, at+1)
	}
	q.mu.Unlock()
	if at < 0 {
		return <-w.done
	}
	return context.Cause(ctx)
}

// close ends every wait.
func (q *quorum) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for r := range q.waiting {
		q.waiting[r].wakeAll(ErrHubClosed)
	}
	for _, w := range q.counts {
		w.done <- ErrHubClosed
	}
	q.counts = nil
}

// SyncState is what a standby is to commits that wait for standbys, in Postgres' words.
type SyncState string

// The states of a standby.
const (
	SyncAsync     SyncState = "async"     // it is not asked
	SyncPotential SyncState = "potential" // it is asked when one before it goes
	SyncSync      SyncState = "sync"      // every commit waits for it, and it has all before
	SyncQuorum    SyncState = "quorum"    // it is one of those of whom some suffice
)

// standing is a peer's place in the list and what that makes of it now.
func (q *quorum) standing(m *member) (priority int, state SyncState) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m.proven[rungFlush] == 0 || !slices.Contains(q.members, m) {
		return 0, SyncAsync
	}
	switch priority = q.names.Priority(m.app, m.isReplica); {
	case priority == 0:
		return 0, SyncAsync
	case q.names.Any:
		return 1, SyncQuorum
	}
	chosen := q.candidatesLocked(rungFlush)
	// One that has just moved up may lack commits that were answered while another was asked. Before
	// it has them it is not called the one to promote.
	complete := m.proven[rungFlush] >= q.reached[rungFlush]
	if complete && slices.Contains(chosen[:min(q.names.N, len(chosen))], m) {
		return priority, SyncSync
	}
	return priority, SyncPotential
}
