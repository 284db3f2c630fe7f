package exec

import (
	"ackdb/engine"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// target finds the rows an UPDATE or DELETE works on and locks each (X3).
type target struct {
	node   *plan.Scan
	mode   engine.LockMode
	row    []types.Datum // a row that was read under its lock
	scan   *scan         // nil for a point
	point  bool          // one key: it is locked without having been read
	done   bool
	key    []byte
	value  []byte // of a row that was read under its lock; the engine's copy lasts one call
	writer *writer
}

func newTarget(of *plan.Target) target {
	n := of.In
	t := target{node: n, mode: of.Lock, point: n.Access.Single(),
		writer: changer(n.Table), row: make([]types.Datum, len(n.Table.Columns))}
	if !t.point {
		t.scan = newScan(n)
	}
	return t
}

func (t *target) open(r *run) error {
	if !t.point {
		return t.scan.open(r)
	}
	key, ok, err := r.prefixKey(t.key[:0], &t.node.Access)
	t.key, t.done = key, !ok
	return err
}

func (t *target) close() {
	if t.scan != nil {
		t.scan.close()
	}
}

// rewind says whether the target can be opened again: only one of a point.
func (t *target) rewind() bool {
	return t.point && t.writer.foreign == nil && t.writer.codec.small() &&
		cap(t.key)+cap(t.value) <= maxKeptBytes
}

// next gives the next row that is locked and passes the WHERE, and its key; nil at the end. Both
// are valid until the next call on the transaction.
func (t *target) next(r *run) (row []types.Datum, key []byte, err error) {
	if t.point {
		if t.done {
			return nil, nil, nil
		}
		t.done = true
		row, err := t.lock(r, t.key, nil)
		return row, t.key, err
	}
	for {
		row, err := t.scan.next(r)
		if row == nil || err != nil {
			return nil, nil, err
		}
		t.key = append(t.key[:0], row[len(row)-1].Bytes()...)
		row, err = t.lock(r, t.key, row)
		if row != nil || err != nil {
			return row, t.key, err
		}
	}
}

// lock locks the row under key. read is what the scan read of it, and stands if nothing has changed
// since; nil for what was not read.
func (t *target) lock(r *run, key []byte, read []types.Datum) ([]types.Datum, error) {
	node := t.node
	state, err := r.txn.LockRow(r.eval.Ctx, node.Table.Storage, key, t.mode, engine.Wait)
	if err != nil {
		return nil, lockRowError(err, node.Table.Name)
	}
	if !state.Exists {
		return nil, nil
	}
	if read != nil && !state.Changed {
		return read, nil
	}
	t.value = append(t.value[:0], state.Value...)
	if err := t.writer.codec.decode(t.row, key, t.value); err != nil {
		return nil, err
	}
	if cond := node.Whole(); cond != nil {
		if ok, err := r.truth(cond, t.row); err != nil || !ok {
			return nil, err
		}
	}
	return t.row, nil
}

// update changes rows of a table.
type update struct {
	returned
	target
	node *plan.Update
	new  []types.Datum
}

func newUpdate(n *plan.Update) *update {
	o := &update{node: n, target: newTarget(&n.Target), returned: returned{exprs: n.Returning},
		new: make([]types.Datum, len(n.Table.Columns))}
	o.writer.checks, o.writer.foreign = n.Checks, newForeignWork(n.Foreign)
	return o
}

func (o *update) rewind() bool { return o.target.rewind() && o.returned.rewind() }

func (o *update) next(r *run) ([]types.Datum, error) { return o.returned.next(r) }

func (o *update) execute(r *run) (int64, error) {
	for n := int64(0); ; n++ {
		old, key, err := o.target.next(r)
		if err != nil {
			return n, err
		}
		if old == nil {
			return n, o.writer.finish(r)
		}
		copy(o.new, old)
		for _, set := range o.node.Set {
			if o.new[set.Column], err = set.Expr.Eval(&r.eval, old); err != nil {
				return n, err
			}
		}
		if err := o.writer.replace(r, key, old, o.new, o.node.SetsKey); err != nil {
			return n, err
		}
		if err := o.add(r, o.new); err != nil {
			return n, err
		}
	}
}

// remove deletes rows of a table.
type remove struct {
	returned
	target
	node *plan.Delete
}

func newDelete(n *plan.Delete) *remove {
	o := &remove{node: n, target: newTarget(&n.Target), returned: returned{exprs: n.Returning}}
	o.writer.foreign = newForeignWork(n.Foreign)
	return o
}

func (o *remove) rewind() bool { return o.target.rewind() && o.returned.rewind() }

func (o *remove) next(r *run) ([]types.Datum, error) { return o.returned.next(r) }

func (o *remove) execute(r *run) (int64, error) {
	for n := int64(0); ; n++ {
		old, key, err := o.target.next(r)
		if err != nil {
			return n, err
		}
		if old == nil {
			return n, o.writer.finish(r)
		}
		if err := o.add(r, old); err != nil {
			return n, err
		}
		if err := o.writer.remove(r, key, old); err != nil {
			return n, err
		}
	}
}
