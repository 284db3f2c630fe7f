package engine

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// openBench opens a database on the real file system, as a server would.
func openBench(b *testing.B) *DB {
	b.Helper()
	db := mustOpen(b, Options{Dir: b.TempDir()})
	b.Cleanup(func() { mustClose(b, db) })
	return db
}

const benchRows = 100_000

// benchKey writes "key" and a number of fixed width, without allocating.
func benchKey(dst []byte, i int) []byte {
	return strconv.AppendInt(append(dst[:0], "key"...), int64(1_000_000+i%benchRows), 10)
}

func fillBench(b *testing.B, db *DB) {
	txn := db.Begin(TxnOptions{})
	var key []byte
	for i := range benchRows {
		key = benchKey(key, i)
		require.NoError(b, txn.Put(testTable, key, make([]byte, 100)))
	}
	_, err := txn.Commit(context.Background(), CommitOptions{})
	require.NoError(b, err)
	b.ResetTimer()
}

// The whole of `INSERT .. ON CONFLICT DO UPDATE` of one row below the language.
func BenchmarkUpsert(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("durable=off/clients=%d", clients), func(b *testing.B) {
			db := openBench(b)
			fillBench(b, db)
			b.ReportAllocs()
			b.SetParallelism(clients) // times GOMAXPROCS, but for one client
			if clients == 1 {
				upserts(b, db, b.Loop)
				return
			}
			b.RunParallel(func(pb *testing.PB) { upserts(b, db, pb.Next) })
		})
	}
}

func upserts(b *testing.B, db *DB, next func() bool) {
	ctx := context.Background()
	var txn Txn
	var key []byte
	value := make([]byte, 100)
	for i := 0; next(); i++ {
		db.BeginInto(&txn, TxnOptions{})
		txn.StartPointStatement()
		key = benchKey(key, i*7919)
		err := txn.LockTable(ctx, testTable, RowExclusiveLock, Wait)
		if err == nil {
			err = txn.Upsert(ctx, testTable, key, value)
		}
		if err == nil {
			_, err = txn.Commit(ctx, CommitOptions{Level: wal.LevelOff})
		}
		if err != nil {
			b.Error(err)
			return
		}
	}
}

// The same up to Commit: what locks and write set cost without log and store.
func BenchmarkUpsertWithoutCommit(b *testing.B) {
	db := openBench(b)
	ctx := context.Background()
	var txn Txn
	var key []byte
	value := make([]byte, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		db.BeginInto(&txn, TxnOptions{})
		txn.StartPointStatement()
		key = benchKey(key, i*7919)
		if err := txn.LockTable(ctx, testTable, RowExclusiveLock, Wait); err != nil {
			b.Fatal(err)
		}
		if err := txn.Upsert(ctx, testTable, key, value); err != nil {
			b.Fatal(err)
		}
		txn.Rollback()
	}
}

// A point select: one statement, one row.
func BenchmarkPointGet(b *testing.B) {
	db := openBench(b)
	fillBench(b, db)
	ctx := context.Background()
	var txn Txn
	var key []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		db.BeginInto(&txn, TxnOptions{ReadOnly: true})
		txn.StartPointStatement()
		key = benchKey(key, i*7919)
		if err := txn.LockTable(ctx, testTable, AccessShareLock, Wait); err != nil {
			b.Fatal(err)
		}
		if _, found, err := txn.Get(ctx, testTable, key); err != nil || !found {
			b.Fatal(found, err)
		}
		txn.Rollback()
	}
}

// A statement that takes a snapshot and walks over a hundred rows.
func BenchmarkScan100(b *testing.B) {
	for _, own := range []bool{false, true} {
		b.Run(fmt.Sprintf("own=%t", own), func(b *testing.B) {
			db := openBench(b)
			fillBench(b, db)
			txn := db.Begin(TxnOptions{})
			defer txn.Rollback()
			var key []byte
			for i := 0; own && i < benchRows; i += 2 {
				key = benchKey(key, i)
				require.NoError(b, txn.Put(testTable, key, key))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				txn.StartStatement()
				key = benchKey(key, i*7919)
				it := txn.Scan(testTable, key, nil, false)
				for range 100 {
					it.Next()
				}
				if err := it.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Bulk load into one write set, in key order and not.
func BenchmarkWriteSetPut(b *testing.B) {
	for _, order := range []string{"ascending", "scattered"} {
		b.Run("order="+order, func(b *testing.B) {
			w := newWriteSet()
			var key []byte
			value := make([]byte, 100)
			b.ReportAllocs()
			step := map[string]int{"ascending": 1, "scattered": 7919}[order]
			for i := 0; b.Loop(); i++ {
				if i%benchRows == 0 {
					w.reset()
				}
				key = benchKey(key, i*step)
				w.put(testTable, key, value, false)
			}
		})
	}
}
