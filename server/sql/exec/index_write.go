package exec

import (
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// indexWriter keeps the entries of one index in step with the rows a writer writes. The writer
// holds each row's lock, or is the only one who knows its key, so nobody else touches the row's
// entries but under the lock of an exclusive key.
type indexWriter struct {
	table    *catalog.Table
	index    *catalog.Index
	old, new entry

	made *plan.IndexKey // of an index with expressions or a predicate, once it was needed
	row  []types.Datum  // what its key has of a row
}

func newIndexWriters(t *catalog.Table) []indexWriter {
	if t.Indexes == nil {
		return nil
	}
	list := make([]indexWriter, len(t.Indexes))
	for i, index := range t.Indexes {
		list[i] = indexWriter{table: t, index: index}
	}
	return list
}

// enter adds the entries of a row that is about to be added.
func (w *writer) enter(r *run, key []byte, row []types.Datum) error {
	for i := range w.indexes {
		if err := w.indexes[i].add(r, key, row); err != nil {
			return err
		}
	}
	return nil
}

// move changes the entries of a row that is about to be replaced by another, under a key that may
// be another.
func (w *writer) move(r *run, oldKey, key []byte, old, row []types.Datum) error {
	for i := range w.indexes {
		if err := w.indexes[i].change(r, oldKey, key, old, row); err != nil {
			return err
		}
	}
	return nil
}

// leave removes the entries of a row that is about to be deleted.
func (w *writer) leave(r *run, key []byte, row []types.Datum) error {
	for i := range w.indexes {
		x := &w.indexes[i]
		if err := x.old.encode(r, x, row, key); err != nil {
			return err
		}
		if err := x.remove(r); err != nil {
			return err
		}
	}
	return nil
}

func (x *indexWriter) add(r *run, key []byte, row []types.Datum) error {
	if err := x.new.encode(r, x, row, key); err != nil {
		return err
	}
	if x.new.exclusive {
		state, err := x.lock(r, x.new.key)
		if err != nil {
			return err
		}
		if state.Exists {
			return x.errDuplicate(r, row)
		}
	}
	return x.put(r)
}

func (x *indexWriter) change(r *run, oldKey, key []byte, old, row []types.Datum) error {
	if err := x.old.encode(r, x, old, oldKey); err != nil {
		return err
	}
	if err := x.new.encode(r, x, row, key); err != nil {
		return err
	}
	if x.old.equal(&x.new) {
		return nil
	}
	// An exclusive key that stays, of a row that gets another key itself, is its own.
	if x.new.exclusive && string(x.new.key) != string(x.old.key) {
		state, err := x.lock(r, x.new.key)
		if err != nil {
			return err
		}
		if state.Exists {
			return x.errDuplicate(r, row)
		}
	}
	if err := x.remove(r); err != nil {
		return err
	}
	return x.put(r)
}

// lock takes an exclusive key for writing: whoever is about to write the same waits here.
func (x *indexWriter) lock(r *run, key []byte) (engine.RowState, error) {
	state, _, err := r.lockNewest(x.index.Storage, key, engine.RowUpdate)
	if err != nil {
		return state, lockRowError(err, x.table.Name)
	}
	return state, nil
}

func (x *indexWriter) put(r *run) error {
	if x.new.none {
		return nil
	}
	if err := r.txn.Put(x.index.Storage, x.new.key, x.new.value); err != nil {
		return fmt.Errorf("exec: write an entry of %s: %w", x.index.Name, err)
	}
	return nil
}

func (x *indexWriter) remove(r *run) error {
	if x.old.none {
		return nil
	}
	if x.old.exclusive {
		if _, err := x.lock(r, x.old.key); err != nil {
			return err
		}
	}
	if err := r.txn.Delete(x.index.Storage, x.old.key); err != nil {
		return fmt.Errorf("exec: delete an entry of %s: %w", x.index.Name, err)
	}
	return nil
}

// values gives what the key of an index with expressions or a predicate has of a row; nil when it
// does not have the row. They are valid until the next call.
func (x *indexWriter) values(r *run, row []types.Datum) ([]types.Datum, error) {
	if x.made == nil {
		key, err := plan.KeyOf(r.env.Plan(), x.table, x.index)
		if err != nil {
			return nil, err
		}
		x.made, x.row = key, make([]types.Datum, len(key.Parts))
	}
	if x.made.Pred != nil {
		if ok, err := r.truth(x.made.Pred, row); err != nil || !ok {
			return nil, err
		}
	}
	for i := range x.made.Parts {
		p := &x.made.Parts[i]
		if p.Expr == nil {
			x.row[i] = row[p.Column]
			continue
		}
		v, err := p.Expr.Eval(&r.eval, row)
		if err != nil {
			return nil, err
		}
		x.row[i] = v
	}
	return x.row, nil
}

// errDuplicate is the error of a row whose place in a unique index is taken.
func (x *indexWriter) errDuplicate(r *run, row []types.Datum) error {
	return x.violation(r, row, "already exists",
		"duplicate key value violates unique constraint \"%s\"")
}

// errNotUnique is the error of an index that cannot be unique over the rows that are there.
func (x *indexWriter) errNotUnique(r *run, row []types.Datum) error {
	return x.violation(r, row, "is duplicated", "could not create unique index \"%s\"")
}

func (x *indexWriter) violation(r *run, row []types.Datum, what, message string) error {
	names, values, err := x.describe(r, row)
	if err != nil {
		return err
	}
	e := types.Errorf(plan.CodeUniqueViolation, message, x.index.Name).
		WithDetail("Key (%s)=(%s) %s.", names, values, what)
	e.Schema, e.Table, e.Constraint = x.table.Schema, x.table.Name, x.index.Name
	return e
}

// describe shows the key of a row: the names of its columns, and their values.
func (x *indexWriter) describe(r *run, row []types.Datum) (names, values []byte, err error) {
	key, err := plan.KeyOf(r.env.Plan(), x.table, x.index)
	if err != nil {
		return nil, nil, err
	}
	for n := range key.Parts {
		p := &key.Parts[n]
		if n > 0 {
			names, values = append(names, ", "...), append(values, ", "...)
		}
		names = append(names, p.Shown(x.table)...)
		v, err := p.Value(x.table).Eval(&r.eval, row)
		if err != nil {
			return nil, nil, err
		}
		if v.IsNull() {
			values = append(values, "null"...)
		} else {
			values = types.AppendText(values, v, &r.text)
		}
	}
	return names, values, nil
}
