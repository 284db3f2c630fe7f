package exec

import (
	"cmp"
	"slices"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// sorter gives the rows below in order. It holds them all (X1), or right under a LIMIT about twice
// as many as that lets through.
type sorter struct {
	hold
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
	size int // what was accounted for
	at   int // its place before, which decides among equals
}

// sortedOverhead is what a sortedRow takes besides its values.
const sortedOverhead = 64

func (o *sorter) open(r *run) error { return o.in.open(r) }

func (o *sorter) close() {
	o.rows, o.at = nil, 0
	o.release()
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
	for n := 1; ; n++ {
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return err
			}
		}
		row, err := o.in.next(r)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		s, err := o.sortable(row, o.node.Keys)
		if err != nil {
			return err
		}
		o.rows = append(o.rows, s)
		if err := o.cut(r); err != nil {
			return err
		}
	}
	return r.sortRows(o.rows, o.node.Keys)
}

// cut lets go of rows that cannot be among the first ones, once there are twice as many.
func (o *sorter) cut(r *run) error {
	const worthwhile = 1024
	n := int64(len(o.rows))
	if o.bound == 0 || n < worthwhile || n < 2*o.bound {
		return nil
	}
	if err := r.sortRows(o.rows, o.node.Keys); err != nil {
		return err
	}
	for _, s := range o.rows[o.bound:] {
		o.drop(s.size)
	}
	clear(o.rows[o.bound:])
	o.rows = o.rows[:o.bound]
	return nil
}

// sortable keeps a row with the values of its sort keys. A key that is a column lies in the row.
func (h *hold) sortable(row []types.Datum, keys []plan.SortKey) (sortedRow, error) {
	s := sortedRow{row: cloneRow(row), keys: make([]types.Datum, len(keys))}
	s.size = rowSize(s.row) + sortedOverhead
	for i := range keys {
		v, err := keys[i].Expr.Eval(&h.run.eval, s.row)
		if err != nil {
			return s, err
		}
		if _, column := keys[i].Expr.(*plan.Field); !column {
			v = v.Clone()
			s.size += v.Size()
		}
		s.keys[i] = v
	}
	return s, h.keep(s.size)
}

// sortRows sorts by the keys; rows that compare equal keep their order. A sort cannot be left in
// its middle, so once the statement must stop, the rest of it compares nothing but places.
func (r *run) sortRows(rows []sortedRow, keys []plan.SortKey) error {
	for i := range rows {
		rows[i].at = i
	}
	const compareEvery = 16 * checkEvery
	compared, stop := 0, error(nil)
	slices.SortFunc(rows, func(a, b sortedRow) int {
		if compared++; compared%compareEvery == 0 && stop == nil {
			stop = r.check()
		}
		for i := 0; i < len(keys) && stop == nil; i++ {
			if c := compareKeys(a.keys[i], b.keys[i], &keys[i]); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.at, b.at)
	})
	return stop
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
	hold
	in   operator
	seen map[string]struct{}
	key  []byte

	repeats int
}

func (o *unique) open(r *run) error {
	o.seen = map[string]struct{}{}
	return o.in.open(r)
}

func (o *unique) close() {
	o.seen = nil
	o.release()
	o.in.close()
}

func (o *unique) next(r *run) ([]types.Datum, error) {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		o.key = appendKeys(o.key[:0], row)
		if _, found := o.seen[string(o.key)]; found {
			if o.repeats++; o.repeats%checkEvery == 0 {
				if err := r.check(); err != nil {
					return nil, err
				}
			}
			continue
		}
		o.seen[string(o.key)] = struct{}{}
		return row, o.keep(len(o.key) + entryOverhead)
	}
}

// entryOverhead is what an entry of a map costs besides its key.
const entryOverhead = 48

// appendKeys appends the key form of values, by which equal rows have equal bytes.
func appendKeys(key []byte, values []types.Datum) []byte {
	for _, d := range values {
		key = types.EncodeKey(key, d, types.KeyOrder{})
	}
	return key
}

// distinctOn gives the first of each run of rows with equal keys.
type distinctOn struct {
	node *plan.DistinctOn
	in   operator
	last []byte
	key  []byte
	any  bool
	seen int
}

func (o *distinctOn) open(r *run) error {
	o.any = false
	return o.in.open(r)
}

func (o *distinctOn) close() { o.in.close() }

func (o *distinctOn) next(r *run) ([]types.Datum, error) {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		if o.seen++; o.seen%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		if o.key, err = r.appendExprKeys(o.key[:0], o.node.Keys, row); err != nil {
			return nil, err
		}
		if o.any && string(o.key) == string(o.last) {
			continue
		}
		o.any = true
		o.last = append(o.last[:0], o.key...)
		return row, nil
	}
}

// appendExprKeys appends the key form of expressions.
func (r *run) appendExprKeys(
	key []byte, exprs []plan.Expr, row []types.Datum,
) ([]byte, error) {
	for _, x := range exprs {
		v, err := x.Eval(&r.eval, row)
		if err != nil {
			return key, err
		}
		key = types.EncodeKey(key, v, types.KeyOrder{})
	}
	return key, nil
}
