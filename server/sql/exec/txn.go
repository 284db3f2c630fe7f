package exec

import (
	"context"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/wal"
)

// Txn is a transaction of the engine with the DDL that is not committed yet. It belongs to one
// goroutine and may be begun again once it has ended.
type Txn struct {
	x     *Executor
	txn   engine.Txn
	ddl   catalog.Tx
	opts  engine.TxnOptions
	flush bool // holds what must not be lost once it is answered, whatever the level

	// handed is the end of the newest commit that made a sequence's value that was given out here. A
	// value is as safe as the commit it is given out in, even if that writes nothing.
	handed wal.LSN

	// builds are the storages of indexes of this transaction whose entries are committed already.
	builds []engine.TableID
}

// Savepoint is a place in a transaction to go back to.
type Savepoint struct {
	id    engine.SavepointID
	mark  int
	flush bool

	builds int
}

// Begin starts a transaction.
func (x *Executor) Begin(opts engine.TxnOptions) *Txn {
	t := new(Txn)
	x.BeginInto(t, opts)
	return t
}

// BeginInto starts a transaction in a handle that has none.
func (x *Executor) BeginInto(t *Txn, opts engine.TxnOptions) {
	t.x, t.opts, t.flush, t.builds, t.handed = x, opts, false, nil, 0
	x.db.BeginInto(&t.txn, opts)
	x.catalog.BeginInto(&t.ddl, &t.txn)
}

// Engine gives the engine's transaction.
func (t *Txn) Engine() *engine.Txn { return &t.txn }

// Catalog is the committed catalog with this transaction's own DDL in it.
func (t *Txn) Catalog() *catalog.Snapshot { return t.ddl.Snapshot() }

// Savepoint marks the transaction's state.
func (t *Txn) Savepoint() Savepoint {
	return Savepoint{id: t.txn.Savepoint(), mark: t.ddl.Mark(), flush: t.flush,
		builds: len(t.builds)}
}

// RollbackTo takes back everything since the savepoint, which stays.
func (t *Txn) RollbackTo(s Savepoint) error {
	if err := t.txn.RollbackTo(s.id); err != nil {
		return fmt.Errorf("exec: roll back to a savepoint: %w", err)
	}
	t.ddl.Reset(s.mark)
	t.flush = s.flush
	t.sweepBuilds(s.builds)
	return nil
}

// Release forgets the savepoint.
func (t *Txn) Release(s Savepoint) error {
	if err := t.txn.Release(s.id); err != nil {
		return fmt.Errorf("exec: release a savepoint: %w", err)
	}
	return nil
}

// Flushes says whether the commit will be flushed whatever level is asked for.
func (t *Txn) Flushes() bool { return t.flush || t.ddl.Lasting() }

// Commit commits, and publishes the DDL. A transaction with DDL is flushed at least locally.
func (t *Txn) Commit(ctx context.Context, opts engine.CommitOptions) (engine.CommitResult, error) {
	if t.Flushes() && opts.Level < wal.LevelLocal {
		opts.Level = wal.LevelLocal
	}
	opts.After = t.handed
	if !t.ddl.Changed() {
		return t.txn.Commit(ctx, opts)
	}
	var result engine.CommitResult
	err := t.ddl.Commit(func() (err error) {
		result, err = t.txn.Commit(ctx, opts)
		return err
	})
	if err != nil {
		t.sweepBuilds(0)
	}
	t.builds = nil
	return result, err
}

// Rollback takes everything back. After the end it does nothing.
func (t *Txn) Rollback() {
	t.txn.Rollback()
	t.ddl.Reset(0)
	t.sweepBuilds(0)
}
