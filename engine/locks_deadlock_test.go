package engine

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// breaks waits for every acquisition; whoever is the victim of a deadlock rolls back, everybody
// else is granted and then releases. It returns the number of victims.
func breaks(t *testing.T, sessions []*locker, waits []*pending) int {
	t.Helper()
	var victims atomic.Int32
	var done sync.WaitGroup
	for i := range waits {
		done.Add(1)
		go func() {
			defer done.Done()
			err := <-waits[i].done
			if isDeadlock(err) {
				victims.Add(1)
			} else if err != nil {
				t.Errorf("session %d: %v", sessions[i].owner.session, err)
			}
			sessions[i].release()
		}()
	}
	done.Wait()
	return int(victims.Load())
}

// Each session holds its own row and asks for the next one's.
func TestDeadlockOfRows(t *testing.T) {
	for _, n := range []int{2, 3, 10} {
		t.Run(fmt.Sprintf("sessions=%d", n), func(t *testing.T) {
			b := newLockBench(t)
			sessions, waits := make([]*locker, n), make([]*pending, n)
			for i := range sessions {
				sessions[i] = b.session(uint64(i + 1))
				sessions[i].mustRow(fmt.Sprint(i), RowUpdate)
			}
			for i, s := range sessions {
				waits[i] = s.startRow(fmt.Sprint((i+1)%n), RowUpdate)
			}
			require.Equal(t, 1, breaks(t, sessions, waits))
		})
	}
}

func TestDeadlockOfUpgrades(t *testing.T) {
	b := newLockBench(t)
	sessions := []*locker{b.session(1), b.session(2)}
	for _, s := range sessions {
		s.mustRow("k", RowShare)
	}
	waits := []*pending{
		sessions[0].startRow("k", RowUpdate), sessions[1].startRow("k", RowUpdate),
	}
	require.Equal(t, 1, breaks(t, sessions, waits))
}

// A table lock taken by the fast path is an edge like any other.
func TestDeadlockOfTableAndRow(t *testing.T) {
	b := newLockBench(t)
	writer, ddl := b.session(1), b.session(2)
	writer.mustTable(lockTestTable+1, RowExclusiveLock)
	ddl.mustRow("k", RowUpdate)
	waits := []*pending{
		ddl.startTable(lockTestTable+1, AccessExclusiveLock), writer.startRow("k", RowUpdate),
	}
	require.Equal(t, 1, breaks(t, []*locker{ddl, writer}, waits))
}

// The circle goes through the queue: nobody who holds k waits for anything, but a waits behind w
// for k, and w waits for a.
func TestDeadlockThroughAQueue(t *testing.T) {
	b := newLockBench(t)
	holder, w, a := b.session(1), b.session(2), b.session(3)
	holder.mustRow("k", RowShare)
	a.mustRow("mine", RowUpdate)
	w.mustRow("other", RowUpdate)
	pw := w.startRow("k", RowUpdate)
	pa := a.startRow("k", RowShare)
	require.NotNil(t, pw)
	holder.mustRow("x", RowUpdate)
	ph := holder.startRow("mine", RowUpdate) // holder -> a -> w (ahead in the queue) -> holder
	sessions, waits := []*locker{holder, w, a}, []*pending{ph, pw, pa}
	require.Equal(t, 1, breaks(t, sessions, waits))
}

func TestDeadlockErrorNamesTheCircle(t *testing.T) {
	b := newLockBench(t)
	one, two := b.session(1), b.session(2)
	one.mustRow("a", RowUpdate)
	two.mustRow("b", RowUpdate)
	p1, p2 := one.startRow("b", RowUpdate), two.startRow("a", RowUpdate)
	var err error
	select {
	case err = <-p1.done:
		one.release()
		p2.mustWait()
	case err = <-p2.done:
		two.release()
		p1.mustWait()
	}
	var deadlock *DeadlockError
	require.ErrorAs(t, err, &deadlock)
	require.Len(t, deadlock.Cycle, 2)
	require.Contains(t, err.Error(), "session 1 waits for AccessExclusiveLock on row 62 of table 100")
	require.Contains(t, err.Error(), "session 2 waits for AccessExclusiveLock on row 61 of table 100")
	one.release()
	two.release()
}

// A long queue without a circle is left alone, however often its members look.
func TestNoDeadlockWithoutACircle(t *testing.T) {
	b := newLockBench(t)
	holder := b.session(1)
	holder.mustRow("k", RowUpdate)
	var sessions []*locker
	var waits []*pending
	for i := range 20 {
		s := b.session(uint64(i + 2))
		s.mustRow(fmt.Sprint(i), RowUpdate)
		sessions, waits = append(sessions, s), append(waits, s.startRow("k", RowUpdate))
	}
	require.Eventually(t, func() bool {
		b.db.locks.shards[0].mu.Lock()
		defer b.db.locks.shards[0].mu.Unlock()
		return b.db.locks.searches > 100
	}, testWait, testTick)
	holder.release()
	require.Zero(t, breaks(t, sessions, waits))
}

// Sessions lock rows and tables at random, in any order, and roll back when they are chosen as
// victims. Nothing may hang, no two may be inside one update lock, and everything is released.
func TestLockStress(t *testing.T) {
	var deadlocks atomic.Int32
	eachSeed(t, 3, func(seed uint64) error {
		lockStress(t, seed, &deadlocks)
		return nil
	})
	require.NotZero(t, deadlocks.Load(), "the mix is too tame to prove anything")
}

func lockStress(t *testing.T, seed uint64, deadlocks *atomic.Int32) {
	b := newLockBench(t)
	const sessions, rounds, keys = 12, 150, 4
	var inside [keys]atomic.Int32
	var done sync.WaitGroup
	for i := range sessions {
		s := b.session(uint64(i + 1))
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		done.Add(1)
		go func() {
			defer done.Done()
			for range rounds {
				if !stressOnce(t, s, rng, inside[:]) {
					deadlocks.Add(1)
				}
			}
		}()
	}
	done.Wait()
}

// stressOnce is one transaction; false says that it was a victim.
func stressOnce(t *testing.T, s *locker, rng *rand.Rand, inside []atomic.Int32) bool {
	var held []int
	defer func() {
		for _, k := range held {
			inside[k].Add(-1)
		}
		s.release()
	}()
	for range 1 + rng.IntN(4) {
		var err error
		k := rng.IntN(len(inside))
		switch rng.IntN(10) {
		case 0:
			err = s.table(lockTestTable+1, TableLockMode(1+rng.IntN(8)), Wait)
		case 1, 2, 3:
			err = s.row(fmt.Sprint(k), RowShare, Wait)
		default:
			if err = s.row(fmt.Sprint(k), RowUpdate, Wait); err == nil && !slices.Contains(held, k) {
				if inside[k].Add(1) != 1 {
					t.Errorf("two sessions hold row %d", k)
				}
				held = append(held, k)
			}
		}
		if isDeadlock(err) {
			return false
		}
		if err != nil {
			t.Error(err)
		}
		runtime.Gosched() // lets others run into this lock
	}
	return true
}
