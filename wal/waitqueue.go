package wal

import (
	"slices"
	"sort"
	"sync"
)

// waiter waits for one position. It is queued from add until it is woken or removed.
type waiter struct {
	lsn  LSN
	done chan wakeUp // capacity 1
}

// wakeUp tells a waiter how its wait ended, and whom it has to wake in turn.
type wakeUp struct {
	err  error
	rest []*waiter
}

var waiterPool = sync.Pool{New: func() any { return &waiter{done: make(chan wakeUp, 1)} }}

// waitQueue is everyone waiting for flushed, one queue ordered by position, so that an advance
// touches only those it wakes. Positions are mostly waited for in the order they were given out: a
// newcomer nearly always goes to the end, and a slice is then cheaper than a heap, whose every pop
// walks its height. A late one costs a move of the pointers behind it, some microseconds among ten
// thousand.
//
// It is as long as there are sessions (W6).
type waitQueue struct {
	array []*waiter
	head  int // array[head:] is the queue, ascending
}

// first is who waits for the lowest position, or nil.
func (q *waitQueue) first() *waiter {
	if q.head == len(q.array) {
		return nil
	}
	return q.array[q.head]
}

// after is the index of the first who waits for more than lsn.
func (q *waitQueue) after(lsn LSN) int {
	n := sort.Search(len(q.array)-q.head, func(i int) bool { return q.array[q.head+i].lsn > lsn })
	return q.head + n
}

func (q *waitQueue) add(w *waiter) {
	if len(q.array) == cap(q.array) && q.head > len(q.array)/2 {
		// The room in front is used again before the array grows.
		n := copy(q.array, q.array[q.head:])
		clear(q.array[n:])
		q.array, q.head = q.array[:n], 0
	}
	if last := len(q.array) - 1; last < q.head || q.array[last].lsn <= w.lsn {
		q.array = append(q.array, w)
		return
	}
	q.array = slices.Insert(q.array, q.after(w.lsn), w)
}

// remove takes w out; false says that it is being woken.
func (q *waitQueue) remove(w *waiter) bool {
	for i := q.after(w.lsn) - 1; i >= q.head && q.array[i].lsn == w.lsn; i-- {
		if q.array[i] == w {
			q.array = slices.Delete(q.array, i, i+1)
			return true
		}
	}
	return false
}

// wakeFan is how many one goroutine wakes itself. The flusher has the next fsync to begin: with
// more to wake, each of these few takes a share along, and so on, so that ten thousand sessions
// cost it the copy of a slice and are woken on all processors.
const wakeFan = 16

// wake ends the waits for positions up to lsn.
func (q *waitQueue) wake(lsn LSN, err error) {
	end := q.after(lsn)
	woken := q.array[q.head:end]
	if len(woken) > wakeFan {
		woken = slices.Clone(woken) // the array is used again while they are still at it
	}
	pass(woken, err)
	clear(q.array[q.head:end])
	if q.head = end; q.head == len(q.array) {
		q.array, q.head = q.array[:0], 0
	}
}

// pass wakes the first of wakeFan equal parts each, with the rest of its part to wake.
func pass(woken []*waiter, err error) {
	for parts := wakeFan; len(woken) > 0; parts-- {
		n := (len(woken) + parts - 1) / parts
		woken[0].done <- wakeUp{err: err, rest: woken[1:n]}
		woken = woken[n:]
	}
}

// outcome wakes those the waiter was charged with and says how its own wait ended.
func (w wakeUp) outcome() (reached bool, err error) {
	pass(w.rest, w.err)
	return w.err == nil, w.err
}
