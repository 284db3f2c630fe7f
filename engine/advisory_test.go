package engine

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// advisor is a session with a transaction and advisory locks.
type advisor struct {
	*locker
	locks *AdvisoryLocks
}

func (b *lockBench) advisor(id uint64) *advisor {
	a := &advisor{locker: b.session(id), locks: b.db.AdvisoryLocks(id)}
	a.locks.Join(&Txn{txnState: a.txnState})
	return a
}

func (a *advisor) lock(key int64, shared, txn bool, p WaitPolicy) error {
	return a.locks.Lock(context.Background(), AdvisoryKey{Value: key}, shared, txn, p, 0)
}

func (a *advisor) finish() {
	a.release()
	a.locks.leave(a.txnState)
	a.locks.Close()
}

// A session's locks are counted, keep others out by mode, and go with the session.
func TestAdvisoryModes(t *testing.T) {
	b := newLockBench(t)
	one, two := b.advisor(1), b.advisor(2)
	require.NoError(t, one.lock(7, false, false, Wait))
	require.NoError(t, one.lock(7, false, false, Wait))
	require.NoError(t, one.lock(7, true, false, Wait), "nobody stands in his own way")
	require.ErrorIs(t, two.lock(7, true, false, NoWait), ErrLockNotAvailable)
	require.NoError(t, two.locks.Lock(context.Background(), AdvisoryKey{Value: 7, Pair: true},
		false, false, NoWait, 0), "two keys are not one")

	require.True(t, one.locks.Unlock(AdvisoryKey{Value: 7}, false))
	require.ErrorIs(t, two.lock(7, true, false, NoWait), ErrLockNotAvailable, "it was taken twice")
	require.True(t, one.locks.Unlock(AdvisoryKey{Value: 7}, false))
	require.False(t, one.locks.Unlock(AdvisoryKey{Value: 7}, false))
	require.NoError(t, two.lock(7, true, false, NoWait), "a share is left")
	require.ErrorIs(t, two.lock(7, false, false, NoWait), ErrLockNotAvailable)
	require.ErrorIs(t, two.locks.Lock(context.Background(), AdvisoryKey{Value: 7}, false, false,
		Wait, time.Millisecond), ErrLockTimeout)

	one.locks.UnlockAll()
	require.NoError(t, two.lock(7, false, false, NoWait))
	infos := b.db.Locks()
	require.Len(t, infos, 3)
	for _, info := range infos {
		require.True(t, info.Advisory && info.Session == 2 && info.Granted)
	}
	one.finish()
	two.finish()
}

// What is locked for the transaction goes with it, or with the savepoint, unless the session has
// it too.
func TestAdvisoryOfTransaction(t *testing.T) {
	b := newLockBench(t)
	one, two := b.advisor(1), b.advisor(2)
	require.NoError(t, one.lock(1, false, true, Wait))
	mark := len(one.locks.txn)
	require.NoError(t, one.lock(1, false, true, Wait))
	require.NoError(t, one.lock(2, false, true, Wait))
	require.NoError(t, one.lock(3, false, true, Wait))
	require.NoError(t, one.lock(3, false, false, Wait))
	require.False(t, one.locks.Unlock(AdvisoryKey{Value: 1}, false))
	one.locks.releaseTo(mark)
	require.NoError(t, two.lock(2, false, false, NoWait))
	require.ErrorIs(t, two.lock(1, false, false, NoWait), ErrLockNotAvailable)
	one.locks.leave(one.txnState)
	require.NoError(t, two.lock(1, false, false, NoWait))
	require.ErrorIs(t, two.lock(3, false, false, NoWait), ErrLockNotAvailable)
	one.locks.Join(&Txn{txnState: one.txnState})
	one.finish()
	two.finish()
}

// A circle enters by an advisory lock and leaves by the wait for a row.
func TestAdvisoryDeadlock(t *testing.T) {
	b := newLockBench(t)
	one, two := b.advisor(1), b.advisor(2)
	require.NoError(t, one.lock(1, false, false, Wait))
	two.mustRow("r", RowUpdate)
	results := make(chan error, 2)
	try := func(a *advisor, acquire func() error) {
		err := acquire()
		a.finish()
		results <- err
	}
	go try(one, func() error { return one.row("r", RowUpdate, Wait) })
	go try(two, func() error { return two.lock(1, true, true, Wait) })
	first, second := <-results, <-results
	require.ErrorIs(t, first, ErrDeadlock)
	require.NoError(t, second)
	require.Contains(t, first.Error(), "advisory lock [0,1,1]")
}

// The bound is the session's, and what was refused leaves nothing behind.
func TestAdvisoryBound(t *testing.T) {
	b := newLockBench(t)
	one := b.advisor(1)
	for key := range int64(MaxAdvisoryLocks) {
		one.locks.held[advisoryTarget{AdvisoryKey{Value: key}, false}] = nil
	}
	require.ErrorIs(t, one.lock(-1, false, false, Wait), ErrTooManyLocks)
	clear(one.locks.held)
	one.finish()
}
