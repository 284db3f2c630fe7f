package engine

import (
	"context"
	"fmt"
)

// Get returns a row as the transaction sees it: its own write, else the snapshot's row. The value
// is valid until the next call on the transaction.
func (t *Txn) Get(ctx context.Context, table TableID, key []byte) ([]byte, bool, error) {
	if t.txnState == nil {
		return nil, false, ErrTxnDone
	}
	if err := ctx.Err(); err != nil {
		return nil, false, fmt.Errorf("engine: get: %w", context.Cause(ctx))
	}
	if !t.writes.empty() {
		if value, state := t.writes.getAt(table, key, t.readSeq()); state != ownNone {
			return value, state == ownSet, nil
		}
	}
	row, err := t.getCommitted(table, key)
	return row.value, row.exists, err
}

// getCommitted reads the row the snapshot has.
func (s *txnState) getCommitted(table TableID, key []byte) (committed, error) {
	s.keyBuf = appendRowKey(s.keyBuf[:0], table, key)
	if s.point.active && s.view == nil {
		row, err := s.readCommitted(s.db.get, s.keyBuf)
		s.point.read, s.point.lsn = true, row.lsn
		s.look()
		return row, err
	}
	if err := s.needView(); err != nil {
		return committed{}, err
	}
	if s.reads != nil {
		s.reads.addPoint(s.keyBuf)
	}
	return s.readCommitted(s.view.get, s.keyBuf)
}

// readNewest reads the row the newest commit left. The caller holds the row's lock, so it is
// whole even while an apply of several batches runs: whoever is being applied holds its own rows.
func (s *txnState) readNewest(table TableID, key []byte) (committed, error) {
	s.keyBuf = appendRowKey(s.keyBuf[:0], table, key)
	row, err := s.readCommitted(s.db.get, s.keyBuf)
	s.look()
	return row, err
}
