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

// exclude keeps others from a sequence until the end of the transaction, forgets the values that
// were set aside, since nobody can set new ones aside before then, and gives the sequence as it is
// once the lock is held: nil when it is gone.
func (r *run) exclude(ctx context.Context, q *catalog.Sequence) (*catalog.Sequence, error) {
	table := engine.TableID(q.OID)
	if err := r.txn.LockTable(ctx, table, engine.AccessExclusiveLock, engine.Wait); err != nil {
		return nil, lockError(err, q.Name)
	}
	if err := r.x.catalog.AwaitSettled(ctx, q.OID); err != nil {
		return nil, err
	}
	s := r.x.sequenceOf(q.OID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = 0
	return r.env.Txn.Catalog().SequenceByOID(q.OID), nil
}

// alterSequence gives a sequence its new form. The plan was made under its lock.
func (r *run) alterSequence(ctx context.Context, n *plan.AlterSequence) error {
	if _, err := r.exclude(ctx, n.Sequence); err != nil {
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
func (r *run) restart(ctx context.Context, q *catalog.Sequence) error {
	now, err := r.exclude(ctx, q)
	if now == nil || err != nil {
		return err
	}
	if err := store(ctx, r.txn, now.OID, sequenceState{last: now.Start}); err != nil {
		return err
	}
	return r.env.Txn.ddl.PutSequence(ctx, now)
}

func (r *run) dropSequences(ctx context.Context, list []*catalog.Sequence) error {
	for _, q := range list {
		if err := r.dropSequence(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// dropDefaults takes the defaults from columns. Their tables' locks are held.
func (r *run) dropDefaults(ctx context.Context, list []plan.DefaultOf) error {
	for _, d := range list {
		t := r.env.Txn.Catalog().TableByOID(d.Table.OID).Clone()
		t.Columns[t.ColumnByAttnum(d.Attnum)].Default = ""
		if err := r.env.Txn.ddl.PutTable(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// dropSequence drops a sequence, unless it is gone: named twice, or dropped by another.
func (r *run) dropSequence(ctx context.Context, q *catalog.Sequence) error {
	now, err := r.exclude(ctx, q)
	if now == nil || err != nil {
		return err
	}
	return r.env.Txn.ddl.DropSequence(ctx, now)
}
