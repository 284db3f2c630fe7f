package exec

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// aggregate gives one row: the results of its calls over all rows below.
type aggregate struct {
	hold
	node  *plan.Aggregate
	in    operator
	calls []aggregating
	done  bool
}

// aggregating is one aggregate call at work.
type aggregating struct {
	hold *hold // of the step it belongs to
	call *plan.AggregateCall
	acc  builtin.Accumulator
	args []types.Datum
	seen map[string]struct{} // of DISTINCT
	rows []sortedRow         // of ORDER BY: the arguments, to be added in order at the end
	key  []byte
}

func (o *aggregate) open(r *run) error {
	o.calls, o.done = newCalls(&o.hold, o.node.Calls), false
	return o.in.open(r)
}

// newCalls starts aggregate calls over a group.
func newCalls(h *hold, list []plan.AggregateCall) []aggregating {
	calls := make([]aggregating, len(list))
	for i := range calls {
		call := &list[i]
		calls[i] = aggregating{hold: h, call: call, acc: call.Fn.New(),
			args: make([]types.Datum, len(call.Args))}
		if call.Distinct {
			calls[i].seen = map[string]struct{}{}
		}
	}
	return calls
}

func (o *aggregate) close() {
	o.calls = nil
	o.release()
	o.in.close()
}

func (o *aggregate) next(r *run) ([]types.Datum, error) {
	if o.done {
		return nil, nil
	}
	o.done = true
	for n := 1; ; n++ {
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
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
	if g.seen != nil {
		if repeats, err := g.repeats(); repeats || err != nil {
			return err
		}
	}
	if len(g.call.OrderBy) > 0 {
		s, err := g.hold.sortable(row, g.call.OrderBy)
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
	return g.hold.keep(g.acc.Size() - before)
}

// repeats says whether DISTINCT has seen the arguments before.
func (g *aggregating) repeats() (bool, error) {
	g.key = appendKeys(g.key[:0], g.args)
	if _, found := g.seen[string(g.key)]; found {
		return true, nil
	}
	g.seen[string(g.key)] = struct{}{}
	return false, g.hold.keep(len(g.key) + entryOverhead)
}

func (g *aggregating) result(r *run) (types.Datum, error) {
	if err := r.sortRows(g.rows, g.call.OrderBy); err != nil {
		return types.Null, err
	}
	for _, s := range g.rows {
		if err := g.add(r, s.row); err != nil {
			return types.Null, err
		}
	}
	if ordered, ok := g.acc.(builtin.OrderedSet); ok {
		direct := make([]types.Datum, len(g.call.Direct))
		if err := r.evalRow(direct, g.call.Direct, nil); err != nil {
			return types.Null, err
		}
		ordered.Direct(direct)
	}
	return g.acc.Result(&r.eval.Context)
}
