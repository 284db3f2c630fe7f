package exec

import (
	"errors"
	"iter"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// functionScan gives the rows of a function in FROM. A set-returning function yields by callback;
// iter.Pull turns that around, so that a LIMIT or a suspended portal stops it where it is.
type functionScan struct {
	node *plan.FunctionScan
	pull func() (types.Datum, error, bool)
	stop func()
	row  []types.Datum
	n    int64
}

// errStopped ends a set-returning function whose rows nobody wants any more.
var errStopped = errors.New("exec: stopped reading a function")

func (o *functionScan) open(r *run) error {
	width := len(o.node.Columns)
	if o.node.Ordinality {
		width++
	}
	o.row = make([]types.Datum, width)
	call, ok := o.node.Fn.(*plan.Call)
	if !ok || call.Fn.Function.Set == nil {
		return o.openScalar(r)
	}
	args := make([]types.Datum, len(call.Args))
	if err := r.evalRow(args, call.Args, nil); err != nil {
		return err
	}
	o.pull, o.stop = iter.Pull2(func(yield func(types.Datum, error) bool) {
		err := call.Fn.EvalSet(&r.eval.Context, args, func(d types.Datum) error {
			if !yield(d, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(types.Null, err)
		}
	})
	return nil
}

// openScalar reads an ordinary function as a source of its one value.
func (o *functionScan) openScalar(r *run) error {
	v, err := o.node.Fn.Eval(&r.eval, nil)
	if err != nil {
		return err
	}
	given := false
	o.pull = func() (types.Datum, error, bool) {
		first := !given
		given = true
		return v, nil, first
	}
	return nil
}

func (o *functionScan) close() {
	if o.stop != nil {
		o.stop()
		o.stop = nil
	}
}

func (o *functionScan) next(r *run) ([]types.Datum, error) {
	for {
		if o.n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		v, err, ok := o.pull()
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
