package exec

import (
	"bytes"
	"context"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// CheckIndex walks the index of that oid, or the keys of that table, against the rows as they are
// committed, and says how many entries it found right. What an index says too much or too little is
// an error, and so is a row that does not lie where its key says. It holds one row at a time.
func (x *Executor) CheckIndex(ctx context.Context, txn *Txn, oid uint32) (int64, error) {
	env := &Env{Txn: txn, Session: x.NewSession(nil)}
	c := &indexCheck{ctx: ctx, run: env.Session.take(x, ctx, env)}
	if err := c.begin(x, txn, oid); err != nil {
		return 0, err
	}
	defer c.txn.Rollback()
	t, checked := c.table, int64(0)
	c.codec, c.row = newRowCodec(t), make([]types.Datum, len(t.Columns))
	if t.PrimaryKey != nil && (oid == t.OID || oid == t.PrimaryKey.OID) {
		n, err := c.keys()
		if err != nil {
			return 0, err
		}
		checked += n
	}
	for _, index := range t.Indexes {
		if oid != t.OID && oid != index.OID {
			continue
		}
		n, err := c.entries(index)
		if err != nil {
			return 0, err
		}
		checked += n
	}
	return checked, nil
}

// indexCheck is one walk. It reads one snapshot.
type indexCheck struct {
	ctx   context.Context
	txn   *engine.Txn
	table *catalog.Table

	run   *run // for the expressions of indexes
	codec *rowCodec
	row   []types.Datum
	entry entry
	seen  int
}

// begin finds the table and takes a snapshot in which it is what its descriptor says. On a primary
// a lock keeps DDL away; a standby has no locks, so there the catalog must be the same before and
// behind the snapshot.
func (c *indexCheck) begin(x *Executor, txn *Txn, oid uint32) error {
	for {
		if err := x.catalog.Refresh(c.ctx); err != nil {
			return err
		}
		before := x.catalog.Snapshot()
		if c.table = checkedTable(before, oid); c.table == nil {
			return types.Errorf(types.CodeUndefinedObject, "there is no index or table with OID %d", oid)
		}
		err := txn.txn.LockTable(c.ctx, c.table.Storage, engine.AccessShareLock, engine.Wait)
		if err != nil {
			return lockError(err, c.table.Name)
		}
		if err := x.catalog.AwaitSettled(c.ctx, c.table.OID); err != nil {
			return err
		}
		c.txn = x.db.Begin(engine.TxnOptions{Isolation: engine.RepeatableRead, ReadOnly: true})
		c.txn.StartStatement()
		c.txn.SnapshotLSN() // which takes it; a failure shows in the first read
		if err := x.catalog.Refresh(c.ctx); err != nil {
			c.txn.Rollback()
			return err
		}
		if checkedTable(x.catalog.Snapshot(), oid) == c.table {
			return nil
		}
		c.txn.Rollback()
	}
}

// checkedTable gives the table of that oid, or the one that has an index of it; nil when there is
// none.
func checkedTable(s *catalog.Snapshot, oid uint32) *catalog.Table {
	if t := s.TableByOID(oid); t != nil {
		return t
	}
	for _, t := range s.Tables() {
		if t.IndexByOID(oid) != nil {
			return t
		}
	}
	return nil
}

// keys sees that every row lies under the key that its columns make.
func (c *indexCheck) keys() (checked int64, err error) {
	err = c.scan(c.table.Storage, func(key, value []byte) error {
		if err := c.codec.decode(c.row, key, value); err != nil {
			return err
		}
		if checked++; bytes.Equal(c.codec.encodeKey(c.row), key) {
			return nil
		}
		return c.corrupted(c.table.PrimaryKey, key,
			"a row of table \"%s\" does not lie under its key", c.table.Name)
	})
	return checked, err
}

// entries sees that each row that an index is to have has its entry there. No two rows have one
// entry, so if there are as many as such rows, there are no others. If not, those are looked for.
func (c *indexCheck) entries(index *catalog.Index) (checked int64, err error) {
	w := &indexWriter{table: c.table, index: index}
	err = c.scan(c.table.Storage, func(key, value []byte) error {
		if err := c.codec.decode(c.row, key, value); err != nil {
			return err
		}
		if err := c.entry.encode(c.run, w, c.row, key); err != nil || c.entry.none {
			return err
		}
		checked++
		found, there, err := c.txn.Get(c.ctx, index.Storage, c.entry.key)
		switch {
		case err != nil:
			return err
		case !there:
			return c.corrupted(index, key, "index \"%s\" lacks a row of table \"%s\"", index.Name,
				c.table.Name)
		case !bytes.Equal(found, c.entry.value):
			return c.corrupted(index, key, "index \"%s\" has another row of table \"%s\" in the place"+
				" of this", index.Name, c.table.Name)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	there := int64(0)
	err = c.scan(index.Storage, func(_, _ []byte) error {
		there++
		return nil
	})
	if err == nil && there != checked {
		err = c.surplus(w)
	}
	return checked, err
}

// surplus finds an entry that is no row's, where there is one.
func (c *indexCheck) surplus(w *indexWriter) error {
	index := w.index
	return c.scan(index.Storage, func(key, value []byte) error {
		rowKey, err := entryRow(index, key, value)
		if err != nil {
			return err
		}
		found, there, err := c.txn.Get(c.ctx, c.table.Storage, rowKey)
		if err != nil {
			return err
		}
		if !there {
			return errNoRow(c.table, index, rowKey)
		}
		if err := c.codec.decode(c.row, rowKey, found); err != nil {
			return err
		}
		err = c.entry.encode(c.run, w, c.row, rowKey)
		if err != nil || !c.entry.none && bytes.Equal(c.entry.key, key) {
			return err
		}
		return c.corrupted(index, rowKey, "index \"%s\" has an entry that its row of table \"%s\""+
			" has not", index.Name, c.table.Name)
	})
}

func (c *indexCheck) scan(storage engine.TableID, visit func(key, value []byte) error) error {
	it := c.txn.Scan(storage, nil, nil, false)
	defer it.Close()
	for it.Next() {
		if c.seen++; c.seen%checkEvery == 0 && c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		if err := visit(it.Key(), it.Value()); err != nil {
			return err
		}
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("exec: check the keys of %s: %w", c.table.Name, err)
	}
	return nil
}

func (c *indexCheck) corrupted(index *catalog.Index, key []byte, format string, args ...any) error {
	e := types.Errorf(codeIndexCorrupted, format, args...).WithDetail("The row's key is %x.", key)
	e.Schema, e.Table, e.Constraint = c.table.Schema, c.table.Name, index.Name
	return e
}
