package engine

import (
	"context"
	"fmt"
)

// Get returns a row of any table as it was when the iterator was opened: what an index leads to
// must be of the same moment as the index, however late it is asked for and whatever the
// transaction has written since. The value is valid until the next call on the transaction.
func (it *Iter) Get(ctx context.Context, table TableID, key []byte) ([]byte, bool, error) {
	s := it.state
	if s == nil {
		return nil, false, ErrTxnDone
	}
	if err := ctx.Err(); err != nil {
		return nil, false, fmt.Errorf("engine: get: %w", context.Cause(ctx))
	}
	if it.own.seq > 0 {
		if value, state := s.writes.getAt(table, key, it.own.seq); state != ownNone {
			return value, state == ownSet, nil
		}
	}
	s.keyBuf = appendRowKey(s.keyBuf[:0], table, key)
	if s.reads != nil {
		s.reads.addPoint(s.keyBuf)
	}
	row, err := s.readCommitted(it.view.get, s.keyBuf)
	return row.value, row.exists, err
}
