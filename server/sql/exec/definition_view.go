package exec

import (
	"context"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// createView makes a view, or puts it in the place of another.
func (r *run) createView(ctx context.Context, n *plan.CreateView) error {
	v := *n.View
	if n.Old != nil {
		if err := r.holdView(ctx, n.Old); err != nil {
			return err
		}
	}
	for i := range v.Refs {
		if read := r.env.Txn.Catalog().ViewByOID(v.Refs[i].OID); read != nil {
			if err := r.holdView(ctx, read); err != nil {
				return err
			}
		}
	}
	if n.Old == nil || n.Old.Name != v.Name {
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

// holdView keeps others from the view until the end of the transaction. It has no storage whose
// lock could do that, so its name does.
func (r *run) holdView(ctx context.Context, v *catalog.View) error {
	if _, err := r.env.Txn.ddl.LockName(ctx, v.SchemaOID, v.Name); err != nil {
		return err
	}
	if err := r.x.catalog.AwaitSettled(ctx, v.OID); err != nil {
		return err
	}
	if r.env.Txn.Catalog().ViewByOID(v.OID) != v {
		return types.Errorf("XX000", "tuple concurrently updated")
	}
	return nil
}

func (r *run) dropViews(ctx context.Context, list []*catalog.View) error {
	for _, v := range list {
		if r.env.Txn.Catalog().ViewByOID(v.OID) == nil {
			continue // named twice
		}
		if err := r.holdView(ctx, v); err != nil {
			return err
		}
		if err := r.env.Txn.ddl.DropView(ctx, v); err != nil {
			return err
		}
	}
	return nil
}
