package exec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// indexBatchBytes is how much of an index one commit of its making holds.
const indexBatchBytes = 512 << 10

// entryCost stands for what an entry takes in a transaction beside its bytes.
const entryCost = 64

var errBatchFull = errors.New("the entries do not fit into one batch")

// indexFill enters the rows of a table into an index that is empty.
type indexFill struct {
	r      *run
	writer indexWriter
	build  *indexBuild

	txn   *engine.Txn // what the entries are written in
	bytes int         // of entries in it
	full  func() error
}

// fillIndex enters every row of a table into an index that is empty. What fits into one batch goes
// into the transaction itself. More is written by commits of their own, so that neither memory nor
// max_transaction_size bounds an index: nothing names its storage before the transaction commits
// (catalog.NoteBuild). Only a fresh storage allows that, and only READ COMMITTED: the one snapshot of
// the other levels would show the transaction its own index without entries.
func (r *run) fillIndex(t *catalog.Table, oid uint32, fresh bool) error {
	index := t.IndexByOID(oid)
	var pid int32
	if host := r.eval.Host; host != nil {
		pid = host.Identity().PID
	}
	f := &indexFill{r: r, writer: indexWriter{table: t, index: index},
		build: r.x.builds.begin(pid, t, index), txn: r.txn, full: func() error { return nil }}
	defer r.x.builds.end(f.build)
	if !fresh || r.txn.Isolation() != engine.ReadCommitted {
		return f.rows()
	}
	f.full = func() error { return errBatchFull }
	before := r.txn.Savepoint()
	err := f.rows()
	if !errors.Is(err, errBatchFull) {
		return errors.Join(err, r.txn.Release(before))
	}
	if err := errors.Join(r.txn.RollbackTo(before), r.txn.Release(before)); err != nil {
		return fmt.Errorf("exec: begin index %s anew: %w", index.Name, err)
	}
	return f.inBatches()
}

// inBatches enters every row by commits of their own.
func (f *indexFill) inBatches() error {
	own, storage := f.r.env.Txn, f.writer.index.Storage
	f.build.restart()
	own.builds = append(own.builds, storage)
	f.begin()
	defer func() { f.txn.Rollback() }()
	if err := catalog.NoteBuild(f.txn, storage); err != nil {
		return err
	}
	f.full = f.commit
	if err := f.rows(); err != nil {
		return err
	}
	if err := f.commit(); err != nil {
		return err
	}
	return own.ddl.EndBuild(storage)
}

func (f *indexFill) begin() {
	f.txn, f.bytes = f.r.x.db.Begin(engine.TxnOptions{}), 0
	f.txn.StartStatement()
}

// commit ends a batch and begins the next. It waits for the disk, so that the building does not run
// ahead of it.
func (f *indexFill) commit() error {
	_, err := f.txn.Commit(f.r.eval.Ctx, engine.CommitOptions{Level: wal.LevelLocal})
	if err != nil {
		return fmt.Errorf("exec: commit entries of index %s: %w", f.writer.index.Name, err)
	}
	f.begin()
	return nil
}

func (f *indexFill) rows() error {
	t := f.writer.table
	codec, row := newRowCodec(t), make([]types.Datum, len(t.Columns))
	it := f.r.txn.Scan(t.Storage, nil, nil, false)
	defer it.Close()
	for n := 1; it.Next(); n++ {
		if n%checkEvery == 0 {
			if err := f.r.check(); err != nil {
				return err
			}
			f.build.advance(checkEvery, time.Now())
		}
		if err := codec.decode(row, it.Key(), it.Value()); err != nil {
			return err
		}
		if err := f.enter(it.Key(), row); err != nil {
			return err
		}
	}
	return it.Err()
}

// enter adds the entry of one row.
func (f *indexFill) enter(key []byte, row []types.Datum) error {
	x := &f.writer
	if err := x.new.encode(f.r, x, row, key); err != nil || x.new.none {
		return err
	}
	if x.new.exclusive {
		_, found, err := f.txn.Get(f.r.eval.Ctx, x.index.Storage, x.new.key)
		if err != nil {
			return fmt.Errorf("exec: look for a duplicate in %s: %w", x.index.Name, err)
		}
		if found {
			return x.errNotUnique(f.r, row)
		}
	}
	if err := f.txn.Put(x.index.Storage, x.new.key, x.new.value); err != nil {
		return fmt.Errorf("exec: write an entry of %s: %w", x.index.Name, err)
	}
	if f.bytes += len(x.new.key) + len(x.new.value) + entryCost; f.bytes < f.r.x.buildBatch {
		return nil
	}
	return f.full()
}

// sweepBuilds removes the entries of indexes that the transaction made and does not keep: those
// behind the first n. What cannot be removed now is when the node starts.
func (t *Txn) sweepBuilds(n int) {
	if len(t.builds) <= n {
		return
	}
	dead := t.builds[n:]
	t.builds = t.builds[:n:n]
	for _, storage := range dead {
		if t.x.catalog.SweepBuild(context.Background(), storage) != nil {
			return
		}
	}
}
