package exec

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// buildSetOp makes the operators of UNION, INTERSECT and EXCEPT.
func (r *run) buildSetOp(n *plan.SetOp) (operator, error) {
	left, err := r.buildStep(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := r.buildStep(n.Right)
	if err != nil {
		return nil, err
	}
	if n.Op != parse.SetUnion {
		return &setOp{node: n, hold: hold{run: r}, left: left, right: right}, nil
	}
	both := &concat{left: left, right: right}
	if n.All {
		return both, nil
	}
	return &unique{in: both, hold: hold{run: r}}, nil
}

// concat gives the rows of one side and then those of the other.
type concat struct {
	left, right operator
	second      bool
}

func (o *concat) open(r *run) error {
	o.second = false
	return o.left.open(r)
}

func (o *concat) close() {
	o.left.close()
	o.right.close()
}

func (o *concat) next(r *run) ([]types.Datum, error) {
	if !o.second {
		row, err := o.left.next(r)
		if row != nil || err != nil {
			return row, err
		}
		o.left.close()
		o.second = true
		if err := o.right.open(r); err != nil {
			return nil, err
		}
	}
	return o.right.next(r)
}

// setOp gives the rows of the left side that are among those of the right, or that are not. It
// holds the key form of the right side's rows (X1), each with how often it came.
type setOp struct {
	hold
	node        *plan.SetOp
	left, right operator
	count       map[string]int // nil until the right side is read
	given       map[string]struct{}
	key         []byte
	seen        int
}

func (o *setOp) open(r *run) error {
	o.given = map[string]struct{}{}
	return o.left.open(r)
}

func (o *setOp) close() {
	o.count, o.given = nil, nil
	o.release()
	o.left.close()
	o.right.close()
}

func (o *setOp) next(r *run) ([]types.Datum, error) {
	if o.count == nil {
		if err := o.fill(r); err != nil {
			return nil, err
		}
	}
	for {
		if o.seen++; o.seen%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		row, err := o.left.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		o.key = appendKeys(o.key[:0], row)
		if !o.wanted() {
			continue
		}
		if o.node.All {
			return row, nil
		}
		if _, found := o.given[string(o.key)]; found {
			continue
		}
		o.given[string(o.key)] = struct{}{}
		return row, o.keep(len(o.key) + entryOverhead)
	}
}

// wanted says whether a row with the key at hand is to be given. With ALL each row of the right
// side answers for one row only.
func (o *setOp) wanted() bool {
	n := o.count[string(o.key)]
	if o.node.All && n > 0 {
		o.count[string(o.key)] = n - 1
	}
	return (n > 0) == (o.node.Op == parse.SetIntersect)
}

func (o *setOp) fill(r *run) error {
	o.count = map[string]int{}
	if err := o.right.open(r); err != nil {
		return err
	}
	for {
		if o.seen++; o.seen%checkEvery == 0 {
			if err := r.check(); err != nil {
				return err
			}
		}
		row, err := o.right.next(r)
		if err != nil {
			return err
		}
		if row == nil {
			o.right.close()
			return nil
		}
		o.key = appendKeys(o.key[:0], row)
		n, found := o.count[string(o.key)]
		o.count[string(o.key)] = n + 1
		if !found {
			if err := o.keep(len(o.key) + entryOverhead); err != nil {
				return err
			}
		}
	}
}
