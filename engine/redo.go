package engine

import (
	"slices"

	"ackdb/wal"
)

// openTxns are the transactions that have data records in the log and neither commit nor abort
// yet, by the LSN of their first one. It is fed by every record in log order, when records are
// appended and when they are replayed, so redo is a function of the log alone and equal on every
// node.
type openTxns struct {
	// first is ascending: LSNs are, and begin is called in log order.
	first []wal.LSN
}

func (o *openTxns) begin(first wal.LSN) { o.first = append(o.first, first) }

// end forgets a transaction. One that is not known is no error: a replay that starts at redo
// meets commits and aborts of transactions that began before it.
func (o *openTxns) end(first wal.LSN) {
	if i, ok := slices.BinarySearch(o.first, first); ok {
		o.first = slices.Delete(o.first, i, i+1)
	}
}

// endAll is what an epoch-begin or timeline-begin record does: who was to write the missing
// commit or abort is gone.
func (o *openTxns) endAll() { o.first = o.first[:0] }

// redo is where a replay of everything above applied has to begin.
func (o *openTxns) redo(applied wal.LSN) wal.LSN {
	if len(o.first) > 0 {
		return min(o.first[0], applied)
	}
	return applied
}
