package exec

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// buildJoin makes the operator of a join. One that looks keys up opens its right side for every
// row of the left; any other keeps one side, in a hash table if there are keys.
func (r *run) buildJoin(n *plan.Join) (operator, error) {
	left, err := r.buildStep(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := r.buildStep(n.Right)
	if err != nil {
		return nil, err
	}
	row := make([]types.Datum, n.LeftWidth+n.RightWidth)
	p := pair{node: n, row: row, left: row[:n.LeftWidth], right: row[n.LeftWidth:]}
	if n.Swapped {
		p.right, p.left = row[:n.RightWidth], row[n.RightWidth:]
	}
	if len(n.Bind) > 0 {
		return &boundJoin{pair: p, outer: left, inner: right}, nil
	}
	j := &keptJoin{pair: p, hold: hold{run: r}, outer: left, inner: right, outerPart: p.left,
		innerPart: p.right, outerKeys: n.LeftKeys, innerKeys: n.RightKeys,
		keepsOuter: n.Kind == parse.JoinLeft || n.Kind == parse.JoinFull,
		keepsInner: n.Kind == parse.JoinRight || n.Kind == parse.JoinFull}
	if n.BuildLeft {
		j.outer, j.inner = right, left
		j.outerPart, j.innerPart = p.right, p.left
		j.outerKeys, j.innerKeys = n.RightKeys, n.LeftKeys
	}
	return j, nil
}

// pair is the row a join gives, which is put together of two.
type pair struct {
	node        *plan.Join
	row         []types.Datum
	left, right []types.Datum // the parts of row
	tries       int
}

// holds says whether the row there is now passes the join's condition.
func (p *pair) holds(r *run) (bool, error) {
	if p.tries++; p.tries%checkEvery == 0 {
		if err := r.check(); err != nil {
			return false, err
		}
	}
	if p.node.Cond == nil {
		return true, nil
	}
	return r.truth(p.node.Cond, p.row)
}

// boundJoin opens its inner side anew for every outer row.
type boundJoin struct {
	pair
	outer, inner operator
	reading      bool // an outer row is being joined
	matched      bool
}

func (o *boundJoin) open(r *run) error {
	o.reading = false
	return o.outer.open(r)
}

func (o *boundJoin) close() {
	if o.reading {
		o.inner.close()
		o.reading = false
	}
	o.outer.close()
}

func (o *boundJoin) next(r *run) ([]types.Datum, error) {
	for {
		if !o.reading {
			row, err := o.outer.next(r)
			if row == nil || err != nil {
				return nil, err
			}
			if err := o.begin(r, row); err != nil {
				return nil, err
			}
		}
		row, err := o.inner.next(r)
		if err != nil {
			return nil, err
		}
		if row == nil {
			o.inner.close()
			o.reading = false
			if !o.matched && o.node.Kind == parse.JoinLeft {
				clear(o.right)
				return o.row, nil
			}
			continue
		}
		copy(o.right, row)
		ok, err := o.holds(r)
		if err != nil {
			return nil, err
		}
		if ok {
			o.matched = true
			return o.row, nil
		}
	}
}

// begin opens the inner side for an outer row, which stays valid until the next is asked for.
func (o *boundJoin) begin(r *run, row []types.Datum) error {
	copy(o.left, row)
	if err := r.eval.Bind(o.node.Bind, o.left); err != nil {
		return err
	}
	o.reading, o.matched = true, false
	return o.inner.open(r)
}

// keptJoin reads its inner side once and keeps it (X1): in a hash table by the join's keys, or
// without keys as it comes.
type keptJoin struct {
	pair
	hold
	outer, inner         operator
	outerPart, innerPart []types.Datum
	outerKeys, innerKeys []plan.Expr
	keepsOuter           bool // also rows of outer without a partner
	keepsInner           bool

	filled  bool
	rows    []keptRow
	chains  map[string]chain // of the rows with each key
	key     []byte
	reading bool // an outer row is being joined
	matched bool
	at      int  // the candidate to be tried next; -1 for none
	rest    bool // outer is at its end, and inner rows without a partner are given
}

// chain is where the rows of one key begin and end among those that are kept.
type chain struct{ first, last int }

// keptRow is a row of the inner side.
type keptRow struct {
	row     []types.Datum
	next    int // the next row with the same key; -1 for none
	matched bool
}

func (o *keptJoin) open(r *run) error {
	o.filled, o.reading, o.rest = false, false, false
	return o.outer.open(r)
}

func (o *keptJoin) close() {
	o.rows, o.chains = nil, nil
	o.release()
	o.outer.close()
	o.inner.close()
}

func (o *keptJoin) next(r *run) ([]types.Datum, error) {
	for !o.rest {
		if !o.reading {
			more, err := o.advance(r)
			if err != nil {
				return nil, err
			}
			if !more {
				break
			}
		}
		row, err := o.candidate(r)
		if row != nil || err != nil {
			return row, err
		}
	}
	return o.leftOver()
}

// advance goes on to the next outer row. The inner side is read when there is a first one.
func (o *keptJoin) advance(r *run) (bool, error) {
	row, err := o.outer.next(r)
	if err != nil {
		return false, err
	}
	if o.tries++; o.tries%checkEvery == 0 {
		if err := r.check(); err != nil {
			return false, err
		}
	}
	if row == nil {
		o.rest, o.at = true, 0
		if o.keepsInner && !o.filled {
			return false, o.fill(r)
		}
		return false, nil
	}
	if !o.filled {
		if err := o.fill(r); err != nil {
			return false, err
		}
	}
	copy(o.outerPart, row)
	o.reading, o.matched, o.at = true, false, 0
	if len(o.rows) == 0 {
		o.at = -1
	}
	if o.outerKeys == nil {
		return true, nil
	}
	key, ok, err := r.hashKey(o.key[:0], o.outerKeys, row)
	if o.key = key; err != nil {
		return false, err
	}
	c, found := o.chains[string(key)]
	if o.at = c.first; !ok || !found {
		o.at = -1
	}
	return true, nil
}

// hashKey appends the values of join keys; not ok when one is NULL, which equals nothing.
func (r *run) hashKey(
	key []byte, exprs []plan.Expr, row []types.Datum,
) ([]byte, bool, error) {
	for _, x := range exprs {
		v, err := x.Eval(&r.eval, row)
		if err != nil || v.IsNull() {
			return key, false, err
		}
		key = types.EncodeKey(key, v, types.KeyOrder{})
	}
	return key, true, nil
}

// candidate gives the outer row with its next partner, or once there is no more alone, if it had
// none; nil when the row is done.
func (o *keptJoin) candidate(r *run) ([]types.Datum, error) {
	for o.at >= 0 {
		k := &o.rows[o.at]
		if o.outerKeys != nil {
			o.at = k.next
		} else if o.at++; o.at == len(o.rows) {
			o.at = -1
		}
		copy(o.innerPart, k.row)
		ok, err := o.holds(r)
		if err != nil {
			return nil, err
		}
		if ok {
			o.matched, k.matched = true, true
			return o.row, nil
		}
	}
	o.reading = false
	if o.matched || !o.keepsOuter {
		return nil, nil
	}
	clear(o.innerPart)
	return o.row, nil
}

// leftOver gives the inner rows that found no partner.
func (o *keptJoin) leftOver() ([]types.Datum, error) {
	for o.keepsInner && o.at < len(o.rows) {
		k := &o.rows[o.at]
		o.at++
		if k.matched {
			continue
		}
		clear(o.outerPart)
		copy(o.innerPart, k.row)
		return o.row, nil
	}
	return nil, nil
}

// fill reads the inner side. A row whose key is NULL has no partner, and is kept only where it is
// given without one.
func (o *keptJoin) fill(r *run) error {
	o.filled = true
	if err := o.inner.open(r); err != nil {
		return err
	}
	if o.innerKeys != nil {
		o.chains = map[string]chain{}
	}
	for {
		row, err := o.inner.next(r)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		key, ok, err := r.hashKey(o.key[:0], o.innerKeys, row)
		if o.key = key; err != nil {
			return err
		}
		if !ok && !o.keepsInner {
			continue
		}
		size := rowSize(row)
		if o.chains != nil && ok {
			size += o.link(key)
		}
		o.rows = append(o.rows, keptRow{row: cloneRow(row), next: -1})
		if err := o.keep(size); err != nil {
			return err
		}
	}
	o.inner.close()
	return nil
}

// link puts the row that is about to be kept at the end of its key's chain, and says what memory
// that takes.
func (o *keptJoin) link(key []byte) int {
	at := len(o.rows)
	c, found := o.chains[string(key)]
	if !found {
		o.chains[string(key)] = chain{first: at, last: at}
		return len(key) + entryOverhead
	}
	o.rows[c.last].next = at
	c.last = at
	o.chains[string(key)] = c
	return 0
}
