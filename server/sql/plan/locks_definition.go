package plan

import (
	"ackdb/engine"
	"ackdb/server/sql/catalog"
)

// The locks of statements that define things.

func (l *lockList) object(mode engine.TableLockMode, oid uint32, name string) {
	*l = append(*l, Lock{OID: oid, Storage: engine.TableID(oid), Name: name, Mode: mode})
}

func (l *lockList) views(mode engine.TableLockMode, views ...*catalog.View) {
	for _, v := range views {
		l.object(mode, v.OID, v.Name)
	}
}

// unreferenced locks the tables that foreign keys are taken from.
func (l *lockList) unreferenced(list []Unreferenced) {
	for _, u := range list {
		l.tables(engine.AccessExclusiveLock, u.Child)
	}
}

// schema keeps the schema that something is made in from being dropped meanwhile.
func (l *lockList) schema(oid uint32, name string) {
	l.object(engine.AccessShareLock, oid, name)
}

// definition gathers the locks of DDL. What it rests on is locked before the plan is looked at
// again, so whatever it says of names, columns and dependents is so until the transaction ends.
func (l *lockList) definition(root Node) {
	switch n := root.(type) {
	case *CreateTable:
		l.schema(n.Table.SchemaOID, n.Table.Schema)
		l.tables(engine.ShareRowExclusiveLock, n.Parents...)
	case *CreateTableAs:
		l.definition(n.Create)
	case *DropTables:
		l.tables(engine.AccessExclusiveLock, n.Tables...)
		l.tables(engine.ShareRowExclusiveLock, n.Parents...)
		l.views(engine.AccessExclusiveLock, n.Views...)
		l.unreferenced(n.Foreign)
	case *AlterTable:
		l.tables(engine.AccessExclusiveLock, n.Table)
		l.tables(engine.ShareRowExclusiveLock, n.Parents...)
		l.views(engine.AccessExclusiveLock, n.DropViews...)
		l.unreferenced(n.DropForeign)
		for _, f := range n.Referring {
			l.tables(engine.ShareRowExclusiveLock, f.Child)
		}
		for _, alter := range n.Sequences {
			l.sequences(alter)
		}
		if n.New.SchemaOID != n.Table.SchemaOID {
			l.schema(n.New.SchemaOID, n.New.Schema)
		}
	case *CreateIndex:
		// Two at a time would each publish the table without the other's index.
		l.tables(engine.ShareRowExclusiveLock, n.Table)
	case *DropIndexes:
		for _, x := range n.Indexes {
			l.tables(engine.AccessExclusiveLock, x.Table)
		}
		l.unreferenced(n.Foreign)
	case *RenameIndex:
		l.tables(engine.AccessExclusiveLock, n.Table)
	case *CreateView:
		l.schema(n.View.SchemaOID, n.View.Schema)
		l.tables(engine.AccessShareLock, n.Tables...)
		l.views(engine.AccessShareLock, n.Views...)
		if n.Old != nil {
			l.views(engine.AccessExclusiveLock, n.Old)
		}
	case *DropViews:
		l.views(engine.AccessExclusiveLock, n.Views...)
	case *Comment:
		l.comment(n)
	case *DropSchemas:
		for _, s := range n.Schemas {
			l.object(engine.AccessExclusiveLock, s.OID, s.Name)
		}
	default:
		l.sequences(root)
	}
}

func (l *lockList) sequences(root Node) {
	switch n := root.(type) {
	case *CreateSequence:
		l.schema(n.Sequence.SchemaOID, n.Sequence.Schema)
		if n.Owner != nil {
			l.tables(engine.AccessShareLock, n.Owner)
		}
	case *AlterSequence:
		l.schema(n.Sequence.SchemaOID, n.Sequence.Schema)
		l.object(engine.AccessExclusiveLock, n.Sequence.OID, n.Sequence.Name)
		if n.Owner != nil {
			l.tables(engine.AccessShareLock, n.Owner)
		}
	case *DropSequences:
		for _, q := range n.Sequences {
			l.object(engine.AccessExclusiveLock, q.OID, q.Name)
		}
		for _, d := range n.Defaults {
			l.tables(engine.AccessExclusiveLock, d.Table)
		}
	}
}

func (l *lockList) comment(n *Comment) {
	const mode = engine.ShareUpdateExclusiveLock
	switch {
	case n.Old != nil:
		l.tables(mode, n.Old)
	case n.View != nil:
		l.views(mode, n.View)
	case n.Sequence != nil:
		l.object(mode, n.Sequence.OID, n.Sequence.Name)
	case n.Schema != nil:
		l.object(mode, n.Schema.OID, n.Schema.Name)
	}
}
