package exec

import (
	"context"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
)

// SequenceState says where a sequence stands: what memory knows while values are set aside there,
// else what is stored, which after a restart is the last value that had been set aside.
func (x *Executor) SequenceState(
	ctx context.Context, q *catalog.Sequence,
) (catalog.SequenceState, error) {
	s := x.sequenceOf(q.OID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left > 0 {
		return catalog.SequenceState{Last: s.next - q.Increment, Left: s.left, Called: true}, nil
	}
	t := x.db.Begin(engine.TxnOptions{})
	defer t.Rollback()
	t.StartPointStatement()
	value, found, err := t.Get(ctx, catalog.SequenceTable, catalog.SequenceKey(q.OID))
	if err != nil {
		return catalog.SequenceState{}, fmt.Errorf("exec: read sequence %s: %w", q.Name, err)
	}
	if !found {
		return catalog.SequenceState{Last: q.Start}, nil
	}
	stored, err := decodeSequence(value)
	return catalog.SequenceState{Last: stored.last, Called: stored.called}, err
}
