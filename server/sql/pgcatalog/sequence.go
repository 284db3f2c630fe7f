package pgcatalog

import "ackdb/server/sql/catalog"

func sequenceRows(e *env, w *writer) error {
	for _, q := range e.sequences(w, "seqrelid") {
		err := w.add(q.OID, q.TypeOID, q.Start, q.Increment, q.Max, q.Min, q.Cache, q.Cycle)
		if err != nil {
			return err
		}
	}
	return nil
}

// sequencesRows is pg_sequences.
func sequencesRows(e *env, w *writer) error {
	for _, q := range e.Snapshot.Sequences() {
		last, err := e.lastValue(q)
		if err != nil {
			return err
		}
		err = w.add(q.Schema, q.Name, e.site.Superuser, q.TypeOID, q.Start, q.Min, q.Max,
			q.Increment, q.Cycle, q.Cache, last)
		if err != nil {
			return err
		}
	}
	return nil
}

// lastValue is NULL for a sequence that was not used, and where nobody knows.
func (e *env) lastValue(q *catalog.Sequence) (any, error) {
	reader, ok := e.Host.(catalog.SequenceReader)
	if !ok {
		return nil, nil
	}
	state, err := reader.SequenceState(e.ctx, q)
	if err != nil || !state.Called {
		return nil, err
	}
	return state.Last, nil
}
