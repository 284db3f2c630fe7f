package exec

import (
	"fmt"
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// Foreign keys. Whoever writes a row that refers to another locks that one's key FOR KEY SHARE, so
// that it cannot go before the transaction is at its end; whoever takes a key away looks, once its
// statement has written everything, for rows that still refer to it (foreign_gone.go). Of the two
// the first to have the lock on the parent's key is seen by the other: a child that came first is
// committed before the parent's writer has the lock, and is read by a snapshot taken after that.
//
// The lock of a primary key is that of its row. Of another unique key it is that of its entry,
// which whoever takes the key from a row locks too (index_write.go).

// foreignWork is what the writes to one table have to look at in others.
type foreignWork struct {
	checks *plan.ForeignChecks
	batch  *foreignBatch
	key    []byte
	was    []byte
}

// foreignBatch is what a statement has yet to do about all foreign keys it has come to.
type foreignBatch struct {
	owed    []owedParent
	gone    []departure
	refused []departure // NO ACTION: looked at when every other action is done
	writers map[*plan.ForeignActions]*cascadeWriter
}

func newForeignWork(checks *plan.ForeignChecks) *foreignWork {
	if checks == nil {
		return nil
	}
	return &foreignWork{checks: checks, batch: &foreignBatch{}}
}

// owedParent is a row that refers to what was not there when it was written: it may come later in
// the statement.
type owedParent struct {
	check *plan.ParentCheck
	table *catalog.Table
	key   []byte
	row   []types.Datum
}

// wrote sees that what a row refers to is there. The row is the caller's own copy; old is what it
// was, nil for one that is new. A row that stays where it was and goes on to refer to what it did
// needs no lock: whoever takes that away comes to the row and waits for it. One that moved does:
// who comes to its old place finds nobody there, and would leave it behind, referring to nothing.
func (f *foreignWork) wrote(
	r *run, t *catalog.Table, old, row []types.Datum, moved bool,
) error {
	for i := range f.checks.Parents {
		check := &f.checks.Parents[i]
		key, refers := foreignKey(f.key[:0], check.Index, check.Columns, row)
		if f.key = key; !refers {
			if err := r.checkFull(check.Key, check.Columns, t, row); err != nil {
				return err
			}
			continue
		}
		same := false
		if old != nil {
			was, referred := foreignKey(f.was[:0], check.Index, check.Columns, old)
			f.was, same = was, referred && string(was) == string(key)
		}
		if same && !moved {
			continue
		}
		found, err := r.lockParent(check, key)
		switch {
		case err != nil:
			return err
		case found:
		case !r.owes(t, check.Parent):
			return errNoParent(t, check.Key, check.Parent, row, &r.text)
		case same: // this statement took it away, and will come to the row at its end
		default:
			f.batch.owed = append(f.batch.owed, owedParent{check, t, slices.Clone(key), row})
			if err := r.memory.Keep(len(key) + rowSize(row)); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaced does what a write asks for: old is what the row was, nil for one that is new; moved says
// whether it was under another key.
func (f *foreignWork) replaced(
	r *run, t *catalog.Table, old, row []types.Datum, moved bool,
) error {
	if err := f.wrote(r, t, old, row, moved); err != nil || old == nil {
		return err
	}
	return f.left(r, t, old, row)
}

// foreignKey appends the key a row refers to; false when one of its columns is NULL.
func foreignKey(
	dst []byte, index *catalog.Index, columns []int, row []types.Datum,
) ([]byte, bool) {
	for j, i := range columns {
		if row[i].IsNull() {
			return dst, false
		}
		dst = types.EncodeKey(dst, row[i], index.Order(j))
	}
	return dst, true
}

// checkFull refuses a row of a MATCH FULL foreign key some but not all of whose columns are NULL.
func (r *run) checkFull(
	fk *catalog.ForeignKey, columns []int, t *catalog.Table, row []types.Datum,
) error {
	if !fk.MatchFull {
		return nil
	}
	given := slices.ContainsFunc(columns, func(i int) bool { return !row[i].IsNull() })
	if !given {
		return nil
	}
	e := types.Errorf(plan.CodeForeignKey,
		"insert or update on table \"%s\" violates foreign key constraint \"%s\"", t.Name, fk.Name).
		WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.")
	e.Schema, e.Table, e.Constraint = t.Schema, t.Name, fk.Name
	return e
}

// lockParent locks the key that a row refers to and says whether a row has it.
func (r *run) lockParent(check *plan.ParentCheck, key []byte) (bool, error) {
	state, err := r.txn.LockRow(r.eval.Ctx, keyStorage(check.Parent, check.Index), key,
		engine.RowKeyShare, engine.Wait)
	if err != nil {
		return false, lockRowError(err, check.Parent.Name)
	}
	return state.Exists, nil
}

// keyStorage is where the keys of a unique index lie.
func keyStorage(t *catalog.Table, index *catalog.Index) engine.TableID {
	if index.Storage != 0 {
		return index.Storage
	}
	return t.Storage
}

// payOwed looks again for what rows refer to in their own table, now that all is written.
func (b *foreignBatch) payOwed(r *run) error {
	for _, o := range b.owed {
		found, err := r.lockParent(o.check, o.key)
		if err != nil {
			return err
		}
		if !found {
			return errNoParent(o.table, o.check.Key, o.check.Parent, o.row, &r.text)
		}
	}
	b.owed = nil
	return nil
}

// validateForeign has the rows that are there pass the new foreign keys of their table.
func (r *run) validateForeign(t *catalog.Table, names []string) error {
	for i := range t.ForeignKeys {
		fk := &t.ForeignKeys[i]
		if !slices.Contains(names, fk.Name) {
			continue
		}
		parent := r.env.Txn.Catalog().TableByOID(fk.RefTable)
		index := parent.ReferredKey(fk)
		columns, _ := t.ForeignColumns(fk, parent)
		err := r.eachRow(t, func(row []types.Datum) error {
			key, refers := foreignKey(nil, index, columns, row)
			if !refers {
				return r.checkFull(fk, columns, t, row)
			}
			_, found, err := r.txn.Get(r.eval.Ctx, keyStorage(parent, index), key)
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
