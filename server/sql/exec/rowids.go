package exec

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
)

// rowIDs gives the hidden row ids of one table without a primary key.
//
// The counter is not stored: after a start it goes on behind the highest row that is there (X5). A
// row above that was never committed, or was deleted, and nobody who saw it is left.
type rowIDs struct{ last atomic.Uint64 }

func (n *rowIDs) next() uint64 { return n.last.Add(1) }

// rowIDsOf gives the counter of a table. The first use in a process reads the table's end; nobody
// can have rows in flight before that, since they would have come here for their ids.
func (x *Executor) rowIDsOf(ctx context.Context, t *catalog.Table) (*rowIDs, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n := x.rowIDs[t.Storage]; n != nil {
		return n, nil
	}
	n := new(rowIDs)
	txn := x.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer txn.Rollback()
	txn.StartStatement()
	it := txn.Scan(t.Storage, nil, nil, true)
	defer it.Close()
	if it.Next() {
		if len(it.Key()) != 8 {
			return nil, fmt.Errorf("exec: row of %s has a malformed row id %x", t.Name, it.Key())
		}
		n.last.Store(binary.BigEndian.Uint64(it.Key()))
	}
	if err := it.Err(); err != nil {
		return nil, fmt.Errorf("exec: find the last row of %s: %w", t.Name, err)
	}
	x.rowIDs[t.Storage] = n
	return n, ctx.Err()
}
