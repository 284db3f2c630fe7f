package exec

import (
	"fmt"
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// Foreign keys. Whoever writes a row that refers to another locks that one FOR SHARE, so that it
// cannot go before the transaction is at its end; whoever takes a key away looks, once its
// statement has written everything, for rows that still refer to it. Of the two the first to have
// the lock on the parent's row is seen by the other: a child that came first is committed before
// the parent's writer has the lock, and is read by a snapshot taken after that.

// foreignWork is what a statement has yet to check.
type foreignWork struct {
	checks *plan.ForeignChecks
	owed   []owedParent        // rows of the table itself that must be there at the end
	gone   map[string]struct{} // keys that went
	key    []byte
}

func newForeignWork(checks *plan.ForeignChecks) *foreignWork {
	if checks == nil {
		return nil
	}
	return &foreignWork{checks: checks}
}

// owedParent is a row that refers to its own table: what it refers to may come later in the
// statement.
type owedParent struct {
	check *plan.ParentCheck
	key   []byte
	row   []types.Datum
}

// wrote sees that what a row refers to is there. The row is the caller's own copy.
func (f *foreignWork) wrote(r *run, t *catalog.Table, row []types.Datum) error {
	for i := range f.checks.Parents {
		check := &f.checks.Parents[i]
		key, refers := foreignKey(f.key[:0], check.Columns, row)
		if f.key = key; !refers {
			continue
		}
		if r.owes(t, check.Parent) {
			f.owed = append(f.owed, owedParent{check, append([]byte(nil), key...), row})
			if err := r.keep(len(key) + rowSize(row)); err != nil {
				return err
			}
			continue
		}
		if err := r.lockParent(check, t, key, row); err != nil {
			return err
		}
	}
	return nil
}

// foreignKey appends the key a row refers to; false when one of its columns is NULL.
func foreignKey(dst []byte, columns []int, row []types.Datum) ([]byte, bool) {
	for _, i := range columns {
		if row[i].IsNull() {
			return dst, false
		}
		dst = types.EncodeKey(dst, row[i], types.KeyOrder{})
	}
	return dst, true
}

func (r *run) lockParent(
	check *plan.ParentCheck, t *catalog.Table, key []byte, row []types.Datum,
) error {
	parent := check.Parent
	state, err := r.txn.LockRow(r.eval.Ctx, parent.Storage, key, engine.RowKeyShare, engine.Wait)
	if err != nil {
		return lockRowError(err, parent.Name)
	}
	if !state.Exists {
		return errNoParent(t, check.Key, parent, row, &r.text)
	}
	return nil
}

// left notes a key that is no longer there.
func (f *foreignWork) left(r *run, key []byte) error {
	if len(f.checks.Children) == 0 {
		return nil
	}
	if f.gone == nil {
		f.gone = map[string]struct{}{}
	}
	f.gone[string(key)] = struct{}{}
	return r.keep(len(key) + entryOverhead)
}

// settle checks what could only be checked at the end of the statement.
func (f *foreignWork) settle(r *run, t *catalog.Table) error {
	for _, o := range f.owed {
		if err := r.lockParent(o.check, t, o.key, o.row); err != nil {
			return err
		}
	}
	f.owed = nil
	if len(f.gone) == 0 {
		return nil
	}
	if r.txn.Isolation() == engine.ReadCommitted {
		r.txn.StartStatement() // and with it a snapshot from after the locks
	}
	for key := range f.gone {
		_, back, err := r.txn.Get(r.eval.Ctx, t.Storage, []byte(key))
		if err != nil {
			return fmt.Errorf("exec: look for a key of %s: %w", t.Name, err)
		}
		if back {
			delete(f.gone, key)
		}
	}
	for i := range f.checks.Children {
		if err := r.refuseReferenced(&f.checks.Children[i], t, f.gone); err != nil {
			return err
		}
	}
	f.gone = nil
	return nil
}

// refuseReferenced looks for a row that refers to a key that is gone. A transaction with one
// snapshot does not see those that were committed since, so they are looked for in a newer one, and
// locked: which fails as any other conflict with them would.
func (r *run) refuseReferenced(
	c *plan.ChildCheck, t *catalog.Table, gone map[string]struct{},
) error {
	refers := func(row []types.Datum, buf []byte) bool {
		key, refers := foreignKey(buf, c.Columns, row)
		_, found := gone[string(key)]
		return refers && found
	}
	err := r.scanTable(r.txn, c.Child, func(_ []byte, row []types.Datum) error {
		if !refers(row, nil) {
			return nil
		}
		return errReferenced(t, c, row, &r.text)
	})
	if err != nil || r.txn.Isolation() == engine.ReadCommitted {
		return err
	}
	newest := r.x.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer newest.Rollback()
	newest.StartStatement()
	return r.scanTable(newest, c.Child, func(key []byte, row []types.Datum) error {
		if !refers(row, nil) {
			return nil
		}
		state, err := r.txn.LockRow(r.eval.Ctx, c.Child.Storage, key, engine.RowShare, engine.Wait)
		if err != nil {
			return lockRowError(err, c.Child.Name)
		}
		if !state.Exists {
			return nil // this transaction deleted it
		}
		return errReferenced(t, c, row, &r.text)
	})
}

// scanTable shows every row of a table with its key, each valid until the next.
func (r *run) scanTable(
	txn *engine.Txn, t *catalog.Table, visit func(key []byte, row []types.Datum) error,
) error {
	codec := newRowCodec(t)
	row := make([]types.Datum, len(t.Columns))
	it := txn.Scan(t.Storage, nil, nil, false)
	defer it.Close()
	for n := 1; it.Next(); n++ {
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return err
			}
		}
		if err := codec.decode(row, it.Key(), it.Value()); err != nil {
			return err
		}
		if err := visit(it.Key(), row); err != nil {
			return err
		}
	}
	return it.Err()
}

// validateForeign has the rows that are there pass the new foreign keys of their table.
func (r *run) validateForeign(t *catalog.Table, names []string) error {
	for i := range t.ForeignKeys {
		fk := &t.ForeignKeys[i]
		if !slices.Contains(names, fk.Name) {
			continue
		}
		parent := r.env.Txn.Catalog().TableByOID(fk.RefTable)
		columns := t.ForeignColumns(fk, parent)
		err := r.scanTable(r.txn, t, func(_ []byte, row []types.Datum) error {
			key, refers := foreignKey(nil, columns, row)
			if !refers {
				return nil
			}
			_, found, err := r.txn.Get(r.eval.Ctx, parent.Storage, key)
			if err != nil {
				return fmt.Errorf("exec: look for a key of %s: %w", parent.Name, err)
			}
			if !found {
				return errNoParent(t, fk, parent, row, &r.text)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// errNoParent is the error of a row that refers to one that is not there.
func errNoParent(
	t *catalog.Table, fk *catalog.ForeignKey, parent *catalog.Table, row []types.Datum, env *types.Env,
) error {
	names, values := describeForeign(t, fk.Columns, t, fk, row, env)
	e := types.Errorf(plan.CodeForeignKey,
		"insert or update on table \"%s\" violates foreign key constraint \"%s\"", t.Name, fk.Name).
		WithDetail("Key (%s)=(%s) is not present in table \"%s\".", names, values, parent.Name)
	e.Schema, e.Table, e.Constraint = t.Schema, t.Name, fk.Name
	return e
}

// errReferenced is the error of a key that is gone and still referred to by a row of the child.
func errReferenced(
	t *catalog.Table, c *plan.ChildCheck, row []types.Datum, env *types.Env,
) error {
	names, values := describeForeign(t, c.Key.RefColumns, c.Child, c.Key, row, env)
	e := types.Errorf(plan.CodeForeignKey,
		"update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
		t.Name, c.Key.Name, c.Child.Name).
		WithDetail("Key (%s)=(%s) is still referenced from table \"%s\".", names, values, c.Child.Name)
	e.Schema, e.Table, e.Constraint = c.Child.Schema, c.Child.Name, c.Key.Name
	return e
}

// describeForeign shows the key that a row of the child refers to, under the names that columns
// have in named.
func describeForeign(
	named *catalog.Table, attnums []int16, child *catalog.Table, fk *catalog.ForeignKey,
	row []types.Datum, env *types.Env,
) (names, values []byte) {
	for j, attnum := range attnums {
		if j > 0 {
			names, values = append(names, ", "...), append(values, ", "...)
		}
		names = append(names, named.Columns[named.ColumnByAttnum(attnum)].Name...)
		values = types.AppendText(values, row[child.ColumnByAttnum(fk.Columns[j])], env)
	}
	return names, values
}
