package engine

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// fakeQuorum is standbys that answer when a test says so.
type fakeQuorum struct {
	db *DB // for looking at flushed

	mu sync.Mutex

	// guarded by mu
	required bool
	asked    []quorumWait

	entered chan struct{} // receives at each Wait
	answer  chan error    // what a Wait returns
}

type quorumWait struct {
	end, flushed wal.LSN
	level        wal.Level
}

func newFakeQuorum() *fakeQuorum {
	return &fakeQuorum{required: true, entered: make(chan struct{}, 16), answer: make(chan error)}
}

func (q *fakeQuorum) Required(level wal.Level) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.required
}

func (q *fakeQuorum) remove() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.required = false
}

func (q *fakeQuorum) Wait(ctx context.Context, end wal.LSN, level wal.Level) error {
	q.mu.Lock()
	q.asked = append(q.asked, quorumWait{end: end, flushed: q.db.log.Flushed(), level: level})
	q.mu.Unlock()
	q.entered <- struct{}{}
	select {
	case err := <-q.answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *fakeQuorum) waits() []quorumWait {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asked
}

func openWithQuorum(t *testing.T) (*DB, *fakeQuorum, *enginetest.CrashFS) {
	t.Helper()
	fs := enginetest.New()
	q := newFakeQuorum()
	opts := crashOptions(fs)
	opts.Quorum = q
	q.db = mustOpen(t, opts)
	t.Cleanup(func() { mustClose(t, q.db) })
	return q.db, q, fs
}

// commitAsync commits one row and returns the outcome when it is there.
func commitAsync(ctx context.Context, db *DB, opts CommitOptions) <-chan commitOutcome {
	done := make(chan commitOutcome, 1)
	go func() {
		txn := db.Begin(TxnOptions{})
		defer txn.Rollback()
		if err := txn.Put(FirstUserTable, []byte("a"), []byte("1")); err != nil {
			done <- commitOutcome{err: err}
			return
		}
		result, err := txn.Commit(ctx, opts)
		done <- commitOutcome{result, err}
	}()
	return done
}

type commitOutcome struct {
	result CommitResult
	err    error
}

func TestCommitWaitsForItsDiskAndThenForStandbys(t *testing.T) {
	db, q, _ := openWithQuorum(t)
	for level, reached := range map[wal.Level]Reached{
		wal.LevelRemoteWrite: ReachedRemoteWrite,
		wal.LevelOn:          ReachedRemoteFlush,
		wal.LevelRemoteApply: ReachedRemoteApply,
	} {
		done := commitAsync(context.Background(), db, CommitOptions{Level: level})
		<-q.entered
		require.Empty(t, done, "%s was answered before its standbys", level)
		waits := q.waits()
		asked := waits[len(waits)-1]
		require.Equal(t, level, asked.level)
		require.GreaterOrEqual(t, asked.flushed, asked.end, "standbys before the own disk")
		q.answer <- nil
		got := <-done
		require.NoError(t, got.err)
		require.Equal(t, reached, got.result.Reached)
		require.Equal(t, asked.end, got.result.End)
	}
}

// While the own disk stands still no standby is waited for: what only a standby has could come
// from no log of this node.
func TestStandbysAreNotAskedBeforeTheOwnFlush(t *testing.T) {
	kinds := waitsBehindAStalledDisk(t, false)
	require.Equal(t, []WaitKind{WaitFlush, WaitNone, WaitStandby, WaitNone}, kinds)
}

func TestQuorumNoticesStandbysAskedFirst(t *testing.T) {
	require.Equal(t, WaitStandby, waitsBehindAStalledDisk(t, true)[0])
}

// waitsBehindAStalledDisk commits on a disk that stands still until the commit has begun to wait.
func waitsBehindAStalledDisk(t *testing.T, standbysFirst bool) (kinds []WaitKind) {
	t.Helper()
	db, q, fs := openWithQuorum(t)
	db.opts.hooks.standbysFirst = standbysFirst
	release := make(chan struct{})
	fs.StallSyncs(func(string) { <-release })
	heard := make(chan WaitKind, 8)
	done := commitAsync(context.Background(), db, CommitOptions{
		Level: wal.LevelOn, Waiting: func(kind WaitKind) { heard <- kind },
	})
	kinds = append(kinds, <-heard)
	fs.StallSyncs(nil)
	close(release)
	<-q.entered
	q.answer <- nil
	require.NoError(t, (<-done).err)
	close(heard)
	for kind := range heard {
		kinds = append(kinds, kind)
	}
	return kinds
}

func TestLevelsThatNeedNoStandby(t *testing.T) {
	db, q, _ := openWithQuorum(t)
	require.Equal(t, ReachedWritten, mustPut(t, db, FirstUserTable, "a", "1", wal.LevelOff).Reached)
	require.Equal(t, ReachedFlushed, mustPut(t, db, FirstUserTable, "a", "1", wal.LevelLocal).Reached)
	q.remove()
	for _, level := range []wal.Level{wal.LevelRemoteWrite, wal.LevelOn, wal.LevelRemoteApply} {
		require.Equal(t, ReachedFlushed, mustPut(t, db, FirstUserTable, "a", "1", level).Reached)
	}
	require.Empty(t, q.waits())
}

// An off commit that the limit delays is promised no more than its flush.
func TestDelayedOffCommitWaitsForNoStandby(t *testing.T) {
	db, q, _ := openWithQuorum(t)
	db.SetLossLimit(LossLimit{Bytes: 1})
	result := mustPut(t, db, FirstUserTable, "a", "1", wal.LevelOff)
	require.True(t, result.Delayed)
	require.Equal(t, ReachedFlushed, result.Reached)
	require.Empty(t, q.waits())
}

func TestCancelledStandbyWaitSaysWhereTheCommitIs(t *testing.T) {
	db, q, _ := openWithQuorum(t)
	cause := errors.New("canceling statement due to user request")
	ctx, cancel := context.WithCancelCause(context.Background())
	done := commitAsync(ctx, db, CommitOptions{Level: wal.LevelOn})
	<-q.entered
	cancel(cause)
	got := <-done
	require.ErrorIs(t, got.err, ErrCommitWaitCancelled)
	require.ErrorIs(t, got.err, cause)
	var wait *CommitWaitError
	require.ErrorAs(t, got.err, &wait)
	require.Equal(t, wal.LevelOn, wait.Level)
	require.Equal(t, ReachedFlushed, wait.Result.Reached)
	require.Equal(t, got.result, wait.Result)
	require.NotZero(t, wait.Result.EpochID)
	require.GreaterOrEqual(t, db.log.Flushed(), wait.Result.End)
	require.Equal(t, 1, countRows(t, db, FirstUserTable), "it is committed")
}

// A wait that ends because nobody is required any more has reached this node's disk, no more.
func TestRemovedRequirementLeavesTheCommitLocal(t *testing.T) {
	db, q, _ := openWithQuorum(t)
	done := commitAsync(context.Background(), db, CommitOptions{Level: wal.LevelRemoteApply})
	<-q.entered
	q.remove()
	q.answer <- nil
	got := <-done
	require.NoError(t, got.err)
	require.Equal(t, ReachedFlushed, got.result.Reached)
}

// The limit counts what is not on this disk; a commit that waits for standbys is.
func TestLossLimitIgnoresStandbys(t *testing.T) {
	db, q, _ := openWithQuorum(t)
	db.SetLossLimit(LossLimit{Bytes: 16 << 10})
	done := commitAsync(context.Background(), db, CommitOptions{Level: wal.LevelOn})
	<-q.entered
	result := mustPut(t, db, FirstUserTable, "b", "1", wal.LevelOff)
	require.Equal(t, ReachedWritten, result.Reached)
	require.False(t, result.Delayed)
	q.answer <- nil
	require.NoError(t, (<-done).err)
}
