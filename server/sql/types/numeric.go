package types

import (
	"math"
	"strings"
	"unsafe"

	"github.com/cockroachdb/apd/v3"
)

// PostgreSQL's limits of numeric.
const (
	maxNumericScale   = 16383  // digits after the point
	maxNumericInteger = 131072 // digits before it
	maxDisplayScale   = 1000   // what a division chooses at most
	minSigDigits      = 16     // significant digits a division aims at
)

// NewNumeric makes a numeric of a decimal, whose negated exponent is the display scale (T5). Small
// ones need no memory of their own; of others the decimal is kept, not copied.
func NewNumeric(dec *apd.Decimal) Datum {
	if dec.Form != apd.Finite {
		return Datum{typ: Numeric, p: unsafe.Pointer(dec)}
	}
	if dec.Exponent > 0 {
		scaleUp(&dec.Coeff, dec.Exponent)
		dec.Exponent = 0
	}
	if dec.Coeff.IsInt64() && dec.Coeff.Int64() != math.MinInt64 {
		n := dec.Coeff.Int64()
		if dec.Negative {
			n = -n
		}
		return newSmallNumeric(n, -dec.Exponent)
	}
	return Datum{typ: Numeric, p: unsafe.Pointer(dec)}
}

// NumericFromInt makes a numeric of an integer.
func NumericFromInt(v int64) Datum {
	if v == math.MinInt64 {
		return NewNumeric(apd.New(v, 0))
	}
	return newSmallNumeric(v, 0)
}

func newSmallNumeric(coefficient int64, scale int32) Datum {
	return Datum{typ: Numeric, n: coefficient, aux: scale}
}

func (d Datum) bigNumeric() *apd.Decimal { return (*apd.Decimal)(d.p) }

// Decimal returns the value of a numeric, in scratch when it is a small one. The caller does not
// write to the result unless it is scratch.
func (d Datum) Decimal(scratch *apd.Decimal) *apd.Decimal {
	if d.p != nil {
		return d.bigNumeric()
	}
	scratch.SetFinite(d.n, -d.aux)
	return scratch
}

// scaleUp multiplies x by ten to the n.
func scaleUp(x *apd.BigInt, n int32) {
	if n > 0 {
		x.Mul(x, powerOfTen(n))
	}
}

func powerOfTen(n int32) *apd.BigInt {
	var p apd.BigInt
	return p.Exp(apd.NewBigInt(10), apd.NewBigInt(int64(n)), nil)
}

// checkNumeric refuses a result with more digits than PostgreSQL can hold.
func checkNumeric(dec *apd.Decimal) (Datum, error) {
	if dec.Form == apd.Finite {
		if dec.Coeff.Sign() == 0 {
			dec.Negative = false
		}
		if dec.NumDigits()+int64(dec.Exponent) > maxNumericInteger {
			return Null, errNumericOverflow()
		}
		if -dec.Exponent > maxNumericScale {
			roundScale(dec, maxNumericScale)
		}
	}
	return NewNumeric(dec), nil
}

func errNumericOverflow() *Error {
	return Errorf(CodeNumericOutOfRange, "value overflows numeric format")
}

// parseNumeric reads digits, a point, an exponent, and the three values that are no numbers.
func parseNumeric(s string) (Datum, error) {
	t := trimSpace(s)
	if v, ok := floatWord(t); ok {
		if math.IsNaN(v) && len(t) > 3 {
			return Null, errSyntax("numeric", s)
		}
		return NumericFromFloatWord(v), nil
	}
	digits, scale, exponent, ok := splitNumeric(t)
	if !ok {
		return Null, errSyntax("numeric", s)
	}
	if exponent > maxNumericInteger || exponent < -maxNumericScale*2 {
		return Null, errNumericOverflow()
	}
	if len(digits) <= 18 && exponent == 0 {
		return newSmallNumeric(smallCoefficient(digits, t[0] == '-'), int32(scale)), nil
	}
	dec := &apd.Decimal{Exponent: int32(exponent) - int32(scale), Negative: t[0] == '-'}
	if _, ok := dec.Coeff.SetString(digits, 10); !ok {
		return Null, errSyntax("numeric", s)
	}
	if scale > maxNumericInteger+maxNumericScale {
		return Null, errNumericOverflow()
	}
	return checkNumeric(dec)
}

// NumericFromFloatWord makes NaN and the infinities.
func NumericFromFloatWord(v float64) Datum {
	dec := &apd.Decimal{Form: apd.Infinite, Negative: v < 0}
	if math.IsNaN(v) {
		dec.Form = apd.NaN
	}
	return NewNumeric(dec)
}

func smallCoefficient(digits string, negative bool) int64 {
	var n int64
	for i := range len(digits) {
		n = n*10 + int64(digits[i]-'0')
	}
	if negative {
		n = -n
	}
	return n
}

// splitNumeric takes apart [sign] digits [. digits] [e [sign] digits]. The digits come without the
// point; scale counts those that followed it.
func splitNumeric(s string) (digits string, scale, exponent int, ok bool) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if exponent, ok = parseExponent(s[i+1:]); !ok {
			return "", 0, 0, false
		}
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return "", 0, 0, false
	}
	if fraction == "" {
		return whole, 0, exponent, true
	}
	return whole + fraction, len(fraction), exponent, true
}

// parseExponent saturates: what is out of range stays out of range.
func parseExponent(s string) (int, bool) {
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if s == "" || !allDigits(s) {
		return 0, false
	}
	v := 0
	for i := range len(s) {
		v = min(v*10+int(s[i]-'0'), 1<<24)
	}
	if negative {
		v = -v
	}
	return v, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func appendNumeric(dst []byte, d Datum) []byte {
	if d.p == nil && d.aux == 0 {
		return appendSmall(dst, d.n)
	}
	var scratch apd.Decimal
	dec := d.Decimal(&scratch)
	switch dec.Form {
	case apd.Infinite:
		if dec.Negative {
			dst = append(dst, '-')
		}
		return append(dst, "Infinity"...)
	case apd.Finite:
		return dec.Append(dst, 'f')
	}
	return append(dst, "NaN"...)
}

// roundScale rounds half away from zero to the given number of digits after the point, which may be
// negative.
func roundScale(dec *apd.Decimal, scale int32) {
	if dec.Form != apd.Finite {
		return
	}
	drop := -dec.Exponent - scale
	if drop <= 0 {
		scaleUp(&dec.Coeff, -drop)
		dec.Exponent = -scale
		return
	}
	if int64(drop) > dec.NumDigits()+1 {
		dec.SetFinite(0, -scale)
		return
	}
	divideRounded(&dec.Coeff, &dec.Coeff, powerOfTen(drop))
	dec.Exponent = -scale
	if dec.Coeff.Sign() == 0 {
		dec.Negative = false
	}
}

// divideRounded sets z to x / y, both not negative, rounded half up.
func divideRounded(z, x, y *apd.BigInt) {
	var remainder apd.BigInt
	z.QuoRem(x, y, &remainder)
	remainder.Add(&remainder, &remainder)
	if remainder.Cmp(y) >= 0 {
		z.Add(z, apd.NewBigInt(1))
	}
}

// truncateScale cuts towards zero to the given number of digits after the point.
func truncateScale(dec *apd.Decimal, scale int32) {
	drop := -dec.Exponent - scale
	if dec.Form != apd.Finite {
		return
	}
	if drop <= 0 {
		scaleUp(&dec.Coeff, -drop)
	} else {
		dec.Coeff.Quo(&dec.Coeff, powerOfTen(drop))
	}
	dec.Exponent = -scale
	if dec.Coeff.Sign() == 0 {
		dec.Negative = false
	}
}
