package engine

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxLocks bounds the locks that exist at a time, over all transactions; each costs some 150
	// bytes and its key. It is enforced shard by shard, so that counting touches no shared line:
	// a skewed hash can fill one shard a little earlier.
	MaxLocks = 1 << 20

	lockShardCount = 64

	// lockSpareCount is how many unused lockables a shard keeps.
	lockSpareCount = 64

	// lockStripeCount is how finely strong table locks switch off the fast path: tables whose ids
	// are equal modulo this go off together.
	lockStripeCount = 1024

	// EscalateRowLocks is the number of row locks at which a transaction first tries to lock the
	// whole table instead; it tries again at each doubling.
	EscalateRowLocks = 4096

	// DefaultDeadlockTimeout is how long a transaction waits before it looks for a deadlock. Most
	// waits are for a commit on its way to the log and end in microseconds, while the search
	// stops the whole lock table.
	DefaultDeadlockTimeout = 20 * time.Millisecond

	// maxKeptJournal bounds the journal an idle owner keeps.
	maxKeptJournal = 1024
)

// lockTable holds the row and table locks of a DB. Lock order: owners' mu list, one owner's mu,
// shards in index order.
type lockTable struct {
	// immutable
	seed            maphash.Seed
	deadlockTimeout time.Duration
	perShard        int

	// strong counts holders of and waiters for strong modes on each stripe; above zero, weak
	// modes there go through the shards.
	strong [lockStripeCount]atomic.Int32

	shards [lockShardCount]lockShard

	mu     sync.Mutex
	owners []*lockOwner // guarded by mu: every owner ever made
	spare  []*lockOwner // guarded by mu: those of sessions that have ended

	searches uint64 // guarded by every shard's mu
}

// lockShard is a part of the lock table.
type lockShard struct {
	mu    sync.Mutex
	locks map[uint64]*lockable
	count int
	peak  int // largest count since the map was made
	spare []*lockable
	_     [64]byte // keeps neighbours off one cache line
}

func newLockTable() *lockTable {
	t := &lockTable{
		seed: maphash.MakeSeed(), deadlockTimeout: DefaultDeadlockTimeout,
		perShard: MaxLocks / lockShardCount,
	}
	for i := range t.shards {
		t.shards[i].locks = make(map[uint64]*lockable)
	}
	return t
}

// newOwner makes an owner and lists it. Owners are never unlisted: their number is that of the
// transactions that were open at once.
func (t *lockTable) newOwner() *lockOwner {
	o := &lockOwner{escalateAt: EscalateRowLocks}
	o.waiter.owner = o
	o.waiter.ready = make(chan struct{}, 1)
	t.mu.Lock()
	t.owners = append(t.owners, o)
	t.mu.Unlock()
	return o
}

// lockRequest is one thing asked of the table.
type lockRequest struct {
	table   TableID
	row     bool
	key     []byte // of a row or an advisory lock
	mode    mode
	policy  WaitPolicy
	timeout time.Duration // 0: none
}

func (t *lockTable) hash(r *lockRequest) uint64 {
	h := uint64(r.table) * 0x9e3779b97f4a7c15
	if r.row || r.key != nil {
		h ^= maphash.Bytes(t.seed, r.key)
	}
	return h
}

func (t *lockTable) shard(hash uint64) *lockShard { return &t.shards[hash>>58] }

// acquire gives o what r asks for and returns the lockable, with the modes that were new to o.
func (t *lockTable) acquire(
	ctx context.Context, o *lockOwner, r lockRequest,
) (*lockable, modeSet, error) {
	hash := t.hash(&r)
	s := t.shard(hash)
	s.mu.Lock()
	l := s.find(hash, &r)
	if l == nil {
		if s.count >= t.perShard {
			s.mu.Unlock()
			return nil, 0, fmt.Errorf("%w: at most %d at a time", ErrTooManyLocks, MaxLocks)
		}
		l = s.add(hash, &r)
	}
	held := l.heldBy(o)
	if held&r.mode.set() != 0 || r.row && r.mode.rowCovered(held) {
		s.mu.Unlock()
		return l, 0, nil
	}
	before := l.place(o)
	if l.free(o, r.mode, before) {
		l.grant(o, r.mode.set())
		s.mu.Unlock()
		return l, r.mode.set(), nil
	}
	if r.policy != Wait {
		s.mu.Unlock()
		return nil, 0, ErrLockNotAvailable
	}
	w := &o.waiter
	w.lock, w.mode, w.since = l, r.mode, time.Now()
	l.enqueue(w, before)
	s.mu.Unlock()
	if err := t.await(ctx, w, l, r.timeout); err != nil {
		return nil, 0, err
	}
	return l, r.mode.set(), nil
}

// find returns the lockable of a request or nil. The caller holds mu.
func (s *lockShard) find(hash uint64, r *lockRequest) *lockable {
	for l := s.locks[hash]; l != nil; l = l.next {
		if l.is(r.table, r.row, r.key) {
			return l
		}
	}
	return nil
}

// add makes a lockable. The caller holds mu and grants it to somebody before unlocking.
func (s *lockShard) add(hash uint64, r *lockRequest) *lockable {
	var l *lockable
	if n := len(s.spare); n > 0 {
		l, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		l = &lockable{shard: s}
	}
	l.hash, l.table, l.row, l.next = hash, r.table, r.row, s.locks[hash]
	l.key = append(l.key[:0], r.key...)
	s.locks[hash] = l
	s.count++
	s.peak = max(s.peak, s.count)
	return l
}

// drop takes an unused lockable out. The caller holds mu.
func (s *lockShard) drop(l *lockable) {
	if first := s.locks[l.hash]; first != l {
		for first.next != l {
			first = first.next
		}
		first.next = l.next
	} else if l.next != nil {
		s.locks[l.hash] = l.next
	} else {
		delete(s.locks, l.hash)
	}
	l.next = nil
	s.count--
	if len(s.spare) < lockSpareCount && cap(l.key) <= 1024 && cap(l.holders) <= 16 {
		s.spare = append(s.spare, l)
	}
	// A map never gives memory back, so one that held a bulk load is replaced.
	if s.count == 0 && s.peak > 4*lockSpareCount {
		s.locks = make(map[uint64]*lockable)
		s.peak = 0
	}
}

// revoke takes modes from o and serves the queue.
func (t *lockTable) revoke(o *lockOwner, l *lockable, modes modeSet) {
	s := l.shard
	s.mu.Lock()
	l.revoke(o, modes)
	if l.head != nil {
		l.serve()
	}
	if l.unused() {
		s.drop(l)
	}
	s.mu.Unlock()
}
