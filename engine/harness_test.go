package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

const (
	testWait = 30 * time.Second
	testTick = time.Millisecond

	testSegmentSize = wal.SegmentSizeMin
)

// crashOptions are the options of a small database on a crash file system: everything that is
// rare in a large one, segments, memtable flushes, checkpoints, happens all the time.
func crashOptions(fs *enginetest.CrashFS) Options {
	return Options{
		Dir: "/data",
		FS:  fs.FS(),
		Log: wal.Options{
			Disk: fs.Disk(), SegmentSize: testSegmentSize,
			WriterDelay: func() time.Duration { return time.Hour },
			FlushAfter:  func() int64 { return 1 << 30 },
			KeepSize:    func() int64 { return 0 },
		},
		MaxWALSize:   func() int64 { return 12 * testSegmentSize },
		MemTableSize: 64 << 10,
		CacheSize:    1 << 20,
		LossLimit:    &LossLimit{}, // off commits are as lazy as the log
		Fatal:        func(err error) { panic(err) },
		hooks:        hooks{applyBatchSize: 32 << 10},
	}
}

func mustOpen(t testing.TB, opts Options) *DB {
	t.Helper()
	db, _, err := Open(context.Background(), opts)
	require.NoError(t, err)
	return db
}

func mustClose(t testing.TB, db *DB) {
	t.Helper()
	require.NoError(t, db.Close(context.Background()))
}

// put commits one row.
func put(db *DB, table TableID, key, value string, level wal.Level) (CommitResult, error) {
	txn := db.Begin(TxnOptions{})
	if err := txn.Put(table, []byte(key), []byte(value)); err != nil {
		txn.Rollback()
		return CommitResult{}, err
	}
	return txn.Commit(context.Background(), CommitOptions{Level: level, User: "postgres"})
}

func mustPut(t testing.TB, db *DB, table TableID, key, value string, level wal.Level) CommitResult {
	t.Helper()
	result, err := put(db, table, key, value, level)
	require.NoError(t, err)
	return result
}

// row is a stored row as a test sees it.
type row struct {
	table TableID
	key   string
	value []byte
	lsn   wal.LSN
}

// storedRows reads every row of every table, in order.
func storedRows(db *DB) ([]row, error) {
	lo, _ := tableSpan(metaTable + 1)
	iter, err := db.newIter(lo, nil)
	if err != nil {
		return nil, err
	}
	return readRows(iter)
}

func readRows(iter *pebble.Iterator) ([]row, error) {
	var rows []row
	for ok := iter.First(); ok; ok = iter.Next() {
		lsn, value, err := splitValue(iter.Value())
		if err != nil {
			return nil, errors.Join(err, iter.Close())
		}
		rows = append(rows, row{
			table: TableID(binary.BigEndian.Uint32(iter.Key())), key: string(rowKey(iter.Key())),
			value: bytes.Clone(value), lsn: lsn,
		})
	}
	return rows, iter.Close()
}

// committedTxn is one commit that a test knows of.
type committedTxn struct {
	end wal.LSN
	ops []wal.Op
}

// history collects the commits of a run. What a database must hold is a function of it and of one
// LSN: everything that ends at or below.
type history struct {
	mu      sync.Mutex
	commits []committedTxn
	durable wal.LSN // largest end that was acknowledged as flushed
}

func (h *history) add(c committedTxn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commits = append(h.commits, c)
}

func (h *history) acknowledge(end wal.LSN) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.durable = max(h.durable, end)
}

func (h *history) acknowledged() wal.LSN {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.durable
}

// forget drops the commits beyond end: the database they were made on is gone.
func (h *history) forget(end wal.LSN) {
	h.commits = slices.DeleteFunc(h.commits, func(c committedTxn) bool { return c.end > end })
	h.durable = min(h.durable, end)
}

// rowsAt is what the commits that end at or below the LSN leave, in order.
func (h *history) rowsAt(limit wal.LSN) []row {
	slices.SortFunc(h.commits, func(a, b committedTxn) int { return int(a.end) - int(b.end) })
	model := map[string]row{}
	for _, c := range h.commits {
		if c.end > limit {
			break
		}
		for _, op := range c.ops {
			applyToModel(model, op, c.end)
		}
	}
	keys := make([]string, 0, len(model))
	for k := range model {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	rows := make([]row, len(keys))
	for i, k := range keys {
		rows[i] = model[k]
	}
	return rows
}

func applyToModel(model map[string]row, op wal.Op, end wal.LSN) {
	table := TableID(op.Table)
	key := string(appendRowKey(nil, table, op.Key))
	switch op.Kind {
	case wal.OpSet:
		model[key] = row{table: table, key: string(op.Key), value: op.Value, lsn: end}
	case wal.OpDelete:
		delete(model, key)
	case wal.OpDeleteRange:
		hi := string(appendRowKey(nil, table, op.Value))
		if len(op.Value) == 0 {
			_, end := tableSpan(table)
			hi = string(end)
		}
		for k := range model {
			if k >= key && k < hi {
				delete(model, k)
			}
		}
	}
}

// diffRows says where two lists of rows first differ, or nil.
func diffRows(want, got []row) error {
	for i := range min(len(want), len(got)) {
		w, g := want[i], got[i]
		if w.table != g.table || w.key != g.key {
			return fmt.Errorf("row %d: want %d/%q, found %d/%q", i, w.table, w.key, g.table, g.key)
		}
		if w.lsn != g.lsn || !bytes.Equal(w.value, g.value) {
			return fmt.Errorf("%d/%q: want %d bytes of %s, found %d bytes of %s",
				w.table, w.key, len(w.value), w.lsn, len(g.value), g.lsn)
		}
	}
	if len(want) != len(got) {
		return fmt.Errorf("want %d rows, found %d", len(want), len(got))
	}
	return nil
}

// writer makes transactions of every shape from a seed.
type writer struct {
	rng *rand.Rand
	db  *DB
	h   *history
}

const (
	testTables = 3
	testKeys   = 40
)

func (w *writer) key() []byte { return fmt.Appendf(nil, "k%03d", w.rng.IntN(testKeys)) }

func (w *writer) value(size int) []byte {
	value := make([]byte, 0, size+8)
	for len(value) < size {
		value = binary.LittleEndian.AppendUint64(value, w.rng.Uint64())
	}
	return value[:size]
}

// fill puts the operations of one transaction into txn; one in eight is large.
func (w *writer) fill(txn *Txn) error {
	table := FirstUserTable + TableID(w.rng.IntN(testTables))
	if w.rng.IntN(8) == 0 {
		return w.fillLarge(txn, table)
	}
	for range 1 + w.rng.IntN(4) {
		var err error
		switch w.rng.IntN(10) {
		case 0:
			lo, hi := w.key(), w.key()
			if bytes.Compare(lo, hi) > 0 {
				lo, hi = hi, lo
			}
			err = txn.DeleteRange(table, lo, hi)
		case 1, 2:
			err = txn.Delete(table, w.key())
		case 3:
			err = txn.Put(table, w.key(), w.value(8<<10))
		default:
			err = txn.Put(table, w.key(), w.value(w.rng.IntN(200)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fillLarge makes one that needs data records, sometimes with one row that straddles them.
func (w *writer) fillLarge(txn *Txn, table TableID) error {
	if w.rng.IntN(4) == 0 {
		if err := txn.DeleteTable(table); err != nil {
			return err
		}
	}
	if w.rng.IntN(2) == 0 {
		return txn.Put(table, w.key(), w.value(testSegmentSize/4+w.rng.IntN(testSegmentSize/2)))
	}
	for i := range 12 {
		if err := txn.Put(table, fmt.Appendf(nil, "L%d", i), w.value(32<<10)); err != nil {
			return err
		}
	}
	return nil
}

// commit runs one transaction and notes it. Levels above off are noted as acknowledged.
func (w *writer) commit() error {
	txn := w.db.Begin(TxnOptions{})
	defer txn.Rollback()
	if err := w.fill(txn); err != nil {
		return err
	}
	var ops []wal.Op
	err := txn.writes.each(func(op wal.Op) error {
		op.Key, op.Value = bytes.Clone(op.Key), bytes.Clone(op.Value)
		ops = append(ops, op)
		return nil
	})
	if err != nil {
		return err
	}
	level := wal.LevelOff
	if w.rng.IntN(5) == 0 {
		level = wal.LevelLocal
	}
	result, err := txn.Commit(context.Background(), CommitOptions{Level: level})
	if err != nil {
		return err
	}
	if !result.ReadOnly {
		w.h.add(committedTxn{end: result.End, ops: ops})
		if level != wal.LevelOff {
			w.h.acknowledge(result.End)
		}
	}
	return nil
}
