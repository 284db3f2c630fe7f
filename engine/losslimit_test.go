package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// lossBench is a database whose disk can be held and whose clock stands.
type lossBench struct {
	t     *testing.T
	fs    *enginetest.CrashFS
	clock *enginetest.Clock
	db    *DB
	ctx   context.Context
	rows  int
	held  chan struct{} // closed by open
}

func newLossBench(t *testing.T, limit LossLimit, change func(*Options)) *lossBench {
	b := &lossBench{t: t, fs: enginetest.New(), clock: enginetest.NewClock()}
	b.ctx = context.Background()
	opts := crashOptions(b.fs)
	opts.LossLimit, opts.Log.Clock = &limit, b.clock
	if change != nil {
		change(&opts)
	}
	b.db = mustOpen(t, opts)
	return b
}

// hold keeps every fsync of the log from returning until open.
func (b *lossBench) hold() {
	held := make(chan struct{})
	b.held = held
	b.fs.StallSyncs(func(string) { <-held })
}

func (b *lossBench) open() {
	b.fs.StallSyncs(nil)
	close(b.held)
}

func (b *lossBench) commit(opts CommitOptions, size int) (CommitResult, error) {
	txn := b.db.Begin(TxnOptions{})
	b.rows++
	key := fmt.Appendf(nil, "row %d", b.rows)
	require.NoError(b.t, txn.Put(FirstUserTable, key, make([]byte, size)))
	return txn.Commit(b.ctx, opts)
}

func (b *lossBench) mustCommit(opts CommitOptions) CommitResult {
	b.t.Helper()
	result, err := b.commit(opts, 10)
	require.NoError(b.t, err)
	return result
}

// outcome is what Commit answered.
type outcome struct {
	CommitResult
	err error
}

// start commits on a goroutine of its own and returns once the commit is applied.
func (b *lossBench) start(opts CommitOptions, size int) chan outcome {
	b.t.Helper()
	before := b.db.Applied()
	done := make(chan outcome, 1)
	go func() {
		result, err := b.commit(opts, size)
		done <- outcome{result, err}
	}()
	require.Eventually(b.t, func() bool { return b.db.Applied() > before }, testWait, testTick)
	return done
}

// delayed waits until so many commits have met the limit.
func (b *lossBench) delayed(n int64) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.db.Stats().LossDelays == n }, testWait, testTick)
}

func (b *lossBench) close() {
	b.t.Helper()
	require.Zero(b.t, b.db.Stats().LossViolations)
	mustClose(b.t, b.db)
}

var off = CommitOptions{Level: wal.LevelOff}

// The age: up to the limit commits are answered as off, beyond it as local would be, and once the
// disk has caught up as off again. Nobody else waits, and reads go on.
func TestLossLimitAge(t *testing.T) {
	b := newLossBench(t, LossLimit{Age: 100 * time.Millisecond}, nil)
	b.hold()
	first := b.mustCommit(off)
	require.Equal(t, ReachedWritten, first.Reached)
	require.False(t, first.Delayed)
	b.clock.Advance(60 * time.Millisecond)
	require.Equal(t, ReachedWritten, b.mustCommit(off).Reached)
	b.clock.Advance(40 * time.Millisecond)
	require.Equal(t, ReachedWritten, b.mustCommit(off).Reached, "at the limit, not over it")
	w := b.db.LossWindow()
	require.EqualValues(t, 3, w.Commits)
	require.Equal(t, 100*time.Millisecond, w.Age)
	require.Equal(t, first.End, w.Oldest)

	b.clock.Advance(1)
	second := b.start(off, 10)
	b.delayed(1)
	third := b.start(off, 10) // the leader of the second did not wait for it
	b.delayed(2)
	require.Empty(t, second)
	require.Empty(t, third)
	require.EqualValues(t, 3, b.db.LossWindow().Commits, "those are not acknowledged")
	txn := b.db.Begin(TxnOptions{ReadOnly: true})
	_, found, err := txn.Get(b.ctx, FirstUserTable, []byte("row 5"))
	require.NoError(t, err)
	require.True(t, found, "reads never wait, and see what is applied")
	txn.Rollback()

	b.open()
	for _, done := range []chan outcome{second, third} {
		got := <-done
		require.NoError(t, got.err)
		require.Equal(t, ReachedFlushed, got.Reached)
		require.True(t, got.Delayed)
		require.LessOrEqual(t, got.End, b.db.log.Flushed())
	}
	w = b.db.LossWindow()
	require.Zero(t, w.Commits)
	require.Zero(t, w.Age)
	require.Zero(t, w.Oldest)
	require.Equal(t, 100*time.Millisecond+1, w.MaxAge)
	require.Equal(t, ReachedWritten, b.mustCommit(off).Reached)
	require.EqualValues(t, 3, b.db.Stats().TimeToDurable.Count)
	b.close()
}

// The bytes: with fsync standing still, what is acknowledged never spans more than the limit,
// however many commit at once; the rest are applied and wait.
func TestLossLimitBytes(t *testing.T) {
	limit := LossLimit{Bytes: 32 << 10}
	b := newLossBench(t, limit, nil)
	flushed := b.db.log.Flushed()
	b.hold()
	const clients, each = 40, 70 // the limit has room for fewer than one client makes
	var mu sync.Mutex
	var answered []CommitResult
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for n := range each {
				key := fmt.Sprintf("%d.%d", i, n)
				result, err := put(b.db, FirstUserTable, key, string(make([]byte, 400)), wal.LevelOff)
				require.NoError(t, err)
				mu.Lock()
				answered = append(answered, result)
				mu.Unlock()
			}
		})
	}
	b.delayed(clients) // each client has one waiting: nobody can do more
	mu.Lock()
	require.NotEmpty(t, answered)
	for _, result := range answered {
		require.Equal(t, ReachedWritten, result.Reached)
		require.LessOrEqual(t, int64(result.End-flushed), limit.Bytes)
	}
	count := len(answered)
	mu.Unlock()
	require.Greater(t, count, clients, "most of the limit was lent")
	require.Less(t, count, each)
	w := b.db.LossWindow()
	require.EqualValues(t, count, w.Commits)
	require.LessOrEqual(t, w.Bytes, limit.Bytes)
	require.LessOrEqual(t, w.MaxBytes, limit.Bytes)
	require.Equal(t, flushed, b.db.log.Flushed())
	b.open()
	wg.Wait()
	require.Len(t, answered, clients*each)
	b.close()
}

// A commit larger than the limit waits for its own flush, a large transaction too, and under
// reject as well: it could never succeed otherwise.
func TestLossLimitLargerCommit(t *testing.T) {
	for _, action := range []LimitAction{LimitDelay, LimitReject} {
		for _, size := range []int{8 << 10, 600 << 10} {
			b := newLossBench(t, LossLimit{Bytes: 4 << 10}, nil)
			opts := CommitOptions{Level: wal.LevelOff, OnLimit: action}
			result, err := b.commit(opts, size)
			require.NoError(t, err)
			require.Equal(t, ReachedFlushed, result.Reached)
			if size < 100<<10 { // the apply of a large one may have flushed the log by itself
				require.True(t, result.Delayed)
			}
			require.Zero(t, b.db.LossWindow().MaxBytes)
			b.close()
		}
	}
}

// A client may tighten the limit for itself and for nobody else, and cannot loosen it.
func TestLossLimitOfASession(t *testing.T) {
	b := newLossBench(t, LossLimit{Age: 50 * time.Millisecond, Bytes: 1 << 20}, nil)
	b.hold()
	b.mustCommit(off)
	b.clock.Advance(20 * time.Millisecond)
	tight := CommitOptions{Level: wal.LevelOff, Limit: LossLimit{Age: 10 * time.Millisecond}}
	waits := b.start(tight, 10)
	b.delayed(1)
	require.Equal(t, ReachedWritten, b.mustCommit(off).Reached)
	b.clock.Advance(40 * time.Millisecond)
	loose := CommitOptions{Level: wal.LevelOff, Limit: LossLimit{Age: time.Hour, Bytes: 1 << 40}}
	waitsToo := b.start(loose, 10)
	b.delayed(2)
	b.open()
	require.True(t, (<-waits).Delayed)
	require.True(t, (<-waitsToo).Delayed)
	b.close()
}

// The limit may change at any time, for the answers to come.
func TestSetLossLimit(t *testing.T) {
	b := newLossBench(t, LossLimit{Age: time.Millisecond}, nil)
	b.hold()
	b.mustCommit(off)
	b.clock.Advance(time.Second)
	b.db.SetLossLimit(LossLimit{})
	require.Equal(t, ReachedWritten, b.mustCommit(off).Reached)
	b.db.SetLossLimit(LossLimit{Bytes: 1})
	require.Equal(t, LossLimit{Bytes: 1}, b.db.LossLimit())
	waits := b.start(off, 10)
	b.delayed(1)
	b.open()
	require.True(t, (<-waits).Delayed)
	b.close()
}

// Reject refuses before anything is appended, says how old the oldest is, and only at the limit.
func TestLossLimitReject(t *testing.T) {
	b := newLossBench(t, LossLimit{Age: 100 * time.Millisecond, Bytes: 4 << 10}, nil)
	b.hold()
	reject := CommitOptions{Level: wal.LevelOff, OnLimit: LimitReject}
	require.Equal(t, ReachedWritten, b.mustCommit(reject).Reached)
	b.clock.Advance(153 * time.Millisecond)
	inserted := b.db.log.Inserted()
	for _, size := range []int{10, 600 << 10} { // a large transaction is refused before its pieces
		_, err := b.commit(reject, size)
		var refused *LossLimitError
		require.ErrorAs(t, err, &refused)
		require.ErrorIs(t, err, ErrLossLimit)
		require.Equal(t, 153*time.Millisecond, refused.Age)
		require.ErrorContains(t, err, "153ms")
		require.False(t, errors.Is(err, ErrCommitWaitCancelled), "nothing is committed")
	}
	require.Equal(t, inserted, b.db.log.Inserted(), "nothing was appended")
	require.EqualValues(t, 2, b.db.Stats().LossRejects)
	b.open()
	require.NoError(t, b.db.log.WaitFlushed(b.ctx, inserted))

	b.hold()
	require.Equal(t, ReachedWritten, b.mustCommit(reject).Reached)
	_, err := b.commit(reject, 3800)
	require.ErrorIs(t, err, ErrLossLimit, "by the bytes")
	local := b.start(CommitOptions{Level: wal.LevelLocal, OnLimit: LimitReject}, 10)
	b.open()
	got := <-local
	require.NoError(t, got.err, "local commits know no limit")
	require.False(t, got.Delayed)
	b.close()
}

// A commit that meets the limit only after its append is delayed, not rejected.
func TestLossLimitRejectComesTooLate(t *testing.T) {
	var b *lossBench
	var late bool
	b = newLossBench(t, LossLimit{Age: 100 * time.Millisecond}, func(o *Options) {
		o.hooks.applied = func() {
			if late {
				b.clock.Advance(time.Second)
			}
		}
	})
	b.hold()
	reject := CommitOptions{Level: wal.LevelOff, OnLimit: LimitReject}
	b.mustCommit(reject)
	late = true
	waits := b.start(reject, 10)
	b.delayed(1)
	b.open()
	got := <-waits
	require.NoError(t, got.err)
	require.Equal(t, ReachedFlushed, got.Reached)
	b.close()
}

// The audit does not ask the decision: where that is left out, it counts.
func TestLossAuditCatchesAMissingCheck(t *testing.T) {
	for name, limit := range map[string]LossLimit{
		"age": {Age: 100 * time.Millisecond}, "bytes": {Bytes: 200},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLossBench(t, limit, func(o *Options) { o.hooks.lendAlways = true })
			b.hold()
			for range 10 {
				require.Equal(t, ReachedWritten, b.mustCommit(off).Reached)
				b.clock.Advance(30 * time.Millisecond)
			}
			require.Greater(t, b.db.Stats().LossViolations, int64(4))
			b.open()
			mustClose(t, b.db)
		})
	}
}

// A deadline commit waits so long for its flush and then says truthfully what it has reached.
func TestDeadlineCommit(t *testing.T) {
	b := newLossBench(t, LossLimit{Age: 100 * time.Millisecond}, nil)
	wait := CommitOptions{Level: wal.LevelOff, Wait: 2 * time.Millisecond, OnLimit: LimitReject}
	result := b.mustCommit(wait)
	require.Equal(t, ReachedFlushed, result.Reached)
	require.LessOrEqual(t, result.End, b.db.log.Flushed())

	b.hold()
	done := b.start(wait, 10)
	b.clock.Armed(2 * time.Millisecond)
	b.clock.Armed(2 * time.Millisecond)
	require.Empty(t, done)
	require.Zero(t, b.db.LossWindow().Commits, "it is not acknowledged yet")
	b.clock.Advance(2 * time.Millisecond)
	got := <-done
	require.NoError(t, got.err)
	require.Equal(t, ReachedWritten, got.Reached)
	require.Less(t, b.db.log.Flushed(), got.End)
	require.EqualValues(t, 1, b.db.LossWindow().Commits)

	// At the limit it waits on for its flush, and is no error under reject either.
	b.clock.Advance(101 * time.Millisecond)
	done = b.start(wait, 10)
	b.clock.Armed(2 * time.Millisecond)
	b.clock.Advance(2 * time.Millisecond)
	b.delayed(1)
	require.Empty(t, done)
	b.open()
	got = <-done
	require.NoError(t, got.err)
	require.Equal(t, ReachedFlushed, got.Reached)
	require.True(t, got.Delayed)
	b.close()
}

// Cancelled, a deadline commit is answered like one whose time is up, if the limit lets it.
func TestDeadlineCommitCancelled(t *testing.T) {
	b := newLossBench(t, LossLimit{Age: 100 * time.Millisecond}, nil)
	b.hold()
	wait := CommitOptions{Level: wal.LevelOff, Wait: time.Minute}
	var cancel context.CancelFunc
	b.ctx, cancel = context.WithCancel(context.Background())
	done := b.start(wait, 10)
	b.clock.Armed(time.Minute)
	cancel()
	got := <-done
	require.NoError(t, got.err)
	require.Equal(t, ReachedWritten, got.Reached)

	b.clock.Advance(time.Second)
	got = <-b.start(wait, 10)
	require.ErrorIs(t, got.err, ErrCommitWaitCancelled)
	require.ErrorIs(t, got.err, context.Canceled)
	require.Zero(t, got.Reached)
	b.open()
	b.close()
}

// EIO: nothing is acknowledged behind it, at any level; who waits is told the range; and every
// commit that was acknowledged unflushed is in it.
func TestNothingIsAcknowledgedBehindEIO(t *testing.T) {
	fatal := make(chan error, 1)
	told := make(chan *wal.UnresolvedError, 1)
	b := newLossBench(t, LossLimit{Age: 100 * time.Millisecond}, func(o *Options) {
		o.Fatal = func(err error) { fatal <- err }
		o.Log.Unresolved = func(u *wal.UnresolvedError) { told <- u }
	})
	durable := b.mustCommit(CommitOptions{Level: wal.LevelLocal})
	entered, release := make(chan struct{}, 100), make(chan struct{})
	b.fs.StallSyncs(func(string) { entered <- struct{}{}; <-release })
	b.fs.FailSyncs(unix.EIO)
	lent := b.mustCommit(off)
	local := b.start(CommitOptions{Level: wal.LevelLocal}, 10)
	<-entered
	deadline := b.start(CommitOptions{Level: wal.LevelOff, Wait: time.Hour}, 10)
	b.clock.Advance(time.Second)
	limited := b.start(off, 10)
	b.delayed(1)
	last := b.db.log.Inserted()
	close(release)

	u := <-told
	require.Equal(t, durable.End, u.First)
	require.Equal(t, last, u.Last)
	require.Greater(t, lent.End, u.First)
	require.LessOrEqual(t, lent.End, u.Last)
	for _, done := range []chan outcome{local, deadline, limited} {
		got := <-done
		require.ErrorIs(t, got.err, ErrCommitWaitCancelled)
		require.ErrorAs(t, got.err, &u)
		require.Equal(t, last, u.Last)
		require.ErrorIs(t, got.err, unix.EIO)
		require.Zero(t, got.Reached)
	}
	require.ErrorIs(t, <-fatal, unix.EIO)
	_, err := b.commit(off, 10)
	require.ErrorIs(t, err, unix.EIO)
	require.Zero(t, b.db.Stats().LossViolations)
}
