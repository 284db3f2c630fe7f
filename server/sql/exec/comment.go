package exec

import (
	"context"

	"ackdb/server/sql/plan"
)

// comment writes the descriptor that holds a comment. The plan was made under its lock.
func (r *run) comment(ctx context.Context, n *plan.Comment) error {
	ddl := &r.env.Txn.ddl
	switch {
	case n.Table != nil:
		return ddl.PutTable(ctx, n.Table)
	case n.View != nil:
		return ddl.PutView(ctx, n.View)
	case n.Sequence != nil:
		return ddl.PutSequence(ctx, n.Sequence)
	}
	return ddl.PutSchema(ctx, n.Schema)
}
