package engine

// lockable is one locked table or row with its holders and its queue. It exists while it has
// either, and is recycled by its shard afterwards.
type lockable struct {
	// immutable while in use
	shard *lockShard
	hash  uint64
	table TableID
	row   bool
	key   []byte

	// guarded by shard.mu
	next       *lockable // another lockable of the same hash
	holders    []lockHolder
	head, tail *lockWaiter
}

// lockHolder is one transaction with every mode it holds.
type lockHolder struct {
	owner *lockOwner
	modes modeSet
}

// is says whether l locks this target.
func (l *lockable) is(table TableID, row bool, key []byte) bool {
	return l.table == table && l.row == row && string(l.key) == string(key)
}

// holder returns o's entry or nil. It is valid until the holders change.
func (l *lockable) holder(o *lockOwner) *lockHolder {
	for i := range l.holders {
		if l.holders[i].owner == o {
			return &l.holders[i]
		}
	}
	return nil
}

func (l *lockable) heldBy(o *lockOwner) modeSet {
	if h := l.holder(o); h != nil {
		return h.modes
	}
	return 0
}

// heldByOthers is every mode that somebody besides o holds.
func (l *lockable) heldByOthers(o *lockOwner) modeSet {
	var s modeSet
	for i := range l.holders {
		if l.holders[i].owner != o {
			s |= l.holders[i].modes
		}
	}
	return s
}

func (l *lockable) grant(o *lockOwner, modes modeSet) {
	if h := l.holder(o); h != nil {
		h.modes |= modes
		return
	}
	l.holders = append(l.holders, lockHolder{o, modes})
}

// revoke takes modes from o.
func (l *lockable) revoke(o *lockOwner, modes modeSet) {
	for i := range l.holders {
		if l.holders[i].owner != o {
			continue
		}
		if l.holders[i].modes &^= modes; l.holders[i].modes == 0 {
			last := len(l.holders) - 1
			l.holders[i] = l.holders[last]
			l.holders[last] = lockHolder{}
			l.holders = l.holders[:last]
		}
		return
	}
}

func (l *lockable) unused() bool { return len(l.holders) == 0 && l.head == nil }

// place returns the waiter before which o has to queue, nil for the end of the queue. One who
// already holds a mode goes ahead of those who wait for just that mode: behind them it would wait
// for itself. Everybody else goes to the end.
func (l *lockable) place(o *lockOwner) *lockWaiter {
	held := l.heldBy(o)
	if held == 0 {
		return nil
	}
	for w := l.head; w != nil; w = w.next {
		if w.mode.blockedBy(held) {
			return w
		}
	}
	return nil
}

// free says whether o may have m at once when it would queue before `before`. A waiter ahead
// counts as much as a holder: passing it would starve it (T3).
func (l *lockable) free(o *lockOwner, m mode, before *lockWaiter) bool {
	if m.blockedBy(l.heldByOthers(o)) {
		return false
	}
	for w := l.head; w != before; w = w.next {
		if m.blockedBy(w.mode.set()) {
			return false
		}
	}
	return true
}

// enqueue puts w into the queue before `before`, at the end if that is nil.
func (l *lockable) enqueue(w, before *lockWaiter) {
	w.next = before
	if before == nil {
		w.prev, l.tail = l.tail, w
	} else {
		w.prev, before.prev = before.prev, w
	}
	if w.prev == nil {
		l.head = w
	} else {
		w.prev.next = w
	}
}

func (l *lockable) dequeue(w *lockWaiter) {
	if w.prev == nil {
		l.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev = nil, nil
}

// serve grants, in queue order, whatever no longer conflicts with a holder or with a waiter that
// stays ahead.
func (l *lockable) serve() {
	var ahead modeSet
	for w := l.head; w != nil; {
		next := w.next
		if w.mode.blockedBy(ahead) || w.mode.blockedBy(l.heldByOthers(w.owner)) {
			ahead |= w.mode.set()
			if w.mode.excludesAll() {
				return
			}
		} else {
			l.dequeue(w)
			l.grant(w.owner, w.mode.set())
			w.grant()
		}
		w = next
	}
}
