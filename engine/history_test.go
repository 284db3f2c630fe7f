package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// Sessions run transactions of every level at once and note what they read and wrote. The log's
// order is the order the levels are defined against, so afterwards every read has one right
// answer, found by replaying the commits.

// pastTxn is one committed transaction.
type pastTxn struct {
	level    Isolation
	snapshot wal.LSN
	end      wal.LSN // 0 if it wrote nothing
	reads    []pastRead
	writes   map[string]string // "" deletes
}

// pastRead is a key or a range and what came back. Keys the transaction had written itself say
// nothing about the snapshot and are left out.
type pastRead struct {
	lo, hi string // hi is "" for a key
	own    []string
	got    string
}

const (
	historyKeys    = 8
	historyCounter = "counter"
)

// historian is one session of the test.
type historian struct {
	id    int
	db    *DB
	rng   *rand.Rand
	count int
	past  []pastTxn
	fails int

	sabotage func(*Txn) // before each commit; what the negative control does
}

func (h *historian) key() string { return fmt.Sprintf("k%d", h.rng.IntN(historyKeys)) }

func (h *historian) run(txns int) error {
	for range txns {
		err := h.once()
		switch {
		case err == nil:
		case errors.Is(err, ErrSerialization), errors.Is(err, ErrDeadlock):
			h.fails++
		default:
			return err
		}
	}
	return nil
}

// once runs one transaction and notes it if it commits.
func (h *historian) once() error {
	p := pastTxn{level: Isolation(h.rng.IntN(3)), writes: map[string]string{}}
	txn := h.db.Begin(TxnOptions{Isolation: p.level, Session: uint64(h.id)})
	defer txn.Rollback()
	for range 1 + h.rng.IntN(5) {
		if p.level == ReadCommitted {
			// Its statements have a snapshot each; only the order of writes is checked.
			txn.StartStatement()
			p.reads = nil
		}
		if err := h.step(txn, &p); err != nil {
			return err
		}
	}
	if h.rng.IntN(3) == 0 {
		if err := h.increment(txn, &p); err != nil {
			return err
		}
	}
	p.snapshot = txn.SnapshotLSN()
	if h.sabotage != nil {
		h.sabotage(txn)
	}
	result, err := txn.Commit(context.Background(), CommitOptions{})
	if err != nil {
		return err
	}
	p.end = result.End
	h.past = append(h.past, p)
	return nil
}

func (h *historian) step(txn *Txn, p *pastTxn) error {
	key := h.key()
	switch h.rng.IntN(6) {
	case 0, 1:
		value, _, err := txn.Get(context.Background(), testTable, []byte(key))
		if _, own := p.writes[key]; !own {
			p.reads = append(p.reads, pastRead{lo: key, got: string(value)})
		}
		return err
	case 2:
		return h.scan(txn, p, key)
	case 3:
		return h.write(txn, p, key, "")
	default:
		h.count++
		return h.write(txn, p, key, fmt.Sprintf("%d.%d", h.id, h.count))
	}
}

func (h *historian) scan(txn *Txn, p *pastTxn, lo string) error {
	it := txn.Scan(testTable, []byte(lo), []byte("k9"), h.rng.IntN(2) == 0)
	read := pastRead{lo: lo, hi: "k9", own: slices.Collect(maps.Keys(p.writes))}
	var rows []string
	for it.Next() {
		if !slices.Contains(read.own, string(it.Key())) {
			rows = append(rows, string(it.Key())+"="+string(it.Value()))
		}
	}
	slices.Sort(rows)
	read.got = strings.Join(rows, " ")
	p.reads = append(p.reads, read)
	return it.Close()
}

func (h *historian) write(txn *Txn, p *pastTxn, key, value string) error {
	_, err := txn.LockRow(context.Background(), testTable, []byte(key), RowUpdate, Wait)
	if err != nil {
		return err
	}
	p.writes[key] = value
	if value == "" {
		return txn.Delete(testTable, []byte(key))
	}
	return txn.Put(testTable, []byte(key), []byte(value))
}

// increment adds one to the counter that every level shares. A lost update shows in the sum.
func (h *historian) increment(txn *Txn, p *pastTxn) error {
	key := []byte(historyCounter)
	row, err := txn.LockRow(context.Background(), testTable, key, RowUpdate, Wait)
	if err != nil {
		return err
	}
	n := 0
	if row.Exists {
		if n, err = strconv.Atoi(string(row.Value)); err != nil {
			return err
		}
	}
	p.writes[historyCounter] = strconv.Itoa(n + 1)
	return txn.Put(testTable, key, []byte(p.writes[historyCounter]))
}

// timeline knows the state after each commit.
type timeline struct {
	ends   []wal.LSN
	states []map[string]string // states[i] is what the first i commits left
	writes []map[string]string
}

func newTimeline(commits []pastTxn) *timeline {
	r := &timeline{states: []map[string]string{{}}}
	for _, c := range commits {
		next := maps.Clone(r.states[len(r.states)-1])
		for k, v := range c.writes {
			if next[k] = v; v == "" {
				delete(next, k)
			}
		}
		r.ends, r.states = append(r.ends, c.end), append(r.states, next)
		r.writes = append(r.writes, c.writes)
	}
	return r
}

// commitsUpTo is how many commits end at or below an LSN.
func (r *timeline) commitsUpTo(lsn wal.LSN) int {
	return sort.Search(len(r.ends), func(i int) bool { return r.ends[i] > lsn })
}

// answer is what a read has to return in a state.
func (p pastRead) answer(state map[string]string) string {
	if p.hi == "" {
		return state[p.lo]
	}
	var rows []string
	for k, v := range state {
		if k >= p.lo && k < p.hi && !slices.Contains(p.own, k) {
			rows = append(rows, k+"="+v)
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, " ")
}

// check says what a transaction saw or did that its level forbids.
func (r *timeline) check(p pastTxn) error {
	if p.level == ReadCommitted {
		return nil
	}
	at := r.commitsUpTo(p.snapshot)
	for _, read := range p.reads {
		if want := read.answer(r.states[at]); read.got != want {
			return fmt.Errorf("%v: read %q of %q, its snapshot has %q",
				p.level, read.got, read.lo, want)
		}
	}
	if p.end == 0 {
		return nil
	}
	before := r.commitsUpTo(p.end) - 1
	for k := range p.writes {
		// Absent then and absent now is no update, whatever came and went in between.
		_, was := r.states[at][k]
		_, is := r.states[before][k]
		for i := at; i < before && (was || is); i++ {
			if _, both := r.writes[i][k]; both {
				return fmt.Errorf("%v: %s was updated since the snapshot", p.level, k)
			}
		}
	}
	if p.level != Serializable {
		return nil
	}
	for _, read := range p.reads {
		if want := read.answer(r.states[before]); read.got != want {
			return fmt.Errorf("%v: read %q of %q, which is %q where it stands in the order",
				p.level, read.got, read.lo, want)
		}
	}
	return nil
}

// runHistory returns what the checker says, and how many transactions failed as they should.
func runHistory(seed uint64, sabotage func(*Txn)) (fails int, err error) {
	const sessions, txns = 8, 60
	db, _, err := Open(context.Background(), crashOptions(enginetest.New()))
	if err != nil {
		return 0, err
	}
	db.locks.deadlockTimeout = testTick
	historians, errs := make([]*historian, sessions), make([]error, sessions)
	var done sync.WaitGroup
	for i := range historians {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		h := &historian{id: i + 1, db: db, rng: rng, sabotage: sabotage}
		historians[i] = h
		done.Add(1)
		go func() {
			defer done.Done()
			errs[i] = h.run(txns)
		}()
	}
	done.Wait()
	for _, h := range historians {
		fails += h.fails
	}
	err = errors.Join(errors.Join(errs...), checkHistory(historians))
	return fails, errors.Join(err, db.Close(context.Background()))
}

func checkHistory(historians []*historian) error {
	var all, commits []pastTxn
	increments := 0
	for _, h := range historians {
		all = append(all, h.past...)
	}
	for _, p := range all {
		if p.end != 0 {
			commits = append(commits, p)
		}
		if _, counted := p.writes[historyCounter]; counted {
			increments++
		}
	}
	slices.SortFunc(commits, func(a, b pastTxn) int { return int(a.end) - int(b.end) })
	r := newTimeline(commits)
	for _, p := range all {
		if err := r.check(p); err != nil {
			return err
		}
	}
	got, _ := strconv.Atoi(r.states[len(r.states)-1][historyCounter])
	if got != increments {
		return fmt.Errorf("%d increments were committed, the counter is %d", increments, got)
	}
	rows, err := storedRows(historians[0].db)
	if err != nil {
		return err
	}
	found := map[string]string{}
	for _, row := range rows {
		found[row.key] = string(row.value)
	}
	if want := r.states[len(r.states)-1]; fmt.Sprint(found) != fmt.Sprint(want) {
		return fmt.Errorf("the store has %v, the commits leave %v", found, want)
	}
	return nil
}

func TestHistoriesKeepTheirLevels(t *testing.T) {
	total := 0
	eachSeed(t, 60, func(seed uint64) error {
		fails, err := runHistory(seed, nil)
		total += fails
		return err
	})
	require.NotZero(t, total, "nobody met anybody")
}

// Without validation the same sessions produce histories that are not serializable.
func TestHistoriesNoticeMissingValidation(t *testing.T) {
	forget := func(txn *Txn) {
		if txn.reads != nil {
			txn.reads.points, txn.reads.spans = nil, nil
		}
	}
	for seed := uint64(1); seed <= 50; seed++ {
		if _, err := runHistory(seed, forget); err != nil {
			require.ErrorContains(t, err, "where it stands in the order")
			return
		}
	}
	require.Fail(t, "nothing was noticed")
}

// The checker has to see a lost validation: two transactions that each read what the other wrote.
func TestHistoryCheckerSeesWriteSkew(t *testing.T) {
	skew := []pastTxn{
		{level: Serializable, end: 10, reads: []pastRead{{lo: "y"}}, writes: map[string]string{"x": "1"}},
		{level: Serializable, end: 20, reads: []pastRead{{lo: "x"}}, writes: map[string]string{"y": "1"}},
	}
	r := newTimeline(skew)
	require.NoError(t, r.check(skew[0]))
	require.ErrorContains(t, r.check(skew[1]), "where it stands in the order")
	skew[1].level = RepeatableRead
	require.NoError(t, r.check(skew[1]))
	skew[1].writes["x"] = "2" // and x was not there at its snapshot
	require.ErrorContains(t, r.check(skew[1]), "updated since the snapshot")
}
