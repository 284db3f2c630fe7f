package builtin

import (
	"math"
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	text, n, f8 := types.Text, types.Numeric, types.Float8
	for _, oid := range []OID{types.Timestamp, types.TimestampTZ, types.Interval, types.Date,
		types.Time} {
		extract := fn("extract", n, extractFunc(false), text, oid)
		part := fn("date_part", f8, extractFunc(true), text, oid)
		if oid == types.TimestampTZ {
			extract, part = extract.stable(), part.stable()
		}
		register(extract, part)
	}
	ts, tz, interval := types.Timestamp, types.TimestampTZ, types.Interval
	register(
		fn("date_trunc", ts, evalDateTrunc, text, ts),
		fn("date_trunc", tz, evalDateTrunc, text, tz).stable(),
		fn("date_trunc", tz, evalDateTruncZone, text, tz, text).stable(),
		fn("date_trunc", interval, evalSpanTrunc, text, interval),
	)
}

// clockParts is a value taken apart for extract and date_trunc.
type clockParts struct {
	civil  types.Civil
	days   int64 // since 2000-01-01
	micros int64 // of the day; of an interval all of its time
	offset int64 // seconds ahead of UTC
	months int64 // of an interval
	isSpan bool
	source Datum

	truncating bool // for date_trunc of an interval, whose messages say more
}

func splitParts(c *Context, d Datum) clockParts {
	p := clockParts{source: d}
	switch d.OID() {
	case types.Interval:
		s := d.Span()
		p.isSpan, p.months, p.days, p.micros = true, int64(s.Months), int64(s.Days), s.Micros
		return p
	case types.Date:
		p.days = d.Int()
	case types.Time:
		p.micros = d.Int()
		return p
	case types.TimestampTZ:
		local := types.ToLocal(d.Int(), c.Env)
		p.offset = (local - d.Int()) / 1e6
		p.days, p.micros = types.SplitTimestamp(local)
	default:
		p.days, p.micros = types.SplitTimestamp(d.Int())
	}
	p.civil = types.CivilOf(p.days)
	return p
}

func extractFunc(asFloat bool) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		field := unitName(a[0].Str())
		if sign, ok := types.IsInfinite(a[1]); ok {
			return infinitePart(field, sign, asFloat), nil
		}
		source := a[1]
		if asFloat && source.OID() == types.Date {
			// date_part takes a date for its midnight, so that it has an hour; extract does not.
			source = types.NewInt(types.Timestamp, source.Int()*microsPerDay)
		}
		p := splitParts(c, source)
		d, err := p.extract(field)
		if err != nil || !asFloat {
			return d, err
		}
		return types.NewFloat8(types.NumericToFloat(d)), nil
	}
}

// infinitePart of a field that only grows is infinite, of one that comes round again it is NULL.
func infinitePart(field string, sign int, asFloat bool) Datum {
	switch field {
	case "year", "decade", "century", "millennium", "epoch", "julian", "isoyear":
		v := math.Inf(sign)
		if asFloat {
			return types.NewFloat8(v)
		}
		return types.NumericFromFloatWord(v)
	}
	return types.Null
}

var unitNames = map[string]string{
	"microseconds": "microsecond", "us": "microsecond", "usec": "microsecond",
	"milliseconds": "millisecond", "ms": "millisecond", "msec": "millisecond",
	"seconds": "second", "sec": "second", "s": "second", "minutes": "minute", "min": "minute",
	"m": "minute", "hours": "hour", "hr": "hour", "h": "hour", "days": "day", "d": "day",
	"weeks": "week", "w": "week", "months": "month", "mon": "month", "mons": "month",
	"quarters": "quarter", "qtr": "quarter", "years": "year", "yr": "year", "y": "year",
	"decades": "decade", "dec": "decade", "centuries": "century", "cent": "century",
	"c": "century", "millennia": "millennium", "mil": "millennium", "weekday": "dow",
}

func unitName(s string) string {
	lower := strings.ToLower(s)
	if name, ok := unitNames[lower]; ok {
		return name
	}
	return lower
}

func intNumeric(v int64) (Datum, error) { return types.NumericFromInt(v), nil }

// scaled is v / 10^digits with that many digits shown.
func scaled(v int64, digits int32) (Datum, error) { return types.NumericScaled(v, digits), nil }

func (p *clockParts) extract(field string) (Datum, error) {
	seconds := p.micros % 60_000_000
	if _, ok := clockUnits[field]; ok && p.source.OID() == types.Date {
		return types.Null, p.unsupported(field)
	}
	switch field {
	case "microsecond":
		return intNumeric(seconds)
	case "millisecond":
		return scaled(seconds, 3)
	case "second":
		return scaled(seconds, 6)
	case "minute":
		return intNumeric(p.micros / 60_000_000 % 60)
	case "hour":
		return intNumeric(p.micros / 3_600_000_000)
	case "epoch":
		return p.epoch()
	}
	if p.source.OID() == types.Time {
		return types.Null, p.unsupported(field)
	}
	if p.isSpan {
		return p.extractSpan(field)
	}
	return p.extractDate(field)
}

func (p *clockParts) unsupported(field string) error {
	name := types.FormatType(p.source.OID(), types.NoMod)
	if !knownField[field] {
		return types.Errorf(types.CodeInvalidParameter, "unit \"%s\" not recognized for type %s",
			field, name)
	}
	e := types.Errorf(types.CodeFeatureNotSupported, "unit \"%s\" not supported for type %s",
		field, name)
	if p.truncating && field == "week" {
		return e.WithDetail("Months usually have fractional weeks.")
	}
	return e
}

var knownField = wordSet(`microsecond millisecond second minute hour day week month quarter year
	decade century millennium dow isodow doy isoyear julian epoch timezone timezone_hour
	timezone_minute`)

func (p *clockParts) epoch() (Datum, error) {
	if p.isSpan {
		// A year counts 365.25 days here, a month thirty.
		years, months := p.months/12, p.months%12
		whole := types.NumericFromInt(years*31557600 + months*2592000 + p.days*86400)
		rest := types.NumericScaled(p.micros, 6)
		return types.NumericArith(types.NumericAdd, rest, whole)
	}
	switch p.source.OID() {
	case types.Time:
		return scaled(p.micros, 6)
	case types.Date:
		return intNumeric(p.days*86400 + unixEpoch)
	}
	whole := types.NumericFromInt(p.days*86400 + unixEpoch - p.offset)
	return types.NumericArith(types.NumericAdd, types.NumericScaled(p.micros, 6), whole)
}

func (p *clockParts) extractSpan(field string) (Datum, error) {
	years := p.months / 12
	switch field {
	case "day":
		return intNumeric(p.days)
	case "month":
		return intNumeric(p.months % 12)
	case "quarter":
		return intNumeric(p.months%12/3 + 1)
	case "year":
		return intNumeric(years)
	case "decade":
		return intNumeric(years / 10)
	case "century":
		return intNumeric(years / 100)
	case "millennium":
		return intNumeric(years / 1000)
	}
	return types.Null, p.unsupported(field)
}

func (p *clockParts) extractDate(field string) (Datum, error) {
	year := int64(p.civil.Year)
	switch field {
	case "day":
		return intNumeric(int64(p.civil.Day))
	case "month":
		return intNumeric(int64(p.civil.Month))
	case "quarter":
		return intNumeric(int64(p.civil.Month-1)/3 + 1)
	case "year":
		if year <= 0 {
			year-- // there is no year 0
		}
		return intNumeric(year)
	case "decade":
		return intNumeric(floorDiv(year, 10))
	case "century":
		return intNumeric(eraOf(year, 100))
	case "millennium":
		return intNumeric(eraOf(year, 1000))
	case "dow":
		return intNumeric(weekday(p.days))
	case "isodow":
		return intNumeric((weekday(p.days)+6)%7 + 1)
	case "doy":
		first := types.DaysOf(types.Civil{Year: p.civil.Year, Month: 1, Day: 1})
		return intNumeric(p.days - first + 1)
	case "week":
		_, week := isoWeek(p.days)
		return intNumeric(week)
	case "isoyear":
		isoYear, _ := isoWeek(p.days)
		if isoYear <= 0 {
			isoYear--
		}
		return intNumeric(isoYear)
	case "julian":
		return p.julian()
	}
	return p.extractZone(field)
}

func (p *clockParts) extractZone(field string) (Datum, error) {
	if p.source.OID() == types.TimestampTZ {
		switch field {
		case "timezone":
			return intNumeric(p.offset)
		case "timezone_hour":
			return intNumeric(p.offset / 3600)
		case "timezone_minute":
			return intNumeric(p.offset % 3600 / 60)
		}
	}
	return types.Null, p.unsupported(field)
}

// julianEpoch is the Julian day of 2000-01-01.
const julianEpoch = 2451545

func (p *clockParts) julian() (Datum, error) {
	day := types.NumericFromInt(p.days + julianEpoch)
	if p.source.OID() == types.Date {
		return day, nil
	}
	part, err := types.NumericArith(types.NumericDiv, types.NumericScaled(p.micros, 6),
		types.NumericFromInt(86400))
	if err != nil {
		return types.Null, err
	}
	return types.NumericArith(types.NumericAdd, day, part)
}

func floorDiv(x, y int64) int64 {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

// eraOf numbers centuries and millennia: the first begins with year 1, before it comes -1.
func eraOf(year, length int64) int64 {
	if year > 0 {
		return (year + length - 1) / length
	}
	return -((length - 1 - (year - 1)) / length)
}

// weekday is 0 for Sunday; 2000-01-01 was a Saturday.
func weekday(days int64) int64 { return ((days+6)%7 + 7) % 7 }

// isoWeek numbers weeks from the one with the year's first Thursday.
func isoWeek(days int64) (year, week int64) {
	thursday := days - (weekday(days)+6)%7 + 3
	y := types.CivilOf(thursday).Year
	first := types.DaysOf(types.Civil{Year: y, Month: 1, Day: 1})
	return int64(y), (thursday-first)/7 + 1
}

func evalDateTrunc(c *Context, a []Datum) (Datum, error) {
	if _, infinite := types.IsInfinite(a[1]); infinite {
		return a[1], nil
	}
	p := splitParts(c, a[1])
	if err := p.truncate(unitName(a[0].Str())); err != nil {
		return types.Null, err
	}
	local, err := evalDatePlusSpan(c, []Datum{
		types.NewInt(types.Date, p.days), types.NewSpan(types.Span{Micros: p.micros}),
	})
	if err != nil {
		return types.Null, err
	}
	if a[1].OID() == types.TimestampTZ {
		return types.NewInt(types.TimestampTZ, types.FromLocal(local.Int(), c.Env)), nil
	}
	return local, nil
}

// evalDateTruncZone truncates by the wall clock of a named zone.
func evalDateTruncZone(c *Context, a []Datum) (Datum, error) {
	loc, err := types.ZoneByName(a[2].Str())
	if err != nil {
		return types.Null, err
	}
	zoned := *c
	zoned.Env = &types.Env{Location: loc}
	return evalDateTrunc(&zoned, a[:2])
}

func (p *clockParts) truncate(field string) error {
	if unit, ok := clockUnits[field]; ok {
		p.micros -= p.micros % unit
		return nil
	}
	p.micros = 0
	civil := p.civil
	year := int64(civil.Year)
	switch field {
	case "day":
		return nil
	case "week":
		p.days -= (weekday(p.days) + 6) % 7
		return nil
	case "month":
		civil.Day = 1
	case "quarter":
		civil.Month, civil.Day = (civil.Month-1)/3*3+1, 1
	case "year":
		civil.Month, civil.Day = 1, 1
	case "decade":
		civil = types.Civil{Year: int(floorDiv(year, 10) * 10), Month: 1, Day: 1}
	case "century":
		civil = types.Civil{Year: int(floorDiv(year-1, 100)*100 + 1), Month: 1, Day: 1}
	case "millennium":
		civil = types.Civil{Year: int(floorDiv(year-1, 1000)*1000 + 1), Month: 1, Day: 1}
	default:
		return p.unsupported(field)
	}
	p.days = types.DaysOf(civil)
	return nil
}

// clockUnits are the fields below a day, in microseconds.
var clockUnits = map[string]int64{
	"microsecond": 1, "millisecond": 1000, "second": 1_000_000, "minute": 60_000_000,
	"hour": 3_600_000_000,
}

func evalSpanTrunc(c *Context, a []Datum) (Datum, error) {
	s := a[1].Span()
	field := unitName(a[0].Str())
	if unit, ok := clockUnits[field]; ok {
		s.Micros -= s.Micros % unit
		return types.NewSpan(s), nil
	}
	s.Micros = 0
	unit := map[string]int32{"day": 0, "month": 1, "quarter": 3, "year": 12, "decade": 120,
		"century": 1200, "millennium": 12000}
	months, ok := unit[field]
	if !ok {
		p := splitParts(c, a[1])
		p.truncating = true
		return types.Null, p.unsupported(field)
	}
	if months > 0 {
		s.Days = 0
		s.Months -= s.Months % months
	}
	return types.NewSpan(s), nil
}
