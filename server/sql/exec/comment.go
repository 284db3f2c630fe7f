package exec

import (
	"context"

	"ackdb/engine"
	"ackdb/server/sql/plan"
)

// comment writes the descriptor that holds a comment.
func (r *run) comment(ctx context.Context, n *plan.Comment) error {
	ddl := &r.env.Txn.ddl
	switch {
	case n.Table != nil:
		return ddl.PutTable(ctx, n.Table)
	case n.View != nil:
		if err := r.holdView(ctx, r.env.Txn.Catalog().ViewByOID(n.View.OID)); err != nil {
			return err
		}
		return ddl.PutView(ctx, n.View)
	case n.Sequence != nil:
		table := engine.TableID(n.Sequence.OID)
		err := r.txn.LockTable(ctx, table, engine.ShareUpdateExclusiveLock, engine.Wait)
		if err != nil {
			return lockError(err, n.Sequence.Name)
		}
		return ddl.PutSequence(ctx, n.Sequence)
	}
	if _, err := ddl.LockName(ctx, 0, n.Schema.Name); err != nil {
		return err
	}
	return ddl.PutSchema(ctx, n.Schema)
}
