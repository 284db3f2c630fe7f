package engine

import (
	"sync"
	"sync/atomic"
	"time"
)

// lockOwner is the side of a transaction that the lock table knows. Owners are pooled and stay
// listed in the lock table for its lifetime, so that one who asks for a strong table lock finds
// everybody's fast ones.
type lockOwner struct {
	session uint64 // set while the owner has no locks

	// The transaction's goroutine only, and the leader's when it releases: the transaction waits
	// for it meanwhile.
	journal    []lockEntry
	rows       int       // row locks in the journal
	escalateAt int       // row locks at which escalation is tried next
	whole      []TableID // tables held in a mode that excludes every row lock of others
	waiter     lockWaiter
	mu         sync.Mutex

	// peer is who else acts for the same session: a transaction's advisory locks and the other way
	// round. Of the two at most one waits.
	peer atomic.Pointer[lockOwner]

	// Written under mu by the transaction's goroutine, read by it without. Others read, and move
	// fast modes into the table, under mu.
	tables []tableHold
}

// tableHold is what an owner holds on one table.
type tableHold struct {
	table TableID
	modes modeSet // all of them; only the owner writes this

	// guarded by mu
	fast modeSet   // those known to nobody else
	lock *lockable // where the rest are
}

// lockEntry records one acquisition, so that a savepoint can take it back.
type lockEntry struct {
	lock  *lockable // of a row; nil for a table
	table TableID
	modes modeSet // those this acquisition added
}

// lockWaiter is an owner in a queue. A transaction belongs to one goroutine, so it waits for one
// lock at a time and one waiter an owner is enough.
type lockWaiter struct {
	owner *lockOwner
	ready chan struct{} // capacity 1: granting never blocks
	timer *time.Timer   // the owner's goroutine only

	// guarded by the shard's mu; lock is nil when not waiting
	lock       *lockable
	mode       mode
	since      time.Time
	prev, next *lockWaiter

	// guarded by every shard's mu: the search that saw this waiter last
	search uint64
}

// grant ends the wait. The caller holds the shard's mu and has dequeued w.
func (w *lockWaiter) grant() {
	w.lock = nil
	w.ready <- struct{}{}
}

// modesOn returns what the owner holds on a table.
func (o *lockOwner) modesOn(table TableID) modeSet {
	for i := range o.tables {
		if o.tables[i].table == table {
			return o.tables[i].modes
		}
	}
	return 0
}

// hold returns the owner's entry for a table, a new one if there is none. The caller holds mu.
func (o *lockOwner) hold(table TableID) *tableHold {
	for i := range o.tables {
		if o.tables[i].table == table {
			return &o.tables[i]
		}
	}
	o.tables = append(o.tables, tableHold{table: table})
	return &o.tables[len(o.tables)-1]
}

// holdsWhole says whether no other transaction can hold a row lock in the table.
func (o *lockOwner) holdsWhole(table TableID) bool {
	for _, t := range o.whole {
		if t == table {
			return true
		}
	}
	return false
}

// noteTable records that the owner was given m on a table.
func (o *lockOwner) noteTable(table TableID, m TableLockMode) {
	o.journal = append(o.journal, lockEntry{table: table, modes: mode(m).set()})
	if m >= ExclusiveLock && !o.holdsWhole(table) {
		o.whole = append(o.whole, table)
	}
}

// forgetWhole drops a table from whole when the modes left no longer justify it.
func (o *lockOwner) forgetWhole(table TableID, left modeSet) {
	if left&setOf(ExclusiveLock, AccessExclusiveLock) != 0 {
		return
	}
	for i, t := range o.whole {
		if t == table {
			o.whole = append(o.whole[:i], o.whole[i+1:]...)
			return
		}
	}
}
