package builtin

import (
	"math"
	"unsafe"

	"ackdb/server/sql/types"
)

// The aggregates of WITHIN GROUP. Each is given the values of its group in order; what stands in
// its own brackets it is given before it is asked for the result.

// OrderedSet is an Accumulator of WITHIN GROUP.
type OrderedSet interface {
	Accumulator
	// Direct takes the arguments that stand in the brackets.
	Direct(args []Datum)
}

func init() {
	for _, by := range []struct{ of, list OID }{
		{types.Float8, types.Float8Array}, {types.Interval, types.IntervalArray},
	} {
		registerAggregate(
			Aggregate{Name: "percentile_cont", Args: []OID{types.Float8, by.of}, Result: by.of,
				Ordered: true, New: newOrderedSet(continuous)},
			Aggregate{Name: "percentile_cont", Args: []OID{types.Float8Array, by.of}, Result: by.list,
				Ordered: true, New: newOrderedSet(continuous)},
		)
	}
	registerAggregate(
		Aggregate{Name: "percentile_disc", Args: []OID{types.Float8, types.AnyElement},
			Result: types.AnyElement, Ordered: true, New: newOrderedSet(discrete)},
		Aggregate{Name: "percentile_disc", Args: []OID{types.Float8Array, types.AnyElement},
			Result: types.AnyArray, Ordered: true, New: newOrderedSet(discrete)},
		Aggregate{Name: "mode", Args: []OID{types.AnyElement}, Result: types.AnyElement,
			Ordered: true, New: newMode},
	)
}

// orderedSet keeps the values of a group that are not NULL.
type orderedSet struct {
	result   OID
	elems    []Datum
	held     int
	fraction Datum
	at       func(elems []Datum, fraction float64) (Datum, error)
}

func newOrderedSet(at func([]Datum, float64) (Datum, error)) func(OID) Accumulator {
	return func(result OID) Accumulator { return &orderedSet{result: result, at: at} }
}

func (o *orderedSet) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	elem := args[0].Clone()
	o.elems = append(o.elems, elem)
	o.held += elem.Size()
	return nil
}

func (o *orderedSet) Direct(args []Datum) { o.fraction = args[0] }

func (o *orderedSet) Result(*Context) (Datum, error) {
	if o.fraction.IsNull() {
		return types.Null, nil
	}
	list := o.fraction.Array()
	if list == nil {
		return o.percentile(o.fraction)
	}
	if len(o.elems) == 0 {
		return types.Null, nil
	}
	out := *list
	out.Elem, out.Elems = types.ElemOf(o.result), make([]Datum, len(list.Elems))
	for i, fraction := range list.Elems {
		var err error
		if out.Elems[i], err = o.percentile(fraction); err != nil {
			return types.Null, err
		}
	}
	return types.NewArrayDatum(o.result, &out), nil
}

func (o *orderedSet) percentile(fraction Datum) (Datum, error) {
	f := fraction.Float()
	switch {
	case fraction.IsNull():
		return types.Null, nil
	case f < 0 || f > 1 || math.IsNaN(f):
		return types.Null, types.Errorf(types.CodeNumericOutOfRange,
			"percentile value %g is not between 0 and 1", f)
	case len(o.elems) == 0:
		return types.Null, nil
	}
	return o.at(o.elems, f)
}

func (o *orderedSet) Size() int { return int(unsafe.Sizeof(*o)) + o.held }

// discrete is the first value that so many of all are not behind.
func discrete(elems []Datum, fraction float64) (Datum, error) {
	at := int(math.Ceil(fraction * float64(len(elems))))
	return elems[max(at, 1)-1], nil
}

// continuous lies between the two values around the place.
func continuous(elems []Datum, fraction float64) (Datum, error) {
	place := fraction * float64(len(elems)-1)
	first, second := math.Floor(place), math.Ceil(place)
	low, high := elems[int(first)], elems[int(second)]
	if first == second {
		return low, nil
	}
	part := place - first
	if low.OID() == types.Float8 {
		return types.NewFloat8(low.Float() + part*(high.Float()-low.Float())), nil
	}
	back, err := types.NegateSpan(low.Span())
	if err != nil {
		return types.Null, err
	}
	distance, err := types.SumSpans(high.Span(), back)
	if err != nil {
		return types.Null, err
	}
	if distance, err = types.ScaleSpan(distance, part); err != nil {
		return types.Null, err
	}
	sum, err := types.SumSpans(low.Span(), distance)
	return types.NewSpan(sum), err
}

// mode keeps the value that came most often, the first in order of several.
type mode struct {
	best, last   Datum
	often, times int
}

func newMode(OID) Accumulator { return &mode{} }

func (m *mode) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	if m.times == 0 || types.Compare(m.last, args[0]) != 0 {
		m.last, m.times = args[0].Clone(), 0
	}
	if m.times++; m.times > m.often {
		m.best, m.often = m.last, m.times
	}
	return nil
}

func (m *mode) Direct([]Datum) {}

func (m *mode) Result(*Context) (Datum, error) { return m.best, nil }

func (m *mode) Size() int { return int(unsafe.Sizeof(*m)) + m.best.Size() + m.last.Size() }
