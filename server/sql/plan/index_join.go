package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
)

// wholeTable is the size of a source that is all of a table.
const wholeTable = 3

// lookUpKeys lists the keys by which rows of a table may be looked up, one after another, for the
// rows of another source: for each the columns. For all rows of a table, reading the other side
// once is better than that many ways through an index.
func lookUpKeys(t *catalog.Table, rows int) [][]int {
	var keys [][]int
	if t.PrimaryKey != nil {
		keys = append(keys, t.PrimaryKey.Columns)
	}
	if rows < wholeTable {
		for _, index := range t.Indexes {
			keys = append(keys, index.Columns)
		}
	}
	return keys
}

// lookUp turns conditions that pin leading columns of one of the keys of a table into terms for its
// scan, with what the other side gives in slots. rest are the conditions that are left.
func (a *analyzer) lookUp(
	t *catalog.Table, keys [][]int, here []Expr, from, at *joinTree, terms *[]Expr,
) (rest []Expr, binds []Binding, found bool) {
	var best []pinnedKey
	most := 0
	for _, columns := range keys {
		pinned, n := pinnedKeys(t, columns, here, from, at, slices.Concat(*terms, at.terms))
		if len(pinned) > 0 && n > most {
			best, most = pinned, n
		}
	}
	if len(best) == 0 {
		return here, nil, false
	}
	used := map[Expr]bool{}
	var pinned []Expr
	for _, p := range best {
		slot := a.newSlot()
		binds = append(binds, Binding{Slot: slot, Expr: p.value})
		c := &t.Columns[p.column]
		key := &Field{Index: at.lo + p.column, T: c.Type, Name: c.Name}
		pinned = append(pinned, &Compare{Op: EQ, L: key, R: outerOf(p.value, slot)})
		used[p.by] = true
	}
	for _, term := range here {
		if !used[term] {
			rest = append(rest, term)
		}
	}
	*terms = append(pinned, *terms...)
	return rest, binds, true
}

// pinnedKey is a key column that a condition gives a value of the other side for.
type pinnedKey struct {
	column    int
	value, by Expr
}

// pinnedKeys finds the conditions that pin leading columns of a key, beside the terms that pin some
// by themselves, and says how many columns are pinned in all.
func pinnedKeys(
	t *catalog.Table, columns []int, here []Expr, from, at *joinTree, terms []Expr,
) (pinned []pinnedKey, n int) {
	for n = range columns {
		column, local := columns[n], false
		for _, term := range terms {
			local = local || pins(t, shift(term, -at.lo), column) != nil
		}
		if local {
			continue
		}
		p := pinnedKey{column: column}
		for _, term := range here {
			if p.value = keyFrom(t, term, column, at, from); p.value != nil {
				p.by = term
				break
			}
		}
		if p.value == nil {
			return pinned, n
		}
		pinned = append(pinned, p)
	}
	return pinned, len(columns)
}
