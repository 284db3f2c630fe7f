package exec

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// functionScan gives the rows of a function in FROM.
type functionScan struct {
	node *plan.FunctionScan
	set  *setValues
	row  []types.Datum
	n    int64
}

func (o *functionScan) open(r *run) error {
	width := len(o.node.Columns)
	if o.node.Ordinality {
		width++
	}
	o.row, o.n = make([]types.Datum, width), 0
	call, ok := o.node.Fn.(*plan.Call)
	if !ok || call.Fn.Function.Set == nil {
		return o.openScalar(r)
	}
	args := make([]types.Datum, len(call.Args))
	if err := r.evalRow(args, call.Args, nil); err != nil {
		return err
	}
	o.set = r.pullSet(call, args)
	return nil
}

// openScalar reads an ordinary function as a source of its one value.
func (o *functionScan) openScalar(r *run) error {
	v, err := o.node.Fn.Eval(&r.eval, nil)
	if err != nil {
		return err
	}
	given := false
	o.set = &setValues{stop: func() {}, pull: func() (types.Datum, error, bool) {
		first := !given
		given = true
		return v, nil, first
	}}
	return nil
}

func (o *functionScan) close() {
	if o.set != nil {
		o.set.stop()
		o.set = nil
	}
}

func (o *functionScan) next(r *run) ([]types.Datum, error) {
	for {
		if o.n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		v, err, ok := o.set.pull()
		if err != nil || !ok {
			return nil, err
		}
		o.n++
		o.fill(v)
		if o.node.Filter == nil {
			return o.row, nil
		}
		if ok, err := r.truth(o.node.Filter, o.row); err != nil || ok {
			return o.row, err
		}
	}
}

func (o *functionScan) fill(v types.Datum) {
	if o.node.Record {
		copy(o.row, v.Row())
	} else {
		o.row[0] = v
	}
	if o.node.Ordinality {
		o.row[len(o.row)-1] = types.NewInt8(o.n)
	}
}

func (r *run) virtualEnv(host any) *catalog.VirtualEnv {
	return &catalog.VirtualEnv{Snapshot: r.env.Txn.Catalog(), Host: host}
}
