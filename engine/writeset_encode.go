package engine

import "ackdb/wal"

// opOverhead is more than an encoded operation takes besides its key and value.
const opOverhead = 24

// Count returns the number of operations each gives.
func (w *writeSet) Count() int {
	count := len(w.ranges)
	for node := w.first(); node != 0; node = w.next(node) {
		if _, ok := w.op(node); ok {
			count++
		}
	}
	return count
}

// EncodedSize is an upper bound of what AppendOps appends. It counts overwritten versions too, so
// it costs nothing to know.
func (w *writeSet) EncodedSize() int64 {
	writes := len(w.versions) - 1 + len(w.ranges)
	return w.held + int64(writes)*opOverhead
}

// AppendOps appends the operations as a commit record carries them.
func (w *writeSet) AppendOps(dst []byte) []byte {
	for i := range w.ranges {
		dst = wal.AppendOp(dst, w.ranges[i].op())
	}
	for node := w.first(); node != 0; node = w.next(node) {
		if op, ok := w.op(node); ok {
			dst = wal.AppendOp(dst, op)
		}
	}
	return dst
}
