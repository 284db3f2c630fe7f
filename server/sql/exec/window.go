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
	for {
		row, err := o.in.next(r)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		wide := make([]types.Datum, o.node.Width+len(o.node.Calls))
		copy(wide, cloneRow(row[:o.node.Width]))
		o.rows = append(o.rows, wide)
		if err := o.keep(rowSize(wide)); err != nil {
			return err
		}
	}
	for i, call := range o.node.Calls {
		if err := o.compute(r, call, o.node.Width+i); err != nil {
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

// compute sorts the rows as a call's window has them and fills in its results.
func (o *window) compute(r *run, call *plan.WindowCall, column int) error {
	list := make([]windowRow, len(o.rows))
	size := 0
	for i, row := range o.rows {
		w := windowRow{row: row, partition: make([]types.Datum, len(call.PartitionBy))}
		if err := r.evalRow(w.partition, call.PartitionBy, row); err != nil {
			return err
		}
		var err error
		if w.order, err = r.keysOf(row, call.OrderBy); err != nil {
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
		return compareWindow(a, b, call.OrderBy)
	})
	if err := r.check(); err != nil {
		return err
	}
	for start := 0; start < len(list); {
		end := start + 1
		for end < len(list) && samePartition(list[start], list[end]) {
			end++
		}
		if err := o.partition(r, call, list[start:end], column); err != nil {
			return err
		}
		start = end
	}
	for i := range list {
		o.rows[i] = list[i].row
	}
	o.drop(size)
	return nil
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

// partition fills in a call's results over one partition.
func (o *window) partition(
	r *run, call *plan.WindowCall, rows []windowRow, column int,
) error {
	if call.Agg != nil {
		return o.aggregate(r, call, rows, column)
	}
	rank, dense := 0, 0
	for i := range rows {
		if i == 0 || compareOrder(rows[i-1], rows[i], call.OrderBy) != 0 {
			rank, dense = i+1, dense+1
		}
		n := i + 1
		switch call.Name {
		case "rank":
			n = rank
		case "dense_rank":
			n = dense
		}
		rows[i].row[column] = types.NewInt8(int64(n))
	}
	return nil
}

// aggregate gives each row the aggregate over its frame: the partition up to the last row that is
// equal to it in order, up to itself, or all of the partition.
func (o *window) aggregate(
	r *run, call *plan.WindowCall, rows []windowRow, column int,
) error {
	one := plan.AggregateCall{Fn: *call.Agg, Name: call.Name, Args: call.Args, Star: call.Star,
		Filter: call.Filter, T: call.T}
	calls := newCalls(&o.hold, []plan.AggregateCall{one})
	for start := 0; start < len(rows); {
		if err := r.check(); err != nil {
			return err
		}
		end := start + 1
		for !call.Rows && end < len(rows) &&
			(call.Whole || compareOrder(rows[start], rows[end], call.OrderBy) == 0) {
			end++
		}
		for _, row := range rows[start:end] {
			if err := calls[0].take(r, row.row); err != nil {
				return err
			}
		}
		v, err := calls[0].acc.Result(&r.eval.Context)
		if err != nil {
			return err
		}
		for _, row := range rows[start:end] {
			row.row[column] = v.Clone()
			if err := o.keep(v.Size()); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}
