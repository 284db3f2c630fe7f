package engine

import (
	"bytes"

	"ackdb/wal"
)

// writtenKeys is what a committed transaction wrote, without the values, in the store's encoding.
type writtenKeys struct {
	lsn   wal.LSN
	keys  []byte // one after the other
	ends  []uint32
	spans []keySpan
}

// keySpan is [lo, hi) in the store's encoding.
type keySpan struct {
	lo, hi []byte
}

func (s keySpan) contains(key []byte) bool {
	return bytes.Compare(key, s.lo) >= 0 && bytes.Compare(key, s.hi) < 0
}

// spanOf encodes [lo, hi) of a table; a nil hi is the table's end.
func spanOf(table TableID, lo, hi []byte) keySpan {
	if hi == nil {
		table++
		return keySpan{appendRowKey(nil, table-1, lo), appendRowKey(nil, table, nil)}
	}
	return keySpan{appendRowKey(nil, table, lo), appendRowKey(nil, table, hi)}
}

// collectWritten copies the keys of a write set, whose memory the transaction is about to reuse.
// Keys under a range delete are in its span; they need not be told apart.
func collectWritten(w *writeSet) *writtenKeys {
	k := new(writtenKeys)
	for i := range w.ranges {
		r := &w.ranges[i]
		k.spans = append(k.spans, spanOf(r.table, r.lo, r.hi))
	}
	if len(w.nodes) > maxExactKeys {
		k.addTables(w)
		return k
	}
	for node := w.first(); node != 0; node = w.next(node) {
		if w.nodes[node].newest == 0 {
			continue // rolled back
		}
		k.keys = appendRowKey(k.keys, w.nodes[node].table, w.key(node))
		k.ends = append(k.ends, uint32(len(k.keys)))
	}
	return k
}

// addTables adds, for each table, the span from its first key to its last.
func (k *writtenKeys) addTables(w *writeSet) {
	for node := w.first(); node != 0; {
		table := w.nodes[node].table
		last := w.seekLT(table+1, nil)
		hi := append(appendRowKey(nil, table, w.key(last)), 0)
		k.spans = append(k.spans, keySpan{appendRowKey(nil, table, w.key(node)), hi})
		node = w.next(last)
	}
}

func (k *writtenKeys) size() int {
	size := writtenOverhead + len(k.keys) + 4*len(k.ends)
	for _, s := range k.spans {
		size += len(s.lo) + len(s.hi) + writtenOverhead
	}
	return size
}

// hits says whether anything written is in what r has read.
func (k *writtenKeys) hits(r *readSet) bool {
	start := uint32(0)
	for _, end := range k.ends {
		if r.hasRead(k.keys[start:end]) {
			return true
		}
		start = end
	}
	for _, s := range k.spans {
		if r.hasReadIn(s) {
			return true
		}
	}
	return false
}
