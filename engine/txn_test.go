package engine

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

func TestEndedTransaction(t *testing.T) {
	db := openTxnTest(t)
	ctx := context.Background()
	txn := db.Begin(TxnOptions{})
	txn.Rollback()
	txn.Rollback()
	_, _, err := txn.Get(ctx, testTable, []byte("k"))
	require.ErrorIs(t, err, ErrTxnDone)
	require.ErrorIs(t, txn.Put(testTable, []byte("k"), nil), ErrTxnDone)
	require.ErrorIs(t, txn.Upsert(ctx, testTable, []byte("k"), nil), ErrTxnDone)
	_, err = txn.LockRow(ctx, testTable, []byte("k"), RowUpdate, Wait)
	require.ErrorIs(t, err, ErrTxnDone)
	require.ErrorIs(t, txn.LockTable(ctx, testTable, ShareLock, Wait), ErrTxnDone)
	require.ErrorIs(t, txn.RollbackTo(1), ErrTxnDone)
	it := txn.Scan(testTable, nil, nil, false)
	require.False(t, it.Next())
	require.ErrorIs(t, it.Close(), ErrTxnDone)
	_, err = txn.Commit(ctx, CommitOptions{})
	require.ErrorIs(t, err, ErrTxnDone)
	require.Zero(t, txn.SnapshotLSN())
	txn.StartStatement()
	txn.StartPointStatement()
	txn.SetLockTimeout(0)
}

// A Rollback deferred past the end must not reach the transaction that has the state now.
func TestLateRollbackHitsNobody(t *testing.T) {
	db := openTxnTest(t)
	first := db.Begin(TxnOptions{})
	require.NoError(t, first.Put(testTable, []byte("a"), nil))
	_, err := first.Commit(context.Background(), CommitOptions{})
	require.NoError(t, err)
	second := db.Begin(TxnOptions{})
	require.NoError(t, second.Put(testTable, []byte("b"), nil))
	first.Rollback()
	_, err = second.Commit(context.Background(), CommitOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"a=", "b="}, committedRows(t, db))
}

func TestReadOnlyTransaction(t *testing.T) {
	db := openTxnTest(t)
	ctx, key := context.Background(), []byte("k")
	txn := db.Begin(TxnOptions{ReadOnly: true})
	defer txn.Rollback()
	require.ErrorIs(t, txn.Put(testTable, key, nil), ErrReadOnly)
	require.ErrorIs(t, txn.Delete(testTable, key), ErrReadOnly)
	require.ErrorIs(t, txn.DeleteTable(testTable), ErrReadOnly)
	require.ErrorIs(t, txn.Upsert(ctx, testTable, key, nil), ErrReadOnly)
	_, err := txn.LockRow(ctx, testTable, key, RowShare, Wait)
	require.ErrorIs(t, err, ErrReadOnly)
	result, err := txn.Commit(ctx, CommitOptions{Level: wal.LevelLocal})
	require.NoError(t, err)
	require.Equal(t, CommitResult{ReadOnly: true}, result)
}

func TestSizeLimits(t *testing.T) {
	db := openTxnTest(t)
	txn := db.Begin(TxnOptions{MaxSize: 10_000})
	require.ErrorIs(t, txn.Put(testTable, nil, make([]byte, MaxRowSize+1)), ErrRowTooLarge)
	var err error
	rows := 0
	for ; err == nil; rows++ {
		err = txn.Put(testTable, fmt.Appendf(nil, "k%05d", rows), nil)
	}
	require.ErrorIs(t, err, ErrTxnTooLarge)
	require.Greater(t, rows, 200)
	require.LessOrEqual(t, txn.writes.Size(), int64(10_000))
	txn.Rollback()

	txn = db.Begin(TxnOptions{})
	for err = nil; err == nil; {
		err = txn.DeleteRange(testTable, []byte("a"), []byte("b"))
	}
	require.ErrorIs(t, err, ErrTxnTooLarge)
	txn.Rollback()
	require.Empty(t, committedRows(t, db))
}

func TestTableOfTheMarkerIsRefused(t *testing.T) {
	db := openTxnTest(t)
	txn := db.Begin(TxnOptions{})
	defer txn.Rollback()
	require.Error(t, txn.Put(metaTable, []byte("m"), nil))
	require.Error(t, txn.DeleteTable(metaTable))
	require.Error(t, txn.Put(MaxTableID+1, []byte("m"), nil))
}

func TestSavepoints(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "a", "0")
	s := begin(t, db, ReadCommitted)
	outer := s.txn.Savepoint()
	s.mustUpdate("a", "1")
	inner := s.txn.Savepoint()
	s.mustUpdate("a", "2")
	s.mustUpdate("b", "2")
	require.NoError(t, s.txn.RollbackTo(inner))
	require.Equal(t, []string{"a=1"}, s.scan("", ""))
	s.mustUpdate("b", "3")
	require.NoError(t, s.txn.RollbackTo(inner), "a savepoint survives its own rollback")
	require.Equal(t, []string{"a=1"}, s.scan("", ""))
	require.NoError(t, s.txn.RollbackTo(outer))
	require.ErrorIs(t, s.txn.RollbackTo(inner), ErrNoSavepoint)
	require.Equal(t, []string{"a=0"}, s.scan("", ""))

	other := begin(t, db, ReadCommitted)
	other.mustUpdate("a", "other") // the lock went with the savepoint
	other.mustCommit()
	require.NoError(t, s.txn.Release(outer))
	require.ErrorIs(t, s.txn.RollbackTo(outer), ErrNoSavepoint)
	s.mustCommit()
	require.Equal(t, []string{"a=other"}, committedRows(t, db))
}

// A statement's iterator shows what there was when it was opened: rows the statement writes
// meanwhile would keep it running for ever.
func TestIteratorDoesNotSeeItsStatementsWrites(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		db := openTxnTest(t)
		load(t, db, "b", "", "d", "")
		s := begin(t, db, ReadCommitted)
		s.mustUpdate("c", "own")
		it := s.txn.Scan(testTable, nil, nil, reverse)
		var keys []string
		for it.Next() {
			keys = append(keys, string(it.Key())+"="+string(it.Value()))
			for _, k := range []string{"a", "b", "c", "d", "e"} {
				require.NoError(t, s.txn.Put(testTable, []byte(k), []byte("new")))
			}
			require.NoError(t, s.txn.DeleteRange(testTable, []byte("b"), []byte("e")))
		}
		require.NoError(t, it.Close())
		require.NoError(t, it.Close())
		want := []string{"b=", "c=own", "d="}
		if reverse {
			want = []string{"d=", "c=own", "b="}
		}
		require.Equal(t, want, keys)
		require.Equal(t, []string{"a=new", "e=new"}, s.scan("", ""))
		s.rollback()
	}
}

// A suspended portal goes on after other statements, commits of others, and a rollback to a
// savepoint made before it.
func TestIteratorOutlivesItsStatement(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "a", "0", "b", "0", "c", "0")
	s := begin(t, db, ReadCommitted)
	s.mustUpdate("bb", "own")
	it := s.txn.Scan(testTable, nil, nil, false)
	require.True(t, it.Next())
	load(t, db, "b", "1", "c", "1")
	sp := s.txn.Savepoint()
	s.mustUpdate("bbb", "undone")
	require.NoError(t, s.txn.RollbackTo(sp))
	require.Equal(t, "1", s.get("c"))
	rows := []string{}
	for it.Next() {
		rows = append(rows, string(it.Key())+"="+string(it.Value()))
	}
	require.Equal(t, []string{"b=0", "bb=own", "c=0"}, rows)
	s.mustCommit() // closes it
	require.False(t, it.Next())
	require.NoError(t, it.Close())
	require.Equal(t, []string{"a=0", "b=1", "bb=own", "c=1"}, committedRows(t, db))
}

func TestScanOfNothing(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "a", "", "b", "")
	s := begin(t, db, Serializable)
	require.Empty(t, s.scan("b", "a"))
	require.Empty(t, s.scan("b", "b"))
	s.mustUpdate("c", "")
	s.mustCommit()
}

// Truncate and refill in one transaction, seen from inside and after.
func TestDeleteTableThenPut(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "a", "0", "b", "0", "c", "0")
	s := begin(t, db, ReadCommitted)
	s.mustUpdate("b", "1")
	require.NoError(t, s.txn.DeleteTable(testTable))
	require.Empty(t, s.scan("", ""))
	require.Empty(t, s.get("a"))
	require.NoError(t, s.txn.Put(testTable, []byte("c"), []byte("2")))
	require.Equal(t, []string{"c=2"}, s.scan("", ""))
	require.Equal(t, []string{"c=2"}, scanAll(t, s.txn, "", "", true))
	s.mustCommit()
	require.Equal(t, []string{"c=2"}, committedRows(t, db))
}

func TestLockRowSkipsAndRefuses(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "k", "0")
	ctx, key := context.Background(), []byte("k")
	holder, asker := begin(t, db, ReadCommitted), begin(t, db, ReadCommitted)
	holder.mustUpdate("k", "1")
	row, err := asker.txn.LockRow(ctx, testTable, key, RowUpdate, SkipLocked)
	require.NoError(t, err)
	require.Equal(t, RowState{Skipped: true}, row)
	_, err = asker.txn.LockRow(ctx, testTable, key, RowShare, NoWait)
	require.ErrorIs(t, err, ErrLockNotAvailable)
	asker.txn.SetLockTimeout(testTick)
	_, err = asker.txn.LockRow(ctx, testTable, key, RowShare, Wait)
	require.ErrorIs(t, err, ErrLockTimeout)
	holder.mustCommit()
	row, err = asker.txn.LockRow(ctx, testTable, key, RowShare, NoWait)
	require.NoError(t, err)
	require.Equal(t, "1", string(row.Value))
	asker.rollback()
}

// READ COMMITTED says that a row is not the one its statement has seen, whichever way it saw it.
func TestLockRowReportsChange(t *testing.T) {
	db := openTxnTest(t)
	ctx, key := context.Background(), []byte("k")
	starts := map[string]func(*Txn){
		"snapshot": (*Txn).StartStatement, "point": (*Txn).StartPointStatement,
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			load(t, db, "k", "0")
			txn := db.Begin(TxnOptions{})
			start(txn)
			_, _, err := txn.Get(ctx, testTable, key)
			require.NoError(t, err)
			row, err := txn.LockRow(ctx, testTable, key, RowShare, Wait)
			require.NoError(t, err)
			require.False(t, row.Changed)
			txn.Rollback()

			txn = db.Begin(TxnOptions{})
			start(txn)
			_, _, err = txn.Get(ctx, testTable, key)
			require.NoError(t, err)
			load(t, db, "k", "1")
			row, err = txn.LockRow(ctx, testTable, key, RowUpdate, Wait)
			require.NoError(t, err)
			require.True(t, row.Changed)
			require.Equal(t, "1", string(row.Value))
			txn.Rollback()
		})
	}
}

func TestSnapshotLSN(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "k", "0")
	rr := begin(t, db, RepeatableRead)
	at := rr.txn.SnapshotLSN()
	rc := begin(t, db, ReadCommitted)
	require.Equal(t, at, rc.txn.SnapshotLSN())
	result := mustPut(t, db, testTable, "k", "1", wal.LevelOff)
	require.Equal(t, at, rr.txn.SnapshotLSN())
	rc.txn.StartStatement()
	require.Equal(t, result.End, rc.txn.SnapshotLSN())
	rr.rollback()
	rc.rollback()
}

// Values of a transaction that goes to the log in pieces, through every way of reading.
func TestLargeTransactionReadsItsOwn(t *testing.T) {
	db := openTxnTest(t)
	s := begin(t, db, RepeatableRead)
	value := bytes.Repeat([]byte("x"), 100<<10)
	for i := range 20 {
		require.NoError(t, s.txn.Put(testTable, fmt.Appendf(nil, "k%02d", i), value))
	}
	require.Len(t, s.scan("k05", "k15"), 10)
	require.Equal(t, string(value), s.get("k07"))
	s.mustCommit()
	require.Len(t, committedRows(t, db), 20)
}

func TestPooledStateIsClean(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "k", "0")
	dirty := begin(t, db, Serializable)
	require.Equal(t, "0", dirty.get("k"))
	dirty.mustUpdate("k", "1")
	dirty.txn.Savepoint()
	dirty.txn.Scan(testTable, nil, nil, false).Next()
	dirty.rollback()

	clean := begin(t, db, ReadCommitted)
	defer clean.rollback()
	require.Same(t, db, clean.txn.db)
	require.Nil(t, clean.txn.view)
	require.Nil(t, clean.txn.reads)
	require.True(t, clean.txn.writes.empty())
	require.Empty(t, clean.txn.iters)
	require.ErrorIs(t, clean.txn.RollbackTo(1), ErrNoSavepoint)
	require.Equal(t, "0", clean.get("k"))
}

// A session that is late for Close gets an error from every read, not a panic of the store.
func TestReadAfterClose(t *testing.T) {
	db := mustOpen(t, crashOptions(enginetest.New()))
	ctx, key := context.Background(), []byte("k")
	mustPut(t, db, testTable, "k", "0", wal.LevelOff)
	mustClose(t, db)
	txn := db.Begin(TxnOptions{})
	defer txn.Rollback()
	_, _, err := txn.Get(ctx, testTable, key)
	require.ErrorIs(t, err, ErrClosed)
	txn.StartPointStatement()
	_, _, err = txn.Get(ctx, testTable, key)
	require.ErrorIs(t, err, ErrClosed)
	_, err = txn.LockRow(ctx, testTable, key, RowUpdate, Wait)
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, txn.Scan(testTable, nil, nil, false).Close(), ErrClosed)
	require.NoError(t, txn.Put(testTable, key, nil))
	_, err = txn.Commit(ctx, CommitOptions{})
	require.ErrorIs(t, err, ErrClosed)
}
