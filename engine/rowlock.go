package engine

import (
	"context"
	"errors"
)

// RowState is a row as LockRow found it, own writes included.
type RowState struct {
	// Value is valid until the next call on the transaction.
	Value  []byte
	Exists bool

	// Changed says that the row is not the one the statement's snapshot shows, so a condition on
	// it has to be checked again (READ COMMITTED only; elsewhere that is an error).
	Changed bool

	// Skipped says that another transaction holds the row and that SkipLocked left it alone, or
	// that the transaction has itself written it after the Moment it reads as of.
	// Nothing else is set.
	Skipped bool
}

// LockTable locks a table, waiting if it must. Locks go at the end of the transaction or when it
// rolls back to a savepoint made before.
func (t *Txn) LockTable(ctx context.Context, table TableID, m TableLockMode, p WaitPolicy) error {
	if t.txnState == nil {
		return ErrTxnDone
	}
	if m > RowExclusiveLock { // it promises that nobody writes, and apply would
		if err := t.db.writableNode(); err != nil {
			return err
		}
	}
	return t.db.locks.lockTableMode(ctx, t.owner, table, m, p, t.opts.LockTimeout)
}

// LockRow locks a row, which need not exist, and then reads the newest committed row, overlaid by
// the transaction's own write. A transaction with one snapshot fails with ErrSerialization if the
// row has changed since: the first updater won. With RowKeyShare it does so only if the row has
// come or gone since, and gives the row of the snapshot.
func (t *Txn) LockRow(
	ctx context.Context, table TableID, key []byte, m LockMode, p WaitPolicy,
) (RowState, error) {
	if err := t.lockable(); err != nil {
		return RowState{}, err
	}
	switch err := t.acquireRow(ctx, table, key, m, p); {
	case p == SkipLocked && errors.Is(err, ErrLockNotAvailable):
		return RowState{Skipped: true}, nil
	case err != nil:
		return RowState{}, err
	}
	if !t.writes.empty() {
		if t.past != nil && t.writes.changedSince(table, key, t.past.seq) {
			return RowState{Skipped: true}, nil // the row it was is no more, as in Postgres
		}
		if value, state := t.writes.get(table, key); state != ownNone {
			return RowState{Value: value, Exists: state == ownSet}, nil
		}
	}
	switch {
	case t.opts.Isolation == ReadCommitted:
		return t.newestAfterLock(table, key)
	case m == RowKeyShare:
		return t.checkKeyStands(table, key)
	}
	return t.checkFirstUpdater(table, key)
}

func (t *Txn) lockable() error {
	switch {
	case t.txnState == nil:
		return ErrTxnDone
	case t.opts.ReadOnly:
		return ErrReadOnly
	}
	return t.db.writableNode()
}

// lockForWrite locks a row for a writer that does not want to know it and leaves its key. If there
// is no such row, whoever asks for it with RowKeyShare is told so, as it would be a moment before.
func (t *Txn) lockForWrite(ctx context.Context, table TableID, key []byte) error {
	if err := t.acquireRow(ctx, table, key, RowNoKeyUpdate, Wait); err != nil {
		return err
	}
	t.look()
	if t.opts.Isolation == ReadCommitted {
		return nil
	}
	_, err := t.checkFirstUpdater(table, key)
	return err
}

// acquireRow takes the lock. The table lock that keeps DROP and TRUNCATE away comes first, unless
// the caller already has one.
func (s *txnState) acquireRow(
	ctx context.Context, table TableID, key []byte, m LockMode, p WaitPolicy,
) error {
	o, locks := s.owner, s.db.locks
	if !o.modesOn(table).covers(RowShareLock) {
		err := locks.lockTableMode(ctx, o, table, RowShareLock, p, s.opts.LockTimeout)
		if err != nil {
			return err
		}
	}
	if o.holdsWhole(table) || o.rows >= o.escalateAt && s.escalate(ctx, table) {
		return nil
	}
	l, added, err := locks.acquire(ctx, o, lockRequest{
		table: table, row: true, key: key, mode: m.mode(),
		policy: p, timeout: s.opts.LockTimeout,
	})
	if err != nil || added == 0 {
		return err
	}
	o.journal = append(o.journal, lockEntry{lock: l, table: table, modes: added})
	o.rows++
	return nil
}

// escalate tries to lock the whole table, so that a transaction of millions of rows does not fill
// the lock table. It never waits: others are at work on the table, and a wait could deadlock where
// row locks would not have.
func (s *txnState) escalate(ctx context.Context, table TableID) bool {
	s.owner.escalateAt *= 2
	return s.db.locks.lockTableMode(ctx, s.owner, table, ExclusiveLock, NoWait, 0) == nil
}

// checkFirstUpdater reads a row just locked and fails if it has changed since the snapshot.
func (s *txnState) checkFirstUpdater(table TableID, key []byte) (RowState, error) {
	if err := s.needView(); err != nil {
		return RowState{}, err
	}
	row, err := s.readNewest(table, key)
	if err != nil {
		return RowState{}, err
	}
	if row.lsn > s.view.lsn {
		return RowState{}, &SerializationError{Reason: ConcurrentUpdate}
	}
	if !row.exists {
		// Gone, or never there? Inserted and deleted since the snapshot is the same as never.
		was, err := s.readCommitted(s.view.get, s.keyBuf)
		if err != nil {
			return RowState{}, err
		}
		if was.exists {
			return RowState{}, &SerializationError{Reason: ConcurrentDelete}
		}
	}
	if s.reads != nil {
		s.reads.addPoint(s.keyBuf)
	}
	return RowState{Value: row.value, Exists: row.exists}, nil
}

// checkKeyStands is checkFirstUpdater for one who cares only that the row is there. It may have
// changed since the snapshot: what the transaction read of it is then still what it was then. That
// it is there is not validated at commit, as other reads of a SERIALIZABLE transaction are: it was
// so in the snapshot, and the lock keeps it so until the end.
func (s *txnState) checkKeyStands(table TableID, key []byte) (RowState, error) {
	if err := s.needView(); err != nil {
		return RowState{}, err
	}
	row, err := s.readNewest(table, key)
	if err != nil {
		return RowState{}, err
	}
	was, err := s.readCommitted(s.view.get, s.keyBuf)
	switch {
	case err != nil:
		return RowState{}, err
	case row.exists && !was.exists:
		return RowState{}, &SerializationError{Reason: ConcurrentUpdate}
	case !row.exists && was.exists:
		return RowState{}, &SerializationError{Reason: ConcurrentDelete}
	case !row.exists && s.reads != nil:
		s.reads.addPoint(s.keyBuf)
	}
	return RowState{Value: was.value, Exists: row.exists}, nil
}

// newestAfterLock reads a row just locked, for READ COMMITTED.
func (s *txnState) newestAfterLock(table TableID, key []byte) (RowState, error) {
	row, err := s.readNewest(table, key)
	if err != nil {
		return RowState{}, err
	}
	state := RowState{Value: row.value, Exists: row.exists}
	switch {
	case s.view == nil:
		state.Changed = s.point.read && s.point.lsn != row.lsn
	case row.exists:
		state.Changed = row.lsn > s.view.lsn
	default:
		was, err := s.readCommitted(s.view.get, s.keyBuf)
		if err != nil {
			return RowState{}, err
		}
		state.Changed = was.exists
	}
	return state, nil
}
