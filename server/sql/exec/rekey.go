package exec

import (
	"bytes"
	"context"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// addPrimaryKey gives a table that was loaded without a key its primary key: every row is written
// again under its new key, into a storage of its own, and the old storage is emptied, all in the
// one transaction. It is bounded by the size a transaction may have.
func (r *run) addPrimaryKey(ctx context.Context, n *plan.AddPrimaryKey) error {
	old := n.Table
	if err := r.refuseStale(); err != nil {
		return err
	}
	schema := &catalog.Schema{OID: old.SchemaOID, Name: old.Schema}
	t := *old
	t.Columns = append([]catalog.Column(nil), old.Columns...)
	for _, i := range n.Columns {
		t.Columns[i].NotNull = true
	}
	wish := &catalog.Index{Name: n.Name, Columns: n.Columns}
	index, err := r.newIndex(ctx, schema, &t, wish)
	if err != nil {
		return err
	}
	t.PrimaryKey = index
	storage, err := r.x.catalog.NewOID(ctx)
	if err != nil {
		return err
	}
	t.Storage = engine.TableID(storage)
	err = r.txn.LockTable(ctx, t.Storage, engine.AccessExclusiveLock, engine.Wait)
	if err != nil {
		return lockError(err, t.Name)
	}
	if err := r.env.Txn.ddl.PutTable(ctx, &t); err != nil {
		return err
	}
	published := r.env.Txn.Catalog().TableByOID(t.OID) // with what PutTable derives
	if err := r.rekey(old, published); err != nil {
		return err
	}
	if err := r.txn.DeleteTable(old.Storage); err != nil {
		return fmt.Errorf("exec: empty the old storage of %s: %w", t.Name, err)
	}
	return nil
}

// refuseStale refuses what must see every row in a transaction that cannot. Above READ COMMITTED a
// scan reads the transaction's snapshot; rows committed between it and the table lock would be
// lost with the old storage. A snapshot that is taken now, under the lock, sees them all.
func (r *run) refuseStale() error {
	if r.txn.Isolation() == engine.ReadCommitted {
		return nil
	}
	applied := r.x.db.Applied()
	if r.txn.SnapshotLSN() >= applied {
		return nil
	}
	return types.Errorf(types.CodeFeatureNotSupported, "ALTER TABLE ... ADD PRIMARY KEY behind"+
		" an earlier statement of a REPEATABLE READ or SERIALIZABLE transaction is not supported")
}

// rekey copies the rows of one form of a table to another.
func (r *run) rekey(from, to *catalog.Table) error {
	in, out := newRowCodec(from), &writer{table: to, codec: newRowCodec(to)}
	row := make([]types.Datum, len(from.Columns))
	it := r.txn.Scan(from.Storage, nil, nil, false)
	defer it.Close()
	var key []byte
	for n := 1; it.Next(); n++ {
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return err
			}
		}
		if err := in.decode(row, it.Key(), it.Value()); err != nil {
			return err
		}
		for _, i := range to.PrimaryKey.Columns {
			if row[i].IsNull() {
				return errHoldsNull(to, i)
			}
		}
		key = append(key[:0], out.codec.encodeKey(row)...)
		_, found, err := r.txn.Get(r.eval.Ctx, to.Storage, key)
		if err != nil {
			return fmt.Errorf("exec: look for a duplicate in %s: %w", to.Name, err)
		}
		if found {
			return r.errNotUnique(to, row)
		}
		if err := out.put(r, bytes.Clone(key), row); err != nil {
			return err
		}
	}
	return it.Err()
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
