package exec

import (
	"sort"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

const (
	// codeFrameSize is the SQLSTATE of a frame that ends before it begins by its very offset.
	codeFrameSize types.Code = "22013"
)

// frameOffsets are the values of a frame's offsets, which are the same for all rows.
type frameOffsets struct {
	known      bool
	start, end types.Datum
}

func (o *frameOffsets) read(r *run, f *plan.Frame) error {
	if o.known {
		return nil
	}
	o.known = true
	var err error
	if o.start, err = r.frameOffset(f, f.Start.Offset, "starting"); err != nil {
		return err
	}
	o.end, err = r.frameOffset(f, f.End.Offset, "ending")
	return err
}

func (r *run) frameOffset(f *plan.Frame, x plan.Expr, which string) (types.Datum, error) {
	if x == nil {
		return types.Null, nil
	}
	v, err := x.Eval(&r.eval, nil)
	switch {
	case err != nil:
		return v, err
	case v.IsNull():
		return v, types.Errorf(types.CodeNullNotAllowed,
			"frame %s offset must not be null", which)
	case f.Mode != plan.FrameRange && v.Int() < 0:
		return v, types.Errorf(codeFrameSize, "frame %s offset must not be negative", which)
	}
	return v.Clone(), nil
}

// framing finds the frame of each row of a partition.
type framing struct {
	*partition
	frame   *plan.Frame
	offsets frameOffsets
}

// bounds gives where the frame of a row begins and ends, before what it leaves out.
func (f *framing) bounds(i int) (lo, hi int, err error) {
	if lo, err = f.bound(i, f.frame.Start.Kind, f.offsets.start, true); err != nil {
		return 0, 0, err
	}
	if hi, err = f.bound(i, f.frame.End.Kind, f.offsets.end, false); err != nil {
		return 0, 0, err
	}
	return lo, max(lo, hi), nil
}

func (f *framing) bound(
	i int, kind plan.BoundKind, offset types.Datum, start bool,
) (int, error) {
	switch kind {
	case plan.UnboundedPreceding:
		return 0, nil
	case plan.UnboundedFollowing:
		return len(f.rows), nil
	case plan.CurrentRow:
		lo, hi := i, i+1
		if f.frame.Mode != plan.FrameRows {
			lo, hi = f.peers(i)
		}
		if start {
			return lo, nil
		}
		return hi, nil
	}
	preceding := kind == plan.OffsetPreceding
	switch f.frame.Mode {
	case plan.FrameRows:
		at := moved(i, offset.Int(), preceding, len(f.rows))
		if !start {
			at++
		}
		return min(max(at, 0), len(f.rows)), nil
	case plan.FrameGroups:
		groups := len(f.start) - 1
		at := moved(f.group[i], offset.Int(), preceding, groups)
		if !start {
			at++
		}
		return f.start[min(max(at, 0), groups)], nil
	}
	return f.rangeBound(i, offset, preceding, start)
}

// moved is a place moved by an offset that may be far beyond both ends.
func moved(at int, offset int64, back bool, length int) int {
	by := int(min(offset, int64(length)+1))
	if back {
		return at - by
	}
	return at + by
}

// rangeBound finds the first row that lies within an offset of a row's value, or behind the last
// that does. NULLs are near to none but NULLs.
func (f *framing) rangeBound(
	i int, offset types.Datum, preceding, start bool,
) (int, error) {
	key, base := &f.keys.OrderBy[0], f.rows[i].order[0]
	b := builtin.RangeBound{Base: base, Offset: offset, Minus: preceding != key.Desc}
	if b.Negative() {
		return 0, types.Errorf(codeFrameSize,
			"invalid preceding or following size in window function")
	}
	if base.IsNull() {
		lo, hi := f.peers(i)
		if start {
			return lo, nil
		}
		return hi, nil
	}
	first, last := 0, len(f.rows) // of the rows that are not NULL
	if key.NullsFirst {
		for first < last && f.rows[first].order[0].IsNull() {
			first = f.start[f.group[first]+1]
		}
	} else if f.rows[last-1].order[0].IsNull() {
		last = f.start[f.group[last-1]]
	}
	var err error
	found := sort.Search(last-first, func(n int) bool {
		c, e := b.Compare(f.rows[first+n].order[0], f.run.eval.Env)
		if e != nil {
			err = e
		}
		if key.Desc {
			c = -c
		}
		if start {
			return c >= 0
		}
		return c > 0
	})
	return first + found, err
}

// excluded says whether the frame of row i leaves out row j.
func (f *framing) excluded(i, j int) bool {
	switch f.frame.Exclude {
	case plan.ExcludeCurrentRow:
		return i == j
	case plan.ExcludeGroup:
		return f.group[i] == f.group[j]
	case plan.ExcludeTies:
		return i != j && f.group[i] == f.group[j]
	}
	return false
}

// frameAggregate gives an aggregate over the frame of each row.
type frameAggregate struct {
	*framing
	call   plan.AggregateCall
	hold   hold // of what the aggregate gathers
	group  []aggregating
	lo, hi int // the rows it has taken
}

func newFrameAggregate(f *framing, call *plan.WindowCall) *frameAggregate {
	return &frameAggregate{framing: f, hold: hold{run: f.run}, call: plan.AggregateCall{
		Fn: *call.Agg, Name: call.Name, Args: call.Args, Star: call.Star, Filter: call.Filter,
		T: call.T}}
}

// each computes the aggregate for every row. Rows whose frames are the same share the value, and a
// frame that only grows goes on from the one before.
func (g *frameAggregate) each(set func(i int, v types.Datum) error) error {
	defer func() { g.hold.release() }()
	var last types.Datum
	for i := range g.rows {
		if err := g.check(); err != nil {
			return err
		}
		lo, hi, err := g.bounds(i)
		if err != nil {
			return err
		}
		if i == 0 || lo != g.lo || hi != g.hi || g.frame.Exclude != plan.ExcludeNothing {
			if err := g.take(i, lo, hi); err != nil {
				return err
			}
			v, err := g.group[0].acc.Result(&g.run.eval.Context)
			if err != nil {
				return err
			}
			last = v.Clone()
		}
		if err := set(i, last); err != nil {
			return err
		}
	}
	return nil
}

// take has the aggregate take the rows of a frame.
func (g *frameAggregate) take(i, lo, hi int) error {
	from := g.hi
	if g.group == nil || lo != g.lo || hi < g.hi || g.frame.Exclude != plan.ExcludeNothing {
		g.hold.release()
		g.group = newCalls(&g.hold, []plan.AggregateCall{g.call})
		from = lo
	}
	g.lo, g.hi = lo, hi
	for j := from; j < hi; j++ {
		if err := g.check(); err != nil {
			return err
		}
		if g.excluded(i, j) {
			continue
		}
		if err := g.group[0].take(g.run, g.rows[j].row); err != nil {
			return err
		}
	}
	return nil
}
