package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
)

// ForeignChecks is what a statement that writes to a table has to look at in others. Nil: nothing.
type ForeignChecks struct {
	Parents  []ParentCheck
	Children []ChildCheck
}

// ParentCheck is a foreign key of the table: the row it refers to must be there.
type ParentCheck struct {
	Key     *catalog.ForeignKey
	Parent  *catalog.Table
	Columns []int // of the row, in the order of the parent's key
}

// ChildCheck is a foreign key to the table: no row of Child may refer to a key that went.
type ChildCheck struct {
	Key     *catalog.ForeignKey
	Child   *catalog.Table
	Columns []int // of the child's row, in the order of the parent's key
}

func (f *ForeignChecks) tables() []*catalog.Table {
	if f == nil {
		return nil
	}
	var list []*catalog.Table
	for _, p := range f.Parents {
		list = append(list, p.Parent)
	}
	for _, c := range f.Children {
		list = append(list, c.Child)
	}
	return list
}

// foreign gives what a statement has to check that sets those columns of a table and, with moves,
// takes keys away.
func (a *analyzer) foreign(
	t *catalog.Table, sets func(column int) bool, moves bool,
) *ForeignChecks {
	f := &ForeignChecks{}
	for i := range t.ForeignKeys {
		fk := &t.ForeignKeys[i]
		parent := a.usedRelation(fk.RefTable).Table
		columns := t.ForeignColumns(fk, parent)
		if slices.ContainsFunc(columns, sets) {
			f.Parents = append(f.Parents, ParentCheck{Key: fk, Parent: parent, Columns: columns})
		}
	}
	for _, oid := range t.ReferencedBy {
		if !moves {
			break
		}
		child := a.usedRelation(oid).Table
		for _, fk := range child.Referencing(t.OID) {
			f.Children = append(f.Children,
				ChildCheck{Key: fk, Child: child, Columns: child.ForeignColumns(fk, t)})
		}
	}
	if len(f.Parents)+len(f.Children) == 0 {
		return nil
	}
	return f
}

// foreignOfInsert is what an INSERT or COPY has to check, its ON CONFLICT included.
func (a *analyzer) foreignOfInsert(ins *Insert) *ForeignChecks {
	moves := false
	if ins.Conflict != nil {
		for _, set := range ins.Conflict.Set {
			moves = moves || keyColumn(ins.Table, set.Column)
		}
	}
	f := a.foreign(ins.Table, func(int) bool { return true }, moves)
	if ins.Conflict != nil {
		ins.Conflict.Lock = keyLock(moves, f)
	}
	return f
}

func keyColumn(t *catalog.Table, column int) bool {
	return t.PrimaryKey != nil && slices.Contains(t.PrimaryKey.Columns, column)
}
