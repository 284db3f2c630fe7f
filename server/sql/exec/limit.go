package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// limit skips rows and then gives so many.
type limit struct {
	node *plan.Limit
	in   operator
	skip int64
	left int64         // -1 for no bound
	last []types.Datum // with ties: the sort keys of the last row within the bound
}

func (o *limit) open(r *run) error {
	var err error
	if o.left, err = r.rowCount(o.node.Count, -1, "LIMIT"); err != nil {
		return err
	}
	if o.skip, err = r.rowCount(o.node.Offset, 0, "OFFSET"); err != nil {
		return err
	}
	o.last = nil
	if s, ok := o.in.(*sorter); ok && o.node.Ties == nil && o.left > 0 && o.skip < maxBound {
		s.bound = min(o.left, maxBound) + o.skip
	}
	return o.in.open(r)
}

// maxBound is where a LIMIT is too large for a sort to make use of it.
const maxBound = 1 << 30

func (r *run) rowCount(x plan.Expr, none int64, clause string) (int64, error) {
	if x == nil {
		return none, nil
	}
	v, err := x.Eval(&r.eval, nil)
	if err != nil || v.IsNull() {
		return none, err
	}
	if v.Int() < 0 {
		code := plan.CodeInvalidRowCount
		if clause == "OFFSET" {
			code = plan.CodeInvalidOffset
		}
		return 0, types.Errorf(code, "%s must not be negative", clause)
	}
	return v.Int(), nil
}

func (o *limit) close() { o.in.close() }

func (o *limit) next(r *run) ([]types.Datum, error) {
	for ; o.skip > 0 && o.left != 0; o.skip-- {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
	}
	if o.left == 0 {
		return o.tied(r)
	}
	row, err := o.in.next(r)
	if row == nil || err != nil {
		return nil, err
	}
	if o.left > 0 {
		o.left--
	}
	if o.left == 0 && o.node.Ties != nil {
		o.last, err = r.keysOf(row, o.node.Ties)
	}
	return row, err
}

// tied gives the next row behind the bound if it equals the last one within.
func (o *limit) tied(r *run) ([]types.Datum, error) {
	if o.last == nil {
		return nil, nil
	}
	row, err := o.in.next(r)
	if row == nil || err != nil {
		return nil, err
	}
	keys, err := r.keysOf(row, o.node.Ties)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		if compareKeys(keys[i], o.last[i], &o.node.Ties[i]) != 0 {
			o.last = nil
			return nil, nil
		}
	}
	return row, nil
}

// keysOf computes sort keys that outlive their row.
func (r *run) keysOf(row []types.Datum, keys []plan.SortKey) ([]types.Datum, error) {
	values := make([]types.Datum, len(keys))
	for i := range keys {
		v, err := keys[i].Expr.Eval(&r.eval, row)
		if err != nil {
			return nil, err
		}
		values[i] = v.Clone()
	}
	return values, nil
}
