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
		x.old.encode(x.index, row, key)
		if err := x.remove(r); err != nil {
			return err
		}
	}
	return nil
}

func (x *indexWriter) add(r *run, key []byte, row []types.Datum) error {
	x.new.encode(x.index, row, key)
	if x.new.exclusive {
		state, err := x.lock(r, x.new.key)
		if err != nil {
			return err
		}
		if state.Exists {
			return errDuplicateKey(x.table, x.index, row, &r.text)
		}
	}
	return x.put(r)
}

func (x *indexWriter) change(r *run, oldKey, key []byte, old, row []types.Datum) error {
	x.old.encode(x.index, old, oldKey)
	x.new.encode(x.index, row, key)
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
			return errDuplicateKey(x.table, x.index, row, &r.text)
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
	if err := r.txn.Put(x.index.Storage, x.new.key, x.new.value); err != nil {
		return fmt.Errorf("exec: write an entry of %s: %w", x.index.Name, err)
	}
	return nil
}

func (x *indexWriter) remove(r *run) error {
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

// errDuplicateKey is the error of a row whose place in a unique index is taken.
func errDuplicateKey(
	t *catalog.Table, index *catalog.Index, row []types.Datum, env *types.Env,
) error {
	names, values := describeIndexKey(t, index, row, env)
	e := types.Errorf(plan.CodeUniqueViolation,
		"duplicate key value violates unique constraint \"%s\"", index.Name).
		WithDetail("Key (%s)=(%s) already exists.", names, values)
	e.Schema, e.Table, e.Constraint = t.Schema, t.Name, index.Name
	return e
}

// errNotUniqueIndex is the error of an index that cannot be unique over the rows that are there.
func errNotUniqueIndex(
	t *catalog.Table, index *catalog.Index, row []types.Datum, env *types.Env,
) error {
	names, values := describeIndexKey(t, index, row, env)
	e := types.Errorf(plan.CodeUniqueViolation,
		"could not create unique index \"%s\"", index.Name).
		WithDetail("Key (%s)=(%s) is duplicated.", names, values)
	e.Schema, e.Table, e.Constraint = t.Schema, t.Name, index.Name
	return e
}

func describeIndexKey(
	t *catalog.Table, index *catalog.Index, row []types.Datum, env *types.Env,
) (names, values []byte) {
	for n, i := range index.Columns {
		if n > 0 {
			names, values = append(names, ", "...), append(values, ", "...)
		}
		names = append(names, catalog.QuoteIdent(t.Columns[i].Name)...)
		values = types.AppendText(values, row[i], env)
	}
	return names, values
}
