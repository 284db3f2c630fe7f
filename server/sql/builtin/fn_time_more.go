package builtin

import (
	"math"

	"ackdb/server/sql/types"
)

func init() {
	i4, f8 := types.Int4, types.Float8
	ts, tz, span := types.Timestamp, types.TimestampTZ, types.Interval
	register(
		fn("make_time", types.Time, evalMakeTime, i4, i4, f8),
		fn("make_timestamptz", tz, evalMakeTimestampTZ, i4, i4, i4, i4, i4, f8).stable(),
		fn("make_timestamptz", tz, evalMakeTimestampTZ, i4, i4, i4, i4, i4, f8, types.Text).stable(),
		fn("date_bin", ts, evalDateBin, span, ts, ts),
		fn("date_bin", tz, evalDateBin, span, tz, tz),
	)
	for _, oid := range []OID{types.Time, ts, tz} {
		for _, ends := range [][2]OID{{oid, oid}, {oid, span}, {span, oid}, {span, span}} {
			f := fn("overlaps", types.Bool, evalOverlaps, oid, ends[0], oid, ends[1]).notStrict()
			if oid == tz && ends != [2]OID{oid, oid} {
				f = f.stable()
			}
			register(f)
		}
	}
}

func evalMakeTime(_ *Context, a []Datum) (Datum, error) {
	hour, minute, second := a[0].Int(), a[1].Int(), a[2].Float()
	if hour < 0 || minute < 0 || minute > 59 || !(second >= 0 && second <= 60) || hour > 24 ||
		hour == 24 && (minute > 0 || second > 0) {
		return types.Null, errField("time", a, ":")
	}
	micros := (hour*60+minute)*60_000_000 + int64(math.RoundToEven(second*1e6))
	return types.NewInt(types.Time, micros), nil
}

// evalMakeTimestampTZ takes the wall clock of the session's zone or of the one named.
func evalMakeTimestampTZ(c *Context, a []Datum) (Datum, error) {
	local, err := evalMakeTimestamp(c, a[:6])
	if err != nil {
		return types.Null, err
	}
	if len(a) > 6 {
		return evalZoneToTZ(c, []Datum{a[6], local})
	}
	return types.NewInt(types.TimestampTZ, types.FromLocal(local.Int(), c.Env)), nil
}

// evalDateBin rounds down to a multiple of the stride behind the origin.
func evalDateBin(_ *Context, a []Datum) (Datum, error) {
	stride := a[0].Span()
	if stride.Months != 0 {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"timestamps cannot be binned into intervals containing months or years")
	}
	width := int64(stride.Days)*microsPerDay + stride.Micros
	if width <= 0 {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow,
			"stride must be greater than zero")
	}
	if _, infinite := types.IsInfinite(a[1]); infinite {
		return a[1], nil
	}
	if _, infinite := types.IsInfinite(a[2]); infinite {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow, "origin out of range")
	}
	since := a[1].Int() - a[2].Int()
	return types.NewInt(a[1].OID(), a[2].Int()+floorDiv(since, width)*width), nil
}

// evalOverlaps tells whether two spans of time share a moment; each is given by its ends or by one
// end and its length, and a NULL end may leave it open.
func evalOverlaps(c *Context, a []Datum) (Datum, error) {
	starts, ends := [2]Datum{a[0], a[2]}, [2]Datum{a[1], a[3]}
	for i := range ends {
		if ends[i].OID() == types.Interval && !ends[i].IsNull() {
			if starts[i].IsNull() {
				ends[i] = types.Null
				continue
			}
			var err error
			if ends[i], err = types.AddSpan(starts[i], ends[i].Span(), c.Env); err != nil {
				return types.Null, err
			}
		}
		if starts[i].IsNull() || !ends[i].IsNull() && types.Compare(starts[i], ends[i]) > 0 {
			starts[i], ends[i] = ends[i], starts[i]
		}
		if starts[i].IsNull() {
			return types.Null, nil
		}
	}
	return overlap(starts, ends), nil
}

func overlap(starts, ends [2]Datum) Datum {
	order := types.Compare(starts[0], starts[1])
	if order == 0 {
		if ends[0].IsNull() || ends[1].IsNull() {
			return types.Null
		}
		return types.NewBool(true)
	}
	first, later := 0, 1
	if order > 0 {
		first, later = 1, 0
	}
	if ends[first].IsNull() {
		return types.Null
	}
	if types.Compare(starts[later], ends[first]) < 0 {
		return types.NewBool(true)
	}
	if ends[later].IsNull() {
		return types.Null
	}
	return types.NewBool(false)
}
