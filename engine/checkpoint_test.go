package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

const walDir = "/data/wal"

// writeMuch commits rows of 32 KiB until total bytes are written, each key again and again, and
// calls check after every commit.
func writeMuch(t *testing.T, db *DB, total int, check func()) {
	t.Helper()
	const size = 32 << 10
	value := make([]byte, size)
	for i := 0; i*size < total; i++ {
		value[i%size]++
		mustPut(t, db, FirstUserTable, fmt.Sprint("k", i%20), string(value), wal.LevelOff)
		check()
	}
}

// The log on disk stays under max_wal_size in a run of many times its size, and what a recovery
// would have to read stays under it with it.
func TestLogStaysUnderMaxWALSize(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	limit := opts.MaxWALSize()
	opts.Log.WriterDelay = func() time.Duration { return time.Millisecond }
	opts.MemTableSize = 4 << 20
	db := mustOpen(t, opts)
	var most int64
	writeMuch(t, db, int(8*limit), func() {
		usage, err := fs.Usage(walDir)
		require.NoError(t, err)
		most = max(most, usage)
	})
	require.LessOrEqual(t, most, limit)
	require.Greater(t, db.Stats().Checkpoints, int64(4))
	after := fs.Crash(1, 0)
	mustClose(t, db)

	recovered, report, err := Open(context.Background(), crashOptions(after))
	require.NoError(t, err)
	require.LessOrEqual(t, int64(report.Log.End-report.Redo), limit)
	mustClose(t, recovered)
	t.Logf("at most %d KiB of log, %d allowed", most>>10, limit>>10)
}

// When the store cannot become durable, since the disk stands still, commits wait for log space
// rather than fill the disk, and go on when it moves again.
func TestCommitsWaitForLogSpace(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	opts.MemTableSize = 64 << 20 // the store itself would hold back nothing
	db := mustOpen(t, opts)
	moving := make(chan struct{})
	fs.StallSyncs(func(path string) {
		// Segments in use, that is the flusher: with new ones held back too, commits would wait
		// for those first.
		if len(filepath.Base(path)) == len("000000010000000000000010") {
			<-moving
		}
	})

	done := make(chan struct{})
	go func() {
		defer close(done)
		writeMuch(t, db, int(2*opts.MaxWALSize()), func() {})
	}()
	require.Eventually(t, func() bool { return db.Stats().SpaceWaits > 0 }, testWait, testTick)
	usage, err := fs.Usage(walDir)
	require.NoError(t, err)
	require.LessOrEqual(t, usage, opts.MaxWALSize())
	select {
	case <-done:
		require.Fail(t, "nothing held the writer back")
	default:
	}
	close(moving)
	<-done
	mustClose(t, db)
}

// An idle database is left alone: a checkpoint with nothing new flushes nothing.
func TestIdleCheckpointFlushesNothing(t *testing.T) {
	db := mustOpen(t, crashOptions(enginetest.New()))
	ctx := context.Background()
	mustPut(t, db, FirstUserTable, "k", "v", wal.LevelOff)
	require.NoError(t, db.Checkpoint(ctx))
	flushes := db.StoreStats().Flushes
	require.NoError(t, db.Checkpoint(ctx))
	require.Equal(t, flushes, db.StoreStats().Flushes)
	mustClose(t, db)
	require.ErrorIs(t, db.Checkpoint(ctx), ErrClosed)
	require.ErrorIs(t, db.Close(ctx), ErrClosed)
}

func TestCheckpointTimeout(t *testing.T) {
	opts := crashOptions(enginetest.New())
	opts.CheckpointTimeout = func() time.Duration { return 5 * time.Millisecond }
	made := make(chan CheckpointInfo, 16)
	opts.Events.Checkpointed = func(info CheckpointInfo) {
		select {
		case made <- info:
		default:
		}
	}
	db := mustOpen(t, opts)
	result := mustPut(t, db, FirstUserTable, "k", "v", wal.LevelOff)
	for info := range made {
		require.LessOrEqual(t, info.Redo, info.Applied)
		if info.Applied >= result.End {
			break
		}
	}
	mustClose(t, db)
}

// A record without operations moves applied, and a checkpoint takes the marker along (E1).
func TestCheckpointTakesTheMarkerAlong(t *testing.T) {
	fs := enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	mustPut(t, db, FirstUserTable, "k", "v", wal.LevelOff)
	end, err := db.SwitchSegment(context.Background())
	require.NoError(t, err)
	require.Equal(t, end, db.Applied())
	require.NoError(t, db.Checkpoint(context.Background()))
	require.Equal(t, end, db.Stats().DurableApplied)
	after := fs.Crash(1, 0)
	mustPut(t, db, FirstUserTable, "k", "w", wal.LevelOff)
	mustClose(t, db)

	recovered, report, err := Open(context.Background(), crashOptions(after))
	require.NoError(t, err)
	require.Equal(t, end, report.Applied)
	require.Zero(t, report.Commits)
	mustClose(t, recovered)
}

// A clean stop leaves nothing to replay.
func TestCleanStopReplaysNothing(t *testing.T) {
	fs := enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	for i := range 10 {
		mustPut(t, db, FirstUserTable, fmt.Sprint(i), "v", wal.LevelOff)
	}
	mustClose(t, db)
	db, report, err := Open(context.Background(), crashOptions(fs))
	require.NoError(t, err)
	require.True(t, report.Log.Clean)
	require.Zero(t, report.Commits)
	require.Equal(t, report.Log.End, report.Applied)
	require.Equal(t, 10, countRows(t, db, FirstUserTable))
	mustClose(t, db)
}

func TestSecondOpenIsRefused(t *testing.T) {
	fs := enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	_, _, err := Open(context.Background(), crashOptions(fs))
	require.ErrorIs(t, err, wal.ErrLocked)
	mustClose(t, db)
}

// BenchmarkRecovery replays 100 MB of log of small commits and reports the time that takes.
func BenchmarkRecovery(b *testing.B) {
	const logSize = 100 << 20
	source := filepath.Join(b.TempDir(), "source")
	require.NoError(b, os.Mkdir(source, 0o755))
	db := mustOpen(b, Options{Dir: source, MemTableSize: 1 << 30})
	value := string(make([]byte, 100))
	for i := 0; db.Applied() < wal.FirstLSN+logSize; i++ {
		mustPut(b, db, FirstUserTable, fmt.Sprintf("%012d", i*7919%1_000_000), value, wal.LevelOff)
	}
	commits := db.Stats().Commits
	for b.Loop() {
		b.StopTimer()
		dir := filepath.Join(b.TempDir(), "copy")
		require.NoError(b, os.CopyFS(dir, os.DirFS(source)))
		b.StartTimer()
		recovered, report, err := Open(context.Background(), Options{Dir: dir})
		require.NoError(b, err)
		b.StopTimer()
		require.Equal(b, commits, report.Commits)
		mustClose(b, recovered)
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100MB")
	mustClose(b, db)
}
