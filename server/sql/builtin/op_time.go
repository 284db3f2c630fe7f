package builtin

import "ackdb/server/sql/types"

func init() {
	date, interval := types.Date, types.Interval
	registerOp("+", date, types.Int4, date, evalDateAdd)
	registerOp("+", types.Int4, date, date, exchanged(evalDateAdd))
	registerOp("-", date, types.Int4, date, evalDateSub)
	registerOp("-", date, date, types.Int4, evalDateDiff)
	registerOp("+", date, interval, types.Timestamp, evalDatePlusSpan)
	registerOp("+", interval, date, types.Timestamp, exchanged(evalDatePlusSpan))
	registerOp("-", date, interval, types.Timestamp, evalDateMinusSpan)
	registerOp("+", date, types.Time, types.Timestamp, evalDatePlusTime)
	registerOp("+", types.Time, date, types.Timestamp, exchanged(evalDatePlusTime))
	for _, oid := range []OID{types.Timestamp, types.TimestampTZ} {
		var opts []opOption
		if oid == types.TimestampTZ {
			opts = append(opts, stableOp)
		}
		registerOp("+", oid, interval, oid, evalPlusSpan, opts...)
		registerOp("+", interval, oid, oid, exchanged(evalPlusSpan), opts...)
		registerOp("-", oid, interval, oid, evalMinusSpan, opts...)
		registerOp("-", oid, oid, interval, evalTimestampDiff)
	}
	registerOp("+", interval, interval, interval, evalSpanAdd)
	registerOp("-", interval, interval, interval, evalSpanSub)
	registerOp("-", 0, interval, interval, evalSpanNegate)
	registerOp("*", interval, types.Float8, interval, evalSpanMul)
	registerOp("*", types.Float8, interval, interval, exchanged(evalSpanMul))
	registerOp("/", interval, types.Float8, interval, evalSpanDiv)
	registerOp("+", types.Time, interval, types.Time, evalTimePlusSpan)
	registerOp("+", interval, types.Time, types.Time, exchanged(evalTimePlusSpan))
	registerOp("-", types.Time, interval, types.Time, evalTimeMinusSpan)
	registerOp("-", types.Time, types.Time, interval, evalTimeDiff)
}

// exchanged is an operator with its operands the other way round.
func exchanged(eval Eval) Eval {
	return func(c *Context, a []Datum) (Datum, error) { return eval(c, []Datum{a[1], a[0]}) }
}

func evalDateAdd(_ *Context, a []Datum) (Datum, error) { return shiftDate(a[0], a[1].Int()) }

func evalDateSub(_ *Context, a []Datum) (Datum, error) { return shiftDate(a[0], -a[1].Int()) }

func shiftDate(d Datum, days int64) (Datum, error) {
	if _, infinite := types.IsInfinite(d); infinite {
		return d, nil
	}
	moved := types.NewInt(types.Date, d.Int()+days)
	if !types.DateInRange(moved.Int()) {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow, "date out of range")
	}
	return moved, nil
}

func evalDateDiff(_ *Context, a []Datum) (Datum, error) {
	_, infiniteA := types.IsInfinite(a[0])
	_, infiniteB := types.IsInfinite(a[1])
	if infiniteA || infiniteB {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow,
			"cannot subtract infinite dates")
	}
	return types.NewInt4(int32(a[0].Int() - a[1].Int())), nil
}

func evalDatePlusSpan(c *Context, a []Datum) (Datum, error) {
	d, err := types.CastDatum(a[0], types.Of(types.Timestamp), types.Implicit, c.Env)
	if err != nil {
		return types.Null, err
	}
	return types.AddSpan(d, a[1].Span(), nil)
}

func evalDateMinusSpan(c *Context, a []Datum) (Datum, error) {
	s, err := types.NegateSpan(a[1].Span())
	if err != nil {
		return types.Null, err
	}
	return evalDatePlusSpan(c, []Datum{a[0], types.NewSpan(s)})
}

func evalDatePlusTime(c *Context, a []Datum) (Datum, error) {
	return evalDatePlusSpan(c, []Datum{a[0], types.NewSpan(types.Span{Micros: a[1].Int()})})
}

func evalPlusSpan(c *Context, a []Datum) (Datum, error) {
	return types.AddSpan(a[0], a[1].Span(), c.Env)
}

func evalMinusSpan(c *Context, a []Datum) (Datum, error) {
	s, err := types.NegateSpan(a[1].Span())
	if err != nil {
		return types.Null, err
	}
	return types.AddSpan(a[0], s, c.Env)
}

func evalTimestampDiff(_ *Context, a []Datum) (Datum, error) { return types.Difference(a[0], a[1]) }

func spanResult(s types.Span, err error) (Datum, error) {
	if err != nil {
		return types.Null, err
	}
	return types.NewSpan(s), nil
}

func evalSpanAdd(_ *Context, a []Datum) (Datum, error) {
	return spanResult(types.SumSpans(a[0].Span(), a[1].Span()))
}

func evalSpanSub(_ *Context, a []Datum) (Datum, error) {
	s, err := types.NegateSpan(a[1].Span())
	if err != nil {
		return types.Null, err
	}
	return spanResult(types.SumSpans(a[0].Span(), s))
}

func evalSpanNegate(_ *Context, a []Datum) (Datum, error) {
	return spanResult(types.NegateSpan(a[0].Span()))
}

func evalSpanMul(_ *Context, a []Datum) (Datum, error) {
	return spanResult(types.ScaleSpan(a[0].Span(), a[1].Float()))
}

func evalSpanDiv(_ *Context, a []Datum) (Datum, error) {
	return spanResult(types.DivideSpan(a[0].Span(), a[1].Float()))
}

// microsPerDay is what a time of day wraps at.
const microsPerDay = 24 * 60 * 60 * 1_000_000

func evalTimePlusSpan(_ *Context, a []Datum) (Datum, error) {
	return wrapTime(a[0].Int() + a[1].Span().Micros%microsPerDay), nil
}

func evalTimeMinusSpan(_ *Context, a []Datum) (Datum, error) {
	return wrapTime(a[0].Int() - a[1].Span().Micros%microsPerDay), nil
}

func wrapTime(micros int64) Datum {
	return types.NewInt(types.Time, ((micros%microsPerDay)+microsPerDay)%microsPerDay)
}

func evalTimeDiff(_ *Context, a []Datum) (Datum, error) {
	return types.NewSpan(types.Span{Micros: a[0].Int() - a[1].Int()}), nil
}
