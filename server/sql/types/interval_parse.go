package types

import (
	"math"
	"strconv"
	"strings"
)

// spanUnit is what one of a unit adds to an interval.
type spanUnit struct {
	months, days int64
	micros       int64
}

var spanUnits = map[string]spanUnit{
	"microsecond": {micros: 1}, "us": {micros: 1}, "usec": {micros: 1},
	"millisecond": {micros: 1000}, "ms": {micros: 1000}, "msec": {micros: 1000},
	"second": {micros: microsPerSecond}, "sec": {micros: microsPerSecond},
	"s":      {micros: microsPerSecond},
	"minute": {micros: microsPerMinute}, "min": {micros: microsPerMinute},
	"m":    {micros: microsPerMinute},
	"hour": {micros: microsPerHour}, "hr": {micros: microsPerHour}, "h": {micros: microsPerHour},
	"day": {days: 1}, "d": {days: 1}, "week": {days: 7}, "w": {days: 7},
	"month": {months: 1}, "mon": {months: 1}, "year": {months: 12}, "yr": {months: 12},
	"y": {months: 12}, "decade": {months: 120}, "dec": {months: 120},
	"century": {months: 1200}, "cent": {months: 1200}, "c": {months: 1200},
	"centuries": {months: 1200}, "millennium": {months: 12000}, "mil": {months: 12000},
	"millennia": {months: 12000}, "msecond": {micros: 1000}, "usecond": {micros: 1},
}

// lookupUnit finds an interval unit by any of its names.
func lookupUnit(s string) (spanUnit, bool) {
	if u, ok := spanUnits[s]; ok {
		return u, true
	}
	u, ok := spanUnits[strings.TrimSuffix(s, "s")]
	return u, ok && len(s) > 1
}

// spanParser sums up an interval in wide numbers, so that what passes the range is seen at the end.
type spanParser struct {
	input       string
	exactMonths int64
	exactDays   int64
	exactMicros int64
	overflowed  bool
}

func parseInterval(s string) (Datum, error) {
	p := &spanParser{input: s}
	t := trimSpace(s)
	if strings.HasPrefix(t, "P") || strings.HasPrefix(t, "-P") || strings.HasPrefix(t, "+P") {
		if !p.iso(t) {
			return Null, p.bad()
		}
		return p.value()
	}
	fields, ok := splitDateTime(s)
	if !ok || len(fields) == 0 {
		return Null, p.bad()
	}
	if err := p.fields(fields); err != nil {
		return Null, err
	}
	return p.value()
}

func (p *spanParser) bad() *Error {
	return Errorf(CodeInvalidDatetime, "invalid input syntax for type interval: \"%s\"", p.input)
}

func (p *spanParser) overflow() *Error {
	return Errorf(CodeIntervalOverflow, "interval field value out of range: \"%s\"", p.input)
}

func (p *spanParser) value() (Datum, error) {
	switch {
	case p.overflowed || !fitsInt(Int4, p.exactDays):
		return Null, p.overflow()
	case !fitsInt(Int4, p.exactMonths):
		return Null, errIntervalRange()
	}
	return NewSpan(Span{
		Months: int32(p.exactMonths), Days: int32(p.exactDays), Micros: p.exactMicros,
	}), nil
}

// add counts an amount, given as its text, of a unit. Fractions spill into the next smaller units:
// of a month thirty days, of a day 24 hours.
func (p *spanParser) add(amount string, unit spanUnit) bool {
	negative := strings.HasPrefix(amount, "-")
	amount = strings.TrimLeft(amount, "+-")
	whole, fraction, _ := strings.Cut(amount, ".")
	if whole == "" {
		whole = "0"
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		p.overflowed = p.overflowed || isRangeError(err)
		return isRangeError(err)
	}
	part := 0.0
	if fraction != "" {
		if part, err = strconv.ParseFloat("0."+fraction, 64); err != nil {
			return false
		}
	}
	if negative {
		n, part = -n, -part
	}
	p.count(n, unit)
	p.spill(part, unit)
	return true
}

func (p *spanParser) count(n int64, unit spanUnit) {
	p.exactMonths = p.sum(p.exactMonths, n, unit.months)
	p.exactDays = p.sum(p.exactDays, n, unit.days)
	p.exactMicros = p.sum(p.exactMicros, n, unit.micros)
}

func (p *spanParser) sum(total, n, each int64) int64 {
	product := n * each
	if each != 0 && product/each != n {
		p.overflowed = true
		return total
	}
	next := total + product
	if (next > total) != (product > 0) && product != 0 {
		p.overflowed = true
	}
	return next
}

func (p *spanParser) spill(part float64, unit spanUnit) {
	if part == 0 {
		return
	}
	if unit.months > 0 {
		months := part * float64(unit.months)
		if unit.months > 1 { // of a year and more only whole months
			p.exactMonths += int64(math.RoundToEven(months))
			return
		}
		p.spillDays(months * daysPerMonth)
		return
	}
	if unit.days > 0 {
		p.spillDays(part * float64(unit.days))
		return
	}
	p.exactMicros += int64(math.RoundToEven(part * float64(unit.micros)))
}

func (p *spanParser) spillDays(days float64) {
	whole := math.Trunc(days)
	p.exactDays += int64(whole)
	p.exactMicros += int64(math.RoundToEven((days - whole) * microsPerDay))
}

// fields reads "1 year 2 days 03:04:05 ago", "1-2", "3 4:05:06".
func (p *spanParser) fields(fields []dateField) error {
	if fields[0].text == "@" {
		fields = fields[1:]
	}
	ago := len(fields) > 0 && fields[len(fields)-1].text == "ago"
	if ago {
		fields = fields[:len(fields)-1]
	}
	if len(fields) == 0 {
		return p.bad()
	}
	for i := 0; i < len(fields); i++ {
		used, ok := p.field(fields, i)
		if !ok {
			return p.bad()
		}
		i += used
	}
	if ago {
		p.exactMonths, p.exactDays, p.exactMicros = -p.exactMonths, -p.exactDays, -p.exactMicros
	}
	return nil
}

// field reads the field at i and says how many after it belong to it.
func (p *spanParser) field(fields []dateField, i int) (used int, ok bool) {
	f := fields[i]
	switch {
	case f.kind == fieldTime, f.kind == fieldZone && strings.Contains(f.text, ":"):
		return 0, p.clock(f.text)
	case f.kind == fieldWord, f.kind == fieldSigned:
		return 0, false
	case f.kind == fieldDate, f.kind == fieldZone && strings.Contains(f.text[1:], "-"):
		return p.yearMonth(fields, i)
	}
	if i+1 < len(fields) && fields[i+1].kind == fieldWord {
		unit, known := lookupUnit(fields[i+1].text)
		if !known {
			return 0, false
		}
		return 1, p.add(f.text, unit)
	}
	// A bare number before a time counts days, at the end seconds.
	if i+1 < len(fields) && strings.Contains(fields[i+1].text, ":") {
		return 0, p.add(f.text, spanUnits["day"])
	}
	if i+1 == len(fields) {
		return 0, p.add(f.text, spanUnits["second"])
	}
	return 0, false
}

// yearMonth reads the standard's 1-2, and a date-like field such as 10h or 5d that the lexer kept
// together.
func (p *spanParser) yearMonth(fields []dateField, i int) (used int, ok bool) {
	text := fields[i].text
	sign := ""
	if text[0] == '-' || text[0] == '+' {
		sign, text = text[:1], text[1:]
	}
	years, months, ok := strings.Cut(text, "-")
	if !ok || !allDigits(years) || !allDigits(months) || months == "" {
		return 0, false
	}
	if m, _ := strconv.Atoi(months); m >= monthsPerYear {
		p.overflowed = true
	}
	return 0, p.add(sign+years, spanUnits["year"]) && p.add(sign+months, spanUnits["month"])
}

func (p *spanParser) clock(s string) bool {
	sign := ""
	if s[0] == '-' || s[0] == '+' {
		sign, s = s[:1], s[1:]
	}
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return false
	}
	units := []string{"hour", "minute", "second"}
	if len(parts) == 2 && strings.Contains(parts[1], ".") {
		units = units[1:]
	}
	for i, part := range parts {
		if part == "" && i > 0 {
			part = "0"
		}
		if v, err := strconv.ParseFloat(part, 64); err == nil && i > 0 && v >= 60 {
			p.overflowed = true
		}
		if strings.Contains(part, ".") && units[i] != "second" || !p.add(sign+part, spanUnits[units[i]]) {
			return false
		}
	}
	return true
}

// iso reads P1Y2M3DT4H5M6.7S.
func (p *spanParser) iso(s string) bool {
	sign := ""
	if s[0] == '-' || s[0] == '+' {
		sign, s = s[:1], s[1:]
	}
	s = s[1:]
	if s == "" {
		return false
	}
	inTime := false
	for s != "" {
		if s[0] == 'T' {
			inTime = true
			s = s[1:]
			continue
		}
		end := strings.IndexAny(s, "YMWDHS")
		if end <= 0 {
			return false
		}
		unit, ok := isoUnit(s[end], inTime)
		amount := s[:end]
		if sign == "-" {
			amount = flipSign(amount)
		}
		if !ok || !p.add(amount, unit) {
			return false
		}
		s = s[end+1:]
	}
	return true
}

func flipSign(s string) string {
	if strings.HasPrefix(s, "-") {
		return s[1:]
	}
	return "-" + strings.TrimPrefix(s, "+")
}

func isoUnit(letter byte, inTime bool) (spanUnit, bool) {
	name := map[byte]string{'Y': "year", 'W': "week", 'D': "day"}[letter]
	if inTime {
		name = map[byte]string{'H': "hour", 'M': "minute", 'S': "second"}[letter]
	} else if letter == 'M' {
		name = "month"
	}
	unit, ok := spanUnits[name]
	return unit, ok
}
