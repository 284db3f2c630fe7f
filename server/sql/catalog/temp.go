package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"ackdb/engine"
	"ackdb/wal"
)

// A session keeps its temporary relations in a schema of its own, an ordinary one but for its name.
// The schema stays when the session ends, for a later one to use; what is in it goes, at the latest
// when a node begins to write: a session that a crash ended cannot clear up.

// TempAlias is what a session calls its own schema of temporary relations.
const TempAlias = "pg_temp"

const tempPrefix = TempAlias + "_"

// TempName names the nth schema of temporary relations.
func TempName(n int) string { return tempPrefix + strconv.Itoa(n) }

// IsTemp says whether a schema is some session's of temporary relations.
func IsTemp(schema string) bool { return strings.HasPrefix(schema, tempPrefix) }

// TempIn finds a session's own schema of temporary relations in its search path, where it always
// stands once there is one; "" for none.
func TempIn(path []string) string {
	for _, p := range path {
		if IsTemp(p) {
			return p
		}
	}
	return ""
}

// What becomes of a temporary table at the end of a transaction (Table.OnCommit); "" is nothing.
const (
	OnCommitDelete = "delete"
	OnCommitDrop   = "drop"
)

// DropTemp removes what is in a schema of temporary relations, and leaves the schema.
func (x *Tx) DropTemp(ctx context.Context, schema string) error {
	snapshot := x.Snapshot()
	for _, v := range snapshot.Views() {
		if v.Schema != schema {
			continue
		}
		if err := x.DropView(ctx, v); err != nil {
			return err
		}
	}
	for _, t := range snapshot.Tables() {
		if t.Schema != schema {
			continue
		}
		if err := x.lockWhole(ctx, t.Storage); err != nil {
			return err
		}
		if err := x.DropTable(ctx, t); err != nil {
			return err
		}
	}
	for _, q := range snapshot.Sequences() {
		if q.Schema != schema {
			continue
		}
		if err := x.lockWhole(ctx, engine.TableID(q.OID)); err != nil {
			return err
		}
		if err := x.DropSequence(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (x *Tx) lockWhole(ctx context.Context, table engine.TableID) error {
	if err := x.txn.LockTable(ctx, table, engine.AccessExclusiveLock, engine.Wait); err != nil {
		return fmt.Errorf("catalog: lock a temporary relation: %w", err)
	}
	return nil
}

// SweepTemp removes the temporary relations of sessions that are no more. It is called when a node
// begins to write, at start and after a promotion, while no session has any.
func (c *Catalog) SweepTemp(ctx context.Context) error {
	t := c.db.Begin(engine.TxnOptions{})
	defer t.Rollback()
	t.StartStatement()
	x := c.Begin(t)
	for _, s := range c.Snapshot().Schemas() {
		if !IsTemp(s.Name) {
			continue
		}
		if err := x.DropTemp(ctx, s.Name); err != nil {
			return err
		}
	}
	if !x.Changed() {
		return nil
	}
	return x.Commit(func() error {
		_, err := t.Commit(ctx, engine.CommitOptions{Level: wal.LevelOff})
		return err
	})
}
