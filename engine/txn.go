package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"ackdb/wal"
)

// Isolation is a transaction's isolation level.
type Isolation uint8

// The levels of design section 7.
const (
	// ReadCommitted gives each statement the newest state.
	ReadCommitted Isolation = iota

	// RepeatableRead gives the transaction one snapshot; the first updater of a row wins.
	RepeatableRead

	// Serializable is RepeatableRead whose reads are validated at commit, ranges included. Its
	// order is the order of the log, so a transaction that wrote nothing needs no validation: it
	// read one prefix of that order.
	Serializable
)

func (i Isolation) String() string {
	switch i {
	case ReadCommitted:
		return "read committed"
	case RepeatableRead:
		return "repeatable read"
	case Serializable:
		return "serializable"
	}
	return "unknown isolation level"
}

// TxnOptions say how a transaction behaves. The zero value is READ COMMITTED, read-write, with
// the database's limits.
type TxnOptions struct {
	Isolation Isolation
	ReadOnly  bool

	// MaxSize bounds the write set as held in memory; 0 is the database's MaxTransactionSize.
	MaxSize int64

	// LockTimeout bounds each wait for a lock; 0 is no bound.
	LockTimeout time.Duration

	// Session is shown by Locks.
	Session uint64

	// ReadFlushed keeps what a power cut could take from whoever reads: see PrepareFlushed,
	// PrepareVisible and LookedAt. OwnCommit is the end of the session's last commit, which its
	// plain statements wait for; 0 for none.
	ReadFlushed bool
	OwnCommit   wal.LSN
}

// Txn is one transaction. It belongs to one goroutine. It takes no snapshot before its first
// read and touches neither log nor store before Commit. After Commit or Rollback every method
// answers ErrTxnDone, but Rollback, which then does nothing.
type Txn struct {
	*txnState // nil once ended

	looked wal.LSN // LookedAt of the transaction that has ended
}

// txnState is what outlives a transaction in the pool. The handle is separate so that a Rollback
// deferred past the end cannot hit the next transaction to use the state.
type txnState struct {
	db    *DB
	opts  TxnOptions
	owner *lockOwner

	writes     *writeSet
	savepoints []savepoint
	nextID     SavepointID

	// view is what reads see: the statement's in READ COMMITTED, else the transaction's. nil
	// until the first read.
	view *view

	// past is the moment that is read as of, instead of now; nil but for cursors.
	past *Moment

	// point says that the READ COMMITTED statement touches one key, and reads the newest state.
	point pointRead

	durable flushedReads // zero unless ReadFlushed

	advisory *AdvisoryLocks // of the session; nil unless it has used any

	reads *readSet // what SERIALIZABLE has to validate; nil unless it is

	iters    []*Iter // open ones
	keyBuf   []byte
	valueBuf []byte
}

// maxKeptBuffer bounds a buffer that an idle state keeps.
const maxKeptBuffer = 64 << 10

// txnPool keeps states of ended transactions. It is not a sync.Pool, because a state's lock owner
// stays listed in the lock table: a state that the collector dropped would leak its owner.
type txnPool struct {
	mu   sync.Mutex
	free []*txnState
}

func (p *txnPool) get(db *DB) *txnState {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		s := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return s
	}
	p.mu.Unlock()
	return &txnState{db: db, owner: db.locks.newOwner(), writes: newWriteSet()}
}

func (p *txnPool) put(s *txnState) {
	p.mu.Lock()
	p.free = append(p.free, s)
	p.mu.Unlock()
}

// Begin starts a transaction.
func (db *DB) Begin(opts TxnOptions) *Txn {
	t := new(Txn)
	db.BeginInto(t, opts)
	return t
}

// BeginInto starts a transaction in a handle that the caller reuses. The one before must have
// ended.
func (db *DB) BeginInto(t *Txn, opts TxnOptions) {
	if t.txnState != nil {
		panic("engine: BeginInto on a transaction that has not ended")
	}
	if opts.MaxSize <= 0 {
		opts.MaxSize = db.opts.MaxTransactionSize()
	}
	s := db.txns.get(db)
	s.opts = opts
	s.owner.session = opts.Session
	t.txnState, t.looked = s, 0
}

// Isolation returns the level the transaction runs at.
func (t *Txn) Isolation() Isolation { return t.opts.Isolation }

// SetLockTimeout bounds the waits for locks from here on; 0 is no bound.
func (t *Txn) SetLockTimeout(d time.Duration) {
	if t.txnState != nil {
		t.opts.LockTimeout = d
	}
}

// Ended says whether the transaction was committed or rolled back.
func (t *Txn) Ended() bool { return t.txnState == nil }

// Writes says whether the transaction has written anything that Commit would log.
func (t *Txn) Writes() bool { return t.txnState != nil && !t.writes.empty() }

// Commit makes the writes visible, releases the locks, and then waits for the level. A
// transaction without writes appends nothing and waits for nothing but CommitOptions.After.
//
// An error that is not an ErrCommitWaitCancelled means that nothing was committed; the
// transaction is rolled back. ErrCommitWaitCancelled means that it is committed and that only its
// durability is not known.
func (t *Txn) Commit(ctx context.Context, opts CommitOptions) (CommitResult, error) {
	if t.txnState == nil {
		return CommitResult{}, ErrTxnDone
	}
	t.closeIters()
	if t.writes.empty() {
		db := t.db
		t.Rollback()
		return CommitResult{ReadOnly: true}, db.answerAfter(ctx, opts)
	}
	// The view goes first: it would pin old versions for as long as the durable wait takes. The
	// validation needs only its LSN, which the read set keeps.
	t.dropView()
	if t.reads != nil {
		t.reads.seal()
	}
	result, err := t.db.commit(ctx, t, opts)
	if err != nil && !errors.Is(err, ErrCommitWaitCancelled) {
		t.look() // a conflict tells of a commit that may be lost
		t.Rollback()
		return CommitResult{}, err
	}
	t.end()
	return result, err
}

// Rollback ends the transaction without a trace. It may be called at any time.
func (t *Txn) Rollback() {
	if t.txnState == nil {
		return
	}
	t.closeIters()
	t.db.locks.releaseAll(t.owner)
	t.end()
}

// end returns the state to the pool. Nothing of it is held any more.
func (t *Txn) end() {
	s := t.txnState
	t.txnState, t.looked = nil, s.durable.looked
	s.durable = flushedReads{}
	s.dropView()
	if s.advisory != nil {
		s.advisory.leave(s)
	}
	if s.reads != nil {
		s.db.conflicts.unregister(s.reads)
		s.reads = nil
	}
	s.writes.reset()
	s.savepoints = s.savepoints[:0]
	s.nextID = 0
	s.point, s.past = pointRead{}, nil
	if cap(s.keyBuf) > maxKeptBuffer {
		s.keyBuf = nil
	}
	if cap(s.valueBuf) > maxKeptBuffer {
		s.valueBuf = nil
	}
	s.db.txns.put(s)
}
