package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// flushedGet reads one key in a plain statement of a new transaction with ReadFlushed.
func flushedGet(t *testing.T, db *DB, opts TxnOptions, key string) (string, bool) {
	t.Helper()
	opts.ReadFlushed = true
	txn := db.Begin(opts)
	defer txn.Rollback()
	return flushedGetIn(t, txn, key)
}

func flushedGetIn(t *testing.T, txn *Txn, key string) (string, bool) {
	t.Helper()
	require.NoError(t, txn.PrepareFlushed(context.Background()))
	txn.StartPointStatement()
	value, found, err := txn.Get(context.Background(), FirstUserTable, []byte(key))
	require.NoError(t, err)
	return string(value), found
}

// F1: what is not flushed is not shown, and with somebody holding nobody waits for the disk.
func TestFlushedReadsShowNothingUnflushed(t *testing.T) {
	b := newLossBench(t, LossLimit{}, nil)
	release := b.db.HoldFlushed()
	mustPut(t, b.db, FirstUserTable, "k", "old", wal.LevelLocal)
	b.hold()
	mustPut(t, b.db, FirstUserTable, "k", "new", wal.LevelOff)
	mustPut(t, b.db, FirstUserTable, "other", "new", wal.LevelOff)

	visible := b.db.Begin(TxnOptions{})
	value, _, err := visible.Get(b.ctx, FirstUserTable, []byte("k"))
	require.NoError(t, err)
	require.Equal(t, "new", string(value))
	require.Zero(t, visible.LookedAt())
	visible.Rollback()

	for _, level := range []Isolation{ReadCommitted, RepeatableRead} {
		got, _ := flushedGet(t, b.db, TxnOptions{Isolation: level}, "k")
		require.Equal(t, "old", got, "%v", level)
		_, found := flushedGet(t, b.db, TxnOptions{Isolation: level}, "other")
		require.False(t, found)
	}
	readOnly := TxnOptions{Isolation: Serializable, ReadOnly: true}
	got, _ := flushedGet(t, b.db, readOnly, "k")
	require.Equal(t, "old", got)

	b.open()
	require.NoError(t, b.db.log.WaitFlushed(b.ctx, b.db.Applied()))
	got, _ = flushedGet(t, b.db, TxnOptions{}, "k")
	require.Equal(t, "new", got)
	release()
	b.close()
}

// F2: what was answered as flushed is there for everybody who asks later, held or not; with
// somebody holding a reader makes nobody sync for it.
func TestFlushedReadsAreFresh(t *testing.T) {
	for _, hold := range []bool{true, false} {
		t.Run(fmt.Sprint(hold), func(t *testing.T) {
			b := newLossBench(t, LossLimit{}, nil)
			release := func() {}
			if hold {
				release = b.db.HoldFlushed()
			}
			for i := range 200 {
				value := fmt.Sprint(i)
				mustPut(t, b.db, FirstUserTable, "k", value, wal.LevelLocal)
				flushes := b.fs.Flushes()
				got, _ := flushedGet(t, b.db, TxnOptions{}, "k")
				require.Equal(t, value, got)
				require.Equal(t, flushes, b.fs.Flushes())
			}
			release()
			b.close()
		})
	}
}

// The same under load: committers and readers on all sides, and what a reader finds is never
// behind what had been answered as flushed before it began, nor ahead of flushed.
func TestFlushedReadsUnderLoad(t *testing.T) {
	b := newLossBench(t, LossLimit{}, nil)
	release := b.db.HoldFlushed()
	var stop, done sync.WaitGroup
	ended := make(chan struct{})
	var answered wal.LSN // guarded by mu
	var mu sync.Mutex
	for i := range 3 {
		stop.Go(func() {
			for n := range 400 {
				level := []wal.Level{wal.LevelOff, wal.LevelLocal}[n%2]
				r, err := put(b.db, FirstUserTable, fmt.Sprint("k", i), fmt.Sprint(n), level)
				require.NoError(t, err)
				if r.Reached == ReachedFlushed {
					mu.Lock()
					answered = max(answered, r.End)
					mu.Unlock()
				}
			}
		})
	}
	for range 2 {
		done.Go(func() {
			for reads := 0; ; reads++ {
				select {
				case <-ended:
					require.Positive(t, reads)
					return
				default:
				}
				mu.Lock()
				floor := answered
				mu.Unlock()
				v, err := b.db.flushedView(b.ctx)
				require.NoError(t, err)
				// v.lsn is the end of a commit, and there is one at floor.
				require.GreaterOrEqual(t, v.lsn, floor)
				require.LessOrEqual(t, v.lsn, b.db.log.Flushed())
				v.close()
			}
		})
	}
	stop.Wait()
	close(ended)
	done.Wait()
	release()
	b.close()
}

// A session's own commits are waited for, whoever holds.
func TestFlushedReadsWaitForOwnCommit(t *testing.T) {
	b := newLossBench(t, LossLimit{}, nil)
	release := b.db.HoldFlushed()
	b.hold()
	own := mustPut(t, b.db, FirstUserTable, "k", "mine", wal.LevelOff)
	got := make(chan string)
	go func() {
		value, _ := flushedGet(t, b.db, TxnOptions{OwnCommit: own.End}, "k")
		got <- value
	}()
	_, found := flushedGet(t, b.db, TxnOptions{}, "k")
	require.False(t, found, "another session's is not")
	require.Empty(t, got)

	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	txn := b.db.Begin(TxnOptions{ReadFlushed: true, OwnCommit: own.End})
	require.ErrorIs(t, txn.PrepareFlushed(ctx), context.Canceled)
	txn.Rollback()
	require.ErrorIs(t, txn.PrepareFlushed(ctx), ErrTxnDone)
	b.open()
	require.Equal(t, "mine", <-got)
	release()
	b.close()
}

// A statement that locks sees the newest row and says what has to be flushed first; the plain one
// behind it waits for just that, so that its view has the rows the open writes were made of.
func TestFlushedReadsLookedAt(t *testing.T) {
	b := newLossBench(t, LossLimit{}, nil)
	release := b.db.HoldFlushed()
	mustPut(t, b.db, FirstUserTable, "k", "1", wal.LevelLocal)
	b.hold()
	second := mustPut(t, b.db, FirstUserTable, "k", "2", wal.LevelOff)

	txn := b.db.Begin(TxnOptions{ReadFlushed: true})
	got, _ := flushedGetIn(t, txn, "k")
	require.Equal(t, "1", got)
	require.LessOrEqual(t, txn.LookedAt(), b.db.log.Flushed())

	txn.PrepareVisible()
	txn.StartPointStatement()
	state, err := txn.LockRow(b.ctx, FirstUserTable, []byte("k"), RowUpdate, Wait)
	require.NoError(t, err)
	require.Equal(t, "2", string(state.Value))
	require.Equal(t, second.End, txn.LookedAt())
	require.NoError(t, txn.Put(FirstUserTable, []byte("own"), []byte("3")))
	done := make(chan string)
	go func() {
		value, _ := flushedGetIn(t, txn, "k")
		own, _ := flushedGetIn(t, txn, "own")
		done <- value + own
	}()
	require.Empty(t, done)
	b.open()
	require.Equal(t, "23", <-done)
	txn.Rollback()
	require.GreaterOrEqual(t, txn.LookedAt(), second.End, "beyond the end")
	b.db.BeginInto(txn, TxnOptions{})
	require.Zero(t, txn.LookedAt())
	txn.Rollback()
	release()
	b.close()
}

// A 40001 tells of somebody's commit, so it too has a position to wait for. Once that is flushed
// the next try succeeds.
func TestFlushedReadsHoldConflicts(t *testing.T) {
	b := newLossBench(t, LossLimit{}, nil)
	release := b.db.HoldFlushed()
	mustPut(t, b.db, FirstUserTable, "k", "1", wal.LevelLocal)
	try := func(level Isolation, meanwhile func()) (*Txn, error) {
		txn := b.db.Begin(TxnOptions{Isolation: level, ReadFlushed: true})
		flushedGetIn(t, txn, "k")
		meanwhile()
		txn.PrepareVisible()
		txn.StartStatement()
		err := txn.Upsert(b.ctx, FirstUserTable, []byte("mine"), []byte("x"))
		if err == nil && level == RepeatableRead {
			err = txn.Upsert(b.ctx, FirstUserTable, []byte("k"), []byte("x"))
		}
		if err == nil {
			_, err = txn.Commit(b.ctx, off)
		}
		txn.Rollback()
		return txn, err
	}
	for _, level := range []Isolation{RepeatableRead, Serializable} {
		require.NoError(t, b.db.log.WaitFlushed(b.ctx, b.db.Applied()))
		b.hold()
		var other CommitResult
		txn, err := try(level, func() {
			other = mustPut(t, b.db, FirstUserTable, "k", "2", wal.LevelOff)
		})
		require.ErrorIs(t, err, ErrSerialization, "%v", level)
		require.GreaterOrEqual(t, txn.LookedAt(), other.End)
		b.open()
		require.NoError(t, b.db.log.WaitFlushed(b.ctx, txn.LookedAt()))
		_, err = try(level, func() {})
		require.NoError(t, err, "%v", level)
	}
	release()
	b.close()
}

// A transaction whose snapshot was taken by a statement that writes shows it in a plain one only
// once it is flushed.
func TestFlushedReadsOfAVisibleSnapshot(t *testing.T) {
	b := newLossBench(t, LossLimit{}, nil)
	b.hold()
	mustPut(t, b.db, FirstUserTable, "k", "new", wal.LevelOff)
	txn := b.db.Begin(TxnOptions{Isolation: RepeatableRead, ReadFlushed: true})
	txn.PrepareVisible()
	txn.StartStatement()
	require.NotZero(t, txn.SnapshotLSN())
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	require.ErrorIs(t, txn.PrepareFlushed(ctx), context.Canceled)
	b.open()
	got, _ := flushedGetIn(t, txn, "k")
	require.Equal(t, "new", got)
	txn.Rollback()
	b.close()
}

// While nobody holds no view is taken; while somebody does there are never more than three, however
// long the disk stands still; and nothing is left over.
func TestFlushedViewsAreFew(t *testing.T) {
	b := newLossBench(t, LossLimit{}, nil)
	snapshots := func() int { return b.db.store.Metrics().Snapshots.Count }
	for range 20 {
		b.mustCommit(off)
	}
	require.Zero(t, snapshots())
	release, again := b.db.HoldFlushed(), b.db.HoldFlushed()
	for round := range 3 {
		b.hold()
		b.db.log.RequestFlush(b.mustCommit(off).End)
		for range 50 {
			b.mustCommit(off)
			require.LessOrEqual(t, snapshots(), flushedViewsMax, "round %d", round)
		}
		b.open()
		require.NoError(t, b.db.log.WaitFlushed(b.ctx, b.db.Applied()))
		flushedGet(t, b.db, TxnOptions{}, "k")
	}
	release()
	require.NotZero(t, snapshots())
	again()
	require.Zero(t, snapshots())

	// Held again, what was not watched in between is not taken for fresh.
	held := b.db.HoldFlushed()
	mustPut(t, b.db, FirstUserTable, "k", "1", wal.LevelLocal)
	held()
	mustPut(t, b.db, FirstUserTable, "k", "2", wal.LevelLocal)
	defer b.db.HoldFlushed()()
	got, _ := flushedGet(t, b.db, TxnOptions{}, "k")
	require.Equal(t, "2", got)
	b.close() // with views kept: the store must not find them open
}

// A transaction applied in several batches is in a flushed view whole or not at all.
func TestFlushedReadsOfALargeTransaction(t *testing.T) {
	var b *lossBench
	inside := func() {}
	b = newLossBench(t, LossLimit{}, func(o *Options) {
		o.hooks.batchCommitted = func() { inside() }
	})
	release := b.db.HoldFlushed()
	const rows = 100
	rewrite := func(value byte) {
		txn := b.db.Begin(TxnOptions{})
		big := make([]byte, 8<<10)
		big[0] = value
		for i := range rows {
			require.NoError(t, txn.Put(FirstUserTable, fmt.Appendf(nil, "L%03d", i), big))
		}
		_, err := txn.Commit(b.ctx, CommitOptions{Level: wal.LevelLocal})
		require.NoError(t, err)
	}
	rewrite(1)
	looks := 0
	inside = func() {
		looks++
		require.Equal(t, map[byte]int{1: rows}, countFlushed(t, b.db))
	}
	rewrite(2)
	require.Positive(t, looks)
	require.Equal(t, map[byte]int{2: rows}, countFlushed(t, b.db))
	release()
	b.close()
}

// countFlushed scans in a plain statement and counts rows by their first byte.
func countFlushed(t *testing.T, db *DB) map[byte]int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	txn := db.Begin(TxnOptions{ReadFlushed: true})
	defer txn.Rollback()
	require.NoError(t, txn.PrepareFlushed(ctx))
	txn.StartStatement()
	counts := map[byte]int{}
	it := txn.Scan(FirstUserTable, nil, nil, false)
	for it.Next() {
		counts[it.Value()[0]]++
	}
	require.NoError(t, it.Close())
	return counts
}
