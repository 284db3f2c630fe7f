package engine

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

// setModel is what a write set means, written as plainly as possible: the last thing said about
// each key, and a fallback for keys under a range delete.
type setModel struct {
	own    map[string]string // "table/key" -> "=value" or "-"
	ranges []rangeDelete
}

func (m setModel) clone() setModel {
	return setModel{maps.Clone(m.own), slices.Clone(m.ranges)}
}

func modelKey(table TableID, key string) string { return fmt.Sprintf("%05d/%s", table, key) }

func (m *setModel) put(table TableID, key, value string) {
	m.own[modelKey(table, key)] = "=" + value
}

func (m *setModel) del(table TableID, key string) { m.own[modelKey(table, key)] = "-" }

func (m *setModel) deleteRange(r rangeDelete) {
	for k := range m.own {
		table, key, _ := strings.Cut(k, "/")
		if fmt.Sprintf("%05d", r.table) == table && r.contains(r.table, []byte(key)) {
			m.own[k] = "-"
		}
	}
	m.ranges = append(m.ranges, r)
}

func (m *setModel) get(table TableID, key string) string {
	if s, ok := m.own[modelKey(table, key)]; ok {
		return s
	}
	for _, r := range m.ranges {
		if r.contains(table, []byte(key)) {
			return "-"
		}
	}
	return ""
}

// setRun drives a write set and its model through the same operations.
type setRun struct {
	t     *testing.T
	rng   *rand.Rand
	set   *writeSet
	model setModel

	marks  []writeMark
	states []setModel
	seqs   []uint32

	scans []*setScan
}

// setScan is an open cursor with what it has to show.
type setScan struct {
	cursor ownCursor
	want   []string
	begun  bool
}

const setKeys, setTables = 30, 3

func (r *setRun) table() TableID { return testTable + TableID(r.rng.IntN(setTables)) }
func (r *setRun) key() string    { return fmt.Sprintf("%02d", r.rng.IntN(setKeys)) }

func (r *setRun) value() string {
	return strings.Repeat(string(rune('a'+r.rng.IntN(26))), r.rng.IntN(40))
}

func (r *setRun) step() {
	switch n := r.rng.IntN(100); {
	case n < 50:
		table, key, value := r.table(), r.key(), r.value()
		r.set.put(table, []byte(key), []byte(value), false)
		r.model.put(table, key, value)
	case n < 65:
		table, key := r.table(), r.key()
		r.set.put(table, []byte(key), nil, true)
		r.model.del(table, key)
	case n < 70:
		r.deleteRange()
	case n < 80:
		r.marks = append(r.marks, r.set.mark())
		r.states = append(r.states, r.model.clone())
		r.seqs = append(r.seqs, r.set.seq)
		r.set.freeze()
	case n < 88:
		r.rollback()
	case n < 94:
		r.openScan()
	default:
		r.finishScan()
	}
}

func (r *setRun) deleteRange() {
	table, lo, hi := r.table(), []byte(r.key()), []byte(r.key())
	if r.rng.IntN(3) == 0 {
		hi = nil
	} else if bytes.Compare(lo, hi) >= 0 {
		r.set.deleteRange(table, lo, hi) // empty, and nothing at all
		return
	}
	r.set.deleteRange(table, lo, hi)
	r.model.deleteRange(rangeDelete{table: table, lo: lo, hi: hi})
}

func (r *setRun) rollback() {
	if len(r.marks) == 0 {
		return
	}
	i := r.rng.IntN(len(r.marks))
	r.set.rollback(r.marks[i])
	r.set.freeze()
	r.model = r.states[i].clone()
	r.marks, r.states, r.seqs = r.marks[:i+1], r.states[:i+1], r.seqs[:i+1]
	// A cursor goes on, unless what it began with is undone.
	open := r.scans[:0]
	for _, s := range r.scans {
		if s.cursor.seq <= r.seqs[i] {
			open = append(open, s)
		} else {
			r.set.pins--
		}
	}
	r.scans = open
}

func (r *setRun) dropScans() {
	r.set.pins -= len(r.scans)
	r.scans = nil
}

// openScan opens a cursor and notes what it will have to show, whatever is written meanwhile.
func (r *setRun) openScan() {
	table, lo := r.table(), r.key()
	span := spanOf(table, []byte(lo), nil)
	it := &Iter{lo: span.lo, hi: span.hi, reverse: r.rng.IntN(2) == 0}
	s := &setScan{cursor: openOwnCursor(r.set, it, r.set.seq)}
	for k, v := range r.model.own {
		prefix, key, _ := strings.Cut(k, "/")
		if prefix == fmt.Sprintf("%05d", table) && key >= lo {
			s.want = append(s.want, key+v)
		}
	}
	slices.Sort(s.want)
	if it.reverse {
		slices.Reverse(s.want)
	}
	r.set.pins++
	r.set.freeze()
	if r.rng.IntN(2) == 0 {
		s.cursor.start()
		s.begun = true
	}
	r.scans = append(r.scans, s)
}

func (r *setRun) finishScan() {
	if len(r.scans) == 0 {
		return
	}
	s := r.scans[0]
	r.scans = r.scans[1:]
	if !s.begun {
		s.cursor.start()
	}
	var got []string
	for ; s.cursor.valid(); s.cursor.step() {
		value, state := s.cursor.value()
		if state == ownDeleted {
			got = append(got, string(s.cursor.key())+"-")
		} else {
			got = append(got, string(s.cursor.key())+"="+string(value))
		}
	}
	require.Equal(r.t, s.want, got)
	r.set.pins--
}

// check compares gets and the encoded operations with the model.
func (r *setRun) check() {
	for table := testTable; table < testTable+setTables; table++ {
		for k := range setKeys {
			key := fmt.Sprintf("%02d", k)
			value, state := r.set.get(table, []byte(key))
			got := map[ownState]string{
				ownNone: "", ownDeleted: "-", ownSet: "=" + string(value),
			}[state]
			require.Equal(r.t, r.model.get(table, key), got, "%d/%s", table, key)
		}
	}
	r.checkOps()
}

// checkOps applies the operations, as recovery would, to a map in which every key exists.
func (r *setRun) checkOps() {
	state := map[string]row{}
	for table := testTable; table < testTable+setTables; table++ {
		for k := range setKeys {
			op := wal.Op{Kind: wal.OpSet, Table: uint32(table), Key: fmt.Appendf(nil, "%02d", k)}
			applyToModel(state, op, 1)
		}
	}
	ops := r.set.AppendOps(nil)
	require.LessOrEqual(r.t, int64(len(ops)), r.set.EncodedSize())
	count := 0
	for ; len(ops) > 0; count++ {
		op, rest, err := wal.DecodeOp(ops)
		require.NoError(r.t, err)
		applyToModel(state, op, 2)
		ops = rest
	}
	require.Equal(r.t, count, r.set.Count())
	for table := testTable; table < testTable+setTables; table++ {
		for k := range setKeys {
			key := fmt.Sprintf("%02d", k)
			found, exists := state[string(appendRowKey(nil, table, []byte(key)))]
			want := r.model.get(table, key)
			require.Equal(r.t, want != "-", exists, "%d/%s", table, key)
			if strings.HasPrefix(want, "=") {
				require.Equal(r.t, want[1:], string(found.value))
			}
		}
	}
}

func TestWriteSetAgainstModel(t *testing.T) {
	set := newWriteSet()
	eachSeed(t, 200, func(seed uint64) error {
		r := &setRun{
			t: t, rng: rand.New(rand.NewPCG(seed, 0)), set: set,
			model: setModel{own: map[string]string{}},
		}
		for range 150 {
			r.step()
			if r.rng.IntN(10) == 0 {
				r.check()
			}
		}
		r.check()
		r.dropScans()
		set.reset()
		require.True(t, set.empty())
		return nil
	})
}

// A set far larger than a chunk, in every order of insertion, comes out sorted and complete.
func TestWriteSetInBulk(t *testing.T) {
	const rows = 20_000
	orders := map[string]func(i int) int{
		"ascending":  func(i int) int { return i },
		"descending": func(i int) int { return rows - 1 - i },
		"scattered":  func(i int) int { return i * 7919 % rows },
	}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			w := newWriteSet()
			mark := w.mark()
			w.freeze()
			for i := range rows {
				key := fmt.Appendf(nil, "%08d", order(i))
				w.put(testTable, key, key, false)
			}
			i := 0
			err := w.each(func(op wal.Op) error {
				require.Equal(t, fmt.Sprintf("%08d", i), string(op.Key))
				require.Equal(t, op.Key, op.Value)
				i++
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, rows, i)
			w.rollback(mark)
			require.True(t, w.empty())
			require.Zero(t, w.first())
			require.Zero(t, w.last())
			require.Zero(t, w.held)
		})
	}
}

// Writing one key over and over takes no more memory than writing it once.
func TestWriteSetOverwritesInPlace(t *testing.T) {
	w := newWriteSet()
	w.put(testTable, []byte("k"), make([]byte, 100), false)
	before := w.Size()
	for range 1000 {
		w.put(testTable, []byte("k"), make([]byte, 100), false)
	}
	require.Equal(t, before, w.Size())
}

// A value may be the very bytes that get returned.
func TestWriteSetTakesItsOwnBytes(t *testing.T) {
	w := newWriteSet()
	w.put(testTable, []byte("k"), []byte("0123456789"), false)
	value, _ := w.get(testTable, []byte("k"))
	w.put(testTable, []byte("k"), value[3:], false)
	value, _ = w.get(testTable, []byte("k"))
	require.Equal(t, "3456789", string(value))
}
