package engine

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// peakMemory is the process' largest resident set since resetPeak, in MiB.
func peakMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(b, match)
	kib, err := strconv.ParseFloat(string(match[1]), 64)
	require.NoError(b, err)
	return kib / 1024
}

func resetPeak(b *testing.B) {
	require.NoError(b, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
}

// BenchmarkLargeCommit commits 512 MiB in rows of 1 KiB as one transaction while another session
// commits one row after the other: how long it takes, what it holds in memory, and how long the
// other is kept waiting at most, in the data records' phase and by the apply.
func BenchmarkLargeCommit(b *testing.B) {
	for b.Loop() {
		largeCommitOnce(b, 512<<20, 1<<10)
	}
}

func largeCommitOnce(b *testing.B, total, rowSize int) {
	db := mustOpen(b, Options{Dir: b.TempDir()})
	defer mustClose(b, db)
	resetPeak(b)
	before := peakMemory(b)
	txn := db.Begin(TxnOptions{})
	value := make([]byte, rowSize)
	began := time.Now()
	for i := range total / rowSize {
		copy(value, strconv.Itoa(i))
		require.NoError(b, txn.Put(FirstUserTable, fmt.Appendf(nil, "%012d", i), value))
	}
	filled := time.Now()
	b.ReportMetric(peakMemory(b)-before, "filled-MiB")

	var worst atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { worst.Store(int64(worstCommit(b, db, stop))) })
	_, err := txn.Commit(context.Background(), CommitOptions{Level: wal.LevelOff})
	require.NoError(b, err)
	committed := time.Now()
	close(stop)
	wg.Wait()
	b.ReportMetric(filled.Sub(began).Seconds(), "fill-s")
	b.ReportMetric(committed.Sub(filled).Seconds(), "commit-s")
	b.ReportMetric(time.Duration(worst.Load()).Seconds(), "stall-s")
	b.ReportMetric(peakMemory(b)-before, "peak-MiB")
}

// worstCommit commits single rows until stop and returns how long the slowest took.
func worstCommit(b *testing.B, db *DB, stop chan struct{}) time.Duration {
	var worst time.Duration
	for i := 0; ; i++ {
		select {
		case <-stop:
			return worst
		default:
		}
		began := time.Now()
		_, err := put(db, FirstUserTable+1, strconv.Itoa(i%1000), "v", wal.LevelOff)
		require.NoError(b, err)
		worst = max(worst, time.Since(began))
	}
}

// BenchmarkMillionRows loads a million rows of 100 bytes, a commit each, and reports the largest
// resident set.
func BenchmarkMillionRows(b *testing.B) {
	for b.Loop() {
		db := mustOpen(b, Options{Dir: b.TempDir()})
		resetPeak(b)
		value := make([]byte, 100)
		for i := range 1_000_000 {
			key := fmt.Sprintf("%012d", i*7919%1_000_000)
			_, err := put(db, FirstUserTable, key, string(value), wal.LevelOff)
			require.NoError(b, err)
		}
		b.ReportMetric(peakMemory(b), "peak-MiB")
		mustClose(b, db)
	}
}
