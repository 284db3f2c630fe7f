package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// codeCardinality is the SQLSTATE of an upsert that meets one row twice.
const codeCardinality types.Code = "21000"

// insert adds the rows below to a table.
type insert struct {
	returned
	node   *plan.Insert
	in     operator
	writer *writer
	row    []types.Datum

	wide []types.Datum       // the existing row and the proposed one, for ON CONFLICT
	old  []byte              // its key and value; the engine's copies last one call
	met  map[string]struct{} // keys this statement wrote, when it may write one twice
}

func (r *run) buildInsert(n *plan.Insert) (operator, error) {
	o := &insert{node: n, returned: returned{exprs: n.Returning},
		row: make([]types.Datum, len(n.Table.Columns))}
	v, isValues := n.In.(*plan.Values)
	if n.Conflict != nil && n.Conflict.DoUpdate && (!isValues || len(v.Rows) > 1) {
		o.met = map[string]struct{}{}
	}
	in, err := r.buildStep(n.In)
	// A point get gives a row in the engine's memory, which the locks of the writer reuse.
	_, lent := in.(*pointGet)
	if o.in = in; n.Gather || lent {
		o.in = &gathered{in: in, hold: hold{run: r}}
	}
	return o, err
}

func (o *insert) open(r *run) error {
	if o.writer == nil || o.writer.ids != nil {
		w, err := r.newWriter(o.node.Table, o.node.Checks, o.node.Foreign)
		if err != nil {
			return err
		}
		o.writer = w
	}
	return o.in.open(r)
}

func (o *insert) close() { o.in.close() }

func (o *insert) rewind() bool {
	in, ok := o.in.(rewinder)
	return ok && o.writer != nil && o.node.Foreign == nil && in.rewind() && o.met == nil &&
		o.returned.rewind() &&
		o.writer.codec.small() && cap(o.old) <= maxKeptBytes
}

func (o *insert) execute(r *run) (affected int64, err error) {
	if !o.node.Apart {
		return o.insert(r)
	}
	err = r.within(func() (err error) {
		affected, err = o.insert(r)
		return err
	})
	return affected, err
}

func (o *insert) insert(r *run) (int64, error) {
	affected := int64(0)
	for n := 1; ; n++ {
		row, err := o.in.next(r)
		if err != nil {
			return affected, err
		}
		if row == nil {
			return affected, o.writer.finish(r)
		}
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return affected, err
			}
		}
		if err := r.evalRow(o.row, o.node.Row, row); err != nil {
			return affected, err
		}
		written, err := o.one(r)
		if err != nil {
			return affected, err
		}
		if written {
			affected++
		}
	}
}

// one inserts o.row and says whether a row was written.
func (o *insert) one(r *run) (bool, error) {
	w := o.writer
	if o.node.Conflict != nil && w.indexes != nil {
		return o.arbitrate(r)
	}
	if o.node.Conflict == nil || w.table.PrimaryKey == nil {
		if err := w.insert(r, o.row); err != nil {
			return false, err
		}
		return true, o.add(r, o.row)
	}
	if err := w.check(r, o.row); err != nil {
		return false, err
	}
	key := w.codec.encodeKey(o.row)
	if err := o.meet(r, key); err != nil {
		return false, err
	}
	if o.node.BlindUpsert {
		err := r.txn.Upsert(r.eval.Ctx, w.table.Storage, key, w.codec.encodeValue(o.row))
		if err != nil {
			return false, lockRowError(err, w.table.Name)
		}
		if w.foreign != nil {
			if err := w.foreign.wrote(r, w.table, nil, cloneRow(o.row), false); err != nil {
				return false, err
			}
		}
		return true, o.add(r, o.row)
	}
	state, err := w.lockAs(r, key, o.node.Conflict.Lock)
	if err != nil {
		return false, err
	}
	if !state.Exists {
		if err := w.put(r, key, nil, o.row, false); err != nil {
			return false, err
		}
		return true, o.add(r, o.row)
	}
	if !o.node.Conflict.DoUpdate {
		return false, nil
	}
	return o.update(r, key, state.Value)
}

// meet refuses to let an upsert touch a row twice: which of the two proposals would win is not said
// anywhere.
func (o *insert) meet(r *run, key []byte) error {
	if o.met == nil {
		return nil
	}
	if _, found := o.met[string(key)]; found {
		return errTwice()
	}
	o.met[string(key)] = struct{}{}
	return r.memory.Keep(len(key) + entryOverhead)
}

func errTwice() error {
	return types.Errorf(codeCardinality,
		"ON CONFLICT DO UPDATE command cannot affect row a second time").WithHint(
		"Ensure that no rows proposed for insertion within the same command have" +
			" duplicate constrained values.")
}

// update does ON CONFLICT DO UPDATE to the row that is there.
func (o *insert) update(r *run, key, value []byte) (bool, error) {
	n := len(o.row)
	if o.writer.own {
		return false, errTwice()
	}
	if o.wide == nil {
		o.wide = make([]types.Datum, 2*n)
	}
	existing := o.wide[:n]
	o.old = append(append(o.old[:0], key...), value...)
	key, value = o.old[:len(key)], o.old[len(key):]
	if err := o.writer.codec.decode(existing, key, value); err != nil {
		return false, err
	}
	copy(o.wide[n:], o.row)
	conflict := o.node.Conflict
	if conflict.Where != nil {
		if ok, err := r.truth(conflict.Where, o.wide); err != nil || !ok {
			return false, err
		}
	}
	updated := append([]types.Datum(nil), existing...)
	setsKey := false
	for _, set := range conflict.Set {
		v, err := set.Expr.Eval(&r.eval, o.wide)
		if err != nil {
			return false, err
		}
		updated[set.Column] = v
		setsKey = setsKey || o.node.Table.InKey(set.Column)
	}
	if err := o.writer.replace(r, key, existing, updated, setsKey); err != nil {
		return false, err
	}
	if setsKey && o.met != nil { // the row is known by its new key from here on
		o.met[string(o.writer.codec.encodeKey(updated))] = struct{}{}
		if err := r.memory.Keep(len(o.writer.codec.key) + entryOverhead); err != nil {
			return false, err
		}
	}
	return true, o.add(r, updated)
}
