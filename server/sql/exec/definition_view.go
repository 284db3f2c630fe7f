package exec

import (
	"context"

	"ackdb/server/sql/catalog"
)

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
