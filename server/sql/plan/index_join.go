package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
)

// wholeTable is the size of a source that is all of a table.
const wholeTable = 3

// lookUpKeys lists the keys by which rows of a table may be looked up, one after another, for the
// rows of another source. For all rows of a table, reading the other side once is better than that
// many ways through an index. terms hold of all rows that are looked for.
func (a *analyzer) lookUpKeys(t *catalog.Table, rows int, terms []Expr) [][]KeyPart {
	var keys [][]KeyPart
	if t.PrimaryKey != nil {
		keys = append(keys, plainKey(t, t.PrimaryKey).Parts)
	}
	if rows < wholeTable {
		for _, index := range t.Indexes {
			if key, _, ok := a.indexFor(t, index, terms); ok {
				keys = append(keys, key.Parts)
			}
		}
	}
	return keys
}

// lookUp turns conditions that pin leading columns of one of the keys of a table into terms for its
// scan, with what the other side gives in slots. rest are the conditions that are left.
func (a *analyzer) lookUp(
	t *catalog.Table, rows int, here []Expr, from, at *joinTree, terms *[]Expr,
) (rest []Expr, binds []Binding, found bool) {
	var best []pinnedKey
	most := 0
	local := shiftAll(slices.Concat(*terms, at.terms), -at.lo)
	for _, parts := range a.lookUpKeys(t, rows, local) {
		pinned, n := pinnedKeys(parts, here, from, at, local)
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
		key := p.part.field(t, at.lo)
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

// pinnedKey is a part of a key that a condition gives a value of the other side for.
type pinnedKey struct {
	part      *KeyPart
	value, by Expr
}

// pinnedKeys finds the conditions that pin leading parts of a key, beside the terms that pin some by
// themselves, and says how many parts are pinned in all.
func pinnedKeys(
	parts []KeyPart, here []Expr, from, at *joinTree, local []Expr,
) (pinned []pinnedKey, n int) {
	for n = range parts {
		part := &parts[n]
		if slices.ContainsFunc(local, func(term Expr) bool { return part.pinned(term) != nil }) {
			continue
		}
		p := pinnedKey{part: part}
		for _, term := range here {
			if p.value = part.valueFrom(term, at, from); p.value != nil {
				p.by = term
				break
			}
		}
		if p.value == nil {
			return pinned, n
		}
		pinned = append(pinned, p)
	}
	return pinned, len(parts)
}

// valueFrom gives the value when term is part = value, with a value of the other side's row that
// encodes as the part's keys do.
func (p *KeyPart) valueFrom(term Expr, at, from *joinTree) Expr {
	cmp, ok := term.(*Compare)
	if !ok || cmp.Op != EQ || isVolatile(term) || runsQuery(term) {
		return nil
	}
	fits := func(key, value Expr) bool {
		return readsWithin(key, at) && p.is(shift(key, -at.lo)) && readsWithin(value, from) &&
			keyClass(value.Type().OID) == keyClass(p.Type)
	}
	switch {
	case fits(cmp.L, cmp.R):
		return cmp.R
	case fits(cmp.R, cmp.L):
		return cmp.L
	}
	return nil
}
