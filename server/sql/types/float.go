package types

import (
	"math"
	"strconv"
	"strings"
)

// parseFloat reads float4 and float8, with C's spellings of the values that are no numbers.
func parseFloat(oid OID, s string) (Datum, error) {
	t := trimSpace(s)
	bits, name := 64, "double precision"
	if oid == Float4 {
		bits, name = 32, "real"
	}
	if v, ok := floatWord(t); ok {
		return newFloat(oid, v), nil
	}
	if t == "" || !isFloatSyntax(t) {
		return Null, errSyntax(name, s)
	}
	v, err := strconv.ParseFloat(t, bits)
	if err != nil {
		if isRangeError(err) {
			return Null, Errorf(CodeNumericOutOfRange, "\"%s\" is out of range for type %s", t, name)
		}
		return Null, errSyntax(name, s)
	}
	if v == 0 && strings.ContainsAny(mantissa(t), "123456789") {
		return Null, Errorf(CodeNumericOutOfRange, "\"%s\" is out of range for type %s", t, name)
	}
	return newFloat(oid, v), nil
}

// quietNaN is the NaN that PostgreSQL sends; Go's own has another bit set.
const quietNaN = 0x7ff8000000000000

func newFloat(oid OID, v float64) Datum {
	if v != v {
		return Datum{typ: oid, n: quietNaN}
	}
	return Datum{typ: oid, n: int64(math.Float64bits(v))}
}

func mantissa(s string) string {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i]
	}
	return s
}

func floatWord(s string) (float64, bool) {
	sign, word := 1, strings.ToLower(s)
	switch {
	case strings.HasPrefix(word, "-"):
		sign, word = -1, word[1:]
	case strings.HasPrefix(word, "+"):
		word = word[1:]
	}
	switch word {
	case "nan":
		return math.NaN(), true
	case "inf", "infinity":
		return math.Inf(sign), true
	}
	return 0, false
}

// isFloatSyntax refuses what Go reads as a number and C does not: underscores, hexadecimals.
func isFloatSyntax(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isDigit(c) && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-' {
			return false
		}
	}
	return true
}

func appendFloat(dst []byte, d Datum, env *Env) []byte {
	v := d.Float()
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	bits, digits := 64, 15
	if d.typ == Float4 {
		bits, digits = 32, 6
	}
	if env != nil && !env.FloatDigits.shortest() {
		digits = max(digits+int(env.FloatDigits)+1, 1)
		return appendFloatG(dst, v, digits, bits)
	}
	return appendShortest(dst, v, bits)
}

// appendShortest lays out the shortest digits that read back: exponents of at least two digits,
// and none from 1e-4 up to 1e15 (1e6 for float4), as PostgreSQL's Ryu output does.
func appendShortest(dst []byte, v float64, bits int) []byte {
	exp10 := decimalExponent(v, bits)
	limit := 15
	if bits == 32 {
		limit = 6
	}
	if v == 0 || exp10 >= -4 && exp10 < limit {
		return strconv.AppendFloat(dst, v, 'f', -1, bits)
	}
	return strconv.AppendFloat(dst, v, 'e', -1, bits)
}

// decimalExponent is the exponent of the first digit that is printed.
func decimalExponent(v float64, bits int) int {
	if v == 0 {
		return 0
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], v, 'e', -1, bits)
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == 'e' {
			exp, _ := strconv.Atoi(string(text[i+1:]))
			return exp
		}
	}
	return 0
}

// appendFloatG is C's %.*g.
func appendFloatG(dst []byte, v float64, digits, bits int) []byte {
	var buf [400]byte
	text := string(strconv.AppendFloat(buf[:0], v, 'e', digits-1, bits))
	mant, expText, _ := strings.Cut(text, "e")
	exp, _ := strconv.Atoi(expText)
	if exp < -4 || exp >= digits {
		if strings.Contains(mant, ".") {
			mant = strings.TrimRight(strings.TrimRight(mant, "0"), ".")
		}
		dst = append(dst, mant...)
		dst = append(dst, 'e')
		return append(dst, expText...)
	}
	fixed := string(strconv.AppendFloat(buf[:0], v, 'f', max(digits-1-exp, 0), bits))
	if strings.Contains(fixed, ".") {
		fixed = strings.TrimRight(strings.TrimRight(fixed, "0"), ".")
	}
	return append(dst, fixed...)
}
