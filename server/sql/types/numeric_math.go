package types

import (
	"math"

	"github.com/cockroachdb/apd/v3"
)

// NumericFromUint makes a numeric of an unsigned integer.
func NumericFromUint(v uint64) Datum {
	if v <= math.MaxInt64 {
		return newSmallNumeric(int64(v), 0)
	}
	dec := &apd.Decimal{}
	dec.Coeff.SetUint64(v)
	return NewNumeric(dec)
}

// NumericToUint rounds a numeric to an unsigned integer; false when it is none.
func NumericToUint(d Datum) (uint64, bool) {
	var scratch apd.Decimal
	dec := RoundNumeric(d, 0, false).Decimal(&scratch)
	if dec.Form != apd.Finite || dec.Negative || !dec.Coeff.IsUint64() {
		return 0, false
	}
	return dec.Coeff.Uint64(), true
}

// IsNumericNaN reports whether a numeric is NaN.
func IsNumericNaN(d Datum) bool {
	_, ok := NumericSign(d)
	return !ok
}

// NumericToFloat is the nearest float64.
func NumericToFloat(d Datum) float64 {
	f, err := castNumericToFloat(d, Float8, nil)
	if err != nil {
		sign, _ := NumericSign(d)
		return math.Inf(sign)
	}
	return f.Float()
}

// Digits kept beyond those shown while a logarithm or power is computed.
const guardDigits = 12

// SqrtNumeric is the square root, of at least sixteen significant digits.
func SqrtNumeric(d Datum) (Datum, error) {
	sign, ok := NumericSign(d)
	switch {
	case !ok:
		return d, nil
	case sign < 0:
		return Null, Errorf(CodeInvalidPower, "cannot take square root of a negative number")
	}
	var scratch apd.Decimal
	x := d.Decimal(&scratch)
	if x.Form == apd.Infinite {
		return d, nil
	}
	// The root has half the weight; PostgreSQL reckons it in its digits of base 10000.
	weight, _ := leadingDigit(x)
	digits := weight*numericBaseDigits/2 + 1
	if weight < 0 {
		digits = 1 - (1-weight*numericBaseDigits)/2
	}
	return sqrtTo(x, clampScale(minSigDigits-int32(digits), x))
}

// sqrtTo is exact: the whole root of the number with twice the digits, one up when what is left
// over is more than the root.
func sqrtTo(x *apd.Decimal, scale int32) (Datum, error) {
	z := &apd.Decimal{Exponent: -scale}
	var square, left apd.BigInt
	square.Set(&x.Coeff)
	scaleUp(&square, 2*scale+x.Exponent)
	z.Coeff.Sqrt(&square)
	left.Sub(&square, left.Mul(&z.Coeff, &z.Coeff))
	if left.Cmp(&z.Coeff) > 0 {
		z.Coeff.Add(&z.Coeff, apd.NewBigInt(1))
	}
	return checkNumeric(z)
}

// SqrtNumericScaled is the square root of a positive number with as many digits behind the point.
func SqrtNumericScaled(d Datum) (Datum, error) {
	var scratch apd.Decimal
	x := d.Decimal(&scratch)
	return sqrtTo(x, clampScale(0, x))
}

func clampScale(scale int32, args ...*apd.Decimal) int32 {
	for _, a := range args {
		scale = max(scale, -a.Exponent)
	}
	return min(max(scale, 0), maxDisplayScale)
}

// apdFunc computes z with the precision of a context.
type apdFunc func(c *apd.Context, z *apd.Decimal) error

// evalContext computes with enough digits for a result of the given size and scale, and rounds.
func evalContext(scale int32, intDigits int64, f apdFunc) (Datum, error) {
	c := apd.BaseContext.WithPrecision(uint32(max(intDigits, 1) + int64(scale) + guardDigits))
	c.Rounding = apd.RoundHalfUp
	c.MaxExponent, c.MinExponent = apd.MaxExponent, apd.MinExponent
	c.Traps = 0
	z := &apd.Decimal{}
	if err := f(c, z); err != nil {
		return Null, errNumericOverflow()
	}
	if z.Form == apd.Finite {
		roundScale(z, scale)
	}
	return checkNumeric(z)
}

// LnNumeric is the natural logarithm.
func LnNumeric(d Datum) (Datum, error) {
	sign, ok := NumericSign(d)
	if !ok {
		return d, nil
	}
	if err := checkLogArg(sign); err != nil {
		return Null, err
	}
	var scratch apd.Decimal
	x := d.Decimal(&scratch)
	if x.Form == apd.Infinite {
		return d, nil
	}
	scale := clampScale(minSigDigits-lnWeight(x), x)
	return evalContext(scale, 8, func(c *apd.Context, z *apd.Decimal) error {
		_, err := c.Ln(z, x)
		return err
	})
}

func checkLogArg(sign int) error {
	switch {
	case sign < 0:
		return Errorf(CodeInvalidLogarithm, "cannot take logarithm of a negative number")
	case sign == 0:
		return Errorf(CodeInvalidLogarithm, "cannot take logarithm of zero")
	}
	return nil
}

// lnWeight estimates the decimal exponent of ln(x), as estimate_ln_dweight does.
func lnWeight(x *apd.Decimal) int32 {
	f, _ := x.Float64()
	if f >= 0.9 && f <= 1.1 {
		var diff apd.Decimal
		one := apd.New(1, 0)
		addDecimals(&diff, x, one, true)
		if diff.Coeff.Sign() == 0 {
			return 0
		}
		return int32(diff.NumDigits()) - 1 + diff.Exponent
	}
	ln := math.Log(math.Abs(f))
	if math.IsInf(ln, 0) {
		ln = float64(x.NumDigits()-1+int64(x.Exponent)) * math.Ln10
	}
	if ln == 0 {
		return 0
	}
	return int32(math.Log10(math.Abs(ln)))
}

// LogNumeric is the logarithm of x to a base.
func LogNumeric(base, x Datum) (Datum, error) {
	for _, arg := range []Datum{base, x} {
		sign, ok := NumericSign(arg)
		if !ok {
			return arg, nil
		}
		if err := checkLogArg(sign); err != nil {
			return Null, err
		}
	}
	var sb, sx apd.Decimal
	b, v := base.Decimal(&sb), x.Decimal(&sx)
	switch {
	case b.Form == apd.Infinite && v.Form == apd.Infinite:
		return NumericFromFloatWord(math.NaN()), nil
	case b.Form == apd.Infinite:
		return NumericFromInt(0), nil
	case v.Form == apd.Infinite:
		return x, nil
	case b.Cmp(apd.New(1, 0)) == 0:
		return Null, ErrDivisionByZero()
	}
	weight := lnWeight(v) - lnWeight(b)
	scale := clampScale(minSigDigits-weight, b, v)
	return evalContext(scale, 16, func(c *apd.Context, z *apd.Decimal) error {
		var lb apd.Decimal
		if _, err := c.Ln(&lb, b); err != nil {
			return err
		}
		if _, err := c.Ln(z, v); err != nil {
			return err
		}
		_, err := c.Quo(z, z, &lb)
		return err
	})
}

// ExpNumeric is e to the x.
func ExpNumeric(d Datum) (Datum, error) {
	var scratch apd.Decimal
	x := d.Decimal(&scratch)
	switch {
	case x.Form == apd.Infinite && x.Negative:
		return NumericFromInt(0), nil
	case x.Form != apd.Finite:
		return d, nil
	}
	f, _ := x.Float64()
	weight := f * math.Log10E
	if weight > maxNumericInteger {
		return Null, errNumericOverflow()
	}
	weight = max(weight, -maxNumericScale)
	scale := clampScale(minSigDigits-int32(weight), x)
	if weight < -maxDisplayScale-guardDigits {
		return NewNumeric(apd.New(0, -scale)), nil
	}
	digitsBefore := int64(math.Max(weight, 0)) + 2
	return evalContext(scale, digitsBefore, func(c *apd.Context, z *apd.Decimal) error {
		_, err := c.Exp(z, x)
		return err
	})
}

// PowerNumeric is x to the y.
func PowerNumeric(x, y Datum) (Datum, error) {
	var sx, sy apd.Decimal
	b, e := x.Decimal(&sx), y.Decimal(&sy)
	if b.Form != apd.Finite || e.Form != apd.Finite {
		return specialPower(b, e)
	}
	whole := RoundNumeric(y, 0, true)
	isWhole := Equal(whole, y)
	switch sign := b.Sign(); {
	case sign == 0 && e.Sign() < 0:
		return Null, Errorf(CodeInvalidPower, "zero raised to a negative power is undefined")
	case sign < 0 && !isWhole:
		return Null, errComplexPower()
	case sign == 0 && e.Sign() == 0:
		return NewNumeric(apd.New(1_0000_0000_0000_0000, -16)), nil
	case sign == 0:
		return NewNumeric(apd.New(0, -minSigDigits)), nil
	}
	weight := powerWeight(b, e)
	if weight > maxNumericInteger {
		return Null, errNumericOverflow()
	}
	scale := clampScale(minSigDigits-int32(math.Max(weight, -maxNumericScale)), b, e)
	if isWhole {
		scale = clampScale(minSigDigits, b)
	}
	if weight < -float64(scale)-guardDigits {
		return NewNumeric(apd.New(0, -scale)), nil
	}
	if isWhole && e.Sign() > 0 && b.Exponent == 0 {
		return wholePower(b, whole, scale)
	}
	digitsBefore := int64(math.Max(weight, 0)) + 2
	return evalContext(scale, digitsBefore, func(c *apd.Context, z *apd.Decimal) error {
		_, err := c.Pow(z, b, e)
		return err
	})
}

// wholePower is exact. The caller has made sure that the result is not beyond a numeric by much.
func wholePower(b *apd.Decimal, e Datum, scale int32) (Datum, error) {
	var scratch, odd apd.Decimal
	n := e.Decimal(&scratch)
	z := &apd.Decimal{}
	z.Coeff.Exp(&b.Coeff, &n.Coeff, nil)
	odd.Coeff.And(&n.Coeff, apd.NewBigInt(1))
	z.Negative = b.Negative && odd.Coeff.Sign() != 0
	roundScale(z, scale)
	return checkNumeric(z)
}

// powerWeight estimates the decimal exponent of b to the e.
func powerWeight(b, e *apd.Decimal) float64 {
	f, _ := e.Float64()
	digits := float64(b.NumDigits()-1) + float64(b.Exponent)
	var lead apd.Decimal
	lead.Set(b)
	lead.Exponent = int32(1 - b.NumDigits())
	m, _ := lead.Float64()
	return math.Trunc(f * (digits + math.Log10(math.Abs(m))))
}

func errComplexPower() *Error {
	return Errorf(CodeInvalidPower,
		"a negative number raised to a non-integer power yields a complex result")
}

func specialPower(b, e *apd.Decimal) (Datum, error) {
	fb, fe := signedFloat(b), signedFloat(e)
	switch {
	case fb == 0 && math.IsInf(fe, -1):
		return Null, Errorf(CodeInvalidPower, "zero raised to a negative power is undefined")
	case math.IsInf(fb, -1) && fe == fe && math.Trunc(fe) != fe:
		return Null, errComplexPower()
	}
	v := math.Pow(fb, fe)
	if v == 0 || v == 1 {
		return NumericFromInt(int64(v)), nil
	}
	return NumericFromFloatWord(v), nil
}

func signedFloat(x *apd.Decimal) float64 {
	switch x.Form {
	case apd.Infinite:
		return signFloat(x)
	case apd.Finite:
		f, _ := x.Float64()
		return f
	}
	return math.NaN()
}

// NumericScaled is v / 10^scale, showing that many digits after the point.
func NumericScaled(v int64, scale int32) Datum { return newSmallNumeric(v, scale) }
