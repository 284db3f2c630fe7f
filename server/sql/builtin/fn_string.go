package builtin

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"ackdb/server/sql/types"
)

func init() {
	text, i4 := types.Text, types.Int4
	for _, name := range []string{"length", "char_length", "character_length"} {
		register(fn(name, i4, evalLength, text), fn(name, i4, evalLengthTrimmed, types.BPChar))
	}
	register(
		fn("octet_length", i4, evalOctets, text), fn("octet_length", i4, evalOctets, types.BPChar),
		fn("bit_length", i4, evalBits, text),
		fn("lower", text, stringMap(strings.ToLower), text),
		fn("upper", text, stringMap(strings.ToUpper), text),
		fn("initcap", text, stringMap(initcap), text),
		fn("reverse", text, stringMap(reverse), text),
		fn("substr", text, evalSubstr, text, i4), fn("substr", text, evalSubstr, text, i4, i4),
		fn("substring", text, evalSubstr, text, i4),
		fn("substring", text, evalSubstr, text, i4, i4),
		fn("left", text, evalLeft, text, i4), fn("right", text, evalRight, text, i4),
		fn("btrim", text, trimFunc(true, true), text),
		fn("btrim", text, trimFunc(true, true), text, text),
		fn("ltrim", text, trimFunc(true, false), text),
		fn("ltrim", text, trimFunc(true, false), text, text),
		fn("rtrim", text, trimFunc(false, true), text),
		fn("rtrim", text, trimFunc(false, true), text, text),
		fn("replace", text, evalReplace, text, text, text),
		fn("translate", text, evalTranslate, text, text, text),
		fn("strpos", i4, evalStrpos, text, text), fn("position", i4, evalStrpos, text, text),
		fn("repeat", text, evalRepeat, text, i4),
		fn("lpad", text, padFunc(true), text, i4), fn("lpad", text, padFunc(true), text, i4, text),
		fn("rpad", text, padFunc(false), text, i4),
		fn("rpad", text, padFunc(false), text, i4, text),
		fn("split_part", text, evalSplitPart, text, text, i4),
		fn("overlay", text, evalOverlay, text, text, i4),
		fn("overlay", text, evalOverlay, text, text, i4, i4),
		fn("ascii", i4, evalASCII, text), fn("chr", text, evalChr, i4),
		fn("concat", text, evalConcatAll, types.Any).stable().notStrict().variadic(),
		fn("concat_ws", text, evalConcatWS, text, types.Any).stable().notStrict().variadic(),
		fn("to_hex", text, evalToHex, i4), fn("to_hex", text, evalToHex, types.Int8),
		fn("num_nulls", i4, countNulls(true), types.Any).notStrict().variadic(),
		fn("num_nonnulls", i4, countNulls(false), types.Any).notStrict().variadic(),
	)
}

// maxFieldSize bounds what one function makes, as MaxAllocSize does.
const maxFieldSize = 1 << 29

func errTooLarge() error {
	return types.Errorf(types.CodeProgramLimit, "requested length too large")
}

func evalLength(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt4(int32(utf8.RuneCountInString(a[0].Str()))), nil
}

func evalLengthTrimmed(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt4(int32(utf8.RuneCountInString(types.TrimBlanks(a[0].Str())))), nil
}

func evalOctets(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt4(int32(len(a[0].Bytes()))), nil
}

func evalBits(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt4(int32(len(a[0].Bytes()) * 8)), nil
}

func stringMap(f func(string) string) Eval {
	return func(_ *Context, a []Datum) (Datum, error) { return types.NewText(f(a[0].Str())), nil }
}

func initcap(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		wasInWord := inWord
		inWord = unicode.IsLetter(r) || unicode.IsDigit(r)
		if wasInWord {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func reverse(s string) string {
	out := make([]byte, len(s))
	at := len(s)
	for s != "" {
		_, size := utf8.DecodeRuneInString(s)
		at -= size
		copy(out[at:], s[:size])
		s = s[size:]
	}
	return string(out)
}

// runeOffset is where character number n begins, the end when there are not so many.
func runeOffset(s string, n int64) int {
	if n >= int64(len(s)) {
		return len(s)
	}
	for i := range s {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(s)
}

// substring counts characters from 1; a start before the first uses up the length too.
func substring(s string, start, length int64) string {
	end := start + length
	start = max(start, 1)
	if end <= start {
		return ""
	}
	s = s[runeOffset(s, start-1):]
	return s[:runeOffset(s, end-start)]
}

const wholeString = 1 << 40 // longer than any

func evalSubstr(_ *Context, a []Datum) (Datum, error) {
	length := int64(wholeString)
	if len(a) > 2 {
		if length = a[2].Int(); length < 0 {
			return types.Null, errNegativeSubstring()
		}
	}
	return types.NewText(substring(a[0].Str(), a[1].Int(), length)), nil
}

func errNegativeSubstring() error {
	return types.Errorf(types.CodeSubstring, "negative substring length not allowed")
}

func evalLeft(_ *Context, a []Datum) (Datum, error) {
	s, n := a[0].Str(), a[1].Int()
	if n < 0 {
		n = max(int64(utf8.RuneCountInString(s))+n, 0)
	}
	return types.NewText(s[:runeOffset(s, n)]), nil
}

func evalRight(_ *Context, a []Datum) (Datum, error) {
	s, n := a[0].Str(), a[1].Int()
	skip := -n
	if n >= 0 {
		skip = max(int64(utf8.RuneCountInString(s))-n, 0)
	}
	return types.NewText(s[runeOffset(s, skip):]), nil
}

func trimFunc(left, right bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		s, set := a[0].Str(), " "
		if len(a) > 1 {
			set = a[1].Str()
		}
		if left {
			s = strings.TrimLeft(s, set)
		}
		if right {
			s = strings.TrimRight(s, set)
		}
		return types.NewText(s), nil
	}
}

func evalReplace(c *Context, a []Datum) (Datum, error) {
	s, from, to := a[0].Str(), a[1].Str(), a[2].Str()
	if from == "" {
		return a[0], nil
	}
	if growth := len(to) - len(from); growth > 0 && len(s) > 0 {
		n := strings.Count(s, from) * growth
		if n > maxFieldSize {
			return types.Null, errTooLarge()
		}
		if err := c.room(int64(len(s) + n)); err != nil {
			return types.Null, err
		}
	}
	return types.NewText(strings.ReplaceAll(s, from, to)), nil
}

func evalTranslate(_ *Context, a []Datum) (Datum, error) {
	from, to := []rune(a[1].Str()), []rune(a[2].Str())
	mapping := make(map[rune]rune, len(from))
	for i, r := range from {
		if _, seen := mapping[r]; seen {
			continue
		}
		mapping[r] = -1
		if i < len(to) {
			mapping[r] = to[i]
		}
	}
	return types.NewText(strings.Map(func(r rune) rune {
		if mapped, ok := mapping[r]; ok {
			return mapped
		}
		return r
	}, a[0].Str())), nil
}

func evalStrpos(_ *Context, a []Datum) (Datum, error) {
	i := strings.Index(a[0].Str(), a[1].Str())
	if i < 0 {
		return types.NewInt4(0), nil
	}
	return types.NewInt4(int32(utf8.RuneCountInString(a[0].Str()[:i])) + 1), nil
}

func evalRepeat(c *Context, a []Datum) (Datum, error) {
	s, n := a[0].Str(), max(a[1].Int(), 0)
	if int64(len(s))*n > maxFieldSize {
		return types.Null, errTooLarge()
	}
	if err := c.room(int64(len(s)) * n); err != nil {
		return types.Null, err
	}
	return types.NewText(strings.Repeat(s, int(n))), nil
}

func padFunc(left bool) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		s, want, fill := a[0].Str(), max(a[1].Int(), 0), " "
		if len(a) > 2 {
			fill = a[2].Str()
		}
		if want > maxFieldSize/utf8.UTFMax {
			return types.Null, errTooLarge()
		}
		missing := want - int64(utf8.RuneCountInString(s))
		if missing <= 0 || fill == "" {
			return types.NewText(s[:runeOffset(s, want)]), nil
		}
		if err := c.room(int64(len(s)) + missing*int64(len(fill))); err != nil {
			return types.Null, err
		}
		padding := padding(fill, missing)
		if left {
			return types.NewText(padding + s), nil
		}
		return types.NewText(s + padding), nil
	}
}

func padding(fill string, count int64) string {
	width := int64(utf8.RuneCountInString(fill))
	whole := strings.Repeat(fill, int(count/width))
	return whole + fill[:runeOffset(fill, count%width)]
}

// evalSplitPart counts fields from 1, or from the end with a negative number.
func evalSplitPart(_ *Context, a []Datum) (Datum, error) {
	s, delimiter, n := a[0].Str(), a[1].Str(), a[2].Int()
	if n == 0 {
		return types.Null, types.Errorf(types.CodeInvalidParameter,
			"field position must not be zero")
	}
	if s == "" {
		return types.NewText(""), nil
	}
	parts := []string{s}
	if delimiter != "" {
		parts = strings.Split(s, delimiter)
	}
	if n < 0 {
		n += int64(len(parts)) + 1
	}
	if n < 1 || n > int64(len(parts)) {
		return types.NewText(""), nil
	}
	return types.NewText(parts[n-1]), nil
}

func evalOverlay(_ *Context, a []Datum) (Datum, error) {
	s, insert, start := a[0].Str(), a[1].Str(), a[2].Int()
	length := int64(utf8.RuneCountInString(insert))
	if len(a) > 3 {
		length = a[3].Int()
	}
	if start <= 0 {
		return types.Null, errNegativeSubstring()
	}
	return types.NewText(substring(s, 1, start-1) + insert +
		substring(s, start+length, wholeString)), nil
}

func evalASCII(_ *Context, a []Datum) (Datum, error) {
	r, size := utf8.DecodeRuneInString(a[0].Str())
	if size == 0 {
		r = 0
	}
	return types.NewInt4(r), nil
}

func evalChr(_ *Context, a []Datum) (Datum, error) {
	v := a[0].Int()
	switch {
	case v == 0:
		return types.Null, types.Errorf(types.CodeProgramLimit, "null character not permitted")
	case v < 0:
		return types.Null, types.Errorf(types.CodeInvalidParameter,
			"character number must be positive")
	case v > unicode.MaxRune || !utf8.ValidRune(rune(v)):
		return types.Null, types.Errorf(types.CodeProgramLimit,
			"requested character too large for encoding: %d", v)
	}
	return types.NewText(string(rune(v))), nil
}

func evalConcatAll(c *Context, a []Datum) (Datum, error) {
	if err := c.room(sizeOfTexts(a, "")); err != nil {
		return types.Null, err
	}
	var out []byte
	for _, d := range a {
		out = types.AppendText(out, d, c.Env)
	}
	return types.NewBytes(types.Text, out), nil
}

func evalConcatWS(c *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	if err := c.room(sizeOfTexts(a[1:], a[0].Str())); err != nil {
		return types.Null, err
	}
	var out []byte
	first := true
	for _, d := range a[1:] {
		if d.IsNull() {
			continue
		}
		if !first {
			out = append(out, a[0].Str()...)
		}
		first = false
		out = types.AppendText(out, d, c.Env)
	}
	return types.NewBytes(types.Text, out), nil
}

// sizeOfTexts is about what values take once they are joined.
func sizeOfTexts(values []Datum, between string) (n int64) {
	for _, d := range values {
		n += int64(d.Size() + len(between))
	}
	return n
}

func evalToHex(_ *Context, a []Datum) (Datum, error) {
	v := uint64(a[0].Int())
	if a[0].OID() == types.Int4 {
		v = uint64(uint32(v))
	}
	return types.NewText(hex(v)), nil
}

func hex(v uint64) string {
	const digits = "0123456789abcdef"
	var buf [16]byte
	at := len(buf)
	for {
		at--
		buf[at] = digits[v&15]
		if v >>= 4; v == 0 {
			return string(buf[at:])
		}
	}
}

func countNulls(nulls bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		count := int32(0)
		for _, d := range a {
			if d.IsNull() == nulls {
				count++
			}
		}
		return types.NewInt4(count), nil
	}
}
