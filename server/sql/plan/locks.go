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
	case *Insert:
		add(engine.RowExclusiveLock, n.Table)
	case *Update:
		add(engine.RowExclusiveLock, n.Table)
	case *Delete:
		add(engine.RowExclusiveLock, n.Table)
	case *Copy:
		if n.Insert != nil {
			add(engine.RowExclusiveLock, n.Table)
		}
	case *DropTables:
		add(engine.AccessExclusiveLock, n.Tables...)
	case *Truncate:
		add(engine.AccessExclusiveLock, n.Tables...)
	case *AddPrimaryKey:
		add(engine.AccessExclusiveLock, n.Table)
	default:
		if lock := rowLocks(root); lock != nil {
			add(engine.RowShareLock, lock.Table)
		}
	}
	slices.SortFunc(list, func(a, b TableLock) int { return int(a.Table.OID) - int(b.Table.OID) })
	return list
}

// rowLocks finds the LockRows of a SELECT.
func rowLocks(root Node) *LockRows {
	switch n := root.(type) {
	case *LockRows:
		return n
	case *Project:
		return rowLocks(n.In)
	case *Limit:
		return rowLocks(n.In)
	}
	return nil
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
		return n.In.Access.Single() && !n.SetsKey
	case *Delete:
		return n.In.Access.Single()
	case *Insert:
		v, ok := n.In.(*Values)
		return ok && len(v.Rows) == 1
	}
	return false
}
