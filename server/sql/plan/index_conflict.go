package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// arbiters finds the unique keys on which a conflict calls for the action of ON CONFLICT: those of
// the target, or without one all there are.
func (a *analyzer) arbiters(t *catalog.Table, oc *parse.OnConflict) ([]*catalog.Index, error) {
	switch {
	case oc.Constraint != "":
		index := t.IndexNamed(oc.Constraint)
		if index == nil || index != t.PrimaryKey && !index.Constraint {
			return nil, types.Errorf(types.CodeUndefinedObject,
				"constraint \"%s\" for table \"%s\" does not exist", oc.Constraint, t.Name)
		}
		return []*catalog.Index{index}, nil
	case oc.InferWhere != nil:
		return nil, a.unsupported(oc.InferPos, "ON CONFLICT ... WHERE as a target")
	}
	var named map[int]bool
	if oc.Inferred {
		var err error
		if named, err = a.conflictColumns(t, oc); err != nil {
			return nil, err
		}
	}
	var list []*catalog.Index
	for _, index := range uniqueKeys(t) {
		if named == nil || sameColumns(index, named) {
			list = append(list, index)
		}
	}
	if named != nil && list == nil {
		return nil, a.errorf(parse.NoPos, CodeInvalidColumnRef, "there is no unique or exclusion"+
			" constraint matching the ON CONFLICT specification")
	}
	return list, nil
}

// uniqueKeys lists what a row can conflict on.
func uniqueKeys(t *catalog.Table) []*catalog.Index {
	var list []*catalog.Index
	if t.PrimaryKey != nil {
		list = append(list, t.PrimaryKey)
	}
	for _, index := range t.Indexes {
		if index.Unique {
			list = append(list, index)
		}
	}
	return list
}

func (a *analyzer) conflictColumns(
	t *catalog.Table, oc *parse.OnConflict,
) (map[int]bool, error) {
	named := map[int]bool{}
	for _, item := range oc.Infer {
		if item.Expr != nil || item.OpClass != nil {
			return nil, a.unsupported(oc.InferPos, "ON CONFLICT on an expression")
		}
		i := t.ColumnIndex(item.Name)
		if i < 0 {
			return nil, a.errorf(oc.InferPos, CodeUndefinedColumn,
				"column \"%s\" does not exist", item.Name)
		}
		named[i] = true
	}
	return named, nil
}

// sameColumns says whether the columns of a key are just those, in whatever order.
func sameColumns(index *catalog.Index, named map[int]bool) bool {
	key := map[int]bool{}
	for _, column := range index.Columns {
		if !named[column] {
			return false
		}
		key[column] = true
	}
	return len(key) == len(named)
}

// gatherMoved has an UPDATE find all its rows before it changes the first, if it looks for them by
// one value after another of a column that it sets: a row could come again under its new value.
func (t *Target) gatherMoved(sets []SetColumn) {
	if t.In == nil || !t.In.Access.inPieces() {
		return
	}
	parts, _ := t.In.Access.parts(t.Table)
	if !slices.ContainsFunc(sets, func(set SetColumn) bool {
		return slices.ContainsFunc(parts, func(p keyPart) bool { return p.column == set.Column })
	}) {
		return
	}
	t.Source, t.Recheck, t.In = t.In, t.In.Whole(), nil
}

// Whole gives the condition that a row must pass which changed before it was locked: what an index
// decided may be otherwise by then. The table's own key cannot change (P3).
func (s *Scan) Whole() Expr {
	if s.Access.Index != nil {
		return s.Recheck
	}
	return s.Filter
}

// inPieces says whether the keys are visited by several requests, one after the other.
func (k *Access) inPieces() bool { return k.In != nil || k.AnyOf != nil }

// readsInPieces says whether a plan comes to some rows of a stored table only when it has given
// others.
func readsInPieces(root Node) bool {
	return !visit(root, func(n Node) bool {
		scan, ok := n.(*Scan)
		return !ok || !scan.Access.inPieces()
	})
}
