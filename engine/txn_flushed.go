package engine

import (
	"context"

	"ackdb/wal"
)

// flushedReads is what a transaction with ReadFlushed keeps. Its plain statements read a view of
// which nothing can be lost. Its others need the newest rows, so they see what may be lost, and
// whoever runs them holds back what they found until LookedAt is flushed.
type flushedReads struct {
	// plain says that the statement only reads; its waits end with ctx. The context is kept since
	// a view is taken where the first row is asked for, which is no place to hand one in.
	plain bool
	ctx   context.Context

	// looked is the highest end of a commit that anything found so far can come from.
	looked wal.LSN
}

// PrepareFlushed begins a plain statement of a transaction with ReadFlushed; StartStatement
// follows. It waits until the session's own commits are flushed, and the commits its transaction
// has built on: a view without those would lack the rows that the open writes are laid over.
func (t *Txn) PrepareFlushed(ctx context.Context) error {
	switch {
	case t.txnState == nil:
		return ErrTxnDone
	case !t.opts.ReadFlushed:
		return nil
	}
	s := t.txnState
	s.durable.plain, s.durable.ctx = true, ctx
	return s.db.log.WaitFlushed(ctx, max(s.opts.OwnCommit, s.durable.looked))
}

// PrepareVisible begins a statement that locks or writes: StartStatement will show it the newest
// state, flushed or not.
func (t *Txn) PrepareVisible() {
	if t.txnState != nil {
		t.durable.plain, t.durable.ctx = false, nil
	}
}

// LookedAt is how far the log must be flushed before anything that the transaction's statements
// have found may be shown: rows, counts, errors about rows, and the news that somebody else's
// commit was in the way. It stands beyond the end of the transaction, until the next begins in the
// same handle. Without ReadFlushed it is 0.
func (t *Txn) LookedAt() wal.LSN {
	if t.txnState != nil {
		return t.durable.looked
	}
	return t.looked
}

// look notes a look at the newest state. It comes after the read and takes what was submitted to
// the store, not what is published: a row shows as soon as it is applied.
func (s *txnState) look() {
	if s.opts.ReadFlushed {
		s.lookedAt(wal.LSN(s.db.gate.submitted.Load()))
	}
}

func (s *txnState) lookedAt(lsn wal.LSN) { s.durable.looked = max(s.durable.looked, lsn) }

// takeView takes the view of a statement or transaction.
func (s *txnState) takeView() (*view, error) {
	if !s.opts.ReadFlushed {
		return s.db.newView()
	}
	if s.durable.plain && s.reads == nil {
		return s.db.flushedView(s.durable.ctx)
	}
	v, err := s.db.newView()
	if err != nil {
		return nil, err
	}
	s.lookedAt(v.lsn)
	if !s.durable.plain {
		return v, nil
	}
	// SERIALIZABLE is validated against the commits that its view lacks, as far as those are kept:
	// from its registration on. An older view could lack others. So it has the newest, and waits.
	if err := s.db.log.WaitFlushed(s.durable.ctx, v.lsn); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}
