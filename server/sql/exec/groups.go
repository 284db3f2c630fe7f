package exec

import (
	"encoding/binary"

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
	index  map[string]*rowGroup // by grouping set and key, while the rows are read
	key    []byte
	keys   []types.Datum // of one grouping set
}

// rowGroup is one group: its keys and carried columns, and its calls at work.
type rowGroup struct {
	keys  []types.Datum
	carry []types.Datum
	calls []aggregating
	set   int // the grouping set it is of
}

func (o *groups) open(r *run) error {
	o.filled, o.at = false, 0
	width := len(o.node.Keys) + len(o.node.Calls) + len(o.node.Carry)
	if o.node.Sets != nil {
		width++
	}
	o.row = make([]types.Datum, width)
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
	if o.node.Sets != nil {
		o.row[len(o.row)-1] = types.NewInt4(int32(g.set))
	}
	return o.row, nil
}

func (o *groups) fill(r *run) error {
	o.index = map[string]*rowGroup{}
	defer func() { o.index = nil }()
	if err := o.beginEmpty(r); err != nil {
		return err
	}
	keys := make([]types.Datum, len(o.node.Keys))
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
		if o.node.Sets == nil {
			if err := o.take(r, 0, keys, row); err != nil {
				return err
			}
			continue
		}
		for i, set := range o.node.Sets {
			if err := o.take(r, i, o.only(keys, set), row); err != nil {
				return err
			}
		}
	}
}

// beginEmpty begins the groups of all rows, which are there though there be no row.
func (o *groups) beginEmpty(r *run) error {
	for i, set := range o.node.Sets {
		if len(set) > 0 {
			continue
		}
		if _, err := o.group(r, i, make([]types.Datum, len(o.node.Keys)), nil); err != nil {
			return err
		}
	}
	return nil
}

// only gives the keys of a grouping set, all others NULL; valid until the next call.
func (o *groups) only(keys []types.Datum, set []int) []types.Datum {
	if o.keys == nil {
		o.keys = make([]types.Datum, len(keys))
	}
	clear(o.keys)
	for _, i := range set {
		o.keys[i] = keys[i]
	}
	return o.keys
}

// take has the group of a row take it.
func (o *groups) take(r *run, set int, keys, row []types.Datum) error {
	g, err := o.group(r, set, keys, row)
	if err != nil {
		return err
	}
	for i := range g.calls {
		if err := g.calls[i].take(r, row); err != nil {
			return err
		}
	}
	return nil
}

// group finds the group of a row in a grouping set, and begins it with its first row.
func (o *groups) group(r *run, set int, keys, row []types.Datum) (*rowGroup, error) {
	o.key = appendKeys(binary.AppendUvarint(o.key[:0], uint64(set)), keys)
	if g := o.index[string(o.key)]; g != nil {
		return g, nil
	}
	g, err := o.begin(r, keys, row)
	if err != nil {
		return nil, err
	}
	g.set = set
	o.index[string(o.key)] = g
	return g, o.keep(2*len(o.key) + entryOverhead)
}

// begin starts a group with its first row.
func (o *groups) begin(r *run, keys, row []types.Datum) (*rowGroup, error) {
	const callOverhead = 256
	g := &rowGroup{keys: cloneRow(keys), calls: newCalls(&o.hold, o.node.Calls)}
	o.list = append(o.list, g)
	size := rowSize(keys) + len(g.calls)*callOverhead
	if len(o.node.Carry) > 0 && row != nil {
		g.carry = make([]types.Datum, len(o.node.Carry))
		if err := r.evalRow(g.carry, o.node.Carry, row); err != nil {
			return nil, err
		}
		g.carry = cloneRow(g.carry)
		size += rowSize(g.carry)
	}
	return g, o.keep(size)
}
