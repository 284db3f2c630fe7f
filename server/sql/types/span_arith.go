package types

import "math"

// AddSpan moves a timestamp by an interval: months first, keeping within the month, then days, then
// microseconds. With a zone the timestamp is an instant, and months and days are of its wall clock.
func AddSpan(d Datum, s Span, env *Env) (Datum, error) {
	if _, infinite := IsInfinite(d); infinite {
		return d, nil
	}
	micros := d.n
	if s.Months != 0 || s.Days != 0 {
		if d.typ == TimestampTZ {
			micros = ToLocal(micros, env)
		}
		days, timeOfDay := SplitTimestamp(micros)
		days = addMonths(days, int64(s.Months)) + int64(s.Days)
		var ok bool
		if micros, ok = joinTimestamp(days, timeOfDay); !ok {
			return Null, errTimestampRange()
		}
		if d.typ == TimestampTZ {
			micros = FromLocal(micros, env)
		}
	}
	sum := micros + s.Micros
	if (micros^sum)&(s.Micros^sum) < 0 || sum < timestampMin || sum >= timestampEnd {
		return Null, errTimestampRange()
	}
	return NewInt(d.typ, sum), nil
}

func errTimestampRange() *Error { return Errorf(CodeDatetimeOverflow, "timestamp out of range") }

func addMonths(days, months int64) int64 {
	if months == 0 {
		return days
	}
	c := CivilOf(days)
	total := int64(c.Year)*monthsPerYear + int64(c.Month) - 1 + months
	c.Year = int(floorDiv64(total, monthsPerYear))
	c.Month = int(total-int64(c.Year)*monthsPerYear) + 1
	c.Day = min(c.Day, DaysInMonth(c.Year, c.Month))
	return DaysOf(c)
}

// NegateSpan is -s.
func NegateSpan(s Span) (Span, error) {
	if s.Months == math.MinInt32 || s.Days == math.MinInt32 || s.Micros == math.MinInt64 {
		return Span{}, errIntervalRange()
	}
	return Span{Months: -s.Months, Days: -s.Days, Micros: -s.Micros}, nil
}

func errIntervalRange() *Error { return Errorf(CodeDatetimeOverflow, "interval out of range") }

// SumSpans adds two intervals part by part.
func SumSpans(a, b Span) (Span, error) {
	months := int64(a.Months) + int64(b.Months)
	days := int64(a.Days) + int64(b.Days)
	micros := a.Micros + b.Micros
	if !fitsInt(Int4, months) || !fitsInt(Int4, days) || (a.Micros^micros)&(b.Micros^micros) < 0 {
		return Span{}, errIntervalRange()
	}
	return Span{Months: int32(months), Days: int32(days), Micros: micros}, nil
}

// ScaleSpan multiplies an interval. What is left of a month becomes days of thirty to the month,
// and what is left of those microseconds.
func ScaleSpan(s Span, factor float64) (Span, error) {
	return scaleSpan(s, func(v float64) float64 { return v * factor })
}

// DivideSpan divides an interval.
func DivideSpan(s Span, divisor float64) (Span, error) {
	if divisor == 0 {
		return Span{}, ErrDivisionByZero()
	}
	return scaleSpan(s, func(v float64) float64 { return v / divisor })
}

func scaleSpan(s Span, scale func(float64) float64) (Span, error) {
	months, days := scale(float64(s.Months)), scale(float64(s.Days))
	if !inInt32(months) || !inInt32(days) {
		return Span{}, errIntervalRange()
	}
	out := Span{Months: int32(months), Days: int32(days)}
	// Rounded to microseconds before use, as PostgreSQL's TSROUND does: 0.1 of a month is 3 days.
	monthRest := roundMicro((months - math.Trunc(months)) * daysPerMonth)
	dayRest := roundMicro(monthRest - math.Trunc(monthRest))
	seconds := roundMicro((days - math.Trunc(days) + dayRest) * secondsPerDay)
	if math.Abs(seconds) >= secondsPerDay {
		whole := math.Trunc(seconds / secondsPerDay)
		out.Days += int32(whole)
		seconds -= whole * secondsPerDay
	}
	total := float64(out.Days) + math.Trunc(monthRest)
	if !inInt32(total) {
		return Span{}, errIntervalRange()
	}
	out.Days = int32(total)
	micros := math.RoundToEven(scale(float64(s.Micros)) + seconds*microsPerSecond)
	if !(micros >= math.MinInt64 && micros < math.MaxInt64) {
		return Span{}, errIntervalRange()
	}
	out.Micros = int64(micros)
	return out, nil
}

func inInt32(v float64) bool { return v > math.MinInt32-1 && v < math.MaxInt32+1 }

func roundMicro(v float64) float64 { return math.RoundToEven(v*microsPerSecond) / microsPerSecond }

// JustifyHours turns every 24 hours into a day.
func JustifyHours(s Span) (Span, error) {
	days := s.Micros / microsPerDay
	s.Micros -= days * microsPerDay
	total := int64(s.Days) + days
	if total > 0 && s.Micros < 0 {
		s.Micros += microsPerDay
		total--
	} else if total < 0 && s.Micros > 0 {
		s.Micros -= microsPerDay
		total++
	}
	if !fitsInt(Int4, total) {
		return Span{}, errIntervalRange()
	}
	s.Days = int32(total)
	return s, nil
}

// JustifyDays turns every thirty days into a month.
func JustifyDays(s Span) (Span, error) {
	months := int64(s.Months) + int64(s.Days/daysPerMonth)
	s.Days %= daysPerMonth
	if months > 0 && s.Days < 0 {
		s.Days += daysPerMonth
		months--
	} else if months < 0 && s.Days > 0 {
		s.Days -= daysPerMonth
		months++
	}
	if !fitsInt(Int4, months) {
		return Span{}, errIntervalRange()
	}
	s.Months = int32(months)
	return s, nil
}

// Difference is the interval between two timestamps, in days and hours.
func Difference(a, b Datum) (Datum, error) {
	_, infiniteA := IsInfinite(a)
	_, infiniteB := IsInfinite(b)
	if infiniteA || infiniteB {
		return Null, Errorf(CodeDatetimeOverflow, "cannot subtract infinite timestamps")
	}
	diff := a.n - b.n
	if (a.n^b.n)&(a.n^diff) < 0 {
		return Null, errIntervalRange()
	}
	s, err := JustifyHours(Span{Micros: diff})
	if err != nil {
		return Null, err
	}
	return NewSpan(s), nil
}

// Age is the interval between two wall clocks in years, months, days and hours.
func Age(a, b Datum) (Datum, error) {
	_, infiniteA := IsInfinite(a)
	_, infiniteB := IsInfinite(b)
	if infiniteA || infiniteB {
		return Null, errTimestampRange()
	}
	negative := a.n < b.n
	if negative {
		a, b = b, a
	}
	s := ageBetween(a.n, b.n)
	if negative {
		s = Span{Months: -s.Months, Days: -s.Days, Micros: -s.Micros}
	}
	return NewSpan(s), nil
}

// ageBetween borrows from days the length of the earlier date's month, as PostgreSQL does.
func ageBetween(later, earlier int64) Span {
	daysA, timeA := SplitTimestamp(later)
	daysB, timeB := SplitTimestamp(earlier)
	ca, cb := CivilOf(daysA), CivilOf(daysB)
	micros := timeA - timeB
	days := ca.Day - cb.Day
	months := (ca.Year-cb.Year)*monthsPerYear + ca.Month - cb.Month
	if micros < 0 {
		micros += microsPerDay
		days--
	}
	for days < 0 {
		days += DaysInMonth(cb.Year, cb.Month)
		months--
	}
	return Span{Months: int32(months), Days: int32(days), Micros: micros}
}
