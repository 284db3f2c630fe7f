package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// lockWitness knows who was told that it holds what, and compares it with the picture of the
// conflicts rather than with the engine's own table.
type lockWitness struct {
	mu   sync.Mutex
	held map[TableID]map[*locker]TableLockMode
	err  error
}

func (w *lockWitness) enter(l *locker, table TableID, m TableLockMode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other, held := range w.held[table] {
		if other != l && conflictPicture[m-1][held-1] == 'X' {
			w.err = fmt.Errorf("table %d: %v was granted while %v is held", table, m, held)
		}
	}
	if w.held[table] == nil {
		w.held[table] = map[*locker]TableLockMode{}
	}
	w.held[table][l] = m
}

func (w *lockWitness) leave(l *locker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, held := range w.held {
		delete(held, l)
	}
}

// takeTable is a way to take a table lock.
type takeTable func(*locker, TableID, TableLockMode) error

// fastStress runs sessions that take mostly weak modes and now and then a strong one, so that the
// fast path is switched off and on under sessions that are just using it. Two of the tables share
// a stripe.
func fastStress(t *testing.T, seed uint64, strong takeTable) error {
	b := newLockBench(t)
	w := &lockWitness{held: map[TableID]map[*locker]TableLockMode{}}
	tables := []TableID{lockTestTable, lockTestTable + 1, lockTestTable + lockStripeCount}
	var done sync.WaitGroup
	for i := range 8 {
		s := b.session(uint64(i + 1))
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		done.Add(1)
		go func() {
			defer done.Done()
			for range 1000 {
				witnessOne(t, w, s, tables, rng, strong)
			}
		}()
	}
	done.Wait()
	return w.err
}

func witnessOne(
	t *testing.T, w *lockWitness, s *locker, tables []TableID, rng *rand.Rand,
	strong takeTable,
) {
	defer s.release()
	defer w.leave(s)
	for _, i := range rng.Perm(len(tables))[:1+rng.IntN(2)] {
		m := AccessShareLock + TableLockMode(rng.IntN(3))
		if rng.IntN(20) == 0 {
			m = ShareLock + TableLockMode(rng.IntN(4))
		}
		take := (*locker).tableWait
		if m.strong() {
			take = strong
		}
		switch err := take(s, tables[i], m); {
		case isDeadlock(err):
			return
		case err != nil:
			t.Error(err)
			return
		}
		w.enter(s, tables[i], m)
		runtime.Gosched() // holds it while others come by
	}
}

func (l *locker) tableWait(table TableID, m TableLockMode) error { return l.table(table, m, Wait) }

// tableUncollected takes a strong lock without looking for those the fast path has given out.
func (l *locker) tableUncollected(table TableID, m TableLockMode) error {
	locks, o := l.db.locks, l.owner
	if o.modesOn(table)&mode(m).set() != 0 {
		return nil
	}
	request := lockRequest{table: table, mode: mode(m)}
	lock, added, err := locks.acquire(context.Background(), o, request)
	if err != nil {
		return err
	}
	locks.stripe(table).Add(1)
	o.mu.Lock()
	h := o.hold(table)
	h.modes |= added
	h.lock = lock
	o.mu.Unlock()
	o.noteTable(table, m)
	return nil
}

func TestFastPathStress(t *testing.T) {
	eachSeed(t, 5, func(seed uint64) error {
		return fastStress(t, seed, (*locker).tableWait)
	})
}

func TestFastPathStressNoticesWhatIsNotCollected(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		if fastStress(t, seed, (*locker).tableUncollected) != nil {
			return
		}
	}
	require.Fail(t, "nothing was noticed")
}
