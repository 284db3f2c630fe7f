package types

import (
	"math"
	"math/bits"

	"github.com/cockroachdb/apd/v3"
)

// NumericOp is an arithmetic operation on numerics.
type NumericOp uint8

// The operations.
const (
	NumericAdd NumericOp = iota
	NumericSub
	NumericMul
	NumericDiv
	NumericMod
	NumericIntDiv
)

// NumericArith computes a op b exactly, with the display scale PostgreSQL gives the result.
func NumericArith(op NumericOp, a, b Datum) (Datum, error) {
	if d, ok := smallArith(op, a, b); ok {
		return d, nil
	}
	var sa, sb apd.Decimal
	x, y := a.Decimal(&sa), b.Decimal(&sb)
	if x.Form != apd.Finite || y.Form != apd.Finite {
		return specialArith(op, x, y)
	}
	z := &apd.Decimal{}
	switch op {
	case NumericAdd, NumericSub:
		addDecimals(z, x, y, op == NumericSub)
	case NumericMul:
		z.Coeff.Mul(&x.Coeff, &y.Coeff)
		z.Exponent = x.Exponent + y.Exponent
		z.Negative = x.Negative != y.Negative
	default:
		if y.Coeff.Sign() == 0 {
			return Null, ErrDivisionByZero()
		}
		divideDecimals(op, z, x, y)
	}
	return checkNumeric(z)
}

// smallArith does sums of equal scales and products that stay in a word.
func smallArith(op NumericOp, a, b Datum) (Datum, bool) {
	if a.p != nil || b.p != nil {
		return Null, false
	}
	switch op {
	case NumericAdd, NumericSub:
		if a.aux != b.aux {
			return Null, false
		}
		sum := a.n + b.n
		overflow := (sum > a.n) != (b.n > 0) && b.n != 0
		if op == NumericSub {
			sum = a.n - b.n
			overflow = (sum < a.n) != (b.n > 0) && b.n != 0
		}
		return newSmallNumeric(sum, a.aux), !overflow && sum != math.MinInt64
	case NumericMul:
		high, low := bits.Mul64(magnitude(a.n), magnitude(b.n))
		if high != 0 || low > math.MaxInt64 || a.aux+b.aux > maxNumericScale {
			return Null, false
		}
		return newSmallNumeric(a.n*b.n, a.aux+b.aux), true
	}
	return Null, false
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

func addDecimals(z, x, y *apd.Decimal, subtract bool) {
	scale := max(-x.Exponent, -y.Exponent)
	var cx, cy apd.BigInt
	signedCoefficient(&cx, x, scale)
	signedCoefficient(&cy, y, scale)
	if subtract {
		cx.Sub(&cx, &cy)
	} else {
		cx.Add(&cx, &cy)
	}
	z.Negative = cx.Sign() < 0
	z.Coeff.Abs(&cx)
	z.Exponent = -scale
}

// signedCoefficient is x times ten to the scale, which is at least x's own.
func signedCoefficient(z *apd.BigInt, x *apd.Decimal, scale int32) {
	z.Set(&x.Coeff)
	scaleUp(z, scale+x.Exponent)
	if x.Negative {
		z.Neg(z)
	}
}

func divideDecimals(op NumericOp, z, x, y *apd.Decimal) {
	z.Negative = x.Negative != y.Negative
	if op == NumericDiv {
		scale := DivisionScale(x, y)
		var cx, cy apd.BigInt
		cx.Set(&x.Coeff)
		cy.Set(&y.Coeff)
		// x/y = cx/cy * 10^(ex-ey); the shift gives the quotient `scale` digits after the point.
		shift := scale + x.Exponent - y.Exponent
		scaleUp(&cx, shift)
		scaleUp(&cy, -shift)
		divideRounded(&z.Coeff, &cx, &cy)
		z.Exponent = -scale
		return
	}
	scale := max(-x.Exponent, -y.Exponent)
	var cx, cy, remainder apd.BigInt
	cx.Set(&x.Coeff)
	cy.Set(&y.Coeff)
	scaleUp(&cx, scale+x.Exponent)
	scaleUp(&cy, scale+y.Exponent)
	z.Coeff.QuoRem(&cx, &cy, &remainder)
	if op == NumericMod {
		z.Coeff.Set(&remainder)
		z.Exponent = -scale
		z.Negative = x.Negative
	}
}

// DivisionScale is how many digits after the point a quotient gets: enough for sixteen significant
// ones, counted in PostgreSQL's digits of base 10000, and at least those of the operands.
func DivisionScale(x, y *apd.Decimal) int32 {
	weightX, firstX := leadingDigit(x)
	weightY, firstY := leadingDigit(y)
	weight := weightX - weightY
	if firstX <= firstY {
		weight--
	}
	scale := int32(minSigDigits - weight*numericBaseDigits)
	return min(max(scale, -x.Exponent, -y.Exponent, 0), maxDisplayScale)
}

// leadingDigit is the first digit in base 10000 and its weight; zeros for zero.
func leadingDigit(x *apd.Decimal) (weight int, digit int64) {
	if x.Coeff.Sign() == 0 {
		return 0, 0
	}
	first := int(x.NumDigits()) - 1 + int(x.Exponent)
	weight = floorDiv(first, numericBaseDigits)
	// The digit is the number with everything below 10000^weight cut off.
	cut := int32(weight*numericBaseDigits) - x.Exponent
	var lead apd.BigInt
	lead.Set(&x.Coeff)
	if cut > 0 {
		lead.Quo(&lead, powerOfTen(cut))
	} else {
		scaleUp(&lead, -cut)
	}
	return weight, lead.Int64()
}

// specialArith computes with NaN and the infinities.
func specialArith(op NumericOp, x, y *apd.Decimal) (Datum, error) {
	if x.Form == apd.NaN || y.Form == apd.NaN {
		return NumericFromFloatWord(math.NaN()), nil
	}
	if op >= NumericDiv && y.Form == apd.Finite && y.Coeff.Sign() == 0 {
		return Null, ErrDivisionByZero()
	}
	fx, fy := signFloat(x), signFloat(y)
	switch op {
	case NumericAdd:
		return NumericFromFloatWord(fx + fy), nil
	case NumericSub:
		return NumericFromFloatWord(fx - fy), nil
	case NumericMul:
		return NumericFromFloatWord(fx * fy), nil
	case NumericMod:
		if x.Form == apd.Infinite {
			return NumericFromFloatWord(math.NaN()), nil
		}
		return NewNumeric(new(apd.Decimal).Set(x)), nil
	}
	if y.Form == apd.Infinite && x.Form == apd.Finite {
		return NumericFromInt(0), nil
	}
	return NumericFromFloatWord(fx / fy), nil
}

// signFloat keeps of a number what decides a result that is not finite.
func signFloat(x *apd.Decimal) float64 {
	if x.Form == apd.Infinite {
		if x.Negative {
			return math.Inf(-1)
		}
		return math.Inf(1)
	}
	return float64(x.Sign())
}

// NegateNumeric is -a.
func NegateNumeric(a Datum) Datum {
	if a.p == nil {
		return newSmallNumeric(-a.n, a.aux)
	}
	dec := new(apd.Decimal).Set(a.bigNumeric())
	if dec.Form == apd.Finite || dec.Form == apd.Infinite {
		dec.Negative = !dec.Negative
	}
	return NewNumeric(dec)
}

// RoundNumeric rounds half away from zero to digits after the point, which may be negative; the
// result shows no negative scale.
func RoundNumeric(a Datum, digits int32, truncate bool) Datum {
	var scratch apd.Decimal
	dec := new(apd.Decimal).Set(a.Decimal(&scratch))
	if dec.Form != apd.Finite {
		return NewNumeric(dec)
	}
	digits = min(max(digits, -maxNumericInteger), maxNumericScale)
	if truncate {
		truncateScale(dec, digits)
	} else {
		roundScale(dec, digits)
	}
	return NewNumeric(dec)
}

// NumericSign is -1, 0 or 1, and ok false for NaN.
func NumericSign(a Datum) (sign int, ok bool) {
	var scratch apd.Decimal
	dec := a.Decimal(&scratch)
	if dec.Form == apd.NaN {
		return 0, false
	}
	if dec.Form == apd.Infinite && !dec.Negative {
		return 1, true
	}
	if dec.Form == apd.Infinite {
		return -1, true
	}
	return dec.Sign(), true
}

// NumericScale is the display scale; ok is false for NaN and the infinities.
func NumericScale(a Datum) (scale int32, ok bool) {
	var scratch apd.Decimal
	dec := a.Decimal(&scratch)
	return -dec.Exponent, dec.Form == apd.Finite
}
