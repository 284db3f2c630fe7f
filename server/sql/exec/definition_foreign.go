package exec

import (
	"context"
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// settleForeign fills in what the foreign keys of a table could not say before it had its oids.
func settleForeign(t *catalog.Table) {
	for i := range t.ForeignKeys {
		fk := &t.ForeignKeys[i]
		if fk.RefTable == 0 {
			fk.RefTable = t.OID
		}
		if fk.RefTable == t.OID {
			fk.RefIndex = t.ReferredKey(fk).OID
		}
	}
}

// refuseForeignInto refuses to drop a schema whose tables are referred to from another.
func (r *run) refuseForeignInto(s *catalog.Schema, tables []*catalog.Table) error {
	for _, t := range tables {
		for _, oid := range t.ReferencedBy {
			child := r.env.Txn.Catalog().TableByOID(oid)
			if child != nil && child.SchemaOID != s.OID {
				return types.Errorf(types.CodeFeatureNotSupported, "DROP SCHEMA of a table that"+
					" foreign keys of another schema refer to is not supported")
			}
		}
	}
	return nil
}

// relink has tables know who refers to them, after foreign keys have come or gone. Their locks are
// held.
func (r *run) relink(ctx context.Context, parents ...uint32) error {
	snapshot := r.env.Txn.Catalog()
	for _, oid := range parents {
		parent := snapshot.TableByOID(oid)
		if parent == nil {
			continue
		}
		children := snapshot.Children(oid)
		if slices.Equal(children, parent.ReferencedBy) {
			continue
		}
		linked := parent.Clone()
		linked.ReferencedBy = children
		if err := r.env.Txn.ddl.PutTable(ctx, linked); err != nil {
			return err
		}
	}
	return nil
}

// dropForeign takes foreign keys from their tables.
func (r *run) dropForeign(ctx context.Context, list []plan.Unreferenced) error {
	var parents []uint32
	for _, u := range list {
		t := r.env.Txn.Catalog().TableByOID(u.Child.OID)
		if t == nil {
			continue
		}
		t = t.Clone()
		t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(fk catalog.ForeignKey) bool {
			if fk.OID == u.Key {
				parents = append(parents, fk.RefTable)
			}
			return fk.OID == u.Key
		})
		if err := r.env.Txn.ddl.PutTable(ctx, t); err != nil {
			return err
		}
	}
	return r.relink(ctx, parents...)
}
