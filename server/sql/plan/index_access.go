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
func indexAccess(t *catalog.Table, where Expr, best Access, rest Expr) (Access, Expr) {
	for _, index := range t.Indexes {
		k, left := accessBy(t, Access{Index: index}, index.Columns, where)
		if k.rank() > best.rank() {
			best, rest = k, left
		}
	}
	return best, rest
}

// key gives the index whose keys an access visits.
func (k *Access) key(t *catalog.Table) *catalog.Index {
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
	const perColumn = 8
	rank := perColumn * 2 * len(k.Prefix)
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
	if rank > 0 && k.Index != nil && k.Index.Unique {
		rank++
	}
	if rank > 0 && k.Index == nil {
		rank += 2
	}
	return rank
}

// keyPart is a column by which keys are ordered, and how.
type keyPart struct {
	column int
	order  types.KeyOrder
}

// parts lists what the keys that an access visits are ordered by, and says whether that decides the
// order of any two rows. Behind the columns of an index stands the row's own key.
func (k *Access) parts(t *catalog.Table) (parts []keyPart, total bool) {
	if k.Index != nil {
		unique := k.Index.Unique
		for i, column := range k.Index.Columns {
			parts = append(parts, keyPart{column, k.Index.Order(i)})
			unique = unique && t.Columns[column].NotNull
		}
		if unique {
			return parts, true
		}
	}
	if t.PrimaryKey == nil {
		return parts, false
	}
	for _, column := range t.PrimaryKey.Columns {
		parts = append(parts, keyPart{column: column})
	}
	return parts, true
}

// orderedByKey says whether the scan already yields what ORDER BY asks for, and turns the scan
// around when that is what it takes. A scan of the whole table of which a few rows are wanted is
// made one by an index that has the order.
func orderedByKey(s *selecting) bool {
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
		by := Access{Index: index}
		if by.orders(s.scan.Table, s.order) {
			s.scan.Access, s.scan.Recheck = by, s.scan.Filter
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
		pinned := func(p keyPart) bool { return isKey(t, item.key.Expr, p.column) }
		if slices.ContainsFunc(parts[:first], pinned) {
			continue
		}
		for next < len(parts) && slices.ContainsFunc(parts[:first], func(p keyPart) bool {
			return p.column == parts[next].column
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
		if !isKey(t, item.key.Expr, p.column) {
			return false
		}
		turned := item.key.Desc != p.order.Desc
		nulls := item.key.NullsFirst != p.order.NullsFirst
		if nulls != turned && !t.Columns[p.column].NotNull || settled && turned != reverse {
			return false
		}
		reverse, settled = turned, true
		next++
	}
	k.Reverse, k.Ordered = reverse, true
	return true
}
