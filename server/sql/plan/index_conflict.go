package plan

import (
	"maps"
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// arbiters finds the unique keys on which a conflict calls for the action of ON CONFLICT: those of
// the target, or without one all there are.
func (a *analyzer) arbiters(t *catalog.Table, oc *parse.OnConflict) ([]*catalog.Index, error) {
	if oc.Constraint != "" {
		index := t.IndexNamed(oc.Constraint)
		if index == nil || index != t.PrimaryKey && !index.Constraint {
			return nil, types.Errorf(types.CodeUndefinedObject,
				"constraint \"%s\" for table \"%s\" does not exist", oc.Constraint, t.Name)
		}
		return []*catalog.Index{index}, nil
	}
	if !oc.Inferred {
		return uniqueKeys(t), nil
	}
	target, err := a.conflictTarget(t, oc)
	if err != nil {
		return nil, err
	}
	var list []*catalog.Index
	for _, index := range uniqueKeys(t) {
		key, err := KeyOf(a.env, t, index)
		if err != nil {
			return nil, err
		}
		if target.means(key) {
			list = append(list, index)
		}
	}
	if list == nil {
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

// conflictTarget is what ON CONFLICT (...) WHERE says of the keys it means: their columns and
// expressions in any order, and what the rows are that they have.
type conflictTarget struct {
	columns map[int]bool
	exprs   map[string]bool // exactly
	terms   []Expr
}

func (a *analyzer) conflictTarget(
	t *catalog.Table, oc *parse.OnConflict,
) (*conflictTarget, error) {
	target := &conflictTarget{columns: map[int]bool{}, exprs: map[string]bool{}}
	for _, item := range oc.Infer {
		switch {
		case item.Collation != nil && !isByteOrder(item.Collation.Name):
			return nil, a.unsupported(oc.InferPos, "collation \""+item.Collation.Name+"\"")
		case item.Expr != nil:
			x, err := a.inRow(t, item.Expr, "ON CONFLICT")
			if err != nil {
				return nil, err
			}
			if f, ok := x.(*Field); ok {
				target.columns[f.Index] = true
			} else {
				target.exprs[exactly(x)] = true
			}
			continue
		}
		i := t.ColumnIndex(item.Name)
		if i < 0 {
			return nil, a.errorf(oc.InferPos, CodeUndefinedColumn,
				"column \"%s\" does not exist", item.Name)
		}
		target.columns[i] = true
	}
	if oc.InferWhere == nil {
		return target, nil
	}
	x, err := a.inRow(t, oc.InferWhere, "ON CONFLICT")
	if err != nil {
		return nil, err
	}
	if x, err = a.boolean(x, "WHERE", startOf(oc.InferWhere)); err != nil {
		return nil, err
	}
	target.terms = conjuncts(x, nil)
	return target, nil
}

// means says whether a key is one of those the target describes.
func (c *conflictTarget) means(key *IndexKey) bool {
	columns, exprs := map[int]bool{}, map[string]bool{}
	for _, p := range key.Parts {
		if p.Expr != nil {
			exprs[p.text] = true
		} else {
			columns[p.Column] = true
		}
	}
	if !maps.Equal(columns, c.columns) || !maps.Equal(exprs, c.exprs) {
		return false
	}
	_, ok := key.covers(c.terms)
	return ok
}

// gatherMoved has an UPDATE find all its rows before it changes the first, if it looks for them by
// one value after another of a column that it sets: a row could come again under its new value.
func (t *Target) gatherMoved(sets []SetColumn) {
	if t.In == nil || !t.In.Access.inPieces() {
		return
	}
	parts, _ := t.In.Access.parts(t.Table)
	if !slices.ContainsFunc(sets, func(set SetColumn) bool {
		return slices.ContainsFunc(parts, func(p KeyPart) bool { return p.reads(set.Column) })
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
