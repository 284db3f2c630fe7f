package exec

import (
	"context"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/wal"
)

// TempSchema gives the schema of that name for a session's temporary relations, empty: what a
// session left there that could not clear up is removed.
func (x *Executor) TempSchema(ctx context.Context, name string) (*catalog.Schema, error) {
	t := x.Begin(engine.TxnOptions{})
	defer t.Rollback()
	t.txn.StartStatement()
	if _, err := t.ddl.LockName(ctx, 0, name); err != nil {
		return nil, err
	}
	schema := t.Catalog().Schema(name)
	if schema == nil {
		oid, err := x.catalog.NewOID(ctx)
		if err != nil {
			return nil, err
		}
		schema = &catalog.Schema{OID: oid, Name: name}
		if err := t.ddl.PutSchema(ctx, schema); err != nil {
			return nil, err
		}
	}
	if err := t.DropTemp(ctx, name); err != nil {
		return nil, err
	}
	_, err := t.Commit(ctx, engine.CommitOptions{Level: wal.LevelOff})
	return schema, err
}

// DropTemp removes a session's temporary relations.
func (t *Txn) DropTemp(ctx context.Context, schema string) error {
	for _, q := range t.Catalog().Sequences() {
		if q.Schema == schema {
			t.x.forgetSequence(q.OID)
		}
	}
	return t.ddl.DropTemp(ctx, schema)
}

// EndTemp does what ON COMMIT asks of the session's temporary tables, just before the commit.
func (t *Txn) EndTemp(ctx context.Context, schema string) error {
	for _, table := range t.Catalog().Tables() {
		if table.Schema != schema || table.OnCommit == "" {
			continue
		}
		t.txn.StartStatement()
		err := t.empty(ctx, table)
		if err == nil && table.OnCommit == catalog.OnCommitDrop {
			err = t.dropTemp(ctx, table)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// empty removes the rows of a temporary table, if it has any: most transactions never touch it.
func (t *Txn) empty(ctx context.Context, table *catalog.Table) error {
	rows := t.txn.Scan(table.Storage, nil, nil, false)
	some, err := rows.Next(), rows.Err()
	rows.Close()
	if !some || err != nil {
		return err
	}
	err = t.txn.LockTable(ctx, table.Storage, engine.AccessExclusiveLock, engine.Wait)
	if err != nil {
		return lockError(err, table.Name)
	}
	if err := t.txn.DeleteTable(table.Storage); err != nil {
		return fmt.Errorf("exec: empty %s at the commit: %w", table.Name, err)
	}
	for _, index := range table.Indexes {
		if err := t.txn.DeleteTable(index.Storage); err != nil {
			return fmt.Errorf("exec: empty index %s at the commit: %w", index.Name, err)
		}
	}
	return nil
}

// dropTemp drops a table ON COMMIT DROP, with what depends on it: views and the sequences it owns.
func (t *Txn) dropTemp(ctx context.Context, table *catalog.Table) error {
	for _, v := range t.Catalog().ViewsOf(table.OID) {
		if err := t.ddl.DropView(ctx, v); err != nil {
			return err
		}
	}
	for _, q := range t.Catalog().Sequences() {
		if q.OwnerTable != table.OID {
			continue
		}
		t.x.forgetSequence(q.OID)
		if err := t.ddl.DropSequence(ctx, q); err != nil {
			return err
		}
	}
	return t.ddl.DropTable(ctx, table)
}
