package replica

import (
	"slices"
	"sort"

	"ackdb/wal"
)

// syncWaiter waits for one position to be confirmed.
type syncWaiter struct {
	lsn  wal.LSN
	done chan error // capacity 1
}

// syncQueue is everyone waiting on one rung, ascending by position, so that a report touches only
// those it wakes. It is as long as there are sessions.
type syncQueue struct {
	waiters []*syncWaiter
}

// after is the index of the first who waits for more than lsn.
func (q *syncQueue) after(lsn wal.LSN) int {
	return sort.Search(len(q.waiters), func(i int) bool { return q.waiters[i].lsn > lsn })
}

func (q *syncQueue) add(w *syncWaiter) {
	q.waiters = slices.Insert(q.waiters, q.after(w.lsn), w)
}

// remove takes w out; false says that it has been woken.
func (q *syncQueue) remove(w *syncWaiter) bool {
	for i := q.after(w.lsn) - 1; i >= 0 && q.waiters[i].lsn == w.lsn; i-- {
		if q.waiters[i] == w {
			q.waiters = slices.Delete(q.waiters, i, i+1)
			return true
		}
	}
	return false
}

// wake ends the waits for positions up to lsn.
func (q *syncQueue) wake(lsn wal.LSN, err error) {
	end := q.after(lsn)
	for _, w := range q.waiters[:end] {
		w.done <- err
	}
	q.waiters = slices.Delete(q.waiters, 0, end)
}

func (q *syncQueue) wakeAll(err error) {
	for _, w := range q.waiters {
		w.done <- err
	}
	q.waiters = nil
}
