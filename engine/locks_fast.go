package engine

import (
	"context"
	"sync/atomic"
	"time"
)

// Every statement locks its table in a weak mode, and weak modes do not conflict with each other.
// So an owner notes a weak mode in its own list and tells nobody. One who wants a strong mode
// first switches the fast path off for the table's stripe and then collects, owner by owner, what
// was taken before:
//
//	weak                               strong
//	----                               ------
//	lock own mu                        stripe's count + 1
//	  count is 0: note the mode        for each owner: lock its mu,
//	unlock                               move its modes into the shards
//
// Whichever comes first at an owner's mu, the mode is either found there or taken in the shards.

// lockTableMode gives o a table lock.
func (t *lockTable) lockTableMode(
	ctx context.Context, o *lockOwner, table TableID, m TableLockMode,
	policy WaitPolicy, timeout time.Duration,
) error {
	if o.modesOn(table)&mode(m).set() != 0 {
		return nil
	}
	if m.weak() && t.tryFast(o, table, m) {
		o.noteTable(table, m)
		return nil
	}
	if m.strong() {
		t.stripe(table).Add(1)
		t.collectFast(table)
	}
	l, added, err := t.acquire(ctx, o, lockRequest{
		table: table, mode: mode(m), policy: policy, timeout: timeout,
	})
	if err != nil {
		if m.strong() {
			t.stripe(table).Add(-1)
		}
		return err
	}
	o.mu.Lock()
	h := o.hold(table)
	h.modes |= added
	h.lock = l
	o.mu.Unlock()
	o.noteTable(table, m)
	return nil
}

func (t *lockTable) stripe(table TableID) *atomic.Int32 {
	return &t.strong[table%lockStripeCount]
}

func (t *lockTable) tryFast(o *lockOwner, table TableID, m TableLockMode) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t.stripe(table).Load() != 0 {
		return false
	}
	h := o.hold(table)
	h.modes |= mode(m).set()
	h.fast |= mode(m).set()
	return true
}

// collectFast moves every fast mode on a table into the shards. The stripe is off, so none is
// added meanwhile.
func (t *lockTable) collectFast(table TableID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.owners {
		o.mu.Lock()
		for i := range o.tables {
			if h := &o.tables[i]; h.table == table && h.fast != 0 {
				t.moveFast(o, h)
			}
		}
		o.mu.Unlock()
	}
}

// moveFast makes an owner's fast modes ordinary ones. They were granted when they were noted, so
// they pass any queue: nothing strong can have been granted since. The bound on locks does not
// apply, for the caller who asks for one more lockable is about to be counted itself.
func (t *lockTable) moveFast(o *lockOwner, h *tableHold) {
	r := lockRequest{table: h.table}
	hash := t.hash(&r)
	s := t.shard(hash)
	s.mu.Lock()
	l := s.find(hash, &r)
	if l == nil {
		l = s.add(hash, &r)
	}
	l.grant(o, h.fast)
	s.mu.Unlock()
	h.fast, h.lock = 0, l
}
