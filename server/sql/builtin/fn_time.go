package builtin

import (
	"math"
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	text, f8, i4 := types.Text, types.Float8, types.Int4
	ts, tz, date, interval := types.Timestamp, types.TimestampTZ, types.Date, types.Interval
	for _, name := range []string{"now", "transaction_timestamp", "current_timestamp"} {
		register(fn(name, tz, evalTxnTime).stable())
	}
	register(
		fn("statement_timestamp", tz, evalStmtTime).stable(),
		fn("clock_timestamp", tz, evalClock).volatile(),
		fn("timeofday", text, evalTimeOfDay).volatile(),
		fn("current_date", date, localTime(date)).stable(),
		fn("localtimestamp", ts, localTime(ts)).stable(),
		fn("localtime", types.Time, localTime(types.Time)).stable(),
		fn("age", interval, evalAge, ts, ts), fn("age", interval, evalAgeTZ, tz, tz),
		fn("age", interval, evalAgeNow, ts).stable(),
		fn("age", interval, evalAgeNow, tz).stable(),
		fn("justify_hours", interval, spanUnary(types.JustifyHours), interval),
		fn("justify_days", interval, spanUnary(types.JustifyDays), interval),
		fn("justify_interval", interval, spanUnary(justifyInterval), interval),
		fn("make_date", date, evalMakeDate, i4, i4, i4),
		fn("make_timestamp", ts, evalMakeTimestamp, i4, i4, i4, i4, i4, f8),
		fn("make_interval", interval, evalMakeInterval, i4, i4, i4, i4, i4, i4, f8).defaults(7),
		fn("to_timestamp", tz, evalEpochToTime, f8),
		fn("timezone", tz, evalZoneToTZ, text, ts), fn("timezone", ts, evalTZToZone, text, tz),
		fn("timezone", tz, evalZoneToTZ, interval, ts),
		fn("timezone", ts, evalTZToZone, interval, tz),
		fn("isfinite", types.Bool, evalIsFinite, date), fn("isfinite", types.Bool, evalIsFinite, ts),
		fn("isfinite", types.Bool, evalIsFinite, tz),
		fn("isfinite", types.Bool, evalTrue, interval),
		fn("pg_sleep", types.Void, evalSleep, f8).volatile(),
		fn("pg_sleep_for", types.Void, evalSleepFor, interval).volatile(),
	)
}

func evalTxnTime(c *Context, _ []Datum) (Datum, error) {
	return types.NewInt(types.TimestampTZ, c.TxnTime), nil
}

func evalStmtTime(c *Context, _ []Datum) (Datum, error) {
	return types.NewInt(types.TimestampTZ, c.StmtTime), nil
}

func evalClock(c *Context, _ []Datum) (Datum, error) { return types.NewTimestampTZ(c.now()), nil }

func evalTimeOfDay(c *Context, _ []Datum) (Datum, error) {
	t := c.now()
	if c.Env != nil && c.Env.Location != nil {
		t = t.In(c.Env.Location)
	}
	return types.NewText(t.Format("Mon Jan 02 15:04:05.000000 2006 MST")), nil
}

func localTime(oid OID) Eval {
	return func(c *Context, _ []Datum) (Datum, error) {
		d := types.NewInt(types.TimestampTZ, c.TxnTime)
		return types.CastDatum(d, types.Of(oid), types.Explicit, c.Env)
	}
}

func evalAge(_ *Context, a []Datum) (Datum, error) { return types.Age(a[0], a[1]) }

// evalAgeTZ compares wall clocks of the session's zone.
func evalAgeTZ(c *Context, a []Datum) (Datum, error) {
	return types.Age(types.NewInt(types.Timestamp, types.ToLocal(a[0].Int(), c.Env)),
		types.NewInt(types.Timestamp, types.ToLocal(a[1].Int(), c.Env)))
}

// evalAgeNow counts from midnight today.
func evalAgeNow(c *Context, a []Datum) (Datum, error) {
	today := types.NewInt(types.TimestampTZ, c.TxnTime)
	midnight, err := types.CastDatum(today, types.Of(types.Date), types.Explicit, c.Env)
	if err != nil {
		return types.Null, err
	}
	start, err := types.CastDatum(midnight, types.Of(types.Timestamp), types.Explicit, c.Env)
	if err != nil {
		return types.Null, err
	}
	then := a[0]
	if then.OID() == types.TimestampTZ {
		then = types.NewInt(types.Timestamp, types.ToLocal(then.Int(), c.Env))
	}
	return types.Age(start, then)
}

func spanUnary(f func(types.Span) (types.Span, error)) Eval {
	return func(_ *Context, a []Datum) (Datum, error) { return spanResult(f(a[0].Span())) }
}

func justifyInterval(s types.Span) (types.Span, error) {
	s, err := types.JustifyHours(s)
	if err != nil {
		return s, err
	}
	if s, err = types.JustifyDays(s); err != nil {
		return s, err
	}
	// The three parts must agree in sign.
	switch {
	case s.Months > 0 && (s.Days < 0 || s.Days == 0 && s.Micros < 0):
		s.Days += 30
		s.Months--
	case s.Months < 0 && (s.Days > 0 || s.Days == 0 && s.Micros > 0):
		s.Days -= 30
		s.Months++
	}
	switch {
	case s.Days > 0 && s.Micros < 0:
		s.Micros += microsPerDay
		s.Days--
	case s.Days < 0 && s.Micros > 0:
		s.Micros -= microsPerDay
		s.Days++
	}
	return s, nil
}

func errField(what string, a []Datum, separator string) error {
	parts := make([]string, len(a))
	for i, d := range a {
		parts[i] = d.String()
		if i > 0 && len(parts[i]) < 2 {
			parts[i] = "0" + parts[i]
		}
	}
	return types.Errorf(types.CodeDatetimeOverflow, "%s field value out of range: %s", what,
		strings.Join(parts, separator))
}

func evalMakeDate(_ *Context, a []Datum) (Datum, error) {
	civil := types.Civil{Year: int(a[0].Int()), Month: int(a[1].Int()), Day: int(a[2].Int())}
	if civil.Year < 0 { // -1 is 1 BC
		civil.Year++
	} else if civil.Year == 0 {
		return types.Null, errField("date", a, "-")
	}
	if civil.Month < 1 || civil.Month > 12 || civil.Day < 1 ||
		civil.Day > types.DaysInMonth(civil.Year, civil.Month) || civil.Year > 6000000 ||
		civil.Year < -4713 {
		return types.Null, errField("date", a, "-")
	}
	days := types.DaysOf(civil)
	if !types.DateInRange(days) {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow, "date out of range: %s-%s-%s",
			a[0], a[1], a[2])
	}
	return types.NewInt(types.Date, days), nil
}

func evalMakeTimestamp(c *Context, a []Datum) (Datum, error) {
	date, err := evalMakeDate(c, a[:3])
	if err != nil {
		return types.Null, err
	}
	hour, minute, second := a[3].Int(), a[4].Int(), a[5].Float()
	if hour < 0 || minute < 0 || minute > 59 || !(second >= 0 && second <= 60) || hour > 24 ||
		hour == 24 && (minute > 0 || second > 0) {
		return types.Null, errField("time", a[3:], ":")
	}
	micros := (hour*60+minute)*60_000_000 + int64(math.RoundToEven(second*1e6))
	return evalDatePlusSpan(c, []Datum{date, types.NewSpan(types.Span{Micros: micros})})
}

func evalMakeInterval(_ *Context, a []Datum) (Datum, error) {
	var v [6]int64
	for i := range v {
		if i < len(a) {
			v[i] = a[i].Int()
		}
	}
	seconds := 0.0
	if len(a) > 6 {
		seconds = a[6].Float()
	}
	months, days := v[0]*12+v[1], v[2]*7+v[3]
	if months != int64(int32(months)) || days != int64(int32(days)) ||
		!(math.Abs(seconds) < math.MaxInt64/4e6) {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow, "interval out of range")
	}
	micros := v[4]*3600_000_000 + v[5]*60_000_000 + int64(math.RoundToEven(seconds*1e6))
	return types.NewSpan(types.Span{Months: int32(months), Days: int32(days), Micros: micros}), nil
}

func evalEpochToTime(_ *Context, a []Datum) (Datum, error) {
	v := a[0].Float()
	switch {
	case math.IsNaN(v):
		return types.Null, types.Errorf(types.CodeDatetimeOverflow, "timestamp cannot be NaN")
	case math.IsInf(v, 0):
		return types.InfiniteTime(types.TimestampTZ, v > 0), nil
	}
	micros := math.RoundToEven((v - unixEpoch) * 1e6)
	if !(math.Abs(micros) < math.MaxInt64) || !types.TimestampInRange(int64(micros)) {
		return types.Null, types.Errorf(types.CodeDatetimeOverflow, "timestamp out of range: \"%s\"",
			a[0])
	}
	return types.NewInt(types.TimestampTZ, int64(micros)), nil
}

// unixEpoch is 2000-01-01 in seconds since 1970.
const unixEpoch = 946684800

// evalZoneToTZ is timestamp AT TIME ZONE zone.
func evalZoneToTZ(_ *Context, a []Datum) (Datum, error) {
	if a[0].OID() == types.Interval {
		offset, err := spanOffset(a[0].Span())
		return types.NewInt(types.TimestampTZ, shiftTime(a[1], -offset)), err
	}
	loc, err := types.ZoneByName(a[0].Str())
	if err != nil {
		return types.Null, err
	}
	return types.NewInt(types.TimestampTZ, types.FromZone(a[1].Int(), loc)), nil
}

// evalTZToZone is timestamptz AT TIME ZONE zone.
func evalTZToZone(_ *Context, a []Datum) (Datum, error) {
	if a[0].OID() == types.Interval {
		offset, err := spanOffset(a[0].Span())
		return types.NewInt(types.Timestamp, shiftTime(a[1], offset)), err
	}
	loc, err := types.ZoneByName(a[0].Str())
	if err != nil {
		return types.Null, err
	}
	return types.NewInt(types.Timestamp, types.InZone(a[1].Int(), loc)), nil
}

func spanOffset(s types.Span) (int64, error) {
	if s.Months != 0 || s.Days != 0 {
		return 0, types.Errorf(types.CodeInvalidParameter,
			"interval time zone \"%s\" must not include months or days", types.NewSpan(s))
	}
	return s.Micros, nil
}

func shiftTime(d Datum, micros int64) int64 {
	if _, infinite := types.IsInfinite(d); infinite {
		return d.Int()
	}
	return d.Int() + micros
}

func evalIsFinite(_ *Context, a []Datum) (Datum, error) {
	_, infinite := types.IsInfinite(a[0])
	return types.NewBool(!infinite), nil
}

func evalTrue(*Context, []Datum) (Datum, error) { return types.NewBool(true), nil }
