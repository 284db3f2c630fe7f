package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"ackdb/wal"
)

// BenchmarkCommit is append and apply of one small commit, from Begin to the answer, on the real
// disk. At one client nothing is handed to another goroutine.
func BenchmarkCommit(b *testing.B) {
	for _, level := range []wal.Level{wal.LevelOff, wal.LevelLocal} {
		for _, clients := range []int{1, 4, 16, 64} {
			b.Run(fmt.Sprintf("clients=%d/durable=%s", clients, level), func(b *testing.B) {
				benchmarkCommit(b, clients, level)
			})
		}
	}
}

func benchmarkCommit(b *testing.B, clients int, level wal.Level) {
	db := mustOpen(b, Options{Dir: b.TempDir()})
	defer mustClose(b, db)
	var wg sync.WaitGroup
	took := make([][]time.Duration, clients)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range clients {
		n := b.N / clients
		if i < b.N%clients {
			n++
		}
		took[i] = make([]time.Duration, 0, n)
		wg.Go(func() { took[i] = commitLoop(b, db, i, n, level, took[i]) })
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1e3, "p50-us")
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds())/1e3, "p99-us")
	stats := db.Stats()
	b.ReportMetric(float64(stats.Commits)/float64(max(stats.Groups, 1)), "commits/group")
}

func commitLoop(
	b *testing.B, db *DB, client, n int, level wal.Level, took []time.Duration,
) []time.Duration {
	ctx := context.Background()
	var key []byte
	value := make([]byte, 100)
	opts := CommitOptions{Level: level, User: "postgres", App: "bench"}
	var txn Txn
	for i := range n {
		began := time.Now()
		key = fmt.Appendf(key[:0], "%02d%014d", client, i*7919%100_000)
		db.BeginInto(&txn, TxnOptions{})
		txn.StartPointStatement()
		if err := txn.Upsert(ctx, FirstUserTable, key, value); err != nil {
			b.Error(err)
			return took
		}
		if _, err := txn.Commit(ctx, opts); err != nil {
			b.Error(err)
			return took
		}
		took = append(took, time.Since(began))
	}
	return took
}
