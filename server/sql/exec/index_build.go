package exec

import (
	"context"
	"fmt"
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
)

// createIndex makes an index of a table that is there and enters every row into it. The plan's lock
// keeps writers away, not readers.
func (r *run) createIndex(ctx context.Context, t *catalog.Table, wish *catalog.Index) error {
	if err := r.refuseStale("CREATE INDEX,"); err != nil {
		return err
	}
	schema := &catalog.Schema{OID: t.SchemaOID, Name: t.Schema}
	index, err := r.declareIndex(ctx, schema, t, wish)
	if err != nil {
		return err
	}
	next := t.Clone()
	next.Indexes = append(next.Indexes, index)
	if err := r.env.Txn.ddl.PutTable(ctx, next); err != nil {
		return err
	}
	return r.fillIndex(r.env.Txn.Catalog().TableByOID(t.OID), index.OID, true)
}

// declareIndexes gives the new indexes of a table what they lack, and those it has had their names.
func (r *run) declareIndexes(ctx context.Context, s *catalog.Schema, old, t *catalog.Table) error {
	wishes := t.Indexes
	t.Indexes = nil
	for _, index := range wishes {
		var err error
		if index.OID == 0 {
			index, err = r.declareIndex(ctx, s, t, index)
		} else if was := old.IndexByOID(index.OID); was.Name != index.Name ||
			t.SchemaOID != old.SchemaOID {
			err = r.claim(ctx, s.OID, index.Name)
		}
		if err != nil {
			return err
		}
		t.Indexes = append(t.Indexes, index)
	}
	return nil
}

// fillNewIndexes enters every row into the indexes that the old form of a table has not had.
func (r *run) fillNewIndexes(old *catalog.Table) error {
	t := r.env.Txn.Catalog().TableByOID(old.OID)
	for _, index := range t.Indexes {
		if old.IndexByOID(index.OID) != nil {
			continue
		}
		if err := r.fillIndex(t, index.OID, true); err != nil {
			return err
		}
	}
	return nil
}

// declareIndex gives an index its oid, its storage, and a name when it has none. Nobody else can
// see it yet; the lock spares its entries their own.
func (r *run) declareIndex(
	ctx context.Context, s *catalog.Schema, t *catalog.Table, wish *catalog.Index,
) (*catalog.Index, error) {
	index := *wish
	var err error
	if index.Name == "" {
		index.Name, err = r.indexName(ctx, s, t, wish)
	} else {
		err = r.claim(ctx, s.OID, index.Name)
	}
	if err != nil {
		return nil, err
	}
	if index.OID, err = r.x.catalog.NewOID(ctx); err != nil {
		return nil, err
	}
	index.Storage = engine.TableID(index.OID)
	err = r.txn.LockTable(ctx, index.Storage, engine.AccessExclusiveLock, engine.Wait)
	if err != nil {
		return nil, lockError(err, index.Name)
	}
	return &index, nil
}

// indexName makes a free name for an index ours. One that another index of the same statement has
// just taken is not in the catalog yet.
func (r *run) indexName(
	ctx context.Context, s *catalog.Schema, t *catalog.Table, wish *catalog.Index,
) (string, error) {
	columns, ending := plan.IndexNameParts(t, wish)
	for n := 0; ; n++ {
		label := ending
		if n > 0 {
			label = fmt.Sprintf("%s%d", ending, n)
		}
		name := plan.ObjectName(t.Name, columns, label)
		if t.IndexNamed(name) != nil || r.env.Txn.Catalog().Relation(s.Name, name).Exists() {
			continue
		}
		oid, err := r.env.Txn.ddl.LockName(ctx, s.OID, name)
		if err != nil || oid == 0 {
			return name, err
		}
	}
}

// refillIndexes makes the entries of all indexes of a table anew, behind a rewrite of its rows.
func (r *run) refillIndexes(t *catalog.Table) error {
	if err := r.emptyIndexes(t); err != nil {
		return err
	}
	for _, index := range t.Indexes {
		if err := r.fillIndex(t, index.OID, false); err != nil {
			return err
		}
	}
	return nil
}

// emptyIndexes removes the entries of all indexes of a table.
func (r *run) emptyIndexes(t *catalog.Table) error {
	for _, index := range t.Indexes {
		if err := r.txn.DeleteTable(index.Storage); err != nil {
			return fmt.Errorf("exec: empty index %s: %w", index.Name, err)
		}
	}
	return nil
}

// dropIndexes removes indexes. Their tables change one by one, so each is looked up again.
func (r *run) dropIndexes(ctx context.Context, n *plan.DropIndexes) error {
	if err := r.dropForeign(ctx, n.Foreign); err != nil {
		return err
	}
	for _, x := range n.Indexes {
		t := r.env.Txn.Catalog().TableByOID(x.Table.OID).Clone()
		t.Indexes = slices.DeleteFunc(t.Indexes, func(i *catalog.Index) bool {
			return i.OID == x.Index.OID
		})
		if err := r.env.Txn.ddl.PutTable(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) renameIndex(ctx context.Context, n *plan.RenameIndex) error {
	if err := r.claim(ctx, n.Table.SchemaOID, n.Name); err != nil {
		return err
	}
	t := n.Table.Clone()
	t.IndexByOID(n.Index.OID).Name = n.Name
	return r.env.Txn.ddl.PutTable(ctx, t)
}
