package plan

import (
	"cmp"
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
)

// Lock is a lock a plan takes before it runs: on a table, or on a sequence, a view or a schema, which
// the lock table knows by its oid, as it would know a table's storage. No storage id is an oid of
// theirs: both come from one counter.
type Lock struct {
	OID     uint32
	Storage engine.TableID
	Name    string
	Mode    engine.TableLockMode
}

// Current says whether the plan may run under that snapshot and path without a closer look.
func (p *Prepared) Current(s *catalog.Snapshot, path []string) bool {
	return p.version.Load() == s.Version() && slices.Equal(p.path, path)
}

// lockList gathers the locks of a plan.
type lockList []Lock

func (l *lockList) tables(mode engine.TableLockMode, tables ...*catalog.Table) {
	for _, t := range tables {
		*l = append(*l, Lock{OID: t.OID, Storage: t.Storage, Name: t.Name, Mode: mode})
	}
}

// writes lists those of a statement that writes to a table, of which a plan may have several, and
// of the tables it comes to by foreign keys.
func (l *lockList) writes(t *catalog.Table, foreign *ForeignChecks) {
	l.tables(engine.RowExclusiveLock, t)
	foreign.tables(func(t *catalog.Table, writes bool) {
		mode := engine.RowShareLock
		if writes {
			mode = engine.RowExclusiveLock
		}
		lock := Lock{OID: t.OID, Storage: t.Storage, Name: t.Name, Mode: mode}
		if !slices.Contains(*l, lock) {
			*l = append(*l, lock)
		}
	})
}

// locks lists the locks of a plan, in the order of oids, so that two statements never wait for one
// another's tables.
func locks(root Node) []Lock {
	var l lockList
	switch n := root.(type) {
	case *Explain:
		if n.Analyze {
			return locks(n.Target.Root)
		}
		return nil
	case *Copy:
		if n.Insert != nil {
			l.writes(n.Table, n.Insert.Foreign)
		}
	case *Truncate:
		l.tables(engine.AccessExclusiveLock, n.Tables...)
	default:
		l.definition(root)
	}
	visit(root, func(n Node) bool {
		switch n := n.(type) {
		case *LockRows:
			for _, t := range n.Tables {
				l.tables(engine.RowShareLock, t.Table)
			}
		case *Insert:
			l.writes(n.Table, n.Foreign)
		case *Update:
			l.writes(n.Table, n.Foreign)
		case *Delete:
			l.writes(n.Table, n.Foreign)
		}
		return true
	})
	slices.SortFunc(l, func(a, b Lock) int { return cmp.Compare(a.OID, b.OID) })
	return l
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
