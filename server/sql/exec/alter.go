package exec

import (
	"context"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// alterTable gives a table its new form. Its lock is held, so nobody else is at it.
func (r *run) alterTable(ctx context.Context, n *plan.AlterTable) error {
	old, t := n.Table, n.New.Clone() // the plan may run again (plan's P1)
	if n.Rewrite || len(n.Checks)+len(n.NotNull)+len(n.Foreign) > 0 ||
		len(t.Indexes) > len(old.Indexes) {
		if err := r.refuseStale("ALTER TABLE that reads the rows,"); err != nil {
			return err
		}
	}
	schema := &catalog.Schema{OID: t.SchemaOID, Name: t.Schema}
	moves := t.SchemaOID != old.SchemaOID
	if t.Name != old.Name || moves {
		if err := r.claim(ctx, t.SchemaOID, t.Name); err != nil {
			return err
		}
	}
	if err := r.dropViews(ctx, n.DropViews); err != nil {
		return err
	}
	if err := r.dropForeign(ctx, n.DropForeign); err != nil {
		return err
	}
	if err := r.dropSequences(ctx, n.DropSequences); err != nil {
		return err
	}
	for _, alter := range n.Sequences {
		if err := r.alterSequence(ctx, alter); err != nil {
			return err
		}
	}
	if err := r.bringSequences(ctx, schema, t, n.Serials); err != nil {
		return err
	}
	if err := r.bringKey(ctx, schema, old, t); err != nil {
		return err
	}
	if err := r.declareIndexes(ctx, schema, old, t); err != nil {
		return err
	}
	if err := r.numberConstraints(ctx, t); err != nil {
		return err
	}
	settleForeign(t)
	if n.Rewrite {
		if err := r.rewrite(ctx, n, t); err != nil {
			return err
		}
	} else if err := r.reshape(ctx, n, t); err != nil {
		return err
	}
	if err := r.relink(ctx, append(append(old.Parents(), t.Parents()...), t.OID)...); err != nil {
		return err
	}
	err := r.validateForeign(r.env.Txn.Catalog().TableByOID(t.OID), n.Foreign)
	for _, f := range n.Referring {
		if err == nil {
			child := r.env.Txn.Catalog().TableByOID(f.Child.OID)
			err = r.validateForeign(child, []string{f.Name})
		}
	}
	return err
}

// reshape publishes the new form over the rows as they are, once they have passed it.
func (r *run) reshape(ctx context.Context, n *plan.AlterTable, t *catalog.Table) error {
	if err := r.fillMissing(t, n.Missing); err != nil {
		return err
	}
	if err := r.env.Txn.ddl.PutTable(ctx, t); err != nil {
		return err
	}
	if err := r.fillNewIndexes(n.Table); err != nil {
		return err
	}
	return r.validate(n)
}

// bringKey gives a new primary key its oid and name, and a renamed one its name.
func (r *run) bringKey(
	ctx context.Context, schema *catalog.Schema, old, t *catalog.Table,
) (err error) {
	switch {
	case t.PrimaryKey == nil:
	case t.PrimaryKey.OID == 0 && takesOver(old, t):
		index := *t.PrimaryKey
		index.OID, err = r.x.catalog.NewOID(ctx)
		t.PrimaryKey = &index
	case t.PrimaryKey.OID == 0:
		t.PrimaryKey, err = r.newIndex(ctx, schema, t, t.PrimaryKey)
	case t.PrimaryKey.Name != old.PrimaryKey.Name, t.SchemaOID != old.SchemaOID:
		err = r.claim(ctx, t.SchemaOID, t.PrimaryKey.Name)
	}
	return err
}

// takesOver says whether a new primary key has the name of an index that goes for it.
func takesOver(old, t *catalog.Table) bool {
	index := old.IndexNamed(t.PrimaryKey.Name)
	return index != nil && t.PrimaryKey.Name != "" && t.IndexByOID(index.OID) == nil
}

// fillMissing computes what new columns are in the rows that are there, once for all of them.
func (r *run) fillMissing(t *catalog.Table, list []plan.SetColumn) error {
	for _, set := range list {
		v, err := set.Expr.Eval(&r.eval, nil)
		if err != nil {
			return err
		}
		if !v.IsNull() {
			t.Columns[set.Column].Missing = catalog.MissingValue(v)
		}
	}
	return nil
}

// rewrite writes every row again, into a storage of its own, and empties the old one, all in the
// one transaction. It is bounded by the size a transaction may have.
func (r *run) rewrite(ctx context.Context, n *plan.AlterTable, t *catalog.Table) error {
	storage, err := r.x.catalog.NewOID(ctx)
	if err != nil {
		return err
	}
	t.Storage = engine.TableID(storage)
	err = r.txn.LockTable(ctx, t.Storage, engine.AccessExclusiveLock, engine.Wait)
	if err != nil {
		return lockError(err, t.Name)
	}
	for i := range t.Dropped {
		t.Dropped[i].Gone = true
	}
	for i := range t.Columns {
		t.Columns[i].Missing = nil
	}
	if err := r.env.Txn.ddl.PutTable(ctx, t); err != nil {
		return err
	}
	published := r.env.Txn.Catalog().TableByOID(t.OID) // with what PutTable derives
	exprs, err := r.rowExprs(published, n.Row)
	if err != nil {
		return err
	}
	if err := r.refill(n, published, exprs); err != nil {
		return err
	}
	if err := r.txn.DeleteTable(n.Table.Storage); err != nil {
		return fmt.Errorf("exec: empty the old storage of %s: %w", t.Name, err)
	}
	return r.refillIndexes(published)
}

// rowExprs completes the expressions of a new row with the defaults of new columns.
func (r *run) rowExprs(t *catalog.Table, given []plan.Expr) ([]plan.Expr, error) {
	exprs := append([]plan.Expr(nil), given...)
	for i := range exprs {
		if exprs[i] != nil {
			continue
		}
		x, err := r.x.planner.Default(r.env.Plan(), &t.Columns[i])
		if err != nil {
			return nil, err
		}
		exprs[i] = x
	}
	return exprs, nil
}

// refill copies the rows of a table's old form to its new one.
func (r *run) refill(n *plan.AlterTable, to *catalog.Table, exprs []plan.Expr) error {
	w, err := r.newWriter(to, nil, nil)
	if err != nil {
		return err
	}
	row := make([]types.Datum, len(to.Columns))
	return r.eachRow(n.Table, func(old []types.Datum) error {
		if err := r.evalRow(row, exprs, old); err != nil {
			return err
		}
		if err := r.pass(n, to, row); err != nil {
			return err
		}
		if to.PrimaryKey == nil {
			w.codec.key = rowIDKey(w.codec.key[:0], w.ids.next())
			return w.put(r, w.codec.key, nil, row, false)
		}
		key := append([]byte(nil), w.codec.encodeKey(row)...)
		_, found, err := r.txn.Get(r.eval.Ctx, to.Storage, key)
		if err != nil {
			return fmt.Errorf("exec: look for a duplicate in %s: %w", to.Name, err)
		}
		if found {
			return r.errNotUnique(to, row)
		}
		return w.put(r, key, nil, row, false)
	})
}

// eachRow shows every row of a table, each valid until the next.
func (r *run) eachRow(t *catalog.Table, visit func(row []types.Datum) error) error {
	codec := newRowCodec(t)
	row := make([]types.Datum, len(t.Columns))
	it := r.txn.Scan(t.Storage, nil, nil, false)
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
		if err := visit(row); err != nil {
			return err
		}
	}
	return it.Err()
}

// validate has the rows that are there pass what the table now asks of them.
func (r *run) validate(n *plan.AlterTable) error {
	if len(n.Checks)+len(n.NotNull) == 0 {
		return nil
	}
	t := r.env.Txn.Catalog().TableByOID(n.Table.OID)
	return r.eachRow(t, func(row []types.Datum) error { return r.pass(n, t, row) })
}

// pass says whether a row that was there may be in the table as it now is.
func (r *run) pass(n *plan.AlterTable, t *catalog.Table, row []types.Datum) error {
	for _, i := range n.NotNull {
		if row[i].IsNull() {
			return errHoldsNull(t, i)
		}
	}
	for i := range n.Checks {
		v, err := n.Checks[i].Cond.Eval(&r.eval, row)
		if err != nil {
			return err
		}
		if !v.IsNull() && !v.Bool() {
			e := types.Errorf(plan.CodeCheckViolation, "check constraint \"%s\" of relation \"%s\" is"+
				" violated by some row", n.Checks[i].Name, t.Name)
			e.Schema, e.Table, e.Constraint = t.Schema, t.Name, n.Checks[i].Name
			return e
		}
	}
	return nil
}

// refuseStale refuses what must see every row in a transaction that cannot. Above READ COMMITTED a
// scan reads the transaction's snapshot; rows committed between it and the table lock would be
// lost with the old storage. A snapshot that is taken now, under the lock, sees them all.
func (r *run) refuseStale(what string) error {
	if r.txn.Isolation() == engine.ReadCommitted {
		return nil
	}
	applied := r.x.db.Applied()
	if r.txn.SnapshotLSN() >= applied {
		return nil
	}
	return types.Errorf(types.CodeFeatureNotSupported, "%s behind an earlier statement of a"+
		" REPEATABLE READ or SERIALIZABLE transaction, is not supported", what)
}

func errHoldsNull(t *catalog.Table, column int) error {
	e := types.Errorf(plan.CodeNotNullViolation,
		"column \"%s\" of relation \"%s\" contains null values", t.Columns[column].Name, t.Name)
	e.Schema, e.Table, e.Column = t.Schema, t.Name, t.Columns[column].Name
	return e
}

func (r *run) errNotUnique(t *catalog.Table, row []types.Datum) error {
	names, values := describeKey(t, row, &r.text)
	e := types.Errorf(plan.CodeUniqueViolation,
		"could not create unique index \"%s\"", t.PrimaryKey.Name).
		WithDetail("Key (%s)=(%s) is duplicated.", names, values)
	e.Schema, e.Table, e.Constraint = t.Schema, t.Name, t.PrimaryKey.Name
	return e
}
