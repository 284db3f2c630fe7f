package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// largeRows is a transaction of several data records, and several batches.
const largeRows = 24

func largeValue(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 40<<10) }

func fillLarge(t *testing.T, txn *Txn) {
	t.Helper()
	for i := range largeRows {
		require.NoError(t, txn.Put(FirstUserTable, fmt.Appendf(nil, "L%02d", i), largeValue(i)))
	}
}

func commitLargeRows(t *testing.T, db *DB, level wal.Level) CommitResult {
	t.Helper()
	txn := db.Begin(TxnOptions{})
	fillLarge(t, txn)
	result, err := txn.Commit(context.Background(), CommitOptions{Level: level})
	require.NoError(t, err)
	return result
}

// countRows counts the rows of a table as a new transaction sees them.
func countRows(t *testing.T, db *DB, table TableID) int {
	t.Helper()
	v, err := db.newView()
	require.NoError(t, err)
	defer v.close()
	iter, err := v.iter(tableSpan(table))
	require.NoError(t, err)
	n := 0
	for ok := iter.First(); ok; ok = iter.Next() {
		n++
	}
	require.NoError(t, iter.Close())
	return n
}

func requireLargeRows(t *testing.T, db *DB) {
	t.Helper()
	for i := range largeRows {
		raw, closer, err := db.get(appendRowKey(nil, FirstUserTable, fmt.Appendf(nil, "L%02d", i)))
		require.NoError(t, err)
		_, value, err := splitValue(raw)
		require.NoError(t, err)
		require.True(t, bytes.Equal(largeValue(i), value), "row %d", i)
		require.NoError(t, closer.Close())
	}
}

func (db *DB) openTxnsForTest() []wal.LSN {
	db.applier.mu.Lock()
	defer db.applier.mu.Unlock()
	return append([]wal.LSN(nil), db.applier.open.first...)
}

// A row larger than three records, and others' commits between its pieces, survive a power cut.
func TestLargeRowStraddlesPieces(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	var db *DB
	n := 0
	opts.hooks.pieceAppended = func() {
		n++
		mustPut(t, db, FirstUserTable+1, fmt.Sprint("between", n), "v", wal.LevelOff)
	}
	db = mustOpen(t, opts)
	value := bytes.Repeat([]byte("0123456789"), testSegmentSize/10)
	txn := db.Begin(TxnOptions{})
	require.NoError(t, txn.Put(FirstUserTable, []byte("before"), []byte("x")))
	require.NoError(t, txn.Put(FirstUserTable, []byte("big"), value))
	require.NoError(t, txn.Delete(FirstUserTable, []byte("none")))
	_, err := txn.Commit(context.Background(), CommitOptions{Level: wal.LevelLocal})
	require.NoError(t, err)
	require.Greater(t, n, 3)
	after := fs.Crash(1, 0)
	mustClose(t, db)

	db = mustOpen(t, crashOptions(after))
	raw, closer, err := db.get(appendRowKey(nil, FirstUserTable, []byte("big")))
	require.NoError(t, err)
	require.True(t, bytes.Equal(value, raw[rowLSNSize:]))
	require.NoError(t, closer.Close())
	require.Equal(t, 2, countRows(t, db, FirstUserTable))
	require.Equal(t, n, countRows(t, db, FirstUserTable+1))
	mustClose(t, db)
}

// While a large apply runs, readers of every kind see the state before it.
func TestReadersDuringALargeApply(t *testing.T) {
	opts := crashOptions(enginetest.New())
	var db *DB
	batches := 0
	opts.hooks.batchCommitted = func() {
		batches++
		require.Zero(t, countRows(t, db, FirstUserTable))
		_, _, err := db.get(appendRowKey(nil, FirstUserTable, []byte("L00")))
		require.ErrorIs(t, err, pebble.ErrNotFound)
		iter, err := db.newIter(tableSpan(FirstUserTable))
		require.NoError(t, err)
		require.False(t, iter.First())
		require.NoError(t, iter.Close())
		v, err := db.newView()
		require.NoError(t, err)
		require.LessOrEqual(t, v.lsn, db.Applied())
		v.close()
	}
	db = mustOpen(t, opts)
	commitLargeRows(t, db, wal.LevelOff)
	require.Greater(t, batches, 3)
	require.Equal(t, largeRows, countRows(t, db, FirstUserTable))
	requireLargeRows(t, db)
	mustClose(t, db)
}

// A flush between two batches makes a part of the transaction durable without its marker; the
// power goes there. Recovery applies all of it again, from the log.
func TestCrashBetweenBatches(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	var db *DB
	var after *enginetest.CrashFS
	opts.hooks.batchCommitted = func() {
		require.NoError(t, db.store.Flush())
		after = fs.Crash(1, 0)
	}
	db = mustOpen(t, opts)
	commitLargeRows(t, db, wal.LevelOff)
	require.NotNil(t, after)
	mustClose(t, db)

	db = mustOpen(t, crashOptions(after))
	requireLargeRows(t, db)
	mustClose(t, db)
}

// A marker between data and commit, made durable there, and the log recycled below it as far as it
// goes: redo keeps the first piece.
func TestMarkerBetweenDataAndCommit(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	var db *DB
	pieces := 0
	opts.hooks.pieceAppended = func() {
		pieces++
		filler := string(make([]byte, 64<<10))
		for i := range 16 {
			mustPut(t, db, FirstUserTable+1, fmt.Sprint(i), filler, wal.LevelOff)
		}
		require.NoError(t, db.Checkpoint(context.Background()))
		stats := db.Stats()
		require.Less(t, stats.DurableRedo, stats.DurableApplied)
	}
	db = mustOpen(t, opts)
	first := db.Applied()
	commitLargeRows(t, db, wal.LevelOff)
	require.Greater(t, pieces, 2)
	require.NoError(t, db.log.WaitFlushed(context.Background(), db.Applied()))
	after := fs.Crash(1, 0)
	require.NoError(t, db.Checkpoint(context.Background()))
	require.Equal(t, db.Stats().DurableApplied, db.Stats().DurableRedo)
	mustClose(t, db)

	recovered, report, err := Open(context.Background(), crashOptions(after))
	require.NoError(t, err)
	require.Equal(t, first, report.Redo)
	require.Greater(t, report.Applied, first)
	requireLargeRows(t, recovered)
	mustClose(t, recovered)
}

func TestCancelledLargeCommitLeavesAnAbort(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	pieces := 0
	opts.hooks.pieceAppended = func() {
		if pieces++; pieces == 2 {
			cancel()
		}
	}
	db := mustOpen(t, opts)
	txn := db.Begin(TxnOptions{})
	fillLarge(t, txn)
	_, err := txn.Commit(ctx, CommitOptions{})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrCommitWaitCancelled)
	requireNothingLeft(t, fs, db, 0)
}

func TestLargeCommitThatFailsValidation(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	var db *DB
	opts.hooks.pieceAppended = func() {
		mustPut(t, db, FirstUserTable+1, "read", "overtaken", wal.LevelOff)
	}
	db = mustOpen(t, opts)
	txn := db.Begin(TxnOptions{Isolation: Serializable})
	_, found, err := txn.Get(context.Background(), FirstUserTable+1, []byte("read"))
	require.NoError(t, err)
	require.False(t, found)
	fillLarge(t, txn)
	_, err = txn.Commit(context.Background(), CommitOptions{})
	require.ErrorIs(t, err, ErrSerialization)
	requireNothingLeft(t, fs, db, 1)
}

// requireNothingLeft checks that a large transaction that failed is in no state, now, after a
// crash and after its log is gone, and that redo is not held back by it.
func requireNothingLeft(t *testing.T, fs *enginetest.CrashFS, db *DB, others int) {
	t.Helper()
	require.Empty(t, db.openTxnsForTest())
	require.Zero(t, countRows(t, db, FirstUserTable))
	mustPut(t, db, FirstUserTable+2, "later", "v", wal.LevelLocal)
	after := fs.Crash(1, 0)
	require.NoError(t, db.Checkpoint(context.Background()))
	require.Equal(t, db.Stats().DurableApplied, db.Stats().DurableRedo)
	mustClose(t, db)

	db = mustOpen(t, crashOptions(after))
	require.Zero(t, countRows(t, db, FirstUserTable))
	require.Equal(t, others, countRows(t, db, FirstUserTable+1))
	require.Equal(t, 1, countRows(t, db, FirstUserTable+2))
	mustClose(t, db)
}

// An abort that finds no space is taken along by the next group that does.
func TestOrphanAbortGoesWithTheNextGroup(t *testing.T) {
	fs := enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	req := requests.Get().(*commitRequest)
	req.kind = wal.TypeData
	req.payload = wal.AppendData(nil, wal.DataHeader{}, []byte("half an operation"))
	data, err := db.submit(req)
	require.NoError(t, err)
	require.Equal(t, []wal.LSN{data.LSN}, db.openTxnsForTest())

	db.orphans.add(data.LSN)
	mustPut(t, db, FirstUserTable, "k", "v", wal.LevelLocal)
	require.Empty(t, db.openTxnsForTest())
	after := fs.Crash(1, 0)
	mustClose(t, db)

	db, report, err := Open(context.Background(), crashOptions(after))
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Commits)
	mustClose(t, db)
}

// A transaction that is still open when the power goes is ended by the next epoch.
func TestEpochEndsAnUnfinishedTransaction(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	var after *enginetest.CrashFS
	var db *DB
	opts.hooks.pieceAppended = func() {
		if after == nil {
			require.NoError(t, db.log.WaitFlushed(context.Background(), db.Applied()))
			after = fs.Crash(1, 0)
		}
	}
	db = mustOpen(t, opts)
	commitLargeRows(t, db, wal.LevelOff)
	mustClose(t, db)

	db = mustOpen(t, crashOptions(after))
	require.Empty(t, db.openTxnsForTest())
	require.Zero(t, countRows(t, db, FirstUserTable))
	require.NoError(t, db.Checkpoint(context.Background()))
	require.Equal(t, db.Stats().DurableApplied, db.Stats().DurableRedo)
	mustClose(t, db)
}

func TestTooLargeATransactionLeavesNothing(t *testing.T) {
	opts := crashOptions(enginetest.New())
	opts.MaxTransactionSize = func() int64 { return 256 << 10 }
	db := mustOpen(t, opts)
	before := db.log.Inserted()
	txn := db.Begin(TxnOptions{})
	var err error
	for i := 0; err == nil; i++ {
		require.Less(t, i, largeRows)
		err = txn.Put(FirstUserTable, fmt.Appendf(nil, "L%02d", i), largeValue(i))
	}
	require.ErrorIs(t, err, ErrTxnTooLarge)
	txn.Rollback()
	require.Equal(t, before, db.log.Inserted())
	require.Zero(t, countRows(t, db, FirstUserTable))
	mustClose(t, db)
}

func TestPieceStreamRefusesWhatDoesNotFit(t *testing.T) {
	op := wal.AppendOp(nil, wal.Op{
		Kind: wal.OpSet, Table: 100, Key: []byte("k"), Value: []byte("v"),
	})
	record := func(h wal.DataHeader, lsn wal.LSN, piece []byte) *wal.Record {
		return &wal.Record{Type: wal.TypeData, LSN: lsn, Payload: wal.AppendData(nil, h, piece)}
	}
	ops := 0
	s := &pieceStream{first: 100, op: func(wal.Op) error { ops++; return nil }}
	require.NoError(t, s.record(record(wal.DataHeader{}, 100, op[:2])))
	require.NoError(t, s.record(record(wal.DataHeader{}, 150, []byte("of another"))))
	require.ErrorIs(t, s.finish(), errPieces, "ends inside an operation")
	require.ErrorIs(t, s.record(record(wal.DataHeader{First: 100, Piece: 2}, 200, op)), errPieces)
	require.NoError(t, s.record(record(wal.DataHeader{First: 100, Piece: 1}, 200, op[2:])))
	require.NoError(t, s.finish())
	require.Equal(t, 1, ops)

	failed := errors.New("full")
	s = &pieceStream{first: 100, op: func(wal.Op) error { return failed }}
	require.ErrorIs(t, s.record(record(wal.DataHeader{}, 100, op)), failed)
	require.ErrorIs(t, (&pieceStream{}).finish(), errPieces, "no piece at all")
}
