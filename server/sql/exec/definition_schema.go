package exec

import (
	"context"
	"slices"
	"strings"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

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
		in, err := r.holdContents(ctx, s)
		if err != nil {
			return err
		}
		if err := r.refuseForeignInto(s, in.tables); err != nil {
			return err
		}
		if err := r.cascade(s, in, n.Cascade); err != nil {
			return err
		}
		if err := r.dropViews(ctx, in.views); err != nil {
			return err
		}
		if err := r.dropTables(ctx, in.tables); err != nil {
			return err
		}
		if err := r.dropSequences(ctx, in.sequences); err != nil {
			return err
		}
		if err := r.env.Txn.ddl.DropSchema(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// schemaContents is what goes with a schema.
type schemaContents struct {
	tables    []*catalog.Table
	sequences []*catalog.Sequence
	views     []*catalog.View // of other schemas, too
}

// holdContents locks what goes with a schema and gives it as it is then. Who waited for a lock may
// find more than there was, or another storage, so it looks until nothing is new. The schema itself
// is locked: nothing more can be made in it.
func (r *run) holdContents(ctx context.Context, s *catalog.Schema) (*schemaContents, error) {
	held := map[engine.TableID]bool{}
	for {
		in, fresh := r.contents(s), false
		for _, l := range r.contentLocks(in) {
			if held[l.Storage] {
				continue
			}
			if err := r.txn.LockTable(ctx, l.Storage, l.Mode, engine.Wait); err != nil {
				return nil, lockError(err, l.Name)
			}
			if err := r.x.catalog.AwaitDependents(ctx, l.OID); err != nil {
				return nil, err
			}
			held[l.Storage], fresh = true, true
		}
		if !fresh {
			return in, nil
		}
	}
}

// contentLocks lists the locks that dropping what goes with a schema takes: on it all, and on what
// its tables refer to elsewhere.
func (r *run) contentLocks(in *schemaContents) []plan.Lock {
	var list []plan.Lock
	for _, t := range in.tables {
		list = append(list, plan.Lock{OID: t.OID, Storage: t.Storage, Name: t.Name,
			Mode: engine.AccessExclusiveLock})
	}
	for _, q := range in.sequences {
		list = append(list, plan.Lock{OID: q.OID, Storage: engine.TableID(q.OID), Name: q.Name,
			Mode: engine.AccessExclusiveLock})
	}
	for _, v := range in.views {
		list = append(list, plan.Lock{OID: v.OID, Storage: engine.TableID(v.OID), Name: v.Name,
			Mode: engine.AccessExclusiveLock})
	}
	for _, t := range in.tables {
		for _, oid := range t.Parents() {
			if p := r.env.Txn.Catalog().TableByOID(oid); p != nil && !slices.Contains(in.tables, p) {
				list = append(list, plan.Lock{OID: p.OID, Storage: p.Storage, Name: p.Name,
					Mode: engine.ShareRowExclusiveLock})
			}
		}
	}
	return list
}

// cascade says what a schema takes with it: in an error, or with CASCADE in a notice.
func (r *run) cascade(s *catalog.Schema, in *schemaContents, allowed bool) error {
	var objects []string
	for _, t := range in.tables {
		objects = append(objects, "table "+catalog.QuoteIdent(s.Name)+"."+catalog.QuoteIdent(t.Name))
	}
	for _, q := range in.sequences {
		if q.OwnerTable == 0 {
			objects = append(objects,
				"sequence "+catalog.QuoteIdent(s.Name)+"."+catalog.QuoteIdent(q.Name))
		}
	}
	for _, v := range in.views {
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

func (r *run) contents(s *catalog.Schema) *schemaContents {
	snapshot := r.env.Txn.Catalog()
	in := &schemaContents{
		tables: slices.DeleteFunc(snapshot.Tables(), func(t *catalog.Table) bool {
			return t.SchemaOID != s.OID
		}),
		sequences: slices.DeleteFunc(snapshot.Sequences(), func(q *catalog.Sequence) bool {
			return q.SchemaOID != s.OID
		}),
	}
	in.views = r.viewsGoing(s, in.tables)
	return in
}
