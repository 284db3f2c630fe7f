package exec

import (
	"context"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
)

func (r *run) createSequence(ctx context.Context, wish *catalog.Sequence) error {
	q := *wish
	if err := r.claim(ctx, q.SchemaOID, q.Name); err != nil {
		return err
	}
	return r.putSequence(ctx, &q)
}

// putSequence gives a sequence its oid and its first state, and writes it.
func (r *run) putSequence(ctx context.Context, q *catalog.Sequence) error {
	oid, err := r.x.catalog.NewOID(ctx)
	if err != nil {
		return err
	}
	q.OID = oid
	if err := store(ctx, r.txn, q.OID, sequenceState{last: q.Start}); err != nil {
		return err
	}
	return r.env.Txn.ddl.PutSequence(ctx, q)
}

// exclude keeps others from the sequence until the end of the transaction, and forgets the values
// that were set aside: nobody can set new ones aside before then.
func (r *run) exclude(ctx context.Context, q *catalog.Sequence) error {
	table := engine.TableID(q.OID)
	if err := r.txn.LockTable(ctx, table, engine.AccessExclusiveLock, engine.Wait); err != nil {
		return lockError(err, q.Name)
	}
	s := r.x.sequenceOf(q.OID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = 0
	return nil
}

func (r *run) alterSequence(ctx context.Context, n *plan.AlterSequence) error {
	if err := r.exclude(ctx, n.Sequence); err != nil {
		return err
	}
	if n.Rename {
		if err := r.claim(ctx, n.Sequence.SchemaOID, n.Sequence.Name); err != nil {
			return err
		}
	}
	if n.Restart != nil {
		state := sequenceState{last: *n.Restart}
		if err := store(ctx, r.txn, n.Sequence.OID, state); err != nil {
			return err
		}
	}
	return r.env.Txn.ddl.PutSequence(ctx, n.Sequence)
}

// restart sets a sequence back within the transaction, as TRUNCATE ... RESTART IDENTITY does.
func (r *run) restart(ctx context.Context, q *catalog.Sequence, value int64) error {
	return r.alterSequence(ctx, &plan.AlterSequence{Sequence: q, Restart: &value})
}

func (r *run) dropSequences(ctx context.Context, list []*catalog.Sequence) error {
	for _, q := range list {
		if r.env.Txn.Catalog().SequenceByOID(q.OID) == nil {
			continue // named twice
		}
		if err := r.dropSequence(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) dropSequence(ctx context.Context, q *catalog.Sequence) error {
	if err := r.exclude(ctx, q); err != nil {
		return err
	}
	return r.env.Txn.ddl.DropSequence(ctx, q)
}
