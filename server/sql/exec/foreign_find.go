package exec

import (
	"bytes"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// references finds the rows of a child that refer to keys that went.
type references struct {
	check *plan.ChildCheck
	gone  map[string]*departure
	codec *rowCodec
	row   []types.Datum
	key   []byte
	do    func(d *departure, key []byte, row []types.Datum) error
}

// eachReferring locks each row of a child that refers to a key that went, and hands it on as it is
// then. A transaction with one snapshot does not see those that were committed since, so they are
// looked for in a newer one, and locked: which fails as any other conflict with them would.
func (r *run) eachReferring(
	check *plan.ChildCheck, gone []departure,
	do func(d *departure, key []byte, row []types.Datum) error,
) error {
	f := &references{check: check, gone: map[string]*departure{}, codec: newRowCodec(check.Child),
		row: make([]types.Datum, len(check.Child.Columns)), do: do}
	for i := range gone {
		f.gone[string(gone[i].key)] = &gone[i]
	}
	if err := f.find(r, r.txn, gone); err != nil || r.txn.Isolation() == engine.ReadCommitted {
		return err
	}
	newest := r.x.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer newest.Rollback()
	newest.StartStatement()
	return f.find(r, newest, gone)
}

// find visits the rows that a transaction sees: by an index, key after key in the order in which
// they went, or all of them.
func (f *references) find(r *run, txn *engine.Txn, gone []departure) error {
	by := f.check.Find.By
	if by == nil {
		return f.visit(r, txn.Scan(f.check.Child.Storage, nil, nil, false))
	}
	if by.Storage != 0 && txn == r.txn {
		if err := r.checkIndex(f.check.Child, by); err != nil {
			return err
		}
	}
	for i := range gone {
		prefix, err := f.prefix(&gone[i])
		if err != nil {
			return err
		}
		it := txn.Scan(keyStorage(f.check.Child, by), prefix, types.KeyPrefixEnd(prefix), false)
		if err := f.visit(r, it); err != nil {
			return err
		}
	}
	return nil
}

// prefix is what the keys of the child's index begin with for rows that refer to a key. The two may
// have their columns in another order.
func (f *references) prefix(d *departure) ([]byte, error) {
	values, rest := make([]types.Datum, len(f.check.Referred)), d.key
	for j, column := range f.check.Referred {
		var err error
		values[j], rest, err = types.DecodeKey(rest, d.parent.Columns[column].Type.OID,
			f.check.Index.Order(j))
		if err != nil {
			return nil, err
		}
	}
	var prefix []byte
	for i, at := range f.check.Find.Lead {
		prefix = types.EncodeKey(prefix, values[at], f.check.Find.By.Order(i))
	}
	return prefix, nil
}

// visit looks at the rows of a scan, which is of the child or of an index of it.
func (f *references) visit(r *run, it *engine.Iter) error {
	defer it.Close()
	by, child := f.check.Find.By, f.check.Child
	for n := 1; it.Next(); n++ {
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return err
			}
		}
		key, value := it.Key(), it.Value()
		if by != nil && by.Storage != 0 {
			var err error
			if key, value, err = rowOfEntry(r, it, child, by); err != nil {
				return err
			}
		}
		d, err := f.refersTo(key, value)
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		if err := f.lock(r, d, bytes.Clone(key)); err != nil {
			return err
		}
	}
	return it.Err()
}

// rowOfEntry gives the row that the entry a scan of an index stands at leads to.
func rowOfEntry(
	r *run, it *engine.Iter, t *catalog.Table, index *catalog.Index,
) (key, value []byte, err error) {
	if key, err = entryRow(index, it.Key(), it.Value()); err != nil {
		return nil, nil, err
	}
	key = bytes.Clone(key) // the engine's copy lasts one call
	value, found, err := it.Get(r.eval.Ctx, t.Storage, key)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("exec: read a row of %s: %w", t.Name, err)
	case !found:
		return nil, nil, errNoRow(t, index, key)
	}
	return key, value, nil
}

// refersTo says which of the keys that went a row refers to; nil for none.
func (f *references) refersTo(key, value []byte) (*departure, error) {
	if err := f.codec.decode(f.row, key, value); err != nil {
		return nil, err
	}
	wanted, refers := foreignKey(f.key[:0], f.check.Index, f.check.Columns, f.row)
	if f.key = wanted; !refers {
		return nil, nil
	}
	return f.gone[string(wanted)], nil
}

// lock locks a row that was found and hands it on, if it still refers to the key.
func (f *references) lock(r *run, d *departure, key []byte) error {
	mode := engine.RowShare
	if !d.action().Refuses() {
		mode = f.check.Then.Lock(d.now != nil)
	}
	state, err := r.txn.LockRow(r.eval.Ctx, f.check.Child.Storage, key, mode, engine.Wait)
	if err != nil {
		return lockRowError(err, f.check.Child.Name)
	}
	if !state.Exists {
		return nil
	}
	now, err := f.refersTo(key, bytes.Clone(state.Value))
	if err != nil || now != d {
		return err
	}
	return f.do(d, key, f.row)
}
