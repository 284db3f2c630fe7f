package pgcatalog

import (
	"context"

	"ackdb/server/sql/catalog"
)

// SequenceReader is a Host that knows the state of sequences.
type SequenceReader interface {
	// SequenceState gives the value last handed out; false when there is none yet.
	SequenceState(ctx context.Context, sequence uint32) (last int64, called bool, err error)
}

func sequenceRows(e *env, w *writer) error {
	for _, q := range e.Snapshot.Sequences() {
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
	reader, ok := e.Host.(SequenceReader)
	if !ok {
		return nil, nil
	}
	last, called, err := reader.SequenceState(e.ctx, q.OID)
	if err != nil || !called {
		return nil, err
	}
	return last, nil
}

// dependRows is pg_depend, as far as objects of users go: what is dropped with what.
func dependRows(e *env, w *writer) error {
	for _, t := range e.Snapshot.Tables() {
		if err := tableDepends(e, w, t); err != nil {
			return err
		}
	}
	for _, q := range e.Snapshot.Sequences() {
		if err := w.add(classOfRelations, q.OID, 0, classOfSchemas, q.SchemaOID, 0, 'n'); err != nil {
			return err
		}
		if q.OwnerTable == 0 {
			continue
		}
		err := w.add(classOfRelations, q.OID, 0, classOfRelations, q.OwnerTable, q.OwnerColumn, 'a')
		if err != nil {
			return err
		}
	}
	return nil
}

func tableDepends(e *env, w *writer, t *catalog.Table) error {
	if err := w.add(classOfRelations, t.OID, 0, classOfSchemas, t.SchemaOID, 0, 'n'); err != nil {
		return err
	}
	for _, c := range constraintsOf(t) {
		err := w.add(classOfRelations, c.index, 0, classOfConstraints, c.oid, 0, 'i')
		for _, number := range attnums(t, c.columns) {
			if err != nil {
				return err
			}
			err = w.add(classOfConstraints, c.oid, 0, classOfRelations, t.OID, number, 'a')
		}
		if err != nil {
			return err
		}
	}
	owned := ownedSequences(e.Snapshot, t)
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Default == "" {
			continue
		}
		oid := defaultOID(t, c)
		err := w.add(classOfDefaults, oid, 0, classOfRelations, t.OID, c.Attnum, 'a')
		if q := owned[c.Attnum]; q != nil && err == nil {
			err = w.add(classOfDefaults, oid, 0, classOfRelations, q.OID, 0, 'n')
		}
		if err != nil {
			return err
		}
	}
	return nil
}
