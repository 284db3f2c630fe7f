package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

func mustPromote(t *testing.T, db *DB) wal.Begin {
	t.Helper()
	begin, err := db.Promote(context.Background(), "test")
	require.NoError(t, err)
	return begin
}

func TestPromotedStandbyIsAPrimary(t *testing.T) {
	p := newPair(t, nil)
	require.ErrorIs(t, promoteError(p.from), ErrNotStandby)
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	fork := p.to.log.Tail().End

	begin := mustPromote(t, p.to)
	require.Equal(t, fork, begin.Ended)
	require.Equal(t, uint32(2), begin.Timeline)
	require.Equal(t, wal.RolePrimary, p.to.Role())
	require.ErrorIs(t, promoteError(p.to), ErrNotStandby)
	require.ErrorIs(t, p.to.PauseReplay(), ErrNotStandby)

	result := mustPut(t, p.to, FirstUserTable, "a", "2", wal.LevelLocal)
	require.Equal(t, begin.EpochID, result.EpochID)
	require.Equal(t, result.End, p.to.Applied())
	commitLargeRows(t, p.to, wal.LevelOff)
	mustClose(t, p.to)
	p.to = mustOpen(t, crashOptions(p.sfs))
	require.Equal(t, wal.RolePrimary, p.to.Role())
	require.Equal(t, uint32(2), p.to.log.Timeline())
	requireLargeRows(t, p.to)
}

func promoteError(db *DB) error {
	_, err := db.Promote(context.Background(), "test")
	return err
}

// promoteInsideALargeCommit feeds a standby while its primary writes the pieces of a transaction,
// promotes it, and makes its store durable.
func promoteInsideALargeCommit(t *testing.T, sabotage func(*Options)) *pair {
	t.Helper()
	p := newPair(t, sabotage)
	fed := false
	p.from.opts.hooks.pieceAppended = func() {
		if !fed { // in the middle of COMMIT, a piece in the log
			fed = true
			require.NoError(t, p.catchUp())
		}
	}
	commitLargeRows(t, p.from, wal.LevelOff)
	require.True(t, fed)
	p.to.applier.mu.Lock()
	require.Len(t, p.to.applier.open.first, 1)
	p.to.applier.mu.Unlock()
	mustPromote(t, p.to)
	require.NoError(t, p.to.Checkpoint(context.Background()))
	return p
}

// The records of a transaction that was never committed are in the log below the fork. The new
// timeline ends it: redo stands at applied, and its pieces pin nothing.
func TestPromotionEndsLargeTransactions(t *testing.T) {
	p := promoteInsideALargeCommit(t, nil)
	require.Zero(t, countRows(t, p.to, FirstUserTable))
	m := p.to.durable.load()
	require.Equal(t, m.applied, m.redo)
	require.Equal(t, p.to.Applied(), m.applied)

	commitLargeRows(t, p.to, wal.LevelLocal)
	after := p.sfs.Crash(1, 50)
	mustClose(t, p.to)
	p.to = mustOpen(t, crashOptions(after))
	requireLargeRows(t, p.to)
}

func TestPromotionNoticesTransactionsKeptOpen(t *testing.T) {
	p := promoteInsideALargeCommit(t, func(opts *Options) { opts.hooks.keepOpen = true })
	m := p.to.durable.load()
	require.Less(t, m.redo, m.applied)
}

// A pause is no reason to lose what has been received.
func TestPromotionAppliesEverythingFirst(t *testing.T) {
	p := newPair(t, nil)
	require.NoError(t, p.to.PauseReplay())
	last := mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelLocal)
	require.NoError(t, p.all())
	require.Less(t, p.to.Applied(), last.End)
	mustPromote(t, p.to)
	require.GreaterOrEqual(t, p.to.Applied(), last.End)
	require.Equal(t, 1, countRows(t, p.to, FirstUserTable))
	require.False(t, p.to.Replay().Paused)
}

// A promotion that its caller gives up leaves a standby that goes on.
func TestCancelledPromotionLeavesAStandby(t *testing.T) {
	p := newPair(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	// Received and not flushed: the promotion has to wait for the disk.
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelLocal)
	release := make(chan struct{})
	p.sfs.StallSyncs(func(string) { <-release })
	require.NoError(t, p.all())
	_, err := p.to.Promote(ctx, "test")
	p.sfs.StallSyncs(nil)
	close(release)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, wal.RoleStandby, p.to.Role())
	p.mustCatchUp(t)
	requireSameRows(t, p.from, p.to)
}

// Readers run through a promotion; a snapshot from before stays what it was.
func TestReadersRunThroughAPromotion(t *testing.T) {
	p := newPair(t, nil)
	ctx := context.Background()
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	old := p.to.Begin(TxnOptions{Isolation: RepeatableRead, ReadOnly: true})
	defer old.Rollback()
	requireValue(t, old, "1")

	stop := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			txn := p.to.Begin(TxnOptions{})
			value, ok, err := txn.Get(ctx, FirstUserTable, []byte("a"))
			if err != nil || !ok || len(value) != 1 {
				t.Errorf("read %q, %v, %v", value, ok, err)
			}
			txn.Rollback()
		}
	})
	mustPut(t, p.from, FirstUserTable, "a", "2", wal.LevelOff)
	p.mustCatchUp(t)
	mustPromote(t, p.to)
	mustPut(t, p.to, FirstUserTable, "a", "3", wal.LevelOff)
	close(stop)
	readers.Wait()
	requireValue(t, old, "1")
}

func requireValue(t *testing.T, txn *Txn, want string) {
	t.Helper()
	value, ok, err := txn.Get(context.Background(), FirstUserTable, []byte("a"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, want, string(value))
}

// What a standby applies reaches no conflict window. A transaction that read on it and writes after
// the promotion cannot be validated.
func TestSerializableDoesNotReachOverAPromotion(t *testing.T) {
	p := newPair(t, nil)
	ctx := context.Background()
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	before := p.to.Begin(TxnOptions{Isolation: Serializable})
	defer before.Rollback()
	requireValue(t, before, "1")
	mustPut(t, p.from, FirstUserTable, "a", "2", wal.LevelOff)
	p.mustCatchUp(t)
	mustPromote(t, p.to)

	after := p.to.Begin(TxnOptions{Isolation: Serializable})
	defer after.Rollback()
	requireValue(t, after, "2")
	require.NoError(t, after.Put(FirstUserTable, []byte("c"), nil))
	_, err := after.Commit(ctx, CommitOptions{})
	require.NoError(t, err)

	require.NoError(t, before.Put(FirstUserTable, []byte("b"), nil))
	_, err = before.Commit(ctx, CommitOptions{})
	require.ErrorIs(t, err, ErrSerialization)
}

// Flushed readers: a standby shows nothing else; a promoted one keeps views like any primary.
func TestFlushedReadersThroughAPromotion(t *testing.T) {
	p := newPair(t, nil)
	release := p.to.HoldFlushed()
	defer release()
	require.Equal(t, "1", flushedValue(t, p, "1"))
	require.Equal(t, "2", flushedValue(t, p, "2"))
	mustPromote(t, p.to)
	stall := make(chan struct{})
	mustPut(t, p.to, FirstUserTable, "a", "3", wal.LevelLocal)
	p.sfs.StallSyncs(func(string) { <-stall })
	mustPut(t, p.to, FirstUserTable, "a", "4", wal.LevelOff)
	require.Equal(t, "3", readFlushed(t, p.to))
	p.sfs.StallSyncs(nil)
	close(stall)
}

// flushedValue writes on the primary and reads on the standby.
func flushedValue(t *testing.T, p *pair, value string) string {
	t.Helper()
	mustPut(t, p.from, FirstUserTable, "a", value, wal.LevelOff)
	p.mustCatchUp(t)
	return readFlushed(t, p.to)
}

func readFlushed(t *testing.T, db *DB) string {
	t.Helper()
	txn := db.Begin(TxnOptions{ReadFlushed: true})
	defer txn.Rollback()
	require.NoError(t, txn.PrepareFlushed(context.Background()))
	txn.StartStatement()
	value, ok, err := txn.Get(context.Background(), FirstUserTable, []byte("a"))
	require.NoError(t, err)
	require.True(t, ok)
	return string(value)
}

// Another standby of the old primary goes on with the new one, from before the fork, across it and
// through a power cut of its own.
func TestStandbyFollowsAPromotion(t *testing.T) {
	p := newPair(t, nil)
	fs := enginetest.New()
	require.NoError(t, copyBackup(p.from, fs))
	other := &feeder{from: p.from, to: mustOpen(t, standbyOptions(fs)), chunk: p.chunk}
	t.Cleanup(func() { mustClose(t, other.to) })
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	require.NoError(t, other.catchUp())
	mustPut(t, p.from, FirstUserTable, "a", "2", wal.LevelOff)
	commitLargeRows(t, p.from, wal.LevelOff)
	p.mustCatchUp(t)

	mustPromote(t, p.to)
	mustPut(t, p.to, FirstUserTable, "a", "3", wal.LevelOff)
	other.from = p.to
	require.NoError(t, other.catchUp())
	requireSameRows(t, p.to, other.to)
	require.Equal(t, uint32(2), other.to.log.Timeline())

	after := fs.Crash(1, 50)
	mustClose(t, other.to)
	other.to = mustOpen(t, crashOptions(after))
	require.Equal(t, wal.RoleStandby, other.to.Role())
	commitLargeRows(t, p.to, wal.LevelOff)
	require.NoError(t, other.catchUp())
	requireSameRows(t, p.to, other.to)
	begin := mustPromote(t, other.to)
	require.Equal(t, uint32(3), begin.Timeline)
}

// A power cut anywhere in a promotion leaves the standby or the primary, either with all that it
// had, and either can be promoted or written to.
func TestPromotionThroughPowerCuts(t *testing.T) {
	roles := map[wal.Role]int{}
	for nth := int64(1); nth <= 16; nth++ {
		p := newPair(t, nil)
		mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
		commitLargeRows(t, p.from, wal.LevelOff)
		p.mustCatchUp(t)
		var after *enginetest.CrashFS
		var left atomic.Int64
		left.Store(nth)
		p.sfs.StallSyncs(func(string) {
			if left.Add(-1) == 0 {
				after = p.sfs.Crash(uint64(nth), int(nth%3)*50)
			}
		})
		mustPromote(t, p.to)
		p.sfs.StallSyncs(nil)
		mustClose(t, p.to)
		if after == nil {
			break // a promotion has fewer fsyncs
		}
		p.to = mustOpen(t, crashOptions(after))
		roles[p.to.Role()]++
		requireSameRows(t, p.from, p.to)
		if p.to.Role() == wal.RoleStandby {
			mustPromote(t, p.to)
		}
		mustPut(t, p.to, FirstUserTable, "a", "2", wal.LevelLocal)
		require.GreaterOrEqual(t, p.to.log.Timeline(), uint32(2))
	}
	require.NotZero(t, roles[wal.RoleStandby], "no cut came before the record")
	require.NotZero(t, roles[wal.RolePrimary], "no cut came behind it")
}
