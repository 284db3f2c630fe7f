package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"ackdb/wal"
)

// applyBatchSize is where a batch of a large apply, or of a replay, is handed to the store. It is
// far below half a memtable, so that such a batch goes into the memtable like any other and is
// not kept in memory as a flushable of its own.
const applyBatchSize = 4 << 20

// applier is the one door into the store (E4), for commit, recovery and replica alike. It is fed
// in log order (E2) and keeps what the marker says: how far it has come, and which transactions
// are open there.
//
// Feeding is idempotent: a record that ends at or below the marker is passed over, and one that
// was applied in part, between the batches of a large apply, is applied again from its first
// operation, which leaves the same state.
type applier struct {
	store *pebble.DB
	gate  *interlock

	// batchSize is applyBatchSize; tests have a smaller one.
	batchSize int

	// mu makes a batch and the marker in it one step. The leader holds it for an apply, the
	// checkpointer for a marker on its own.
	mu sync.Mutex

	// guarded by mu
	batch   *pebble.Batch
	open    openTxns
	reached wal.LSN // every record ending here or below has been passed or applied
	marked  wal.LSN // applied of the marker last handed to the store
	system  bool    // an operation on a system table has been added
}

func newApplier(store *pebble.DB, gate *interlock, at marker) *applier {
	// The one batch is reused for ever. By itself it would drop a buffer above 1 MiB after each
	// use, and grow it again from nothing for every part of a large apply.
	batch := store.NewBatch(pebble.WithMaxRetainedSizeBytes(2 * applyBatchSize))
	a := &applier{
		store: store, gate: gate, batch: batch, batchSize: applyBatchSize,
		reached: at.applied, marked: at.applied,
	}
	if gate.hooks.applyBatchSize != 0 {
		a.batchSize = gate.hooks.applyBatchSize
	}
	return a
}

// full says that the batch is large enough to be handed over.
func (a *applier) full() bool { return a.batch.Len() >= a.batchSize }

func (a *applier) close() error { return a.batch.Close() }

// errMetaTable keeps every operation away from the marker.
var errMetaTable = errors.New("engine: operation on the marker's table")

// add puts one operation of the commit that ends at end into the batch. The caller holds mu.
func (a *applier) add(op wal.Op, end wal.LSN) error {
	if TableID(op.Table) == metaTable || TableID(op.Table) > MaxTableID {
		return fmt.Errorf("%w: table %d", errMetaTable, op.Table)
	}
	a.system = a.system || TableID(op.Table) < FirstUserTable
	keySize := tablePrefixSize + len(op.Key)
	switch op.Kind {
	case wal.OpSet:
		d := a.batch.SetDeferred(keySize, rowLSNSize+len(op.Value))
		putRowKey(d.Key, op.Table, op.Key)
		binary.BigEndian.PutUint64(d.Value, uint64(end))
		copy(d.Value[rowLSNSize:], op.Value)
		return d.Finish()
	case wal.OpDelete:
		d := a.batch.DeleteDeferred(keySize)
		putRowKey(d.Key, op.Table, op.Key)
		return d.Finish()
	case wal.OpDeleteRange:
		d := a.batch.DeleteRangeDeferred(keySize, tablePrefixSize+len(op.Value))
		putRowKey(d.Key, op.Table, op.Key)
		putRangeEnd(d.Value, op.Table, op.Value)
		return d.Finish()
	}
	return &wal.UnsupportedError{What: fmt.Sprintf("operation kind %d", op.Kind)}
}

func putRowKey(dst []byte, table uint32, key []byte) {
	binary.BigEndian.PutUint32(dst, table)
	copy(dst[tablePrefixSize:], key)
}

// putRangeEnd writes the exclusive end of a range; an empty one is the table's end.
func putRangeEnd(dst []byte, table uint32, hi []byte) {
	if len(hi) == 0 {
		table++
	}
	putRowKey(dst, table, hi)
}

// addAll puts encoded operations, all of them whole, into the batch. The caller holds mu.
func (a *applier) addAll(ops []byte, end wal.LSN) error {
	for len(ops) > 0 {
		op, rest, err := wal.DecodeOp(ops)
		if err != nil {
			return fmt.Errorf("engine: operations of the commit at %s: %w", end, err)
		}
		if err := a.add(op, end); err != nil {
			return err
		}
		ops = rest
	}
	return nil
}

// takeSystem says whether a system table was touched since it was last asked. The caller holds mu.
func (a *applier) takeSystem() bool {
	touched := a.system
	a.system = false
	return touched
}

// pass notes that everything up to end has been seen. The caller holds mu.
func (a *applier) pass(end wal.LSN) { a.reached = end }

// part hands over a batch of an apply that goes on, without a marker (E1: the marker comes with
// the last). end is where the commit ends, which the batch therefore needs on disk (E3). The
// caller holds mu.
func (a *applier) part(end wal.LSN) error {
	a.gate.submit(end)
	return a.handOver()
}

// finish hands over the batch with the marker. A batch without operations stays away: applied
// passes over records that have none in memory alone (E1). The caller holds mu.
func (a *applier) finish() error {
	if a.batch.Empty() {
		return nil
	}
	return a.finishMarked()
}

func (a *applier) finishMarked() error {
	m := marker{applied: a.reached, redo: a.open.redo(a.reached)}
	d := a.batch.SetDeferred(len(markerKey), markerSize)
	copy(d.Key, markerKey)
	m.put(d.Value)
	if err := d.Finish(); err != nil {
		return err
	}
	a.gate.submit(a.reached)
	if err := a.handOver(); err != nil {
		return err
	}
	a.marked = a.reached
	return nil
}

// handOver applies the batch. The store has no log of its own, so NoSync is the only choice.
func (a *applier) handOver() error {
	if err := a.store.Apply(a.batch, pebble.NoSync); err != nil {
		return fmt.Errorf("engine: apply to the store: %w", err)
	}
	a.batch.Reset()
	return nil
}

// mark brings the store's marker up to what has been passed, by a batch of its own when need be:
// before a flush is asked for, so that the flush makes all of it durable (E1).
func (a *applier) mark() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.marked == a.reached {
		return nil
	}
	return a.finishMarked()
}

func (a *applier) markedLSN() wal.LSN {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.marked
}
