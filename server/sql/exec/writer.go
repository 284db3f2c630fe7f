package exec

import (
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// writer puts rows of one table into the transaction. It belongs to one execution.
type writer struct {
	table   *catalog.Table
	codec   *rowCodec
	ids     *rowIDs // of a table without a primary key; nil for what adds no rows
	checks  []plan.RowCheck
	indexes []indexWriter
	foreign *foreignWork // nil: no foreign keys are about
	own     bool         // the row that was locked last is as this statement made it
}

// changer gives a writer that changes and deletes rows, and adds none.
func changer(t *catalog.Table) *writer {
	return &writer{table: t, codec: newRowCodec(t), indexes: newIndexWriters(t)}
}

func (r *run) newWriter(
	t *catalog.Table, checks []plan.RowCheck, foreign *plan.ForeignChecks,
) (*writer, error) {
	w := changer(t)
	w.checks, w.foreign = checks, newForeignWork(foreign)
	if t.PrimaryKey != nil {
		return w, nil
	}
	var err error
	w.ids, err = r.x.rowIDsOf(r.eval.Ctx, t)
	return w, err
}

// insert adds a row, which must not be there yet.
func (w *writer) insert(r *run, row []types.Datum) error {
	if err := w.check(r, row); err != nil {
		return err
	}
	return w.place(r, row)
}

// place is insert of a row that was checked.
func (w *writer) place(r *run, row []types.Datum) error {
	if w.table.PrimaryKey == nil {
		// Nobody else can know a fresh row id, so the row needs no lock (X5).
		w.codec.key = rowIDKey(w.codec.key[:0], w.ids.next())
		return w.add(r, w.codec.key, row)
	}
	key := w.codec.encodeKey(row)
	state, err := w.lock(r, key)
	if err != nil {
		return err
	}
	if state.Exists {
		return errDuplicate(w.table, row, &r.text)
	}
	return w.add(r, key, row)
}

// add writes a row that is not there yet, with its entries.
func (w *writer) add(r *run, key []byte, row []types.Datum) error {
	if w.indexes != nil {
		if err := w.enter(r, key, row); err != nil {
			return err
		}
	}
	return w.put(r, key, nil, row, false)
}

// check says whether the table may hold the row, as far as the row itself decides.
func (w *writer) check(r *run, row []types.Datum) error {
	if err := checkNotNull(w.table, row, &r.text); err != nil {
		return err
	}
	for i := range w.checks {
		v, err := w.checks[i].Cond.Eval(&r.eval, row)
		if err != nil {
			return err
		}
		if !v.IsNull() && !v.Bool() {
			return errCheck(w.table, w.checks[i].Name, row, &r.text)
		}
	}
	return nil
}

// lock takes the place of a row that is to be added and gives what is there then.
func (w *writer) lock(r *run, key []byte) (engine.RowState, error) {
	return w.lockAs(r, key, engine.RowUpdate)
}

// lockAs takes the row for writing and gives it as it is then.
func (w *writer) lockAs(r *run, key []byte, mode engine.LockMode) (engine.RowState, error) {
	state, own, err := r.lockNewest(w.table.Storage, key, mode)
	if w.own = own; err != nil {
		return state, lockRowError(err, w.table.Name)
	}
	return state, nil
}

// put writes a row. old is what it was, nil for one that is new; moved says whether it was under
// another key.
func (w *writer) put(r *run, key []byte, old, row []types.Datum, moved bool) error {
	if w.foreign != nil {
		row = cloneRow(row) // it may lie in memory that the checks reuse
	}
	if err := r.txn.Put(w.table.Storage, key, w.codec.encodeValue(row)); err != nil {
		return fmt.Errorf("exec: write a row of %s: %w", w.table.Name, err)
	}
	if w.foreign != nil {
		return w.foreign.replaced(r, w.table, old, row, moved)
	}
	return nil
}

// finish does what is left to be checked once the statement has written everything.
func (w *writer) finish(r *run) error {
	if w.foreign == nil {
		return nil
	}
	if r.moment != nil {
		r.unsettled = append(r.unsettled, w)
		return nil
	}
	return w.foreign.batch.settle(r)
}

// replace writes a row over the old one, which is locked under key. A row whose key changes leaves
// its old place.
func (w *writer) replace(r *run, key []byte, old, row []types.Datum, setsKey bool) error {
	if err := w.check(r, row); err != nil {
		return err
	}
	if w.foreign != nil {
		old = cloneRow(old) // it is looked at again behind the write
	}
	moved := key
	if setsKey && w.table.PrimaryKey != nil {
		moved = w.codec.encodeKey(row)
	}
	if string(moved) != string(key) {
		return w.rekey(r, key, moved, old, row)
	}
	if w.indexes != nil {
		if err := w.move(r, key, key, old, row); err != nil {
			return err
		}
	}
	return w.put(r, key, old, row, false)
}

// rekey moves a row to another key.
func (w *writer) rekey(r *run, key, moved []byte, old, row []types.Datum) error {
	row = cloneRow(row) // it may lie in memory that the lock below reuses
	state, err := w.lock(r, moved)
	if err != nil {
		return err
	}
	if state.Exists {
		return errDuplicate(w.table, row, &r.text)
	}
	if w.indexes != nil {
		if err := w.move(r, key, moved, old, row); err != nil {
			return err
		}
	}
	if err := w.put(r, moved, old, row, true); err != nil {
		return err
	}
	return w.delete(r, key)
}

// remove deletes the row that is locked under key, with its entries.
func (w *writer) remove(r *run, key []byte, row []types.Datum) error {
	if w.foreign != nil {
		row = cloneRow(row) // it is looked at again behind the write
	}
	if w.indexes != nil {
		if err := w.leave(r, key, row); err != nil {
			return err
		}
	}
	if err := w.delete(r, key); err != nil || w.foreign == nil {
		return err
	}
	return w.foreign.left(r, w.table, row, nil)
}

func (w *writer) delete(r *run, key []byte) error {
	if err := r.txn.Delete(w.table.Storage, key); err != nil {
		return fmt.Errorf("exec: delete a row of %s: %w", w.table.Name, err)
	}
	return nil
}

// returned holds what RETURNING gives until the statement has run to its end (X4).
type returned struct {
	exprs []plan.Expr
	rows  [][]types.Datum
	at    int
}

func (o *returned) add(r *run, row []types.Datum) error {
	if o.exprs == nil {
		return nil
	}
	out := make([]types.Datum, len(o.exprs))
	if err := r.evalRow(out, o.exprs, row); err != nil {
		return err
	}
	for i := range out {
		out[i] = out[i].Clone()
	}
	o.rows = append(o.rows, out)
	return r.memory.Keep(rowSize(out))
}

func (o *returned) rewind() bool {
	o.rows, o.at = nil, 0
	return true
}

func (o *returned) next(*run) ([]types.Datum, error) {
	if o.at == len(o.rows) {
		return nil, nil
	}
	o.at++
	return o.rows[o.at-1], nil
}
