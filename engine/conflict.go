package engine

import (
	"sort"
	"sync"
	"sync/atomic"

	"ackdb/wal"
)

// Bounds of what is kept to validate SERIALIZABLE transactions.
const (
	// MaxConflictWindow bounds the write sets kept, in bytes. Beyond it the oldest go, and with
	// them the transactions whose snapshots are older still.
	MaxConflictWindow = 16 << 20

	// maxExactKeys is the number of keys up to which a write set is kept key by key; a larger
	// one becomes one span a table.
	maxExactKeys = 4096

	// writtenOverhead is counted for each write set kept, besides its bytes.
	writtenOverhead = 96
)

// conflictWindow knows what was committed since the oldest snapshot of a SERIALIZABLE transaction
// that may write. While there is none it keeps nothing, and a commit costs two atomic accesses.
//
// T5: whether a reader misses a commit is decided by the order of four steps: the reader registers,
// then takes its snapshot; the leader makes a commit visible, then publishes it here. If the
// snapshot lacks the commit, the reader was registered before the leader looked.
type conflictWindow struct {
	readers atomic.Int32  // registered
	floor   atomic.Uint64 // LSN: a commit at or below it may be missing from the window

	// leader only: members of the group being committed, in order, the first `published` of them
	// done with
	admitted  []admission
	published int

	mu sync.Mutex

	// guarded by mu
	active []*readSet
	recent []*writtenKeys // by ascending LSN, each above floor
	size   int
}

// admission is a member that passed validation and is not published yet.
type admission struct {
	txn     *Txn
	written *writtenKeys // nil until somebody has to be compared with it
}

func newConflictWindow() *conflictWindow { return new(conflictWindow) }

// register adds a transaction that will be validated. It must be called before the transaction
// takes its snapshot.
func (c *conflictWindow) register() *readSet {
	r := new(readSet)
	c.mu.Lock()
	c.active = append(c.active, r)
	c.mu.Unlock()
	c.readers.Add(1)
	return r
}

// setSnapshot tells the position of the snapshot taken after register.
func (c *conflictWindow) setSnapshot(r *readSet, lsn wal.LSN) {
	c.mu.Lock()
	r.snapshot = lsn
	c.mu.Unlock()
}

// unregister forgets a transaction and whatever only it needed.
func (c *conflictWindow) unregister(r *readSet) {
	c.readers.Add(-1)
	c.mu.Lock()
	defer c.mu.Unlock()
	oldest := wal.LSN(1<<64 - 1)
	for i := 0; i < len(c.active); i++ {
		if c.active[i] == r {
			last := len(c.active) - 1
			c.active[i] = c.active[last]
			c.active[last] = nil
			c.active = c.active[:last]
			i--
			continue
		}
		oldest = min(oldest, c.active[i].snapshot)
	}
	n := sort.Search(len(c.recent), func(i int) bool { return c.recent[i].lsn > oldest })
	c.forget(n)
}

// forget drops the n oldest write sets. The caller holds mu.
func (c *conflictWindow) forget(n int) {
	if n == 0 {
		return
	}
	c.raiseFloor(c.recent[n-1].lsn)
	for i, w := range c.recent[:n] {
		c.size -= w.size()
		c.recent[i] = nil
	}
	c.recent = c.recent[n:]
	if len(c.recent) == 0 {
		c.recent = nil
	}
}

// raiseFloor never lowers: unregister may come late with a position the leader has passed.
func (c *conflictWindow) raiseFloor(lsn wal.LSN) {
	for {
		old := c.floor.Load()
		if old >= uint64(lsn) || c.floor.CompareAndSwap(old, uint64(lsn)) {
			return
		}
	}
}

// validate decides whether t may be committed behind the members admitted before it, and admits
// it if so. Leader only; nothing has an LSN yet (T4).
func (c *conflictWindow) validate(t *Txn) error {
	if t.reads != nil {
		if err := c.check(t.reads); err != nil {
			return err
		}
	}
	c.admitted = append(c.admitted, admission{txn: t})
	return nil
}

// check compares a read set with everything committed since its snapshot.
func (c *conflictWindow) check(r *readSet) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if uint64(r.snapshot) < c.floor.Load() {
		return &SerializationError{Reason: WindowOverflow}
	}
	from := sort.Search(len(c.recent), func(i int) bool { return c.recent[i].lsn > r.snapshot })
	for _, w := range c.recent[from:] {
		if w.hits(r) {
			return &SerializationError{Reason: ReadWriteDependency}
		}
	}
	for i := c.published; i < len(c.admitted); i++ {
		a := &c.admitted[i]
		if a.written == nil {
			a.written = collectWritten(a.txn.writes)
		}
		if a.written.hits(r) {
			return &SerializationError{Reason: ReadWriteDependency}
		}
	}
	return nil
}

// withdraw takes back an admission: nothing of t was appended. Leader only.
func (c *conflictWindow) withdraw(t *Txn) {
	for i := c.published; i < len(c.admitted); i++ {
		if c.admitted[i].txn == t {
			c.admitted = append(c.admitted[:i], c.admitted[i+1:]...)
			break
		}
	}
	c.endGroup()
}

// endGroup forgets the group once every member is published or withdrawn.
func (c *conflictWindow) endGroup() {
	if c.published == len(c.admitted) {
		clear(c.admitted)
		c.admitted, c.published = c.admitted[:0], 0
	}
}

// publish records that t, the first of those admitted and not published yet, is committed, its
// record ending at end, and that every snapshot taken from here on has it. Leader only, in LSN
// order.
func (c *conflictWindow) publish(t *Txn, end wal.LSN) {
	if first := c.admitted[c.published].txn; first != t {
		panic("engine: commits are published in another order than they were admitted")
	}
	written := c.admitted[c.published].written
	c.published++
	c.endGroup()
	if c.readers.Load() == 0 {
		c.raiseFloor(end)
		return
	}
	if written == nil {
		written = collectWritten(t.writes)
	}
	written.lsn = end
	c.mu.Lock()
	c.recent = append(c.recent, written)
	c.size += written.size()
	drop := 0
	for size := c.size; size > MaxConflictWindow; drop++ {
		size -= c.recent[drop].size()
	}
	c.forget(drop)
	c.mu.Unlock()
}
