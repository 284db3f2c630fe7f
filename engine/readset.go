package engine

import (
	"bytes"
	"slices"
	"sort"

	"ackdb/wal"
)

const (
	// MaxReadSet bounds what a SERIALIZABLE transaction remembers of its reads, in bytes. Beyond
	// it whole tables count as read, which costs needless 40001s and no memory.
	MaxReadSet = 4 << 20

	// readOverhead is counted for each read besides its keys.
	readOverhead = 64
)

// readSet is what a SERIALIZABLE transaction has read from its snapshot: the keys it asked for,
// found or not, and the ranges it walked over.
type readSet struct {
	snapshot wal.LSN // guarded by conflictWindow.mu; 0 until the snapshot is taken

	// the transaction's goroutine only, and the leader's while it validates
	points [][]byte
	spans  []keySpan // after seal: ascending and apart
	size   int
	tables []TableID // non-nil once whole tables count as read
}

// addPoint remembers a key in the store's encoding. The key is copied.
func (r *readSet) addPoint(key []byte) {
	if r.tables != nil {
		r.addTable(key)
		return
	}
	if n := len(r.points); n > 0 && bytes.Equal(r.points[n-1], key) {
		return
	}
	r.points = append(r.points, bytes.Clone(key))
	r.grow(len(key))
}

// addSpan remembers a range.
func (r *readSet) addSpan(s keySpan) {
	if bytes.Compare(s.lo, s.hi) >= 0 {
		return
	}
	if r.tables != nil {
		r.addTable(s.lo)
		return
	}
	r.spans = append(r.spans, s)
	r.grow(len(s.lo) + len(s.hi))
}

func (r *readSet) grow(bytes int) {
	r.size += bytes + readOverhead
	if r.size <= MaxReadSet {
		return
	}
	r.tables = []TableID{}
	for _, p := range r.points {
		r.addTable(p)
	}
	for _, s := range r.spans {
		r.addTable(s.lo)
	}
	r.points, r.spans = nil, nil
}

// addTable counts the table of a key as read.
func (r *readSet) addTable(key []byte) {
	table := tableOf(key)
	if !slices.Contains(r.tables, table) {
		r.tables = append(r.tables, table)
	}
}

// addScan remembers as much of an iterator's range as it has walked over: a query for the first
// ten rows does not conflict with a write behind the tenth.
func (r *readSet) addScan(it *Iter) {
	s := keySpan{it.lo, it.hi}
	switch {
	case !it.started:
		return
	case it.exhausted || it.err != nil:
	case it.reverse:
		s.lo = appendRowKey(nil, it.table, it.key)
	default:
		s.hi = append(appendRowKey(nil, it.table, it.key), 0)
	}
	r.addSpan(keySpan{bytes.Clone(s.lo), bytes.Clone(s.hi)})
}

// seal sorts what was read, so that the leader can search it. It runs in the committer's own
// goroutine, because the leader's time is everybody's.
func (r *readSet) seal() {
	slices.SortFunc(r.points, bytes.Compare)
	for _, table := range r.tables {
		r.spans = append(r.spans, spanOf(table, nil, nil))
	}
	slices.SortFunc(r.spans, func(a, b keySpan) int { return bytes.Compare(a.lo, b.lo) })
	merged := r.spans[:0]
	for _, s := range r.spans {
		last := len(merged) - 1
		if last < 0 || bytes.Compare(s.lo, merged[last].hi) > 0 {
			merged = append(merged, s)
		} else if bytes.Compare(s.hi, merged[last].hi) > 0 {
			merged[last].hi = s.hi
		}
	}
	r.spans = merged
}

// hasRead says whether a key was read. r is sealed.
func (r *readSet) hasRead(key []byte) bool {
	if _, found := slices.BinarySearchFunc(r.points, key, bytes.Compare); found {
		return true
	}
	// The only span that can contain key is the last that begins at or below it.
	i := sort.Search(len(r.spans), func(i int) bool {
		return bytes.Compare(r.spans[i].lo, key) > 0
	})
	return i > 0 && r.spans[i-1].contains(key)
}

// hasReadIn says whether anything in a span was read. r is sealed.
func (r *readSet) hasReadIn(s keySpan) bool {
	i, _ := slices.BinarySearchFunc(r.points, s.lo, bytes.Compare)
	if i < len(r.points) && bytes.Compare(r.points[i], s.hi) < 0 {
		return true
	}
	i = sort.Search(len(r.spans), func(i int) bool {
		return bytes.Compare(r.spans[i].hi, s.lo) > 0
	})
	return i < len(r.spans) && bytes.Compare(r.spans[i].lo, s.hi) < 0
}
