package builtin

import (
	"fmt"
	"strings"
	"time"

	"ackdb/server/sql/types"
)

func init() {
	text := types.Text
	register(
		fn("to_char", text, evalTimeToChar, types.Timestamp, text).stable(),
		fn("to_char", text, evalTimeToChar, types.TimestampTZ, text).stable(),
		fn("to_char", text, evalTimeToChar, types.Interval, text).stable(),
	)
}

// timeKeywords are the fields of a pattern of date and time, a longer one before those it begins
// with. Besides as here they may be written in small letters throughout.
var timeKeywords = []string{"A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "Day", "DDD",
	"DD", "DY", "Dy", "D", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "FX", "HH24", "HH12", "HH",
	"IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I", "J", "MI", "MM", "MONTH", "Month", "MON", "Mon",
	"MS", "OF", "P.M.", "PM", "Q", "RM", "SSSSS", "SSSS", "SS", "TZH", "TZM", "TZ", "US", "WW", "W",
	"Y,YYY", "YYYY", "YYY", "YY", "Y"}

// timeField is a step of a pattern: a field, or a character.
type timeField struct {
	field   string // in capitals; empty for a character
	written string
	fill    bool // FM: no padding
	local   bool // TM: a name in the language of the locale, which is English; not padded
	ordinal string
	char    string
	kind    charKind
}

type charKind uint8

const (
	charText charKind = iota
	charSpace
	charSeparator
)

// parseTimePattern reads a pattern.
func parseTimePattern(s string) []timeField {
	var fields []timeField
	for s != "" {
		var f timeField
		switch {
		case hasEither(s, "FM"):
			f.fill = true
			s = s[2:]
		case hasEither(s, "TM"):
			f.local = true
			s = s[2:]
		}
		if f.written = timeKeyword(s); f.written != "" {
			f.field = strings.ToUpper(f.written)
			s = s[len(f.written):]
			switch {
			case hasEither(s, "TH"):
				f.ordinal, s = s[:2], s[2:]
			case strings.HasPrefix(s, "SP"):
				s = s[2:] // numbers spelled out, which Postgres never did
			}
			fields = append(fields, f)
			continue
		}
		if s == "" {
			break
		}
		if s[0] == '"' {
			fields, s = quotedChars(fields, s[1:])
			continue
		}
		if strings.HasPrefix(s, `\"`) {
			s = s[1:]
		}
		size := runeOffset(s, 1)
		fields = append(fields, timeField{char: s[:size], kind: charKindOf(s[0])})
		s = s[size:]
	}
	return fields
}

// hasEither finds a word in capitals or in small letters.
func hasEither(s, word string) bool {
	return strings.HasPrefix(s, word) || strings.HasPrefix(s, strings.ToLower(word))
}

func timeKeyword(s string) string {
	for _, word := range timeKeywords {
		if hasEither(s, word) {
			return s[:len(word)]
		}
	}
	return ""
}

// quotedChars reads what stands in double quotes, to the end when they are not closed.
func quotedChars(fields []timeField, s string) ([]timeField, string) {
	for s != "" {
		if s[0] == '"' {
			return fields, s[1:]
		}
		if s[0] == '\\' && len(s) > 1 {
			s = s[1:]
		}
		size := runeOffset(s, 1)
		fields = append(fields, timeField{char: s[:size]})
		s = s[size:]
	}
	return fields, s
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isSeparator says whether a byte sets fields apart: printable, and neither letter nor digit.
func isSeparator(c byte) bool {
	return c > ' ' && c < 0x7f && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z')
}

func charKindOf(c byte) charKind {
	switch {
	case isBlank(c):
		return charSpace
	case isSeparator(c):
		return charSeparator
	}
	return charText
}

// shownTime is a value as patterns show it.
type shownTime struct {
	year, month, day     int64
	hour, minute, second int64
	micros               int64 // of the second
	days                 int64 // since 2000-01-01
	offset               int64 // seconds ahead of UTC
	zone                 string
	isSpan               bool
}

func showTime(c *Context, d Datum) shownTime {
	var t shownTime
	p := splitParts(c, d)
	if p.isSpan {
		t.isSpan = true
		t.year, t.month, t.day = p.months/12, p.months%12, p.days
	} else {
		t.year, t.month, t.day = int64(p.civil.Year), int64(p.civil.Month), int64(p.civil.Day)
		t.days = p.days
	}
	t.hour, t.minute = p.micros/3600e6, p.micros/60e6%60
	t.second, t.micros = p.micros/1e6%60, p.micros%1e6
	if d.OID() == types.TimestampTZ {
		t.offset, t.zone = p.offset, "UTC"
		if c.Env != nil && c.Env.Location != nil {
			t.zone, _ = types.TimeOf(d.Int()).In(c.Env.Location).Zone()
		}
	}
	return t
}

func evalTimeToChar(c *Context, a []Datum) (Datum, error) {
	if _, infinite := types.IsInfinite(a[0]); infinite && a[0].OID() != types.Interval ||
		a[1].Str() == "" {
		return types.Null, nil
	}
	t := showTime(c, a[0])
	var out []byte
	for _, f := range parseTimePattern(a[1].Str()) {
		if f.field == "" {
			out = append(out, f.char...)
			continue
		}
		text, err := t.show(f)
		if err != nil {
			return types.Null, err
		}
		out = append(out, text...)
		if f.ordinal != "" && text != "" && f.takesOrdinal() {
			out = append(out, ordinalOf(text, f.ordinal)...)
		}
		if len(out) > maxFieldSize {
			return types.Null, errTooLarge()
		}
	}
	return types.NewBytes(types.Text, out), nil
}

// takesOrdinal says whether TH behind the field means anything: behind numbers.
func (f *timeField) takesOrdinal() bool {
	switch f.field {
	case "A.D.", "AD", "B.C.", "BC", "A.M.", "AM", "P.M.", "PM", "DAY", "DY", "MONTH", "MON", "RM",
		"TZ", "TZH", "TZM", "OF", "FX":
		return false
	}
	return true
}

// ordinalOf gives the ending of an ordinal number, in the letters TH was written in.
func ordinalOf(number, th string) string {
	ending := "TH"
	last := number[len(number)-1]
	if n := len(number); n < 2 || number[n-2] != '1' {
		switch last {
		case '1':
			ending = "ST"
		case '2':
			ending = "ND"
		case '3':
			ending = "RD"
		}
	}
	if th == "th" {
		return strings.ToLower(ending)
	}
	return ending
}

// show gives the text of a field.
func (t *shownTime) show(f timeField) (string, error) {
	switch f.field {
	case "HH", "HH12":
		hour := t.hour % 12
		if hour == 0 {
			hour = 12
		}
		return f.number(hour, 2, t.hour < 0), nil
	case "HH24":
		return f.number(t.hour, 2, t.hour < 0), nil
	case "MI":
		return f.number(t.minute, 2, t.minute < 0), nil
	case "SS":
		return f.number(t.second, 2, t.second < 0), nil
	case "MS":
		return fmt.Sprintf("%03d", t.micros/1000), nil
	case "US":
		return fmt.Sprintf("%06d", t.micros), nil
	case "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		digits := int(f.field[2] - '0')
		v := t.micros
		for range 6 - digits {
			v /= 10
		}
		return fmt.Sprintf("%0*d", digits, v), nil
	case "SSSS", "SSSSS":
		return fmt.Sprint(t.hour*3600 + t.minute*60 + t.second), nil
	case "A.M.", "P.M.", "AM", "PM":
		return t.halfOfDay(f), nil
	case "FX":
		return "", nil
	}
	return t.showDate(f)
}

// number pads to a width, of which a sign is no part.
func (f *timeField) number(v int64, width int, negative bool) string {
	if f.fill {
		return fmt.Sprint(v)
	}
	if negative {
		width++
	}
	return fmt.Sprintf("%0*d", width, v)
}

// cased gives a word the letters the field was written in: all capitals, all small, or as it is.
func (f *timeField) cased(word string) string {
	switch f.written {
	case f.field:
		return strings.ToUpper(word)
	case strings.ToLower(f.field):
		return strings.ToLower(word)
	}
	return word
}

// name pads a name to a width.
func (f *timeField) name(word string, width int) string {
	if f.fill || f.local {
		width = 0
	}
	return fmt.Sprintf("%-*s", width, f.cased(word))
}

func (t *shownTime) halfOfDay(f timeField) string {
	half := "am"
	if (t.hour%24+24)%24 >= 12 {
		half = "pm"
	}
	if t.hour < 0 {
		half = "am"
	}
	if len(f.field) == 4 {
		half = half[:1] + "." + half[1:] + "."
	}
	return f.cased(half)
}

func (t *shownTime) showDate(f timeField) (string, error) {
	switch f.field {
	case "MM":
		return f.number(t.month, 2, t.month < 0), nil
	case "DD":
		return f.number(t.day, 2, false), nil
	case "DDD":
		return f.number(t.dayOfYear(), 3, false), nil
	case "Q":
		if t.month == 0 {
			return "", nil
		}
		return fmt.Sprint((t.month-1)/3 + 1), nil
	case "W":
		return fmt.Sprint((t.day-1)/7 + 1), nil
	case "WW":
		return f.number((t.dayOfYear()-1)/7+1, 2, false), nil
	case "CC":
		return t.century(f), nil
	case "RM":
		return t.romanMonth(f), nil
	case "J":
		if t.isSpan {
			civil := types.Civil{Year: int(t.year), Month: int(t.month), Day: int(t.day)}
			return fmt.Sprint(types.DaysOf(civil) + julianEpoch), nil
		}
		return fmt.Sprint(t.days + julianEpoch), nil
	case "Y,YYY", "YYYY", "YYY", "YY", "Y":
		return f.year(t.shownYear(t.year)), nil
	}
	if t.isSpan {
		return "", types.Errorf(types.CodeInvalidDatetime,
			"invalid format specification for an interval value").
			WithHint("Intervals are not tied to specific calendar dates.")
	}
	return t.showCalendar(f), nil
}

// shownYear gives years before Christ as they are counted.
func (t *shownTime) shownYear(year int64) int64 {
	if !t.isSpan && year <= 0 {
		return 1 - year
	}
	return year
}

// year shows as many of the last digits as the field has letters.
func (f *timeField) year(v int64) string {
	switch digits := strings.Trim(f.field, "I"); {
	case f.field == "Y,YYY":
		return fmt.Sprintf("%d,%03d", v/1000, v%1000)
	case len(f.field) == 4:
		return f.number(v, 4, v < 0)
	case len(f.field) == 3:
		return f.number(v%1000, 3, v < 0)
	case len(f.field) == 2 && digits != "":
		return f.number(v%100, 2, v < 0)
	}
	return fmt.Sprint(v % 10)
}

// dayOfYear of an interval is about its days in all.
func (t *shownTime) dayOfYear() int64 {
	if t.isSpan {
		return (t.year*12+t.month)*30 + t.day
	}
	return t.days - types.DaysOf(types.Civil{Year: int(t.year), Month: 1, Day: 1}) + 1
}

func (t *shownTime) century(f timeField) string {
	var v int64
	switch {
	case t.isSpan:
		v = t.year / 100
	case t.year > 0:
		v = (t.year-1)/100 + 1
	default:
		v = t.year/100 - 1
	}
	if v > 99 || v < -99 {
		return fmt.Sprint(v)
	}
	return f.number(v, 2, v < 0)
}

var romanMonths = []string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}

func (t *shownTime) romanMonth(f timeField) string {
	month := t.month
	switch {
	case month == 0 && t.year == 0:
		return ""
	case month == 0 && t.year > 0:
		month = 12
	case month == 0:
		month = 1
	case month < 0:
		month += 13
	}
	return f.name(romanMonths[month-1], 4)
}

// showCalendar shows what only a point in time has.
func (t *shownTime) showCalendar(f timeField) string {
	isoYear, week := isoWeek(t.days)
	weekday := weekday(t.days)
	switch f.field {
	case "MONTH":
		return f.name(time.Month(t.month).String(), 9)
	case "MON":
		return f.cased(time.Month(t.month).String()[:3])
	case "DAY":
		return f.name(time.Weekday(weekday).String(), 9)
	case "DY":
		return f.cased(time.Weekday(weekday).String()[:3])
	case "D":
		return fmt.Sprint(weekday + 1)
	case "ID":
		return fmt.Sprint((weekday+6)%7 + 1)
	case "IW":
		return f.number(week, 2, false)
	case "IDDD":
		return f.number((week-1)*7+(weekday+6)%7+1, 3, false)
	case "IYYY", "IYY", "IY", "I":
		return f.year(t.shownYear(isoYear))
	case "A.D.", "B.C.":
		return f.cased(t.era("a.d.", "b.c."))
	case "AD", "BC":
		return f.cased(t.era("ad", "bc"))
	}
	return t.showZone(f)
}

func (t *shownTime) era(ad, bc string) string {
	if t.year <= 0 {
		return bc
	}
	return ad
}

func (t *shownTime) showZone(f timeField) string {
	sign, offset := '+', t.offset
	if offset < 0 {
		sign, offset = '-', -offset
	}
	switch f.field {
	case "TZ":
		return f.cased(t.zone)
	case "TZH":
		return fmt.Sprintf("%c%02d", sign, offset/3600)
	case "TZM":
		return fmt.Sprintf("%02d", offset%3600/60)
	}
	out := string(sign) + f.number(offset/3600, 2, false)
	if offset%3600 != 0 {
		out += fmt.Sprintf(":%02d", offset%3600/60)
	}
	return out
}
