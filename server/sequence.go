package server

import (
	"context"

	"ackdb/server/sql/catalog"
)

// SequenceState implements catalog.SequenceReader.
func (s *session) SequenceState(
	ctx context.Context, q *catalog.Sequence,
) (catalog.SequenceState, error) {
	return s.server.executor.SequenceState(ctx, q)
}
