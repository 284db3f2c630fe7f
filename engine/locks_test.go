package engine

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Postgres' documentation has the conflicts as this picture, table 13.2; rows and columns are the
// modes from ACCESS SHARE to ACCESS EXCLUSIVE.
var conflictPicture = []string{
	".......X",
	"......XX",
	"....XXXX",
	"...XXXXX",
	"..XX.XXX",
	"..XXXXXX",
	".XXXXXXX",
	"XXXXXXXX",
}

func TestTableLockConflicts(t *testing.T) {
	b := newLockBench(t)
	holder, asker := b.session(1), b.session(2)
	for i, line := range conflictPicture {
		for j, c := range line {
			held, asked := TableLockMode(i+1), TableLockMode(j+1)
			holder.mustTable(lockTestTable, held)
			err := asker.table(lockTestTable, asked, NoWait)
			if c == 'X' {
				require.ErrorIs(t, err, ErrLockNotAvailable, "%v while %v is held", asked, held)
			} else {
				require.NoError(t, err, "%v while %v is held", asked, held)
			}
			asker.release()
			holder.release()
		}
	}
}

func TestTableLocksOfOneOwnerDoNotConflict(t *testing.T) {
	b := newLockBench(t)
	s := b.session(1)
	for m := AccessShareLock; m <= AccessExclusiveLock; m++ {
		s.mustTable(lockTestTable, m)
		s.mustTable(lockTestTable, m)
	}
	require.Len(t, b.db.locks.list(), 8)
	s.release()
}

func TestRowLockConflicts(t *testing.T) {
	b := newLockBench(t)
	holder, asker := b.session(1), b.session(2)
	holder.mustRow("s", RowShare)
	holder.mustRow("u", RowUpdate)
	asker.mustRow("s", RowShare)
	require.ErrorIs(t, asker.row("s", RowUpdate, NoWait), ErrLockNotAvailable)
	require.ErrorIs(t, asker.row("u", RowShare, NoWait), ErrLockNotAvailable)
	require.ErrorIs(t, asker.row("u", RowUpdate, NoWait), ErrLockNotAvailable)
	require.NoError(t, asker.row("other", RowUpdate, NoWait))
	holder.release()
	asker.mustRow("u", RowUpdate)
	asker.release()
}

// The table of conflicts of row locks, FOR KEY SHARE first.
var rowConflictPicture = []string{
	"...X",
	"..XX",
	".XXX",
	"XXXX",
}

func TestRowLockModes(t *testing.T) {
	b := newLockBench(t)
	holder, asker := b.session(1), b.session(2)
	for i, line := range rowConflictPicture {
		for j, c := range line {
			held, asked := RowKeyShare+LockMode(i), RowKeyShare+LockMode(j)
			holder.mustRow("k", held)
			err := asker.row("k", asked, NoWait)
			if c == 'X' {
				require.ErrorIs(t, err, ErrLockNotAvailable, "%v while %v is held", asked, held)
			} else {
				require.NoError(t, err, "%v while %v is held", asked, held)
			}
			asker.release()
			holder.mustRow("k", asked) // one's own locks are no conflict, whatever their order
			require.Equal(t, max(held, asked), strongestRowMode(b), "%v, then %v", held, asked)
			holder.release()
		}
	}
}

// strongestRowMode is the strongest mode in which a row is locked.
func strongestRowMode(b *lockBench) LockMode {
	strongest := LockMode(0)
	for _, l := range b.db.locks.list() {
		for m := RowKeyShare; m <= RowUpdate; m++ {
			if l.Row && l.Mode == m.String() {
				strongest = max(strongest, m)
			}
		}
	}
	return strongest
}

// A share lock asked for behind a waiting update lock has to wait too, or readers that come and
// go would keep the writer out for ever.
func TestQueueIsFair(t *testing.T) {
	b := newLockBench(t)
	reader, writer, late := b.session(1), b.session(2), b.session(3)
	reader.mustRow("k", RowShare)
	write := writer.startRow("k", RowUpdate)
	require.ErrorIs(t, late.row("k", RowShare, NoWait), ErrLockNotAvailable)
	read := late.startRow("k", RowShare)
	reader.release()
	write.mustWait()
	read.requireBlocked()
	writer.release()
	read.mustWait()
	late.release()
}

func TestQueueServesInOrder(t *testing.T) {
	b := newLockBench(t)
	holder := b.session(1)
	holder.mustRow("k", RowUpdate)
	sessions, waits := make([]*locker, 10), make([]*pending, 10)
	for i := range sessions {
		sessions[i] = b.session(uint64(i + 2))
		waits[i] = sessions[i].startRow("k", RowUpdate)
	}
	holder.release()
	for i, w := range waits {
		w.mustWait()
		for _, later := range waits[i+1:] {
			later.requireBlocked()
		}
		sessions[i].release()
	}
}

// Shares next to each other in the queue are granted together.
func TestQueueGrantsSharesTogether(t *testing.T) {
	b := newLockBench(t)
	holder, r1, r2, w, r3 := b.session(1), b.session(2), b.session(3), b.session(4), b.session(5)
	holder.mustRow("k", RowUpdate)
	p1, p2 := r1.startRow("k", RowShare), r2.startRow("k", RowShare)
	pw, p3 := w.startRow("k", RowUpdate), r3.startRow("k", RowShare)
	holder.release()
	p1.mustWait()
	p2.mustWait()
	pw.requireBlocked()
	p3.requireBlocked()
	r1.release()
	pw.requireBlocked()
	r2.release()
	pw.mustWait()
	w.release()
	p3.mustWait()
	r3.release()
}

func TestUpgradePassesTheQueue(t *testing.T) {
	b := newLockBench(t)
	a, c, w := b.session(1), b.session(2), b.session(3)
	a.mustRow("k", RowShare)
	c.mustRow("k", RowShare)
	write := w.startRow("k", RowUpdate)
	upgrade := a.startRow("k", RowUpdate)
	c.release()
	upgrade.mustWait()
	write.requireBlocked()
	a.release()
	write.mustWait()
	w.release()
}

func TestSkipLockedAndNoWaitLeaveNoTrace(t *testing.T) {
	b := newLockBench(t)
	holder, asker := b.session(1), b.session(2)
	holder.mustRow("k", RowUpdate)
	for _, p := range []WaitPolicy{NoWait, SkipLocked} {
		require.ErrorIs(t, asker.row("k", RowUpdate, p), ErrLockNotAvailable)
	}
	require.Len(t, asker.owner.journal, 1, "only ROW SHARE on the table")
	asker.release()
	holder.release()
}

func TestLockTimeout(t *testing.T) {
	b := newLockBench(t)
	holder, asker, behind := b.session(1), b.session(2), b.session(3)
	holder.mustRow("k", RowShare)
	asker.opts.LockTimeout = 50 * testTick
	wait := asker.startRow("k", RowUpdate)
	read := behind.startRow("k", RowShare)
	err := wait.wait()
	require.ErrorIs(t, err, ErrLockTimeout)
	require.ErrorIs(t, err, ErrLockNotAvailable)
	read.mustWait() // it only stood behind the one that gave up
	asker.release()
	holder.release()
	behind.release()
}

func TestLockWaitIsCancelled(t *testing.T) {
	b := newLockBench(t)
	holder, asker := b.session(1), b.session(2)
	holder.mustRow("k", RowUpdate)
	cause := fmt.Errorf("canceling statement due to user request")
	ctx, cancel := context.WithCancelCause(context.Background())
	wait := asker.start(func() error {
		return asker.acquireRow(ctx, lockTestTable, []byte("k"), RowUpdate, Wait)
	})
	cancel(cause)
	require.ErrorIs(t, wait.wait(), cause)
	asker.release()
	holder.release()
}

// A lock that was granted while the waiter gave up is held, not lost.
func TestGrantBeatsGivingUp(t *testing.T) {
	b := newLockBench(t)
	holder, asker := b.session(1), b.session(2)
	for i := range 200 {
		key := fmt.Sprint(i)
		holder.mustRow(key, RowUpdate)
		ctx, cancel := context.WithCancel(context.Background())
		wait := asker.start(func() error {
			return asker.acquireRow(ctx, lockTestTable, []byte(key), RowUpdate, Wait)
		})
		go cancel()
		holder.release()
		if err := wait.wait(); err == nil {
			require.ErrorIs(t, holder.row(key, RowUpdate, NoWait), ErrLockNotAvailable)
		} else {
			holder.mustRow(key, RowUpdate)
		}
		holder.release()
		asker.release()
	}
}

func TestReleaseToSavepoint(t *testing.T) {
	b := newLockBench(t)
	a, other := b.session(1), b.session(2)
	a.mustRow("before", RowShare)
	mark := len(a.owner.journal)
	a.mustRow("before", RowUpdate)
	a.mustRow("after", RowUpdate)
	a.mustTable(lockTestTable, ShareLock)
	a.mustTable(lockTestTable+1, AccessExclusiveLock)
	b.db.locks.releaseTo(a.owner, mark)

	other.mustRow("after", RowUpdate)
	other.mustTable(lockTestTable, RowExclusiveLock)
	other.mustTable(lockTestTable+1, AccessExclusiveLock)
	other.mustRow("before", RowShare) // back to the mode it had
	require.ErrorIs(t, other.row("before", RowUpdate, NoWait), ErrLockNotAvailable)
	a.release()
	other.release()
}

func TestStrongLockFindsFastOnes(t *testing.T) {
	b := newLockBench(t)
	weak, strong, late := b.session(1), b.session(2), b.session(3)
	weak.mustTable(lockTestTable, RowExclusiveLock)
	require.True(t, b.db.locks.list()[0].Fast)
	wait := strong.startTable(lockTestTable, ShareLock)
	for _, info := range b.db.locks.list() {
		require.False(t, info.Fast)
	}
	behind := late.startTable(lockTestTable, RowExclusiveLock)
	late2 := b.session(4)
	late2.mustTable(lockTestTable, AccessShareLock) // conflicts with nobody in the queue
	weak.release()
	wait.mustWait()
	behind.requireBlocked()
	strong.release()
	behind.mustWait()
	late.release()
	late2.release()
	weak.mustTable(lockTestTable, RowExclusiveLock)
	require.True(t, b.db.locks.list()[0].Fast, "the fast path is on again")
	weak.release()
}

func TestExclusiveOwnerTakesNoRowLocks(t *testing.T) {
	b := newLockBench(t)
	a, other := b.session(1), b.session(2)
	a.mustTable(lockTestTable, ExclusiveLock)
	for i := range 1000 {
		a.mustRow(fmt.Sprint(i), RowUpdate)
	}
	require.Len(t, b.db.locks.list(), 1)
	require.ErrorIs(t, other.row("1", RowShare, NoWait), ErrLockNotAvailable)
	a.release()
}

func TestEscalation(t *testing.T) {
	b := newLockBench(t)
	a, other := b.session(1), b.session(2)
	lock := func(from, to int) {
		for i := from; i < to; i++ {
			a.mustRow(fmt.Sprint(i), RowUpdate)
		}
	}
	other.mustRow("elsewhere", RowUpdate) // its ROW SHARE keeps the first attempt from success
	lock(0, EscalateRowLocks+10)
	require.Equal(t, EscalateRowLocks+10, a.owner.rows)
	other.release()
	lock(EscalateRowLocks+10, 4*EscalateRowLocks)
	require.Equal(t, 2*EscalateRowLocks, a.owner.rows)
	require.ErrorIs(t, other.row("elsewhere", RowShare, NoWait), ErrLockNotAvailable)
	a.release()
	other.mustRow("elsewhere", RowShare)
	other.release()
}

func TestLocksAreBounded(t *testing.T) {
	b := newLockBench(t)
	b.db.locks.perShard = 4
	a := b.session(1)
	var err error
	taken := 0
	for ; err == nil; taken++ {
		err = a.row(fmt.Sprint(taken), RowUpdate, NoWait)
	}
	require.ErrorIs(t, err, ErrTooManyLocks)
	require.LessOrEqual(t, taken, 4*lockShardCount+1)
	a.release()
	a.mustRow("again", RowUpdate)
	a.release()
}

func TestLocksListsWaiters(t *testing.T) {
	b := newLockBench(t)
	holder, asker := b.session(7), b.session(8)
	holder.mustRow("k", RowUpdate)
	before := time.Now()
	wait := asker.startRow("k", RowShare)
	var found bool
	for _, info := range b.db.locks.list() {
		if info.Session == 8 && info.Row {
			found = true
			require.False(t, info.Granted)
			require.Equal(t, "RowShareLock", info.Mode)
			require.Equal(t, []byte("k"), info.Key)
			require.False(t, info.Since.Before(before.Truncate(0)))
		}
	}
	require.True(t, found)
	holder.release()
	wait.mustWait()
	asker.release()
}
