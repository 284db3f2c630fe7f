package engine

// release gives back everything t holds. The leader calls it after apply, from its own goroutine,
// while t's waits: before any durable wait, which W7 makes safe, and after apply (T2).
func (l *lockTable) release(t *Txn) { l.releaseAll(t.owner) }

func (t *lockTable) releaseAll(o *lockOwner) {
	if len(o.journal) > 0 {
		t.releaseTo(o, 0)
	}
	if cap(o.journal) > maxKeptJournal {
		o.journal = nil
	}
	o.rows, o.escalateAt = 0, EscalateRowLocks
}

// releaseTo takes back the acquisitions of the journal beyond its first n, newest first.
func (t *lockTable) releaseTo(o *lockOwner, n int) {
	for i := len(o.journal) - 1; i >= n; i-- {
		e := o.journal[i]
		o.journal[i].lock = nil
		if e.lock != nil {
			t.revoke(o, e.lock, e.modes)
			o.rows--
			continue
		}
		t.revokeTable(o, e.table, e.modes)
	}
	o.journal = o.journal[:n]
}

// revokeTable takes table modes from o, wherever they are noted.
func (t *lockTable) revokeTable(o *lockOwner, table TableID, modes modeSet) {
	o.mu.Lock()
	h := o.hold(table)
	h.modes &^= modes
	l := h.lock
	slow := modes &^ h.fast
	h.fast &^= modes
	left := h.modes
	if left == h.fast {
		h.lock = nil
	}
	if left == 0 {
		last := len(o.tables) - 1
		*h = o.tables[last]
		o.tables[last] = tableHold{}
		o.tables = o.tables[:last]
	}
	o.mu.Unlock()
	if slow != 0 {
		t.revoke(o, l, slow)
	}
	for m := ShareLock; m <= AccessExclusiveLock; m++ {
		if modes&mode(m).set() != 0 {
			t.stripe(table).Add(-1)
		}
	}
	if len(o.whole) > 0 {
		o.forgetWhole(table, left)
	}
}
