package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// indexAccess gives the access by an index that is better than what the primary key has to offer,
// or else the latter. Nothing is known of how values are spread: what binds more columns is taken
// to give fewer rows. Of equals the primary key is better, which needs no second look-up, then an
// index that is unique or older.
func (a *analyzer) indexAccess(
	t *catalog.Table, where Expr, best Access, rest Expr,
) (Access, Expr) {
	terms := conjuncts(where, nil)
	for _, index := range t.Indexes {
		key, left, ok := a.indexFor(t, index, terms)
		if !ok {
			continue
		}
		k, above := accessBy(Access{Index: index, key: key}, key.Parts, left)
		if k.doubt(); k.rank() > best.rank() {
			best, rest = k, above
		}
	}
	return best, rest
}

// indexFor gives the key of an index that has every row the terms let pass, and the terms that are
// left to be decided in it. One that cannot be read is of no use here; who writes is told.
func (a *analyzer) indexFor(
	t *catalog.Table, index *catalog.Index, terms []Expr,
) (key *IndexKey, left []Expr, ok bool) {
	key, err := KeyOf(a.env, t, index)
	if err != nil {
		return nil, nil, false
	}
	a.noteLiterals(key, terms)
	if left, ok = key.covers(terms); !ok {
		return nil, nil, false
	}
	return key, left, true
}

// index gives the index whose keys an access visits.
func (k *Access) index(t *catalog.Table) *catalog.Index {
	if k.Index != nil {
		return k.Index
	}
	return t.PrimaryKey
}

// Order says how the i-th column of the keys lies in them.
func (k *Access) Order(i int) types.KeyOrder {
	if k.Index == nil {
		return types.KeyOrder{}
	}
	return k.Index.Order(i)
}

// rank says how far an access narrows the rows down.
func (k *Access) rank() int {
	const perColumn, nullRank = 8, 1
	rank := 0
	for _, x := range k.Prefix {
		if _, null := x.(*NullKey); null {
			rank += nullRank
		} else {
			rank += perColumn * 2
		}
	}
	if k.key != nil && k.key.selective() {
		rank += 2
	}
	switch {
	case k.one():
		return perColumn * 1000
	case k.In != nil || k.AnyOf != nil:
		rank += perColumn
	case k.Low != nil && k.High != nil:
		rank += perColumn / 2
	case k.Like != nil:
		rank += perColumn / 2
	case k.Low != nil || k.High != nil:
		rank += perColumn / 4
	}
	if k.NotNull {
		rank += nullRank
	}
	if rank > 0 && k.Index != nil && k.Index.Unique {
		rank++
	}
	if rank > 0 && k.Index == nil {
		rank += 2
	}
	return rank
}

// parts lists what the keys that an access visits are ordered by, and says whether that decides the
// order of any two rows. Behind the columns of an index stands the row's own key.
func (k *Access) parts(t *catalog.Table) (parts []KeyPart, total bool) {
	if k.Index != nil {
		unique := k.Index.Unique
		for _, part := range k.key.Parts {
			parts = append(parts, part)
			unique = unique && part.NotNull
		}
		if unique {
			return parts, true
		}
	}
	if t.PrimaryKey == nil {
		return parts, false
	}
	return append(parts, plainKey(t, t.PrimaryKey).Parts...), true
}

// orderedByKey says whether the scan already yields what ORDER BY asks for, and turns the scan
// around when that is what it takes. A scan of the whole table of which a few rows are wanted is
// made one by an index that has the order.
func (a *analyzer) orderedByKey(s *selecting) bool {
	if s.scan == nil {
		return false
	}
	k := &s.scan.Access
	if k.orders(s.scan.Table, s.order) {
		return true
	}
	if k.Narrowed() || s.count == nil {
		return false
	}
	for _, index := range s.scan.Table.Indexes {
		key, left, ok := a.indexFor(s.scan.Table, index, conjuncts(s.scan.Filter, nil))
		by := Access{Index: index, key: key}
		if ok && by.orders(s.scan.Table, s.order) {
			s.scan.Access, s.scan.Recheck = by, s.scan.Filter
			s.scan.Filter = conjunction(left)
			return true
		}
	}
	return false
}

// orders says whether the access yields rows in that order, and turns it around when that is what
// it takes. Pinned columns are equal in all rows, so an item that names one asks for nothing.
func (k *Access) orders(t *catalog.Table, items []orderItem) bool {
	parts, total := k.parts(t)
	if len(parts) == 0 {
		return false
	}
	first, next := len(k.Prefix), len(k.Prefix)
	reverse, settled := false, false
	for _, item := range items {
		pinned := func(p KeyPart) bool { return p.is(item.key.Expr) }
		if slices.ContainsFunc(parts[:first], pinned) {
			continue
		}
		for next < len(parts) && parts[next].Expr == nil &&
			slices.ContainsFunc(parts[:first], func(p KeyPart) bool {
				return p.Column == parts[next].Column
			}) {
			next++ // a key column behind the index that the index has pinned already
		}
		if next == len(parts) {
			if !total {
				return false
			}
			break // the whole key decides: later items never matter
		}
		p := parts[next]
		if !p.is(item.key.Expr) {
			return false
		}
		turned := item.key.Desc != p.Order.Desc
		nulls := item.key.NullsFirst != p.Order.NullsFirst
		if nulls != turned && !p.NotNull || settled && turned != reverse {
			return false
		}
		reverse, settled = turned, true
		next++
	}
	k.Reverse, k.Ordered, k.Tentative = reverse, true, false
	return true
}
