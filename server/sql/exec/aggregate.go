package exec

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// aggregate gives one row: the results of its calls over all rows below.
type aggregate struct {
	node  *plan.Aggregate
	in    operator
	calls []aggregating
	done  bool
}

// aggregating is one aggregate call at work.
type aggregating struct {
	call *plan.AggregateCall
	acc  builtin.Accumulator
	args []types.Datum
	seen map[string]struct{} // of DISTINCT
	rows []sortedRow         // of ORDER BY: the arguments, to be added in order at the end
	key  []byte
}

func (o *aggregate) open(r *run) error {
	o.calls = make([]aggregating, len(o.node.Calls))
	for i := range o.calls {
		call := &o.node.Calls[i]
		o.calls[i] = aggregating{call: call, acc: call.Fn.New(),
			args: make([]types.Datum, len(call.Args))}
		if call.Distinct {
			o.calls[i].seen = map[string]struct{}{}
		}
	}
	return o.in.open(r)
}

func (o *aggregate) close() { o.in.close() }

func (o *aggregate) next(r *run) ([]types.Datum, error) {
	if o.done {
		return nil, nil
	}
	o.done = true
	for {
		row, err := o.in.next(r)
		if err != nil {
			return nil, err
		}
		if row == nil {
			break
		}
		for i := range o.calls {
			if err := o.calls[i].take(r, row); err != nil {
				return nil, err
			}
		}
	}
	out := make([]types.Datum, len(o.calls))
	for i := range o.calls {
		v, err := o.calls[i].result(r)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// take counts one row.
func (g *aggregating) take(r *run, row []types.Datum) error {
	if g.call.Filter != nil {
		if ok, err := r.truth(g.call.Filter, row); err != nil || !ok {
			return err
		}
	}
	if err := r.evalRow(g.args, g.call.Args, row); err != nil {
		return err
	}
	if g.seen != nil && g.repeats() {
		return nil
	}
	if len(g.call.OrderBy) > 0 {
		s, err := r.sortable(row, g.call.OrderBy)
		if err != nil {
			return err
		}
		s.row = cloneRow(g.args)
		g.rows = append(g.rows, s)
		return nil
	}
	return g.add(r, g.args)
}

func (g *aggregating) add(r *run, args []types.Datum) error {
	before := g.acc.Size()
	if err := g.acc.Add(&r.eval.Context, args); err != nil {
		return err
	}
	return r.keep(g.acc.Size() - before)
}

// repeats says whether DISTINCT has seen the arguments before.
func (g *aggregating) repeats() bool {
	g.key = g.key[:0]
	for _, d := range g.args {
		g.key = types.EncodeKey(g.key, d, types.KeyOrder{})
	}
	if _, found := g.seen[string(g.key)]; found {
		return true
	}
	g.seen[string(g.key)] = struct{}{}
	return false
}

func (g *aggregating) result(r *run) (types.Datum, error) {
	sortRows(g.rows, g.call.OrderBy)
	for _, s := range g.rows {
		if err := g.add(r, s.row); err != nil {
			return types.Null, err
		}
	}
	return g.acc.Result(&r.eval.Context)
}
