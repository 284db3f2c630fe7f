package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// MaxAdvisoryLocks bounds the advisory locks of one session, so that one cannot use up MaxLocks.
const MaxAdvisoryLocks = 1 << 16

// advisoryTable is the table under which advisory locks lie in the lock table. No row of it can be
// locked, and it is no table either.
const advisoryTable = metaTable

// AdvisoryKey names what an advisory lock is on: whatever the clients agree that it is. Pair keeps
// two keys of 32 bits apart from one of 64.
type AdvisoryKey struct {
	Value int64
	Pair  bool
}

// advisoryKeySize is Value and Pair as the lock table knows them.
const advisoryKeySize = 9

func (k AdvisoryKey) encode() []byte {
	var b [advisoryKeySize]byte
	binary.BigEndian.PutUint64(b[:], uint64(k.Value))
	if k.Pair {
		b[8] = 1
	}
	return b[:]
}

func decodeAdvisoryKey(b []byte) AdvisoryKey {
	return AdvisoryKey{Value: int64(binary.BigEndian.Uint64(b)), Pair: b[8] == 1}
}

// AdvisoryLocks are the advisory locks of one session. They outlive its transactions, so they have
// an owner of their own. Those taken for a transaction belong to the one that joined last, and go
// when it ends. All methods are for the session's goroutine, as the transaction is.
//
// Between transaction and session nothing ever conflicts: they are one who waits. A search for
// deadlocks has to know it, since a circle may enter by a lock of the one and leave by the wait of
// the other: each is the other's peer.
type AdvisoryLocks struct {
	db    *DB
	owner *lockOwner
	held  map[advisoryTarget]*advisoryHold
	txn   []advisoryTarget // those the transaction holds, in the order it took them
}

type advisoryTarget struct {
	AdvisoryKey
	shared bool
}

// advisoryHold is a lock the session has, and how often.
type advisoryHold struct {
	lock    *lockable
	session int
	txn     bool
}

func (t advisoryTarget) mode() mode {
	if t.shared {
		return mode(ShareLock)
	}
	return mode(ExclusiveLock)
}

// AdvisoryLocks gives a session what its advisory locks are kept in. It must be closed.
func (db *DB) AdvisoryLocks(session uint64) *AdvisoryLocks {
	o := db.locks.spareOwner()
	o.session = session
	return &AdvisoryLocks{db: db, owner: o, held: make(map[advisoryTarget]*advisoryHold)}
}

// spareOwner gives an owner that no transaction has.
func (t *lockTable) spareOwner() *lockOwner {
	t.mu.Lock()
	if n := len(t.spare); n > 0 {
		o := t.spare[n-1]
		t.spare = t.spare[:n-1]
		t.mu.Unlock()
		return o
	}
	t.mu.Unlock()
	return t.newOwner()
}

// Join makes t the transaction the locks belong to, until it ends.
func (a *AdvisoryLocks) Join(t *Txn) {
	if t.txnState == nil || t.advisory == a {
		return
	}
	t.advisory = a
	a.owner.peer.Store(t.owner)
	t.owner.peer.Store(a.owner)
}

// leave undoes Join when the transaction ends.
func (a *AdvisoryLocks) leave(s *txnState) {
	a.releaseTo(0)
	s.advisory = nil
	a.owner.peer.Store(nil)
	s.owner.peer.Store(nil)
}

// Lock takes a lock for the session or, with txn, for the transaction that joined. A session lock
// is counted.
func (a *AdvisoryLocks) Lock(
	ctx context.Context, key AdvisoryKey, shared, txn bool, p WaitPolicy, timeout time.Duration,
) error {
	target := advisoryTarget{key, shared}
	h := a.held[target]
	if h == nil {
		if len(a.held) >= MaxAdvisoryLocks {
			return fmt.Errorf("%w: at most %d advisory ones a session", ErrTooManyLocks,
				MaxAdvisoryLocks)
		}
		l, _, err := a.db.locks.acquire(ctx, a.owner, lockRequest{
			table: advisoryTable, key: key.encode(), mode: target.mode(), policy: p, timeout: timeout,
		})
		if err != nil {
			return err
		}
		h = &advisoryHold{lock: l}
		a.held[target] = h
	}
	switch {
	case !txn:
		h.session++
	case !h.txn:
		h.txn = true
		a.txn = append(a.txn, target)
	}
	return nil
}

// Unlock gives one session lock back; false when there is none.
func (a *AdvisoryLocks) Unlock(key AdvisoryKey, shared bool) bool {
	target := advisoryTarget{key, shared}
	h := a.held[target]
	if h == nil || h.session == 0 {
		return false
	}
	h.session--
	a.drop(target, h)
	return true
}

// UnlockAll gives every session lock back.
func (a *AdvisoryLocks) UnlockAll() {
	for target, h := range a.held {
		h.session = 0
		a.drop(target, h)
	}
}

// releaseTo gives back what the transaction took after its first n.
func (a *AdvisoryLocks) releaseTo(n int) {
	for i := len(a.txn) - 1; i >= n; i-- {
		h := a.held[a.txn[i]]
		h.txn = false
		a.drop(a.txn[i], h)
	}
	a.txn = a.txn[:n]
}

// drop lets go of a lock that nothing counts any more.
func (a *AdvisoryLocks) drop(target advisoryTarget, h *advisoryHold) {
	if h.session == 0 && !h.txn {
		a.db.locks.revoke(a.owner, h.lock, target.mode().set())
		delete(a.held, target)
	}
}

// Close gives everything back. The transaction has ended.
func (a *AdvisoryLocks) Close() {
	a.UnlockAll()
	t := a.db.locks
	t.mu.Lock()
	t.spare = append(t.spare, a.owner)
	t.mu.Unlock()
	a.owner = nil
}
