package exec

import (
	"context"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
)

// createView makes a view, or puts it in the place of another. The plan was made under the locks of
// all it reads.
func (r *run) createView(ctx context.Context, n *plan.CreateView) error {
	v := *n.View
	if n.Old == nil || n.Old.Name != v.Name || n.Old.SchemaOID != v.SchemaOID {
		if err := r.claim(ctx, v.SchemaOID, v.Name); err != nil {
			return err
		}
	}
	if n.Old == nil {
		oid, err := r.x.catalog.NewOID(ctx)
		if err != nil {
			return err
		}
		v.OID = oid
	}
	return r.env.Txn.ddl.PutView(ctx, &v)
}

// dropViews drops views whose locks are held.
func (r *run) dropViews(ctx context.Context, list []*catalog.View) error {
	for _, v := range list {
		if r.env.Txn.Catalog().ViewByOID(v.OID) == nil {
			continue // named twice
		}
		if err := r.env.Txn.ddl.DropView(ctx, v); err != nil {
			return err
		}
	}
	return nil
}
