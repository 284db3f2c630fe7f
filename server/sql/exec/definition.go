package exec

import (
	"context"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// definition runs a DDL statement. The plan's table locks are held already.
type definition struct {
	do func(ctx context.Context) error
}

func (o *definition) open(*run) error                  { return nil }
func (o *definition) close()                           {}
func (o *definition) next(*run) ([]types.Datum, error) { return nil, nil }
func (o *definition) execute(r *run) (int64, error)    { return 0, o.do(r.eval.Ctx) }

// definition gives what a DDL plan does; nil when n is none.
func (r *run) definition(n plan.Node) func(context.Context) error {
	switch n := n.(type) {
	case *plan.CreateTable:
		return func(ctx context.Context) error {
			_, err := r.createTable(ctx, n)
			return err
		}
	case *plan.DropTables:
		return func(ctx context.Context) error {
			if err := r.dropViews(ctx, n.Views); err != nil {
				return err
			}
			if err := r.dropForeign(ctx, n.Foreign); err != nil {
				return err
			}
			return r.dropTables(ctx, n.Tables)
		}
	case *plan.Comment:
		return func(ctx context.Context) error { return r.comment(ctx, n) }
	case *plan.CreateView:
		return func(ctx context.Context) error { return r.createView(ctx, n) }
	case *plan.DropViews:
		return func(ctx context.Context) error { return r.dropViews(ctx, n.Views) }
	case *plan.Truncate:
		return func(ctx context.Context) error { return r.truncate(ctx, n) }
	case *plan.AlterTable:
		return func(ctx context.Context) error { return r.alterTable(ctx, n) }
	case *plan.CreateIndex:
		return func(ctx context.Context) error { return r.createIndex(ctx, n.Table, n.Index) }
	case *plan.DropIndexes:
		return func(ctx context.Context) error { return r.dropIndexes(ctx, n) }
	case *plan.RenameIndex:
		return func(ctx context.Context) error { return r.renameIndex(ctx, n) }
	case *plan.CreateSchema:
		return func(ctx context.Context) error { return r.createSchema(ctx, n.Name) }
	case *plan.DropSchemas:
		return func(ctx context.Context) error { return r.dropSchemas(ctx, n) }
	case *plan.CreateSequence:
		return func(ctx context.Context) error { return r.createSequence(ctx, n.Sequence) }
	case *plan.AlterSequence:
		return func(ctx context.Context) error { return r.alterSequence(ctx, n) }
	case *plan.DropSequences:
		return func(ctx context.Context) error {
			if err := r.dropDefaults(ctx, n.Defaults); err != nil {
				return err
			}
			return r.dropSequences(ctx, n.Sequences)
		}
	case *plan.Nothing:
		return func(context.Context) error { return nil }
	}
	return nil
}

// claim makes a name ours until the end of the transaction, or says that it is taken. The plan saw
// it free; meanwhile another transaction may have created it.
func (r *run) claim(ctx context.Context, schemaOID uint32, name string) error {
	oid, err := r.env.Txn.ddl.LockName(ctx, schemaOID, name)
	if err != nil {
		return err
	}
	if oid == 0 {
		return nil
	}
	if schemaOID == 0 {
		return types.Errorf(plan.CodeDuplicateSchema, "schema \"%s\" already exists", name)
	}
	return types.Errorf(plan.CodeDuplicateTable, "relation \"%s\" already exists", name)
}

// claimFree makes a name like the wish ours, numbered when the wish itself is taken, as Postgres
// chooses names for what SERIAL and PRIMARY KEY bring along.
func (r *run) claimFree(
	ctx context.Context, s *catalog.Schema, table, column, suffix string,
) (string, error) {
	label := suffix
	for n := 1; ; n++ {
		name := plan.ObjectName(table, column, label)
		if !r.env.Txn.Catalog().Relation(s.Name, name).Exists() {
			oid, err := r.env.Txn.ddl.LockName(ctx, s.OID, name)
			if err != nil || oid == 0 {
				return name, err
			}
		}
		label = fmt.Sprintf("%s%d", suffix, n)
	}
}

// createTable makes a table and gives its oid.
func (r *run) createTable(ctx context.Context, n *plan.CreateTable) (uint32, error) {
	t := *n.Table.Clone() // the plan may run again (plan's P1)
	schema := &catalog.Schema{OID: t.SchemaOID, Name: t.Schema}
	if err := r.claim(ctx, t.SchemaOID, t.Name); err != nil {
		return 0, err
	}
	oid, err := r.x.catalog.NewOID(ctx)
	if err != nil {
		return 0, err
	}
	t.OID, t.Storage = oid, engine.TableID(oid)
	// Others cannot see the table yet; the lock spares COPY and INSERT their row locks.
	if err := r.txn.LockTable(ctx, t.Storage, engine.AccessExclusiveLock, engine.Wait); err != nil {
		return 0, lockError(err, t.Name)
	}
	if t.PrimaryKey != nil {
		if t.PrimaryKey, err = r.newIndex(ctx, schema, &t, t.PrimaryKey); err != nil {
			return 0, err
		}
	}
	if err := r.declareIndexes(ctx, schema, nil, &t); err != nil {
		return 0, err
	}
	if err := r.bringSequences(ctx, schema, &t, n.Serials); err != nil {
		return 0, err
	}
	if err := r.numberConstraints(ctx, &t); err != nil {
		return 0, err
	}
	settleForeign(&t)
	if err := r.env.Txn.ddl.PutTable(ctx, &t); err != nil {
		return 0, err
	}
	return t.OID, r.relink(ctx, append(t.Parents(), t.OID)...)
}

// bringSequences creates the sequences of SERIAL and identity columns.
func (r *run) bringSequences(
	ctx context.Context, schema *catalog.Schema, t *catalog.Table, serials []plan.Serial,
) error {
	for _, serial := range serials {
		q := *serial.Sequence
		c := &t.Columns[t.ColumnByAttnum(serial.Attnum)]
		var err error
		if q.Name, err = r.claimFree(ctx, schema, t.Name, c.Name, "seq"); err != nil {
			return err
		}
		q.OwnerTable = t.OID
		if err := r.putSequence(ctx, &q); err != nil {
			return err
		}
		if c.Identity != "" {
			c.IdentitySequence = q.OID
			continue
		}
		c.Default = fmt.Sprintf("nextval('%d'::regclass)", q.OID)
	}
	return nil
}

// numberConstraints gives the new constraints of a table their oids.
func (r *run) numberConstraints(ctx context.Context, t *catalog.Table) error {
	number := func(oid *uint32) (err error) {
		if *oid == 0 {
			*oid, err = r.x.catalog.NewOID(ctx)
		}
		return err
	}
	for i := range t.Checks {
		if err := number(&t.Checks[i].OID); err != nil {
			return err
		}
	}
	for i := range t.ForeignKeys {
		if err := number(&t.ForeignKeys[i].OID); err != nil {
			return err
		}
	}
	return nil
}

// newIndex gives a primary key its oid, and a name when it has none.
func (r *run) newIndex(
	ctx context.Context, s *catalog.Schema, t *catalog.Table, wish *catalog.Index,
) (*catalog.Index, error) {
	index := &catalog.Index{Name: wish.Name, Columns: wish.Columns, Include: wish.Include}
	var err error
	if index.Name == "" {
		index.Name, err = r.claimFree(ctx, s, t.Name, "", "pkey")
	} else {
		err = r.claim(ctx, s.OID, index.Name)
	}
	if err != nil {
		return nil, err
	}
	index.OID, err = r.x.catalog.NewOID(ctx)
	return index, err
}

// dropTables removes tables with what their columns own.
func (r *run) dropTables(ctx context.Context, tables []*catalog.Table) error {
	for _, t := range tables {
		if r.env.Txn.Catalog().TableByOID(t.OID) == nil {
			continue // named twice
		}
		for _, q := range r.owned(t) {
			if err := r.dropSequence(ctx, q); err != nil {
				return err
			}
		}
		if err := r.env.Txn.ddl.DropTable(ctx, t); err != nil {
			return err
		}
		if err := r.relink(ctx, t.Parents()...); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) owned(t *catalog.Table) []*catalog.Sequence {
	var list []*catalog.Sequence
	for _, q := range r.env.Txn.Catalog().Sequences() {
		if q.OwnerTable == t.OID {
			list = append(list, q)
		}
	}
	return list
}

func (r *run) truncate(ctx context.Context, n *plan.Truncate) error {
	r.env.Txn.flush = true
	for _, t := range n.Tables {
		if err := r.txn.DeleteTable(t.Storage); err != nil {
			return fmt.Errorf("exec: truncate %s: %w", t.Name, err)
		}
		if err := r.emptyIndexes(t); err != nil {
			return err
		}
		if !n.Restart {
			continue
		}
		for _, q := range r.owned(t) {
			if err := r.restart(ctx, q); err != nil {
				return err
			}
		}
	}
	return nil
}
