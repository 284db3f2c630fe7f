package exec

import (
	"bytes"
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// arbitrate inserts o.row into a table with indexes, or does what ON CONFLICT says about the row
// that is in its way, and says whether a row was written. The keys whose conflicts are meant are
// asked before those whose conflicts are errors.
func (o *insert) arbitrate(r *run) (bool, error) {
	w := o.writer
	if err := w.check(r, o.row); err != nil {
		return false, err
	}
	for _, index := range o.node.Conflict.Arbiters {
		key, value, err := o.inTheWay(r, index)
		if err != nil {
			return false, err
		}
		if key == nil {
			continue
		}
		if !o.node.Conflict.DoUpdate {
			return false, nil
		}
		if err := o.meet(r, key); err != nil {
			return false, err
		}
		return o.update(r, key, value)
	}
	if err := w.place(r, o.row); err != nil {
		return false, err
	}
	if o.met != nil {
		o.met[string(w.codec.key)] = struct{}{}
		if err := r.memory.Keep(len(w.codec.key) + entryOverhead); err != nil {
			return false, err
		}
	}
	return true, o.add(r, o.row)
}

// inTheWay gives the row, locked, that has the key which o.row would have in a unique index; nil
// when there is none, and then the key is locked and there will be none.
func (o *insert) inTheWay(r *run, index *catalog.Index) (key, value []byte, err error) {
	w := o.writer
	if index == w.table.PrimaryKey {
		key := bytes.Clone(w.codec.encodeKey(o.row))
		state, err := w.lockAs(r, key, o.node.Conflict.Lock)
		if err != nil || !state.Exists {
			return nil, nil, err
		}
		return key, bytes.Clone(state.Value), nil
	}
	i := slices.IndexFunc(w.indexes, func(x indexWriter) bool { return x.index == index })
	x := &w.indexes[i]
	if err := x.new.encode(r, x, o.row, nil); err != nil || !x.new.exclusive {
		return nil, nil, err
	}
	wanted := bytes.Clone(x.new.key)
	for {
		key, err := o.holder(r, x, wanted)
		if key == nil || err != nil {
			return nil, nil, err
		}
		state, err := w.lockAs(r, key, o.node.Conflict.Lock)
		if err != nil {
			return nil, nil, err
		}
		value := bytes.Clone(state.Value)
		if state.Exists {
			has, err := o.has(r, x, wanted, key, value)
			if has || err != nil {
				return key, value, err
			}
		}
		if err := r.check(); err != nil {
			return nil, nil, err
		}
	}
}

// holder locks a key of a unique index, unless a row has it: then it gives that row's key, and the
// lock back. Who changes a row locks first the row and then the keys it has, so waiting for the row
// with one of them in hand would be a deadlock.
func (o *insert) holder(r *run, x *indexWriter, wanted []byte) ([]byte, error) {
	before := r.txn.Savepoint()
	state, err := x.lock(r, wanted)
	if err != nil {
		return nil, err
	}
	if !state.Exists {
		return nil, r.txn.Release(before)
	}
	key, err := entryRow(x.index, wanted, state.Value)
	if err != nil {
		return nil, err
	}
	key = bytes.Clone(key)
	if err := r.txn.RollbackTo(before); err != nil {
		return nil, err
	}
	return key, r.txn.Release(before)
}

// has says whether a locked row has that key in an index: it may have changed before it was locked.
func (o *insert) has(r *run, x *indexWriter, wanted, key, value []byte) (bool, error) {
	row := make([]types.Datum, len(x.table.Columns))
	if err := o.writer.codec.decode(row, key, value); err != nil {
		return false, err
	}
	err := x.old.encode(r, x, row, key)
	return bytes.Equal(x.old.key, wanted), err
}
