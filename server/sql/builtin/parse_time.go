package builtin

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"ackdb/server/sql/types"
)

func init() {
	text := types.Text
	register(
		fn("to_timestamp", types.TimestampTZ, evalToTimestamp, text, text).stable(),
		fn("to_date", types.Date, evalToDate, text, text).stable(),
	)
}

// readTime is what a pattern found in a text. Zero means not given.
type readTime struct {
	numbers  map[string]int // by what is set: "hour", "year" and so on
	half     bool           // 12-hour clock
	pm, bc   bool
	yearSize int
	zoneSign int  // of TZH and TZM; 0 without them
	iso, day bool // fields of the ISO week calendar and of the usual one
}

// timeReader reads a text by a pattern.
type timeReader struct {
	readTime
	fields []timeField
	at     int // in fields
	rest   string
	prev   byte // what was read last
	skips  int  // characters passed over beyond those of the pattern
	fixed  bool // FX
}

func errReadTime(detail, format string, args ...any) *types.Error {
	e := types.Errorf(types.CodeInvalidDatetime, format, args...)
	if detail != "" {
		e = e.WithDetail("%s", detail)
	}
	return e
}

func readByPattern(text, pattern string) (*readTime, error) {
	r := &timeReader{fields: parseTimePattern(pattern), rest: text}
	r.numbers = map[string]int{}
	for ; r.at < len(r.fields) && r.rest != ""; r.at++ {
		f := &r.fields[r.at]
		if !r.fixed && f.field != "FX" && (f.field != "" || r.at == 0) {
			r.blanks()
		}
		if f.field == "" {
			r.char(f)
			continue
		}
		if err := r.read(f); err != nil {
			return nil, err
		}
		if !r.fixed {
			r.skips = 0
			r.blanks()
		}
	}
	return &r.readTime, nil
}

func (r *timeReader) drop(n int) {
	if n > 0 {
		r.prev = r.rest[n-1]
		r.rest = r.rest[n:]
	}
}

func (r *timeReader) blanks() {
	for r.rest != "" && isBlank(r.rest[0]) {
		r.drop(1)
		r.skips++
	}
}

// char passes over what stands for a character of the pattern. A blank or a separator there needs
// none in the text; any other character that was passed over already counts for one here.
func (r *timeReader) char(f *timeField) {
	switch {
	case r.fixed, f.kind == charText && r.skips <= 0:
		r.drop(runeOffset(r.rest, 1))
	case f.kind == charText:
		r.skips--
	default:
		r.skips--
		if c := r.rest; c != "" && (isBlank(c[0]) || isSeparator(c[0])) {
			r.drop(1)
			r.skips++
		}
	}
}

// numberFields are the fields that are numbers: what they set and how many digits they have.
var numberFields = map[string]struct {
	sets  string
	width int
}{
	"HH": {"hour", 2}, "HH12": {"hour", 2}, "HH24": {"hour", 2}, "MI": {"minute", 2},
	"SS": {"second", 2}, "MS": {"ms", 3}, "US": {"us", 6}, "FF1": {"us", 1}, "FF2": {"us", 2},
	"FF3": {"us", 3}, "FF4": {"us", 4}, "FF5": {"us", 5}, "FF6": {"us", 6}, "SSSS": {"seconds", 4},
	"SSSSS": {"seconds", 5}, "MM": {"month", 2}, "DD": {"day", 2}, "DDD": {"yearday", 3},
	"IDDD": {"yearday", 3}, "D": {"weekday", 1}, "ID": {"weekday", 1}, "WW": {"week", 2},
	"IW": {"week", 2}, "W": {"monthweek", 1}, "Q": {"", 1}, "CC": {"century", 2}, "J": {"julian", 1},
	"YYYY": {"year", 4}, "IYYY": {"year", 4}, "YYY": {"year", 3}, "IYY": {"year", 3},
	"YY": {"year", 2}, "IY": {"year", 2}, "Y": {"year", 1}, "I": {"year", 1}, "TZH": {"tzh", 2},
	"TZM": {"tzm", 2},
}

// isoFields are the fields of the ISO week calendar, dayFields those of the usual one.
const (
	isoFields = " IYYY IYY IY I IDDD ID IW "
	dayFields = " CC DAY DDD DD DY D J MONTH MON MM Q RM WW W Y,YYY YYYY YYY YY Y "
)

func (r *timeReader) read(f *timeField) error {
	r.iso = r.iso || strings.Contains(isoFields, " "+f.field+" ")
	r.day = r.day || strings.Contains(dayFields, " "+f.field+" ")
	if r.iso && r.day {
		return errReadTime("", "invalid combination of date conventions").WithHint(
			"Do not mix Gregorian and ISO week date conventions in a formatting template.")
	}
	switch f.field {
	case "FX":
		r.fixed = true
		return nil
	case "TZ", "OF":
		return types.Errorf(types.CodeFeatureNotSupported,
			"formatting field \"%s\" is only supported in to_char", f.written)
	case "Y,YYY":
		return r.thousands()
	}
	if n, ok := numberFields[f.field]; ok {
		return r.number(f, n.sets, n.width)
	}
	return r.word(f)
}

func (r *timeReader) thousands() error {
	var high, low int
	if n, _ := fmt.Sscanf(r.rest, "%d,%03d", &high, &low); n < 2 {
		return errReadTime("", "invalid input string for \"Y,YYY\"")
	}
	comma := strings.IndexByte(r.rest, ',') + 1
	end := comma
	for end < len(r.rest) && end < comma+3 && r.rest[end] >= '0' && r.rest[end] <= '9' {
		end++
	}
	r.drop(end)
	r.yearSize = 4
	return r.set("year", high*1000+low, &timeField{written: "Y,YYY"})
}

func (r *timeReader) number(f *timeField, sets string, width int) error {
	if f.field == "TZH" {
		r.zoneMark()
	}
	used, v, err := r.digits(f, width)
	if err != nil {
		return err
	}
	switch f.field {
	case "HH", "HH12":
		r.half = true
	case "MS":
		v *= []int{100, 10, 1}[min(used, 3)-1]
	case "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		v *= []int{100000, 10000, 1000, 100, 10, 1}[min(used, 6)-1]
	case "ID":
		v = v%7 + 1 // Sunday is 1
	case "YYYY", "IYYY", "YYY", "IYY", "YY", "IY", "Y", "I":
		r.yearSize = width
		if used < 4 && width < 4 {
			v = nearYear(v)
		}
	case "TZM":
		if r.zoneSign == 0 {
			r.zoneSign = 1
		}
	}
	if f.ordinal != "" && len(r.rest) >= 2 {
		r.drop(2)
	}
	if sets == "" {
		return nil
	}
	return r.set(sets, v, f)
}

// zoneMark reads the sign of a zone, which may have been passed over for a separator.
func (r *timeReader) zoneMark() {
	r.zoneSign = 1
	switch {
	case r.rest[0] == '-' || r.rest[0] == '+' || r.rest[0] == ' ':
		if r.rest[0] == '-' {
			r.zoneSign = -1
		}
		r.drop(1)
	case r.skips > 0 && r.prev == '-':
		r.zoneSign = -1
	}
}

// nearYear completes a year of less than four digits to the one nearest to 2020.
func nearYear(v int) int {
	switch {
	case v < 70:
		return v + 2000
	case v < 100:
		return v + 1900
	case v < 520:
		return v + 2000
	case v < 1000:
		return v + 1000
	}
	return v
}

func (r *timeReader) set(what string, v int, f *timeField) error {
	if old := r.numbers[what]; old != 0 && old != v {
		return errReadTime("This value contradicts a previous setting for the same field type.",
			"conflicting values for \"%s\" field in formatting string", f.written)
	}
	r.numbers[what] = v
	return nil
}

// digits reads an integer: of a fixed width when more digits follow at once in the pattern.
func (r *timeReader) digits(f *timeField, width int) (used, v int, err error) {
	start := r.rest
	r.blanks()
	text := r.rest
	if !f.fill && !r.separated(f) {
		if len(text) < width {
			return 0, 0, errReadTime(fmt.Sprintf("Field requires %d characters, but only %d remain.",
				width, len(text)), "source string too short for \"%s\" formatting field",
				f.written).WithHint("%s", hintNotFixed)
		}
		text = text[:width]
	}
	n := integerPrefix(text)
	switch {
	case n == 0:
		return 0, 0, errReadTime("Value must be an integer.", "invalid value \"%s\" for \"%s\"",
			prefix(start, width), f.written)
	case n < width && !f.fill && !r.separated(f):
		return 0, 0, errReadTime(fmt.Sprintf("Field requires %d characters, but only %d could be"+
			" parsed.", width, n), "invalid value \"%s\" for \"%s\"", text, f.written).WithHint(
			"%s", hintNotFixed)
	}
	wide, err := strconv.ParseInt(text[:n], 10, 64)
	if err != nil || wide < math.MinInt32 || wide > math.MaxInt32 {
		return 0, 0, types.Errorf(types.CodeDatetimeOverflow,
			"value for \"%s\" in source string is out of range", f.written).WithDetail(
			"Value must be in the range %d to %d.", math.MinInt32, math.MaxInt32)
	}
	r.drop(n)
	return len(start) - len(r.rest), int(wide), nil
}

const hintNotFixed = "If your source string is not fixed-width, try using the \"FM\" modifier."

func prefix(s string, n int) string {
	if n < len(s) {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		return s[:n]
	}
	return s
}

// integerPrefix is the length of the number a text begins with, sign included.
func integerPrefix(s string) int {
	n := 0
	if n < len(s) && (s[n] == '-' || s[n] == '+') {
		n++
	}
	first := n
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == first {
		return 0
	}
	return n
}

// separated says whether no digit follows the field in the pattern.
func (r *timeReader) separated(f *timeField) bool {
	if f.ordinal != "" || r.at+1 == len(r.fields) {
		return true
	}
	next := &r.fields[r.at+1]
	if next.field == "" {
		return next.char[0] < '0' || next.char[0] > '9'
	}
	_, number := numberFields[next.field]
	return !number && next.field != "Y,YYY"
}

// timeWords are the words of the fields that are no numbers, with what they set it to.
var timeWords = map[string][]string{
	"A.M.": {"a.m.", "p.m."}, "AM": {"am", "pm"}, "A.D.": {"a.d.", "b.c."}, "AD": {"ad", "bc"},
	"MONTH": {"january", "february", "march", "april", "may", "june", "july", "august",
		"september", "october", "november", "december"},
	"DAY": {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"},
	"RM":  {"xii", "xi", "x", "ix", "viii", "vii", "vi", "v", "iv", "iii", "ii", "i"},
}

func (r *timeReader) word(f *timeField) error {
	list, short := f.field, 0
	switch f.field {
	case "P.M.":
		list = "A.M."
	case "PM":
		list = "AM"
	case "B.C.":
		list = "A.D."
	case "BC":
		list = "AD"
	case "MON":
		list, short = "MONTH", 3
	case "DY":
		list, short = "DAY", 3
	}
	found := -1
	for i, word := range timeWords[list] {
		if short > 0 {
			word = word[:short]
		}
		if len(r.rest) >= len(word) && strings.EqualFold(r.rest[:len(word)], word) {
			r.drop(len(word))
			found = i
			break
		}
	}
	if found < 0 {
		bad := r.rest
		if i := strings.IndexAny(bad, " \t\n\v\f\r"); i >= 0 {
			bad = bad[:i]
		}
		return errReadTime("The given value did not match any of the allowed values for this field.",
			"invalid value \"%s\" for \"%s\"", bad, f.written)
	}
	switch list {
	case "A.M.", "AM":
		r.half, r.pm = true, found == 1
	case "A.D.", "AD":
		r.bc = found == 1
	case "MONTH":
		return r.set("month", found+1, f)
	case "RM":
		return r.set("month", 12-found, f)
	default:
		return r.set("weekday", found+1, f)
	}
	return nil
}
