package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// windowBench drives a conflict window as the leader does, without log or store.
type windowBench struct {
	t *testing.T
	c *conflictWindow
	n wal.LSN
}

func newWindowBench(t *testing.T) *windowBench {
	return &windowBench{t: t, c: newConflictWindow(), n: 100}
}

// reader registers with a snapshot of everything committed so far.
func (b *windowBench) reader() *readSet {
	r := b.c.register()
	b.c.setSnapshot(r, b.n)
	return r
}

// txn is a transaction that wrote keys and read what reads says.
func (b *windowBench) txn(reads *readSet, keys ...string) *Txn {
	w := newWriteSet()
	for _, k := range keys {
		w.put(testTable, []byte(k), nil, false)
	}
	return &Txn{txnState: &txnState{writes: w, reads: reads}}
}

// commit runs a group of one.
func (b *windowBench) commit(t *Txn) error {
	if err := b.c.validate(t); err != nil {
		return err
	}
	b.n += 10
	b.c.publish(t, b.n)
	return nil
}

func (b *windowBench) mustCommit(keys ...string) {
	b.t.Helper()
	require.NoError(b.t, b.commit(b.txn(nil, keys...)))
}

func point(key string) []byte { return appendRowKey(nil, testTable, []byte(key)) }

func TestWindowKeepsNothingWithoutReaders(t *testing.T) {
	b := newWindowBench(t)
	b.mustCommit("x")
	require.Empty(t, b.c.recent)
	r := b.reader()
	b.mustCommit("y")
	require.Len(t, b.c.recent, 1)
	b.c.unregister(r)
	require.Empty(t, b.c.recent)
	require.Zero(t, b.c.size)
	require.Empty(t, b.c.admitted)
}

func TestWindowIsTrimmedToTheOldestReader(t *testing.T) {
	b := newWindowBench(t)
	old := b.reader()
	b.mustCommit("a")
	b.mustCommit("b")
	young := b.reader()
	b.mustCommit("c")
	b.c.unregister(old)
	require.Len(t, b.c.recent, 1)
	young.addPoint(point("c"))
	young.seal()
	requireSerialization(t, b.commit(b.txn(young, "x")), ReadWriteDependency)
}

// A reader that has registered and not yet taken its snapshot keeps everything.
func TestWindowWaitsForTheSnapshot(t *testing.T) {
	b := newWindowBench(t)
	first := b.reader()
	pending := b.c.register()
	b.mustCommit("a")
	b.c.unregister(first)
	require.Len(t, b.c.recent, 1)
	b.c.unregister(pending)
	require.Empty(t, b.c.recent)
}

// A commit the window did not record must not pass for one that does not matter.
func TestWindowRefusesASnapshotBelowItsFloor(t *testing.T) {
	b := newWindowBench(t)
	before := b.n
	b.mustCommit("x")
	r := b.c.register()
	b.c.setSnapshot(r, before)
	r.seal()
	requireSerialization(t, b.commit(b.txn(r, "y")), WindowOverflow)
}

func TestWindowOverflowFailsTheOldestReader(t *testing.T) {
	b := newWindowBench(t)
	old := b.reader()
	key := string(make([]byte, 1<<20))
	b.mustCommit("0" + key)
	young := b.reader()
	for i := range 2 * MaxConflictWindow / (1 << 20) {
		b.mustCommit(fmt.Sprint(i) + key)
		require.LessOrEqual(t, b.c.size, MaxConflictWindow)
		if b.c.floor.Load() != 0 {
			break
		}
	}
	old.seal()
	young.seal()
	requireSerialization(t, b.commit(b.txn(old, "mine")), WindowOverflow)
	require.NoError(t, b.commit(b.txn(young, "mine")))
}

// Members of one group have no LSN yet; the later one is held against the earlier all the same.
func TestGroupMembersAreValidatedAgainstEachOther(t *testing.T) {
	b := newWindowBench(t)
	r1, r2 := b.reader(), b.reader()
	r1.addPoint(point("x"))
	r2.addPoint(point("y"))
	r1.seal()
	r2.seal()
	first, second := b.txn(r1, "y"), b.txn(r2, "x")
	require.NoError(t, b.c.validate(first))
	requireSerialization(t, b.c.validate(second), ReadWriteDependency)

	// The first one's append fails: it never was, and the second may go.
	b.c.withdraw(first)
	require.NoError(t, b.commit(second))
	requireSerialization(t, b.commit(first), ReadWriteDependency)
}

// Beyond its bound a read set stands for whole tables: more conflicts, never fewer.
func TestReadSetIsBounded(t *testing.T) {
	b := newWindowBench(t)
	r := b.reader()
	key := make([]byte, 1<<10)
	for i := range 2 * MaxReadSet / len(key) {
		r.addPoint(append(point(fmt.Sprintf("%08d", i)), key...))
		require.LessOrEqual(t, r.size, MaxReadSet+2*len(key))
	}
	require.Nil(t, r.points)
	r.addPoint(appendRowKey(nil, testTable+5, nil))
	r.seal()
	require.True(t, r.hasRead(point("never read")))
	require.True(t, r.hasRead(appendRowKey(nil, testTable+5, []byte("z"))))
	require.False(t, r.hasRead(appendRowKey(nil, testTable+1, nil)))
}

// A large write set stands for the spans between its first and last keys.
func TestLargeWriteSetIsKeptAsSpans(t *testing.T) {
	b := newWindowBench(t)
	inside, outside := b.reader(), b.reader()
	txn := b.txn(nil)
	for i := range maxExactKeys + 1 {
		txn.writes.put(testTable, fmt.Appendf(nil, "k%06d", i), nil, false)
		txn.writes.put(testTable+1, fmt.Appendf(nil, "k%06d", i), nil, false)
	}
	require.NoError(t, b.commit(txn))
	require.Len(t, b.c.recent[0].spans, 2)
	require.Empty(t, b.c.recent[0].ends)
	inside.addPoint(point(fmt.Sprintf("k%06d", maxExactKeys)))
	outside.addPoint(point("l"))
	outside.addPoint(point("j"))
	inside.seal()
	outside.seal()
	requireSerialization(t, b.commit(b.txn(inside, "x")), ReadWriteDependency)
	require.NoError(t, b.commit(b.txn(outside, "x")))
}

// Sealed read sets are searched; here they are held against looking at everything.
func TestReadSetAgainstModel(t *testing.T) {
	eachSeed(t, 200, func(seed uint64) error {
		rng := rand.New(rand.NewPCG(seed, 0))
		draw := func() []byte { return point(fmt.Sprintf("%02d", rng.IntN(40))) }
		span := func() keySpan { return keySpan{draw(), draw()} }
		r := new(readSet)
		var points [][]byte
		var spans []keySpan
		for range rng.IntN(6) {
			p, s := draw(), span()
			r.addPoint(p)
			r.addSpan(s)
			points, spans = append(points, p), append(spans, s)
		}
		r.seal()
		for range 50 {
			key, s := draw(), span()
			want := slices.ContainsFunc(points, func(p []byte) bool { return string(p) == string(key) }) ||
				slices.ContainsFunc(spans, func(s keySpan) bool { return s.contains(key) })
			require.Equal(t, want, r.hasRead(key), "seed %d: %s", seed, key)
			if string(s.lo) >= string(s.hi) {
				continue
			}
			want = slices.ContainsFunc(points, s.contains) ||
				slices.ContainsFunc(spans, func(o keySpan) bool {
					return string(o.lo) < string(o.hi) &&
						string(o.lo) < string(s.hi) && string(s.lo) < string(o.hi)
				})
			require.Equal(t, want, r.hasReadIn(s), "seed %d: [%s, %s)", seed, s.lo, s.hi)
		}
		return nil
	})
}
