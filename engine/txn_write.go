package engine

import (
	"context"
	"fmt"
	"math"
)

// The writing methods take no locks, except Upsert: the caller holds the row through LockRow, or
// knows that nobody else can write it, because it has just drawn the row's id or holds the table
// in a mode that keeps writers out. Writing an unlocked row loses updates (T1).

// Upsert locks a row for update, waiting if it must, and writes it without having read it. It is
// the short way for a writer that replaces the whole row.
func (t *Txn) Upsert(ctx context.Context, table TableID, key, value []byte) error {
	if err := t.writable(table, len(key)+len(value)); err != nil {
		return err
	}
	if err := t.lockForWrite(ctx, table, key); err != nil {
		return err
	}
	t.writes.put(table, key, value, false)
	return nil
}

// Put writes a row.
func (t *Txn) Put(table TableID, key, value []byte) error {
	if err := t.writable(table, len(key)+len(value)); err != nil {
		return err
	}
	t.writes.put(table, key, value, false)
	return nil
}

// Delete deletes a row, which need not exist.
func (t *Txn) Delete(table TableID, key []byte) error {
	if err := t.writable(table, len(key)); err != nil {
		return err
	}
	t.writes.put(table, key, nil, true)
	return nil
}

// DeleteTable deletes every row of a table.
func (t *Txn) DeleteTable(table TableID) error { return t.DeleteRange(table, nil, nil) }

// DeleteRange deletes the rows in [lo, hi); a nil hi is the end of the table. It costs the same
// however many rows there are, and reports none of them.
func (t *Txn) DeleteRange(table TableID, lo, hi []byte) error {
	if err := t.writable(table, len(lo)+len(hi)); err != nil {
		return err
	}
	if len(t.writes.ranges) >= maxRangeDeletes {
		return fmt.Errorf("%w: more than %d range deletes", ErrTxnTooLarge, maxRangeDeletes)
	}
	t.writes.deleteRange(table, lo, hi)
	return nil
}

// writable checks that a write of so many bytes is allowed and fits.
func (t *Txn) writable(table TableID, size int) error {
	switch {
	case t.txnState == nil:
		return ErrTxnDone
	case t.opts.ReadOnly:
		return ErrReadOnly
	case table == metaTable || table > MaxTableID:
		return fmt.Errorf("%w: table %d", errMetaTable, table)
	case size > MaxRowSize:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrRowTooLarge, size, MaxRowSize)
	case t.writes.held+int64(size)+writeOverhead > t.opts.MaxSize,
		t.writes.seq == math.MaxUint32:
		return fmt.Errorf("%w: at most %d bytes", ErrTxnTooLarge, t.opts.MaxSize)
	}
	return t.db.writableNode()
}
