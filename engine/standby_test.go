package engine

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

func TestStandbyShowsWhatItsPrimaryCommitted(t *testing.T) {
	p := newPair(t, nil)
	require.Equal(t, wal.RolePrimary, p.from.Role())
	require.Equal(t, wal.RoleStandby, p.to.Role())
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	commitLargeRows(t, p.from, wal.LevelOff)
	last := mustPut(t, p.from, FirstUserTable, "a", "2", wal.LevelOff)
	p.mustCatchUp(t)
	requireSameRows(t, p.from, p.to)
	require.Equal(t, last.End, p.to.Applied())
}

func TestStandbyRefusesWritesAndLocks(t *testing.T) {
	p := newPair(t, nil)
	ctx := context.Background()
	txn := p.to.Begin(TxnOptions{})
	defer txn.Rollback()
	key := []byte("a")
	require.ErrorIs(t, txn.Put(FirstUserTable, key, key), ErrStandby)
	require.ErrorIs(t, txn.Upsert(ctx, FirstUserTable, key, key), ErrStandby)
	require.ErrorIs(t, txn.Delete(FirstUserTable, key), ErrStandby)
	require.ErrorIs(t, txn.DeleteTable(FirstUserTable), ErrStandby)
	_, err := txn.LockRow(ctx, FirstUserTable, key, RowShare, Wait)
	require.ErrorIs(t, err, ErrStandby)
	require.NoError(t, txn.LockTable(ctx, FirstUserTable, RowExclusiveLock, Wait))
	require.ErrorIs(t,
		txn.LockTable(ctx, FirstUserTable, ShareUpdateExclusiveLock, Wait), ErrStandby)
	_, err = p.to.SwitchSegment(ctx)
	require.ErrorIs(t, err, ErrStandby)
	result, err := txn.Commit(ctx, CommitOptions{})
	require.NoError(t, err)
	require.True(t, result.ReadOnly)
}

// A standby opened without being told whom it follows is still a standby.
func TestStandbyStaysOne(t *testing.T) {
	p := newPair(t, nil)
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	tail := p.to.log.Tail()
	mustClose(t, p.to)

	p.to = mustOpen(t, crashOptions(p.sfs))
	require.Equal(t, wal.RoleStandby, p.to.Role())
	require.Equal(t, testConnInfo, p.to.log.Control().PrimaryConn)
	require.Equal(t, tail, p.to.log.Tail(), "a standby's start changes nothing in its log")
	mustPut(t, p.from, FirstUserTable, "a", "2", wal.LevelOff)
	p.mustCatchUp(t)
	requireSameRows(t, p.from, p.to)
}

// A primary becomes a standby when it is told to, once its log is recovered.
func TestPrimaryBecomesStandby(t *testing.T) {
	p := newPair(t, nil)
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	tail := p.from.log.Tail()
	mustClose(t, p.from)
	opts := standbyOptions(p.pfs)
	p.from = mustOpen(t, opts)
	require.Equal(t, wal.RoleStandby, p.from.Role())
	require.Equal(t, tail, p.from.log.Tail())
	_, err := put(p.from, FirstUserTable, "a", "2", wal.LevelOff)
	require.ErrorIs(t, err, ErrStandby)
}

// applied comes to the end of the log also when that is a filler and nothing follows.
func TestStandbyPassesTheFillerAtTheEnd(t *testing.T) {
	p := newPair(t, nil)
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	end, err := p.from.SwitchSegment(context.Background())
	require.NoError(t, err)
	p.mustCatchUp(t)
	require.Equal(t, end, p.to.Applied())
}

// A filler whose epoch has not begun is cut off at the next start, so the store may not be marked
// as being behind it.
func TestStandbyDoesNotPassTheFillerOfAnotherEpoch(t *testing.T) {
	p := newPair(t, nil)
	fillSegment(t, p.from)
	p.mustCatchUp(t)
	tail := p.to.log.Tail()
	mustClose(t, p.from)
	p.from = mustOpen(t, crashOptions(p.pfs))
	begun := p.from.log.Tail()
	boundary := (begun.End - 1) / testSegmentSize * testSegmentSize
	require.Less(t, tail.End, boundary, "the new epoch begins with a filler")
	require.Greater(t, begun.End, boundary)
	// Everything but the last bytes of epoch-begin.
	p.chunk = func() int { return int(begun.End-p.to.log.ReceivePosition()) - 8 }
	for p.to.log.ReceivePosition() < begun.End-8 {
		_, err := p.step()
		require.NoError(t, err)
	}
	require.Equal(t, tail.End, p.to.Applied())
	require.NoError(t, p.to.Checkpoint(context.Background()))
	mustClose(t, p.to)
	p.to = mustOpen(t, standbyOptions(p.sfs))
	require.Equal(t, tail, p.to.log.Tail())
}

// fillSegment brings the end of the log so near to the end of its segment that no epoch-begin fits.
func fillSegment(t *testing.T, db *DB) {
	t.Helper()
	const room = 2 * wal.HeaderSize
	for {
		left := testSegmentSize - int(db.log.Inserted()%testSegmentSize)
		if left < room {
			return
		}
		size := min(left-room, 64<<10)
		mustPut(t, db, FirstUserTable, "fill", string(make([]byte, size)), wal.LevelOff)
	}
}

func TestPausedStandbyTakesLogAndAppliesNothing(t *testing.T) {
	p := newPair(t, nil)
	require.ErrorIs(t, p.from.PauseReplay(), ErrNotStandby)
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	before := p.to.Applied()
	require.NoError(t, p.to.PauseReplay())
	require.NoError(t, p.to.PauseReplay())
	require.True(t, p.to.Replay().Paused)

	last := mustPut(t, p.from, FirstUserTable, "a", "2", wal.LevelLocal)
	require.NoError(t, p.all())
	require.NoError(t, p.to.log.WaitFlushed(context.Background(), last.End))
	require.Equal(t, before, p.to.Applied())

	require.NoError(t, p.to.ResumeReplay())
	require.NoError(t, p.to.AwaitApplied(context.Background(), last.End))
	require.False(t, p.to.Replay().Paused)
	requireSameRows(t, p.from, p.to)
}

func TestReplayTellsWhenTheLastCommitWas(t *testing.T) {
	p := newPair(t, nil)
	began := time.Now().Truncate(time.Microsecond)
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	status := p.to.Replay()
	require.Equal(t, p.to.Applied(), status.Applied)
	require.False(t, status.LastCommit.Before(began))
	require.False(t, status.LastCommit.After(time.Now()))
}

// A catalog that was read at applied must be able to tell that it lacks what a reader sees.
func TestSystemVersionMovesBeforeSystemTables(t *testing.T) {
	var standby *DB
	seen := make(chan [2]wal.LSN, 100)
	p := newPair(t, func(opts *Options) {
		opts.hooks.applied = func() {
			seen <- [2]wal.LSN{wal.LSN(standby.SystemVersion()), standby.Applied()}
		}
	})
	standby = p.to
	before := p.to.SystemVersion()
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	require.Equal(t, before, p.to.SystemVersion())
	mustPut(t, p.from, FirstUserTable-1, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	require.Greater(t, p.to.SystemVersion(), before)
	require.LessOrEqual(t, wal.LSN(p.to.SystemVersion()), p.to.Applied())
	mustClose(t, p.to)
	close(seen)
	var last [2]wal.LSN
	for last = range seen {
	}
	require.Greater(t, last[0], last[1], "the rows are in the store, and applied is behind")
}

func TestOnAppliedHearsOfEachAdvance(t *testing.T) {
	p := newPair(t, nil)
	heard := make(chan wal.LSN, 100)
	p.to.OnApplied(func(lsn wal.LSN) { heard <- lsn })
	last := mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	mustClose(t, p.to) // its goroutine has ended: nothing more is heard
	close(heard)
	var highest wal.LSN
	for lsn := range heard {
		require.Greater(t, lsn, highest)
		highest = lsn
	}
	require.Equal(t, last.End, highest)
}

// The log beyond the store's durable position passes max_wal_size by far, and no flush of the store
// ends meanwhile: a standby applies all the same.
func TestStandbyAppliesBeyondMaxWALSize(t *testing.T) {
	var blocked chan struct{}
	p := newPair(t, func(opts *Options) {
		opts.MemTableSize = 32 << 20
		opts.MaxWALSize = func() int64 { return 1 }
		opts.hooks.gateEntered = func() {
			if blocked != nil {
				<-blocked
			}
		}
	})
	release := make(chan struct{})
	blocked = release
	defer close(release)
	// Small ones: the view of a large one could not be closed while the MANIFEST is held.
	value := string(make([]byte, 64<<10))
	for range 3 * testSegmentSize / len(value) {
		mustPut(t, p.from, FirstUserTable, "a", value, wal.LevelOff)
	}
	p.mustCatchUp(t)
	requireSameRows(t, p.from, p.to)
}

// Slots that hold the log from its beginning cost disk, and no commit waits for them (R3).
func TestHeldLogDoesNotHoldUpCommits(t *testing.T) {
	p := newPair(t, nil)
	oldest := p.from.log.Oldest()
	p.held.Store(uint64(oldest))
	for range 40 {
		commitLargeRows(t, p.from, wal.LevelLocal)
	}
	require.Equal(t, oldest, p.from.log.Oldest())
	p.mustCatchUp(t)
	requireSameRows(t, p.from, p.to)
}

// In the middle of a large transaction readers of a standby see what was before it, and a snapshot
// from then stays that.
func TestStandbyShowsLargeTransactionsWhole(t *testing.T) {
	inside, release := make(chan struct{}, 100), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(release) })
	defer goOn()
	p := newPair(t, func(opts *Options) {
		opts.hooks.batchCommitted = func() {
			inside <- struct{}{}
			<-release
		}
	})
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	mustPut(t, p.from, FirstUserTable, "b", "1", wal.LevelOff)
	large := commitLargeRows(t, p.from, wal.LevelLocal)
	require.NoError(t, p.all())
	<-inside
	require.Equal(t, 2, countRows(t, p.to, FirstUserTable))
	require.LessOrEqual(t, p.to.Applied(), large.LSN)
	old := p.to.Begin(TxnOptions{Isolation: RepeatableRead, ReadOnly: true})
	defer old.Rollback()
	requireValue(t, old, "1")
	goOn()
	p.mustCatchUp(t)
	require.Equal(t, 2+largeRows, countRows(t, p.to, FirstUserTable))
	_, found, err := old.Get(context.Background(), FirstUserTable, []byte("L00"))
	require.NoError(t, err)
	require.False(t, found)
}
