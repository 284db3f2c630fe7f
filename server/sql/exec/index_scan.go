package exec

import (
	"errors"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
)

// checkIndex refuses to look rows up in an index that is younger than the transaction's snapshot:
// the entries of rows that the snapshot shows are not there for it. A transaction that takes a
// snapshot for each statement always has one younger than its plan (X2).
func (r *run) checkIndex(t *catalog.Table, index *catalog.Index) error {
	if r.txn.Isolation() == engine.ReadCommitted {
		return nil
	}
	found, err := catalog.HasIndex(r.eval.Ctx, r.txn, t, index)
	if err != nil || found {
		return err
	}
	return &engine.SerializationError{Reason: engine.ConcurrentUpdate}
}

// indexed gives the row that an entry of the scan's index leads to. It is the row of the moment the
// entry was read in. A row that nobody looks at is not fetched.
func (o *scan) indexed(r *run, key, value []byte) (rowKey, row []byte, err error) {
	index := o.node.Access.Index
	rowKey, err = entryRow(index, key, value)
	if err != nil || o.node.Unread && !o.node.WithKey {
		return rowKey, nil, err
	}
	o.rowKey = append(o.rowKey[:0], rowKey...) // the engine's copy lasts one call
	var found bool
	if o.iter != nil {
		row, found, err = o.iter.Get(r.eval.Ctx, o.node.Table.Storage, o.rowKey)
	} else {
		row, found, err = r.txn.Get(r.eval.Ctx, o.node.Table.Storage, o.rowKey)
	}
	if err == nil && !found {
		err = errNoRow(o.node.Table, index, o.rowKey)
	}
	o.value = append(o.value[:0], row...)
	return o.rowKey, o.value, err
}

// scanStorage is where the keys that a scan visits lie.
func scanStorage(n *plan.Scan) engine.TableID {
	if n.Access.Index != nil {
		return n.Access.Index.Storage
	}
	return n.Table.Storage
}

// tentativeMax is how many entries a tentative access may have. Reading a row by way of an index
// costs about five times what reading it in the table does.
const tentativeMax = 5000

// look counts the entries of a tentative access, and decides for the whole table if they are many.
func (o *scan) look(r *run) error {
	n := 0
	for _, s := range o.spans {
		it := r.txn.Scan(o.storage, s.lo, s.hi, false)
		for n <= tentativeMax && it.Next() {
			n++
		}
		if err := errors.Join(it.Err(), it.Close()); err != nil {
			return err
		}
	}
	if o.whole = n > tentativeMax; o.whole {
		o.spans, o.storage = []span{{}}, o.node.Table.Storage
	}
	return r.check()
}
