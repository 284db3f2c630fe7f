package exec

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// functionScan gives the rows of functions in FROM, side by side.
type functionScan struct {
	node *plan.FunctionScan
	sets []*setValues
	row  []types.Datum
	n    int64
}

func (o *functionScan) open(r *run) error {
	width := 0
	for i := range o.node.Parts {
		width += o.node.Parts[i].Width
	}
	if o.node.Ordinality {
		width++
	}
	o.row, o.n = make([]types.Datum, width), 0
	o.sets = make([]*setValues, 0, len(o.node.Parts))
	for i := range o.node.Parts {
		set, err := r.openFunction(o.node.Parts[i].Fn)
		if err != nil {
			return err
		}
		o.sets = append(o.sets, set)
	}
	return nil
}

func (r *run) openFunction(fn plan.Expr) (*setValues, error) {
	call, ok := fn.(*plan.Call)
	if !ok || call.Fn.Function.Set == nil {
		return r.oneValue(fn)
	}
	args := make([]types.Datum, len(call.Args))
	if err := r.evalRow(args, call.Args, nil); err != nil {
		return nil, err
	}
	return r.pullSet(call, args), nil
}

// oneValue reads an ordinary function as a source of its one value.
func (r *run) oneValue(fn plan.Expr) (*setValues, error) {
	v, err := fn.Eval(&r.eval, nil)
	if err != nil {
		return nil, err
	}
	given := false
	return &setValues{stop: func() {}, pull: func() (types.Datum, error, bool) {
		first := !given
		given = true
		return v, nil, first
	}}, nil
}

func (o *functionScan) close() {
	for _, set := range o.sets {
		set.stop()
	}
	o.sets = nil
}

func (o *functionScan) next(r *run) ([]types.Datum, error) {
	for {
		if o.n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		if more, err := o.step(r); err != nil || !more {
			return nil, err
		}
		if o.node.Filter == nil {
			return o.row, nil
		}
		if ok, err := r.truth(o.node.Filter, o.row); err != nil || ok {
			return o.row, err
		}
	}
}

// step takes the next row of each function and says whether one still had any.
func (o *functionScan) step(r *run) (bool, error) {
	more, at := false, 0
	for i, set := range o.sets {
		part := &o.node.Parts[i]
		columns := o.row[at : at+part.Width]
		at += part.Width
		if set.done {
			continue
		}
		v, err, ok := set.pull()
		if err != nil {
			return false, err
		}
		clear(columns)
		if set.done = !ok; !ok {
			continue
		}
		more = true
		switch {
		case part.Define != nil:
			row, err := builtin.DefineRow(&r.eval.Context, v, part.Define)
			if err != nil {
				return false, err
			}
			copy(columns, row)
		case part.Record:
			copy(columns, v.Row())
		default:
			columns[0] = v
		}
	}
	o.n++
	if o.node.Ordinality {
		o.row[at] = types.NewInt8(o.n)
	}
	return more, nil
}

func (r *run) virtualEnv(host any) *catalog.VirtualEnv {
	return &catalog.VirtualEnv{Snapshot: r.env.Txn.Catalog(), Host: host}
}
