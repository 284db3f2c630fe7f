package engine

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"
)

// Iter walks over the rows of a table in key order, the transaction's own writes laid over its
// snapshot, both as they were when the iterator was opened. It is not positioned before the first
// Next. It lives until Close or until the transaction ends, across statements too.
type Iter struct {
	state   *txnState
	table   TableID
	reverse bool

	view   *view // what base reads, held for Get
	base   *pebble.Iterator
	own    ownCursor
	lo, hi []byte // in the store's encoding

	// which side the current row came from; that side moves at the next Next
	onBase, onOwn bool
	started       bool
	exhausted     bool

	key, value []byte
	err        error
}

// Scan opens an iterator over [lo, hi) of a table; a nil hi is the table's end. The first row is
// the lowest, or in reverse the highest. Errors show in Err.
func (t *Txn) Scan(table TableID, lo, hi []byte, reverse bool) *Iter {
	if t.txnState == nil {
		return &Iter{err: ErrTxnDone}
	}
	if hi != nil && bytes.Compare(lo, hi) > 0 {
		hi = lo // nothing; the store wants its bounds in order
	}
	span := spanOf(table, lo, hi)
	it := &Iter{state: t.txnState, table: table, reverse: reverse, lo: span.lo, hi: span.hi}
	if it.err = t.needView(); it.err != nil {
		return it
	}
	it.base, it.err = t.view.iter(it.lo, it.hi)
	if it.err != nil {
		return it
	}
	it.view = t.view.acquire()
	it.own = openOwnCursor(t.writes, it, t.readSeq())
	t.writes.pins++
	t.writes.freeze()
	t.iters = append(t.iters, it)
	return it
}

// Next moves to the next row and says whether there is one.
func (it *Iter) Next() bool {
	if it.err != nil || it.base == nil {
		return false
	}
	for {
		it.advance()
		switch base, own := it.base.Valid(), it.own.valid(); {
		case base && own:
			c := bytes.Compare(rowKey(it.base.Key()), it.own.key())
			if it.reverse {
				c = -c
			}
			it.onBase, it.onOwn = c <= 0, c >= 0
		case base || own:
			it.onBase, it.onOwn = base, own
		default:
			it.finish()
			return false
		}
		if it.load() {
			return true
		}
		if it.err != nil {
			return false
		}
	}
}

// advance moves the sides the last row came from; at first, both to their starts.
func (it *Iter) advance() {
	if !it.started {
		it.started = true
		if it.reverse {
			it.base.Last()
		} else {
			it.base.First()
		}
		it.own.start()
		return
	}
	if it.onBase {
		if it.reverse {
			it.base.Prev()
		} else {
			it.base.Next()
		}
	}
	if it.onOwn {
		it.own.step()
	}
}

// load sets key and value from the current side and says whether there is a row to show: an own
// delete, and a stored row that an own range delete covers, are passed over.
func (it *Iter) load() bool {
	if it.onOwn {
		it.key = it.own.key()
		value, state := it.own.value()
		it.value = value
		return state == ownSet
	}
	it.key = rowKey(it.base.Key())
	if r := it.own.covered(it.key); r != nil {
		it.skip(r)
		return false
	}
	raw, err := it.base.ValueAndErr()
	if err == nil {
		_, it.value, err = splitValue(raw)
	}
	it.err = err
	return err == nil
}

// skip moves the store's side past what a range delete covers, and not row by row: the table may
// just have been truncated.
func (it *Iter) skip(r *rangeDelete) {
	it.onBase = false
	s := it.state
	switch {
	case it.reverse:
		s.keyBuf = appendRowKey(s.keyBuf[:0], r.table, r.lo)
		it.base.SeekLT(s.keyBuf)
	case r.hi == nil:
		s.keyBuf = appendRowKey(s.keyBuf[:0], r.table+1, nil)
		it.base.SeekGE(s.keyBuf)
	default:
		s.keyBuf = appendRowKey(s.keyBuf[:0], r.table, r.hi)
		it.base.SeekGE(s.keyBuf)
	}
}

// finish notes that there are no more rows.
func (it *Iter) finish() {
	it.key, it.value = nil, nil
	it.exhausted = true
	it.err = it.base.Error()
}

// Key returns the current row's key, valid until the next Next or Close.
func (it *Iter) Key() []byte { return it.key }

// Value returns the current row's value, valid until the next Next or Close.
func (it *Iter) Value() []byte { return it.value }

// Err returns what ended the iteration early, nil if nothing did.
func (it *Iter) Err() error { return it.err }

// Close lets go of what the iterator pins. Closing it again does nothing.
func (it *Iter) Close() error {
	s := it.state
	if s == nil {
		return it.err
	}
	it.state = nil
	if it.base == nil {
		return it.err
	}
	if s.reads != nil {
		s.reads.addScan(it)
	}
	for i, open := range s.iters {
		if open == it {
			last := len(s.iters) - 1
			s.iters[i] = s.iters[last]
			s.iters[last] = nil
			s.iters = s.iters[:last]
			break
		}
	}
	s.writes.pins--
	it.key, it.value = nil, nil
	if err := it.base.Close(); it.err == nil {
		it.err = err
	}
	it.base = nil
	it.view.close()
	return it.err
}

// closeIters closes every open iterator.
func (s *txnState) closeIters() {
	for len(s.iters) > 0 {
		_ = s.iters[len(s.iters)-1].Close()
	}
}
