package exec

import (
	"errors"
	"iter"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// projectSet gives the rows below as often as the longest of its set-returning functions has
// values, with those values behind them.
type projectSet struct {
	node *plan.ProjectSet
	in   operator
	row  []types.Datum
	sets []*setValues // of the row at hand; nil when the next one is due
	seen int
}

// setValues are the values of a set-returning function for one row.
type setValues struct {
	pull func() (types.Datum, error, bool)
	stop func()
	done bool
}

func (o *projectSet) open(r *run) error {
	o.row = make([]types.Datum, o.node.Width+len(o.node.Sets))
	return o.in.open(r)
}

func (o *projectSet) close() {
	o.leave()
	o.in.close()
}

func (o *projectSet) leave() {
	for _, s := range o.sets {
		s.stop()
	}
	o.sets = nil
}

func (o *projectSet) next(r *run) ([]types.Datum, error) {
	for {
		if o.seen++; o.seen%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		if o.sets == nil {
			row, err := o.in.next(r)
			if row == nil || err != nil {
				return nil, err
			}
			if err := o.begin(r, row); err != nil {
				return nil, err
			}
		}
		more, err := o.step()
		if err != nil {
			return nil, err
		}
		if more {
			return o.row, nil
		}
		o.leave()
	}
}

// begin starts the functions for a row.
func (o *projectSet) begin(r *run, row []types.Datum) error {
	copy(o.row, row[:o.node.Width])
	o.sets = make([]*setValues, 0, len(o.node.Sets))
	for _, set := range o.node.Sets {
		args := make([]types.Datum, len(set.Call.Args))
		if err := r.evalRow(args, set.Call.Args, row); err != nil {
			return err
		}
		o.sets = append(o.sets, r.pullSet(set.Call, args))
	}
	return nil
}

// step takes the next value of every function and says whether one still had any.
func (o *projectSet) step() (bool, error) {
	more := false
	for i, s := range o.sets {
		v := types.Null
		if !s.done {
			next, err, ok := s.pull()
			if err != nil {
				return false, err
			}
			if s.done = !ok; ok {
				v, more = next, true
			}
		}
		o.row[o.node.Width+i] = v
	}
	return more, nil
}

// errStopped ends a set-returning function whose rows nobody wants any more.
var errStopped = errors.New("exec: stopped reading a function")

// pullSet starts a set-returning function, which yields by callback. iter.Pull turns that around,
// so that a LIMIT or a suspended portal stops it where it is.
func (r *run) pullSet(call *plan.Call, args []types.Datum) *setValues {
	pull, stop := iter.Pull2(func(yield func(types.Datum, error) bool) {
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
	return &setValues{pull: pull, stop: stop}
}
