package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// groups gives a row for each group of rows with equal keys, in the order the groups began. It
// holds a group's keys and what its calls have gathered (X1).
type groups struct {
	hold
	node   *plan.Aggregate
	in     operator
	list   []*rowGroup
	filled bool
	at     int
	row    []types.Datum
}

// rowGroup is one group: its keys and carried columns, and its calls at work.
type rowGroup struct {
	keys  []types.Datum
	carry []types.Datum
	calls []aggregating
}

func (o *groups) open(r *run) error {
	o.filled, o.at = false, 0
	o.row = make([]types.Datum, len(o.node.Keys)+len(o.node.Calls)+len(o.node.Carry))
	return o.in.open(r)
}

func (o *groups) close() {
	o.list = nil
	o.release()
	o.in.close()
}

func (o *groups) next(r *run) ([]types.Datum, error) {
	if !o.filled {
		o.filled = true
		if err := o.fill(r); err != nil {
			return nil, err
		}
	}
	if o.at == len(o.list) {
		return nil, nil
	}
	g := o.list[o.at]
	if o.at++; o.at%checkEvery == 0 {
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	n := copy(o.row, g.keys)
	for i := range g.calls {
		v, err := g.calls[i].result(r)
		if err != nil {
			return nil, err
		}
		o.row[n+i] = v
	}
	copy(o.row[n+len(g.calls):], g.carry)
	return o.row, nil
}

func (o *groups) fill(r *run) error {
	index := map[string]*rowGroup{}
	keys := make([]types.Datum, len(o.node.Keys))
	var key []byte
	for n := 1; ; n++ {
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return err
			}
		}
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return err
		}
		if err := r.evalRow(keys, o.node.Keys, row); err != nil {
			return err
		}
		key = appendKeys(key[:0], keys)
		g := index[string(key)]
		if g == nil {
			if g, err = o.begin(r, keys, row); err != nil {
				return err
			}
			index[string(key)] = g
			if err := o.keep(2*len(key) + entryOverhead); err != nil {
				return err
			}
		}
		for i := range g.calls {
			if err := g.calls[i].take(r, row); err != nil {
				return err
			}
		}
	}
}

// begin starts a group with its first row.
func (o *groups) begin(r *run, keys, row []types.Datum) (*rowGroup, error) {
	const callOverhead = 256
	g := &rowGroup{keys: cloneRow(keys), calls: newCalls(&o.hold, o.node.Calls)}
	o.list = append(o.list, g)
	size := rowSize(keys) + len(g.calls)*callOverhead
	if len(o.node.Carry) > 0 {
		g.carry = make([]types.Datum, len(o.node.Carry))
		if err := r.evalRow(g.carry, o.node.Carry, row); err != nil {
			return nil, err
		}
		g.carry = cloneRow(g.carry)
		size += rowSize(g.carry)
	}
	return g, o.keep(size)
}
