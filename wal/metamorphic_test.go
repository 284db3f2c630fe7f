package wal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// The same operations give the same log, whatever the disk, the way of flushing, the size of the
// segments, and wherever it is closed and opened again.
func TestMetamorphic(t *testing.T) {
	eachSeed(t, 1, func(t *testing.T, seed uint64) {
		want := metamorphic(t, seed, wal.Options{
			Dir: "/data", Disk: waltest.New(), SegmentSize: wal.SegmentSizeMin,
		}, 0)
		require.NotEmpty(t, want)
		for _, method := range []string{"", wal.MethodFdatasync, wal.MethodIOUring} {
			for _, size := range []int64{wal.SegmentSizeMin, 4 << 20} {
				for _, restart := range []int{0, 7} {
					name := fmt.Sprintf("method=%s/segment=%d/restart=%d", method, size>>20, restart)
					t.Run(name, func(t *testing.T) {
						opts := wal.Options{Dir: t.TempDir(), SegmentSize: size, SyncMethod: method}
						require.Equal(t, want, metamorphic(t, seed, opts, restart))
					})
				}
			}
		}
	})
}

// metamorphic runs the operations that seed chooses, closing and opening the log again behind every
// restart of them, and returns the commits that are there in the end.
func metamorphic(t *testing.T, seed uint64, opts wal.Options, restart int) []string {
	t.Helper()
	opts.Fatal = func(err error) { t.Errorf("log poisoned: %v", err) }
	log, _, err := tryOpen(opts, wal.Start{})
	var method *wal.SyncMethodError
	if errors.As(err, &method) {
		t.Skipf("not to be had here: %v", err)
	}
	require.NoError(t, err)
	require.NoError(t, log.BeginEpoch(context.Background()))
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range 60 {
		if restart > 0 && i%restart == restart-1 {
			end := log.Written()
			require.NoError(t, log.Close(true))
			var report wal.RecoveryReport
			log, report = open(t, opts, wal.Start{})
			require.Equal(t, end, report.End)
		}
		switch i % 10 {
		case 3:
			_, err := log.SwitchSegment()
			require.NoError(t, err)
		case 6:
			flush(t, log)
		default:
			size := 1 << rng.IntN(17)
			commit(t, log, fmt.Sprintf("%d %x", i, make([]byte, size)))
		}
	}
	flush(t, log)
	out := commits(t, log)
	require.NoError(t, log.Close(true))
	return out
}

// BenchmarkRecovery verifies 64 MiB of log, from the medium, as the start behind a crash does.
func BenchmarkRecovery(b *testing.B) {
	const total = 64 << 20
	dir := b.TempDir()
	opts := wal.Options{Dir: dir}
	log, _, err := tryOpen(opts, wal.Start{})
	require.NoError(b, err)
	require.NoError(b, log.BeginEpoch(context.Background()))
	group := make([]wal.Entry, 1000)
	for i := range group {
		group[i] = wal.Entry{Type: wal.TypeData, Payload: wal.AppendData(nil, wal.DataHeader{
			First: 8, Piece: 1,
		}, make([]byte, 150))}
	}
	for log.Written() < wal.FirstLSN+total {
		require.NoError(b, log.Append(group))
	}
	require.NoError(b, log.Close(true))
	b.SetBytes(total)
	b.ReportAllocs()
	for b.Loop() {
		log, report, err := tryOpen(opts, wal.Start{})
		require.NoError(b, err)
		b.ReportMetric(float64(report.Took.Milliseconds()), "ms/recovery")
		require.NoError(b, log.Close(true))
	}
}
