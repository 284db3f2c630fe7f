package types

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The parts a date text has given so far.
const (
	haveYear = 1 << iota
	haveMonth
	haveDay
	haveTime
	haveZone
	haveEra
	haveAMPM
	haveDayOfYear
	haveSpecial

	haveDate = haveYear | haveMonth | haveDay
)

// dateParser gathers a date, time and zone from fields in nearly any order.
type dateParser struct {
	oid   OID
	input string
	env   *Env

	have      int
	civil     Civil
	yearText  int // digits of the year as written, 0 when it was no number
	dayOfYear int
	clock     int64 // microseconds of the day
	pm, am    bool
	bc        bool
	offset    int // seconds ahead of UTC, when haveZone
	zone      *time.Location
	special   int
	julian    bool
	julianDay int64
}

func parseDateTime(oid OID, s string, env *Env) (Datum, error) {
	p := &dateParser{oid: oid, input: s, env: env}
	fields, ok := splitDateTime(s)
	if !ok || len(fields) == 0 {
		return Null, p.bad()
	}
	for i := range fields {
		if err := p.field(fields, i); err != nil {
			return Null, err
		}
	}
	return p.value()
}

func (p *dateParser) bad() *Error {
	return Errorf(CodeInvalidDatetime, "invalid input syntax for type %s: \"%s\"",
		inputNoun(p.oid), p.input)
}

func (p *dateParser) overflow() *Error {
	e := Errorf(CodeDatetimeOverflow, "date/time field value out of range: \"%s\"", p.input)
	return e
}

// orderOverflow is overflow where a month out of range may come from another order of fields.
func (p *dateParser) orderOverflow() *Error {
	return p.overflow().WithHint("Perhaps you need a different \"datestyle\" setting.")
}

func (p *dateParser) outOfRange() *Error {
	return Errorf(CodeDatetimeOverflow, "%s out of range: \"%s\"", dateTimeNoun(p.oid), p.input)
}

func (p *dateParser) field(fields []dateField, i int) error {
	f := fields[i]
	switch f.kind {
	case fieldDate:
		if p.have&haveDate == haveDate || p.have&haveDayOfYear != 0 {
			return p.zoneField(f.text)
		}
		if !isDigit(f.text[0]) && (strings.Contains(f.text, "/") || p.isZoneName(f.text)) {
			return p.zoneField(f.text)
		}
		return p.dateField(f.text)
	case fieldTime:
		return p.timeField(f.text)
	case fieldZone:
		return p.offsetField(f.text)
	case fieldNumber:
		return p.numberField(f.text)
	case fieldSigned:
		return p.word(f.text)
	}
	return p.word(f.text)
}

func (p *dateParser) isZoneName(s string) bool {
	if _, ok := dateWords[s[:wordLen(s)]]; ok {
		return false
	}
	_, ok := LoadZone(s)
	return ok
}

func wordLen(s string) int {
	i := 0
	for i < len(s) && isLetter(s[i]) {
		i++
	}
	return i
}

// mark notes that a part has come; one that came before is an error.
func (p *dateParser) mark(part int) error {
	if p.have&part != 0 {
		return p.bad()
	}
	p.have |= part
	return nil
}

func (p *dateParser) word(s string) error {
	w, ok := dateWords[s]
	if !ok {
		return p.unknownWord(s)
	}
	switch w.kind {
	case wordMonth:
		return p.monthWord(w.value)
	case wordAMPM:
		p.am, p.pm = w.value == valueAM, w.value == valuePM
		return p.mark(haveAMPM)
	case wordEra:
		p.bc = w.value == valueBC
		return p.mark(haveEra)
	case wordJulian:
		p.julian = true
	case wordZone:
		p.offset = w.value
		return p.mark(haveZone)
	case wordSpecial:
		if w.value == specialAllballs {
			p.clock = 0
			if err := p.mark(haveTime); err != nil {
				return err
			}
			p.offset = 0
			return p.mark(haveZone)
		}
		p.special = w.value
		return p.mark(haveSpecial)
	}
	return nil
}

// monthWord takes a month's name; a number taken for the month before it was the day.
func (p *dateParser) monthWord(month int) error {
	if p.have&haveMonth != 0 && p.have&haveDay == 0 && p.civil.Month >= 1 && p.civil.Month <= 31 {
		p.civil.Day = p.civil.Month
		p.have |= haveDay
		p.have &^= haveMonth
	}
	p.civil.Month = month
	return p.mark(haveMonth)
}

// unknownWord can only be a zone's name.
func (p *dateParser) unknownWord(s string) error {
	if loc, ok := LoadZone(s); ok {
		p.zone = loc
		return p.mark(haveZone)
	}
	return p.bad()
}

func (p *dateParser) zoneField(s string) error {
	if isDigit(s[0]) {
		// 040506-08: a time without colons and its offset.
		clock, offset, ok := strings.Cut(s, "-")
		if !ok || p.have&haveTime != 0 {
			return p.bad()
		}
		if err := p.compactTime(clock); err != nil {
			return err
		}
		return p.offsetField("-" + offset)
	}
	if loc, ok := LoadZone(s); ok {
		p.zone = loc
		return p.mark(haveZone)
	}
	return Errorf(CodeInvalidParameter, "time zone \"%s\" not recognized", s)
}

// offsetField reads +hh, +hhmm, +hh:mm or +hh:mm:ss.
func (p *dateParser) offsetField(s string) error {
	seconds, ok := ParseOffset(s)
	if !ok {
		if p.have&haveTime == 0 && p.oid != Time {
			return p.bad()
		}
		return Errorf(CodeInvalidTimeZoneDisplace, "time zone displacement out of range: \"%s\"",
			p.input)
	}
	p.offset = seconds
	return p.mark(haveZone)
}

// maxOffsetHours is the widest offset accepted, MAX_TZDISP_HOUR.
const maxOffsetHours = 15

// ParseOffset reads a zone given as an offset, in seconds ahead of UTC.
func ParseOffset(s string) (seconds int, ok bool) {
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	parts := strings.Split(s[1:], ":")
	if len(parts) > 3 {
		return 0, false
	}
	if len(parts) == 1 && len(s) > 3 {
		digits := s[1:]
		cut := len(digits) - 2
		parts = []string{digits[:cut], digits[cut:]}
	}
	var v [3]int
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return 0, false
		}
		v[i] = n
	}
	if v[0] > maxOffsetHours || v[1] > 59 || v[2] > 59 {
		return 0, false
	}
	seconds = v[0]*3600 + v[1]*60 + v[2]
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// timeField reads hh:mm[:ss[.ffffff]].
func (p *dateParser) timeField(s string) error {
	if err := p.mark(haveTime); err != nil {
		return err
	}
	parts := strings.Split(s, ":")
	if len(parts) > 3 || len(parts) < 2 {
		return p.bad()
	}
	hours, okHours := parseSmall(parts[0])
	whole, fraction, hasFraction := strings.Cut(parts[len(parts)-1], ".")
	seconds, okSeconds := parseSmall(whole)
	minutes := 0
	okMinutes := true
	if len(parts) == 3 {
		minutes, okMinutes = parseSmall(parts[1])
	} else if !hasFraction {
		minutes, seconds = seconds, 0
	} else {
		// mm:ss.fff
		hours, minutes = 0, hours
	}
	micros, okFraction := parseFraction(fraction)
	if !okHours || !okMinutes || !okSeconds || !okFraction {
		return p.bad()
	}
	return p.setClock(hours, minutes, seconds, micros)
}

func (p *dateParser) setClock(hours, minutes, seconds int, micros int64) error {
	if minutes > 59 || seconds > 60 || hours > 24 ||
		hours == 24 && (minutes > 0 || seconds > 0 || micros > 0) {
		return p.overflow()
	}
	p.clock = int64(hours)*microsPerHour + int64(minutes)*microsPerMinute +
		int64(seconds)*microsPerSecond + micros
	return nil
}

func parseSmall(s string) (int, bool) {
	if s == "" || !allDigits(s) {
		return 0, false
	}
	v, err := strconv.Atoi(s)
	return v, err == nil && v <= math.MaxInt32
}

// parseFraction reads the digits after a point as microseconds, rounded.
func parseFraction(s string) (int64, bool) {
	if s == "" {
		return 0, true
	}
	v, err := strconv.ParseFloat("0."+s, 64)
	if err != nil || !allDigits(s) {
		return 0, false
	}
	return int64(math.RoundToEven(v * microsPerSecond)), true
}

// inputNoun is what messages about bad input call a type; only one says "with time zone".
func inputNoun(oid OID) string {
	if oid == TimestampTZ {
		return "timestamp with time zone"
	}
	return Lookup(oid).Name
}
