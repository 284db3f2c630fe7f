package plan

import (
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
)

// TableLock is a lock a plan takes on a table before it runs.
type TableLock struct {
	Table *catalog.Table
	Mode  engine.TableLockMode
	Wait  engine.WaitPolicy
}

// Current says whether the plan may run under that snapshot and path without a closer look.
func (p *Prepared) Current(s *catalog.Snapshot, path []string) bool {
	return p.version.Load() == s.Version() && slices.Equal(p.path, path)
}

// locks lists the table locks of a plan, in the order of oids, so that two statements never wait
// for one another's tables.
func locks(root Node) []TableLock {
	var list []TableLock
	add := func(mode engine.TableLockMode, tables ...*catalog.Table) {
		for _, t := range tables {
			list = append(list, TableLock{Table: t, Mode: mode, Wait: engine.Wait})
		}
	}
	switch n := root.(type) {
	case *CreateTable:
		add(engine.ShareRowExclusiveLock, n.Parents...)
	case *Insert:
		add(engine.RowExclusiveLock, n.Table)
		add(engine.RowShareLock, n.Foreign.tables()...)
	case *Update:
		add(engine.RowExclusiveLock, n.Table)
		add(engine.RowShareLock, n.Foreign.tables()...)
	case *Delete:
		add(engine.RowExclusiveLock, n.Table)
		add(engine.RowShareLock, n.Foreign.tables()...)
	case *Explain:
		if n.Analyze {
			return locks(n.Target.Root)
		}
		return nil
	case *Copy:
		if n.Insert != nil {
			add(engine.RowExclusiveLock, n.Table)
			add(engine.RowShareLock, n.Insert.Foreign.tables()...)
		}
	case *DropTables:
		add(engine.AccessExclusiveLock, n.Tables...)
		add(engine.ShareRowExclusiveLock, n.Parents...)
		for _, u := range n.Foreign {
			add(engine.AccessExclusiveLock, u.Child)
		}
	case *CreateView:
		add(engine.AccessShareLock, n.Tables...)
	case *Truncate:
		add(engine.AccessExclusiveLock, n.Tables...)
	case *Comment:
		if n.Old != nil {
			add(engine.ShareUpdateExclusiveLock, n.Old)
		}
	case *AlterTable:
		add(engine.AccessExclusiveLock, n.Table)
		add(engine.ShareRowExclusiveLock, n.Parents...)
	case *CreateIndex:
		// Two at a time would each publish the table without the other's index.
		add(engine.ShareRowExclusiveLock, n.Table)
	case *DropIndexes:
		for _, x := range n.Indexes {
			add(engine.AccessExclusiveLock, x.Table)
		}
	case *RenameIndex:
		add(engine.AccessExclusiveLock, n.Table)
	}
	visit(root, func(n Node) bool {
		if lock, ok := n.(*LockRows); ok {
			for _, t := range lock.Tables {
				add(engine.RowShareLock, t.Table)
			}
		}
		return true
	})
	slices.SortFunc(list, func(a, b TableLock) int { return int(a.Table.OID) - int(b.Table.OID) })
	return list
}

// isPoint says whether a plan touches at most one key.
func isPoint(root Node) bool {
	switch n := root.(type) {
	case *Project:
		return isPoint(n.In)
	case *Limit:
		return isPoint(n.In)
	case *LockRows:
		return isPoint(n.In)
	case *Scan:
		return n.Access.Single()
	case *Update:
		return n.In != nil && n.In.Access.Single() && !n.SetsKey && n.Foreign == nil
	case *Delete:
		return n.In != nil && n.In.Access.Single() && n.Foreign == nil
	case *Insert:
		v, ok := n.In.(*Values)
		return ok && len(v.Rows) == 1 && n.Foreign == nil
	}
	return false
}

// readsLate says whether a plan may come to a stored table only after it was opened: the side of a
// join that is kept, a query in an expression, the second part of a UNION.
func readsLate(root Node) bool {
	late, stored := false, false
	visit(root, func(n Node) bool {
		switch n.(type) {
		case *Scan:
			stored = true
		case *Join, *SetOp, *CTEScan, *Explain:
			late = true
		}
		late = late || len(subplans(n)) > 0
		return true
	})
	return late && stored
}
