package exec

import (
	"slices"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// sorter gives the rows below in order. It holds them all (X1), or right under a LIMIT about twice
// as many as that lets through.
type sorter struct {
	node  *plan.Sort
	in    operator
	rows  []sortedRow
	at    int
	bound int64 // how many rows anybody will ask for; 0 for all
}

// sortedRow is a row with the values it is sorted by.
type sortedRow struct {
	row  []types.Datum
	keys []types.Datum
}

func (o *sorter) open(r *run) error { return o.in.open(r) }

func (o *sorter) close() {
	o.rows = nil
	o.in.close()
}

func (o *sorter) next(r *run) ([]types.Datum, error) {
	if o.rows == nil {
		if err := o.fill(r); err != nil {
			return nil, err
		}
	}
	if o.at == len(o.rows) {
		return nil, nil
	}
	o.at++
	return o.rows[o.at-1].row, nil
}

func (o *sorter) fill(r *run) error {
	o.rows = []sortedRow{}
	for {
		row, err := o.in.next(r)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		s, err := r.sortable(row, o.node.Keys)
		if err != nil {
			return err
		}
		o.rows = append(o.rows, s)
		o.cut(r)
	}
	sortRows(o.rows, o.node.Keys)
	return r.check()
}

// cut lets go of rows that cannot be among the first ones, once there are twice as many.
func (o *sorter) cut(r *run) {
	const worthwhile = 1024
	n := int64(len(o.rows))
	if o.bound == 0 || n < worthwhile || n < 2*o.bound {
		return
	}
	sortRows(o.rows, o.node.Keys)
	for _, s := range o.rows[o.bound:] {
		r.held -= rowSize(s.row) + rowSize(s.keys)
	}
	clear(o.rows[o.bound:])
	o.rows = o.rows[:o.bound]
}

// sortable keeps a row with the values of its sort keys.
func (r *run) sortable(row []types.Datum, keys []plan.SortKey) (sortedRow, error) {
	s := sortedRow{row: cloneRow(row), keys: make([]types.Datum, len(keys))}
	for i := range keys {
		v, err := keys[i].Expr.Eval(&r.eval, s.row)
		if err != nil {
			return s, err
		}
		s.keys[i] = v.Clone()
	}
	return s, r.keep(rowSize(s.row) + rowSize(s.keys))
}

// sortRows sorts by the keys; rows that compare equal keep their order.
func sortRows(rows []sortedRow, keys []plan.SortKey) {
	slices.SortStableFunc(rows, func(a, b sortedRow) int {
		for i := range keys {
			if c := compareKeys(a.keys[i], b.keys[i], &keys[i]); c != 0 {
				return c
			}
		}
		return 0
	})
}

func compareKeys(a, b types.Datum, key *plan.SortKey) int {
	if a.IsNull() || b.IsNull() {
		switch {
		case a.IsNull() && b.IsNull():
			return 0
		case a.IsNull() == key.NullsFirst:
			return -1
		}
		return 1
	}
	c := types.Compare(a, b)
	if key.Desc {
		return -c
	}
	return c
}

// unique gives each different row once. It holds the key form of every row it gave (X1).
type unique struct {
	in   operator
	seen map[string]struct{}
	key  []byte
}

func (o *unique) open(r *run) error {
	o.seen = map[string]struct{}{}
	return o.in.open(r)
}

func (o *unique) close() {
	o.seen = nil
	o.in.close()
}

func (o *unique) next(r *run) ([]types.Datum, error) {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		o.key = o.key[:0]
		for _, d := range row {
			o.key = types.EncodeKey(o.key, d, types.KeyOrder{})
		}
		if _, found := o.seen[string(o.key)]; found {
			continue
		}
		const entryOverhead = 48
		o.seen[string(o.key)] = struct{}{}
		return row, r.keep(len(o.key) + entryOverhead)
	}
}
