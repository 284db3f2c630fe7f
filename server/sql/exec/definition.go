package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
		return func(ctx context.Context) error { return r.createTable(ctx, n) }
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
		return func(ctx context.Context) error { return r.dropIndexes(ctx, n.Indexes) }
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
		return func(ctx context.Context) error { return r.dropSequences(ctx, n.Sequences) }
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

func (r *run) createTable(ctx context.Context, n *plan.CreateTable) error {
	t := *n.Table.Clone() // the plan may run again (plan's P1)
	schema := &catalog.Schema{OID: t.SchemaOID, Name: t.Schema}
	if err := r.claim(ctx, t.SchemaOID, t.Name); err != nil {
		return err
	}
	oid, err := r.x.catalog.NewOID(ctx)
	if err != nil {
		return err
	}
	t.OID, t.Storage = oid, engine.TableID(oid)
	// Others cannot see the table yet; the lock spares COPY and INSERT their row locks.
	if err := r.txn.LockTable(ctx, t.Storage, engine.AccessExclusiveLock, engine.Wait); err != nil {
		return lockError(err, t.Name)
	}
	if t.PrimaryKey != nil {
		if t.PrimaryKey, err = r.newIndex(ctx, schema, &t, t.PrimaryKey); err != nil {
			return err
		}
	}
	if err := r.declareIndexes(ctx, schema, nil, &t); err != nil {
		return err
	}
	if err := r.bringSequences(ctx, schema, &t, n.Serials); err != nil {
		return err
	}
	if err := r.numberConstraints(ctx, &t); err != nil {
		return err
	}
	settleForeign(&t)
	if err := r.env.Txn.ddl.PutTable(ctx, &t); err != nil {
		return err
	}
	return r.relink(ctx, append(t.Parents(), t.OID)...)
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
		c.Default = "nextval('" + quoted(q.Schema) + "." + quoted(q.Name) + "'::regclass)"
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

// quoted writes an identifier for inside a string constant.
func quoted(name string) string {
	return strings.ReplaceAll(catalog.QuoteIdent(name), "'", "''")
}

// newIndex gives a primary key its oid, and a name when it has none.
func (r *run) newIndex(
	ctx context.Context, s *catalog.Schema, t *catalog.Table, wish *catalog.Index,
) (*catalog.Index, error) {
	index := &catalog.Index{Name: wish.Name, Columns: wish.Columns}
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
			if err := r.restart(ctx, q, q.Start); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) createSchema(ctx context.Context, name string) error {
	if err := r.claim(ctx, 0, name); err != nil {
		return err
	}
	oid, err := r.x.catalog.NewOID(ctx)
	if err != nil {
		return err
	}
	return r.env.Txn.ddl.PutSchema(ctx, &catalog.Schema{OID: oid, Name: name})
}

// dropSchemas removes schemas, and with CASCADE what is in them.
func (r *run) dropSchemas(ctx context.Context, n *plan.DropSchemas) error {
	for _, s := range n.Schemas {
		tables, sequences := r.contents(s)
		if err := r.refuseForeignInto(s, tables); err != nil {
			return err
		}
		views := r.viewsGoing(s, tables)
		if err := r.cascade(s, tables, sequences, views, n.Cascade); err != nil {
			return err
		}
		if err := r.dropViews(ctx, views); err != nil {
			return err
		}
		for _, t := range tables {
			err := r.txn.LockTable(ctx, t.Storage, engine.AccessExclusiveLock, engine.Wait)
			if err != nil {
				return lockError(err, t.Name)
			}
		}
		if err := r.dropTables(ctx, tables); err != nil {
			return err
		}
		_, sequences = r.contents(s)
		if err := r.dropSequences(ctx, sequences); err != nil {
			return err
		}
		if err := r.env.Txn.ddl.DropSchema(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// cascade says what a schema takes with it: in an error, or with CASCADE in a notice.
func (r *run) cascade(
	s *catalog.Schema, tables []*catalog.Table, sequences []*catalog.Sequence,
	views []*catalog.View, allowed bool,
) error {
	var objects []string
	for _, t := range tables {
		objects = append(objects, "table "+catalog.QuoteIdent(s.Name)+"."+catalog.QuoteIdent(t.Name))
	}
	for _, q := range sequences {
		if q.OwnerTable == 0 {
			objects = append(objects,
				"sequence "+catalog.QuoteIdent(s.Name)+"."+catalog.QuoteIdent(q.Name))
		}
	}
	for _, v := range views {
		objects = append(objects, "view "+catalog.QuoteIdent(v.Schema)+"."+catalog.QuoteIdent(v.Name))
	}
	if len(objects) == 0 {
		return nil
	}
	if !allowed {
		return types.Errorf(plan.CodeDependentObjects,
			"cannot drop schema %s because other objects depend on it", s.Name).
			WithDetail("%s depends on schema %s",
				strings.Join(objects, " depends on schema "+s.Name+"\n"), s.Name).
			WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	}
	if r.env.Notice == nil {
		return nil
	}
	notice := types.Errorf("00000", "drop cascades to %s", objects[0])
	if len(objects) > 1 {
		notice = types.Errorf("00000", "drop cascades to %d other objects", len(objects)).
			WithDetail("drop cascades to %s", strings.Join(objects, "\ndrop cascades to "))
	}
	r.env.Notice(notice)
	return nil
}

// viewsGoing lists the views of a schema and those elsewhere that read what is in it.
func (r *run) viewsGoing(s *catalog.Schema, tables []*catalog.Table) []*catalog.View {
	var list []*catalog.View
	snapshot := r.env.Txn.Catalog()
	var add func(v *catalog.View)
	add = func(v *catalog.View) {
		if slices.Contains(list, v) {
			return
		}
		list = append(list, v)
		for _, over := range snapshot.ViewsOf(v.OID) {
			add(over)
		}
	}
	for _, v := range snapshot.Views() {
		if v.SchemaOID == s.OID {
			add(v)
		}
	}
	for _, t := range tables {
		for _, v := range snapshot.ViewsOf(t.OID) {
			add(v)
		}
	}
	return list
}

func (r *run) contents(s *catalog.Schema) ([]*catalog.Table, []*catalog.Sequence) {
	snapshot := r.env.Txn.Catalog()
	tables := slices.DeleteFunc(snapshot.Tables(), func(t *catalog.Table) bool {
		return t.SchemaOID != s.OID
	})
	sequences := slices.DeleteFunc(snapshot.Sequences(), func(q *catalog.Sequence) bool {
		return q.SchemaOID != s.OID
	})
	return tables, sequences
}
