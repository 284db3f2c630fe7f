package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

func awaitAsync(ctx context.Context, db *DB, lsn wal.LSN) <-chan error {
	done := make(chan error, 1)
	go func() { done <- db.AwaitApplied(ctx, lsn) }()
	return done
}

// awaitWaiting returns once so many wait in the queue.
func awaitWaiting(t *testing.T, db *DB, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		db.applied.mu.Lock()
		defer db.applied.mu.Unlock()
		return len(db.applied.queue) == n
	}, testWait, testTick)
}

func TestAwaitAppliedWakesInOrder(t *testing.T) {
	p := newPair(t, nil)
	ctx := context.Background()
	require.NoError(t, p.to.AwaitApplied(ctx, p.to.Applied()))
	require.NoError(t, p.to.PauseReplay())
	first := mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	second := mustPut(t, p.from, FirstUserTable, "a", "2", wal.LevelLocal)
	beyond := awaitAsync(ctx, p.to, second.End+1)
	all := []<-chan error{
		awaitAsync(ctx, p.to, second.End), awaitAsync(ctx, p.to, first.End),
		awaitAsync(ctx, p.to, first.End-1),
	}
	awaitWaiting(t, p.to, len(all)+1)
	require.NoError(t, p.all())
	require.NoError(t, p.to.ResumeReplay())
	for _, done := range all {
		require.NoError(t, <-done)
	}
	awaitWaiting(t, p.to, 1)
	require.Empty(t, beyond)

	mustPromote(t, p.to)
	require.NoError(t, <-beyond, "a promotion moves applied like any record")
}

func TestAwaitAppliedEnds(t *testing.T) {
	db := mustOpen(t, crashOptions(enginetest.New()))
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancelled := awaitAsync(ctx, db, db.Applied()+1<<20)
	closed := awaitAsync(context.Background(), db, db.Applied()+1<<20)
	awaitWaiting(t, db, 2)
	cancel(cause)
	require.ErrorIs(t, <-cancelled, cause)
	awaitWaiting(t, db, 1)
	mustClose(t, db)
	require.ErrorIs(t, <-closed, ErrClosed)
}

// On a primary applied moves with its commits.
func TestAwaitAppliedOnAPrimary(t *testing.T) {
	db := mustOpen(t, crashOptions(enginetest.New()))
	defer mustClose(t, db)
	done := awaitAsync(context.Background(), db, db.Applied()+1)
	awaitWaiting(t, db, 1)
	mustPut(t, db, FirstUserTable, "a", "1", wal.LevelOff)
	require.NoError(t, <-done)
}
