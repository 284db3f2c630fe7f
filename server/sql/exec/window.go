package exec

import (
	"slices"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// window gives the rows below with the results of window functions behind them. It holds them all
// (X1), and gives them in the order of the last window that was computed.
type window struct {
	hold
	node   *plan.Window
	in     operator
	rows   [][]types.Datum // each with room for the results
	filled bool
	at     int
}

func (o *window) open(r *run) error {
	o.filled, o.at = false, 0
	return o.in.open(r)
}

func (o *window) close() {
	o.rows = nil
	o.release()
	o.in.close()
}

func (o *window) next(r *run) ([]types.Datum, error) {
	if !o.filled {
		o.filled = true
		if err := o.fill(r); err != nil {
			return nil, err
		}
	}
	if o.at == len(o.rows) {
		return nil, nil
	}
	o.at++
	return o.rows[o.at-1], nil
}

func (o *window) fill(r *run) error {
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
		wide := make([]types.Datum, o.node.Width+o.node.Calls())
		copy(wide, cloneRow(row[:o.node.Width]))
		o.rows = append(o.rows, wide)
		if err := o.keep(rowSize(wide)); err != nil {
			return err
		}
	}
	for _, over := range o.node.Over {
		if err := o.compute(r, over); err != nil {
			return err
		}
	}
	return nil
}

// windowRow is a row on its way through one window, with its place in the partition.
type windowRow struct {
	row       []types.Datum
	partition []types.Datum
	order     []types.Datum
}

// compute sorts the rows as the window of some calls has them and fills in their results.
func (o *window) compute(r *run, over []*plan.WindowCall) error {
	keys := over[0]
	list := make([]windowRow, len(o.rows))
	size := 0
	for i, row := range o.rows {
		if i%checkEvery == 0 {
			if err := r.check(); err != nil {
				return err
			}
		}
		w := windowRow{row: row, partition: make([]types.Datum, len(keys.PartitionBy))}
		if err := r.evalRow(w.partition, keys.PartitionBy, row); err != nil {
			return err
		}
		var err error
		if w.order, err = r.keysOf(row, keys.OrderBy); err != nil {
			return err
		}
		list[i] = w
		added := rowSize(w.partition) + rowSize(w.order)
		size += added
		if err := o.keep(added); err != nil {
			return err
		}
	}
	slices.SortStableFunc(list, func(a, b windowRow) int {
		return compareWindow(a, b, keys.OrderBy)
	})
	if err := r.check(); err != nil {
		return err
	}
	bounds := make([]frameOffsets, len(over))
	for start := 0; start < len(list); {
		if err := r.check(); err != nil {
			return err
		}
		end := start + 1
		for end < len(list) && samePartition(list[start], list[end]) {
			end++
		}
		p := newPartition(r, list[start:end], keys)
		for i, call := range over {
			if err := bounds[i].read(r, &call.Frame); err != nil {
				return err
			}
			if err := o.results(p, call, bounds[i]); err != nil {
				return err
			}
		}
		start = end
	}
	for i := range list {
		o.rows[i] = list[i].row
	}
	o.drop(size)
	return nil
}

// results fills in what a call gives for the rows of a partition.
func (o *window) results(p *partition, call *plan.WindowCall, b frameOffsets) error {
	column := o.node.Width + call.Index
	set := func(i int, v types.Datum) error {
		v = v.Clone()
		p.rows[i].row[column] = v
		return o.keep(v.Size())
	}
	f := &framing{partition: p, frame: &call.Frame, offsets: b}
	if call.Agg != nil {
		return newFrameAggregate(f, call).each(set)
	}
	return newWindowFunction(f, call).each(set)
}

func compareWindow(a, b windowRow, keys []plan.SortKey) int {
	for i := range a.partition {
		if c := types.Compare(a.partition[i], b.partition[i]); c != 0 {
			return c
		}
	}
	return compareOrder(a, b, keys)
}

func compareOrder(a, b windowRow, keys []plan.SortKey) int {
	for i := range keys {
		if c := compareKeys(a.order[i], b.order[i], &keys[i]); c != 0 {
			return c
		}
	}
	return 0
}

func samePartition(a, b windowRow) bool {
	for i := range a.partition {
		if types.Compare(a.partition[i], b.partition[i]) != 0 {
			return false
		}
	}
	return true
}

// partition is the rows of one partition in order, and the groups of those that are equal in it.
type partition struct {
	run   *run
	rows  []windowRow
	keys  *plan.WindowCall // whose window it is
	group []int            // of each row
	start []int            // of each group, and at the end the number of rows
	seen  int
}

func newPartition(r *run, rows []windowRow, keys *plan.WindowCall) *partition {
	p := &partition{run: r, rows: rows, keys: keys, group: make([]int, len(rows))}
	for i := range rows {
		if i == 0 || compareOrder(rows[i-1], rows[i], keys.OrderBy) != 0 {
			p.start = append(p.start, i)
		}
		p.group[i] = len(p.start) - 1
	}
	p.start = append(p.start, len(rows))
	return p
}

// peers gives the bounds of the rows that are equal to a row in order.
func (p *partition) peers(i int) (lo, hi int) {
	return p.start[p.group[i]], p.start[p.group[i]+1]
}

// check is run.check, once in so many rows.
func (p *partition) check() error {
	if p.seen++; p.seen%checkEvery == 0 {
		return p.run.check()
	}
	return nil
}
