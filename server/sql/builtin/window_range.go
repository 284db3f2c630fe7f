package builtin

import (
	"cmp"
	"math"

	"ackdb/server/sql/types"
)

// RangeOffset gives the type that the offset of a RANGE frame over a column of one type takes when
// it is written with another. None says that there are no such frames over the column; of several
// that would do, the offset's own is the one.
func RangeOffset(column, offset OID) (to OID, none, ambiguous bool) {
	var offers []OID
	switch column {
	case types.Int2, types.Int4:
		offers = []OID{types.Int2, types.Int4, types.Int8}
	case types.Int8:
		offers = []OID{types.Int8}
	case types.Float4, types.Float8:
		offers = []OID{types.Float8}
	case types.Numeric:
		offers = []OID{types.Numeric}
	case types.Date, types.Time, types.Timestamp, types.TimestampTZ, types.Interval:
		offers = []OID{types.Interval}
	default:
		return 0, true, false
	}
	preferred := offset
	if offset == types.Unknown {
		preferred = column
	}
	matches := 0
	for _, oid := range offers {
		if _, ok := types.FindCast(offset, oid, types.Implicit); !ok && oid != offset &&
			offset != types.Unknown {
			continue
		}
		if matches++; to != preferred {
			to = oid
		}
	}
	return to, false, matches > 1 && to != preferred
}

// RangeBound is base + offset, or with Minus base - offset: where a RANGE frame begins or ends.
type RangeBound struct {
	Base, Offset Datum
	Minus        bool
}

// Compare says on which side of the bound a value of the column lies: below 0, before it. Where the
// bound is no value of the type any more, every value lies on this side of it.
func (b RangeBound) Compare(v Datum, env *types.Env) (int, error) {
	switch b.Base.OID() {
	case types.Int2, types.Int4, types.Int8:
		return b.compareInt(v), nil
	case types.Float4, types.Float8:
		return b.compareFloat(v.Float()), nil
	case types.Numeric:
		op := types.NumericAdd
		if b.Minus {
			op = types.NumericSub
		}
		sum, err := types.NumericArith(op, b.Base, b.Offset)
		if err != nil {
			return 0, err
		}
		return types.Compare(v, sum), nil
	}
	return b.compareTime(v, env)
}

// Negative says whether the offset is one that no frame has.
func (b RangeBound) Negative() bool {
	switch b.Offset.OID() {
	case types.Int2, types.Int4, types.Int8:
		return b.Offset.Int() < 0
	case types.Float8:
		return b.Offset.Float() < 0 || math.IsNaN(b.Offset.Float())
	case types.Numeric:
		sign, ok := types.NumericSign(b.Offset)
		return !ok || sign < 0
	}
	return types.Compare(b.Offset, types.NewSpan(types.Span{})) < 0
}

func (b RangeBound) compareInt(v Datum) int {
	base, offset := b.Base.Int(), b.Offset.Int()
	sum := base + offset
	if b.Minus {
		if sum = base - offset; sum > base {
			return 1
		}
	} else if sum < base {
		return -1
	}
	return cmp.Compare(v.Int(), sum)
}

// compareFloat has NaN above everything, equal to itself, as the order of the type does.
func (b RangeBound) compareFloat(v float64) int {
	base, offset := b.Base.Float(), b.Offset.Float()
	switch {
	case math.IsNaN(v) && math.IsNaN(base):
		return 0
	case math.IsNaN(v):
		return 1
	case math.IsNaN(base):
		return -1
	case math.IsInf(offset, 1) && math.IsInf(base, 1) && b.Minus,
		math.IsInf(offset, 1) && math.IsInf(base, -1) && !b.Minus:
		return 0 // every value is within reach
	}
	sum := base + offset
	if b.Minus {
		sum = base - offset
	}
	return cmp.Compare(v, sum)
}

func (b RangeBound) compareTime(v Datum, env *types.Env) (int, error) {
	span := b.Offset.Span()
	if b.Minus {
		var err error
		if span, err = types.NegateSpan(span); err != nil {
			return 0, err
		}
	}
	switch b.Base.OID() {
	case types.Time:
		// Not on the clock, which would go round: a bound beyond midnight is beyond every time.
		sum := b.Base.Int() + span.Micros
		return cmp.Compare(v.Int(), sum), nil
	case types.Interval:
		sum, err := types.SumSpans(b.Base.Span(), span)
		if err != nil {
			return 0, err
		}
		return types.Compare(v, types.NewSpan(sum)), nil
	}
	base := b.Base
	if base.OID() == types.Date { // which makes a timestamp with an interval
		var err error
		if base, err = castTo(base, types.Timestamp, env); err != nil {
			return 0, err
		}
		if v, err = castTo(v, types.Timestamp, env); err != nil {
			return 0, err
		}
	}
	sum, err := types.AddSpan(base, span, env)
	if err != nil {
		return 0, err
	}
	return types.Compare(v, sum), nil
}

func castTo(v Datum, oid OID, env *types.Env) (Datum, error) {
	cast, _ := types.FindCast(v.OID(), oid, types.Explicit)
	return cast.Apply(v, types.Of(oid), env)
}
