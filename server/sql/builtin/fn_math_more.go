package builtin

import (
	"math"

	"ackdb/server/sql/types"
)

func init() {
	f8, n, i4 := types.Float8, types.Numeric, types.Int4
	for name, f := range map[string]func(float64) float64{
		"sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh, "asinh": math.Asinh,
		"cot": func(v float64) float64 { return 1 / math.Tan(v) },
	} {
		register(fn(name, f8, floatUnary(f), f8))
	}
	register(
		fn("acosh", f8, limitedUnary(math.Acosh, 1, math.Inf(1)), f8),
		fn("atanh", f8, limitedUnary(math.Atanh, -1, 1), f8),
		fn("gcd", n, evalNumericGCD, n, n), fn("lcm", n, evalNumericLCM, n, n),
		fn("factorial", n, evalFactorial, types.Int8),
		fn("width_bucket", i4, evalNumericBucket, n, n, n, i4),
		fn("width_bucket", i4, evalArrayBucket, types.AnyCompatible, types.AnyCompatibleArray),
	)
}

// limitedUnary refuses arguments outside the domain of a function.
func limitedUnary(f func(float64) float64, low, high float64) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		if v := a[0].Float(); v < low || v > high {
			return types.Null, types.Errorf(types.CodeNumericOutOfRange, "input is out of range")
		}
		return types.NewFloat8(f(a[0].Float())), nil
	}
}

// numericGCD is Euclid's; the result has the larger of the scales.
func numericGCD(x, y Datum) (Datum, error) {
	for {
		sign, ok := types.NumericSign(y)
		if !ok || sign == 0 {
			break
		}
		rest, err := types.NumericArith(types.NumericMod, x, y)
		if err != nil {
			return types.Null, err
		}
		x, y = y, rest
	}
	if sign, _ := types.NumericSign(x); sign < 0 {
		x = types.NegateNumeric(x)
	}
	return x, nil
}

func evalNumericGCD(_ *Context, a []Datum) (Datum, error) {
	if isNumericWord(a[0]) || isNumericWord(a[1]) {
		return types.ParseText(types.Of(types.Numeric), "NaN", nil)
	}
	x, err := numericGCD(a[0], a[1])
	if err != nil {
		return types.Null, err
	}
	return types.RoundNumeric(x, widerScale(a), false), nil
}

func widerScale(a []Datum) int32 {
	x, _ := types.NumericScale(a[0])
	y, _ := types.NumericScale(a[1])
	return max(x, y)
}

func evalNumericLCM(_ *Context, a []Datum) (Datum, error) {
	if isNumericWord(a[0]) || isNumericWord(a[1]) {
		return types.ParseText(types.Of(types.Numeric), "NaN", nil)
	}
	scale := widerScale(a)
	for _, d := range a {
		if sign, _ := types.NumericSign(d); sign == 0 {
			return types.RoundNumeric(types.NumericFromInt(0), scale, false), nil
		}
	}
	divisor, err := numericGCD(a[0], a[1])
	if err != nil {
		return types.Null, err
	}
	times, err := types.NumericArith(types.NumericIntDiv, a[0], divisor)
	if err != nil {
		return types.Null, err
	}
	v, err := types.NumericArith(types.NumericMul, times, a[1])
	if err != nil {
		return types.Null, err
	}
	if sign, _ := types.NumericSign(v); sign < 0 {
		v = types.NegateNumeric(v)
	}
	return types.RoundNumeric(v, scale, false), nil
}

// maxFactorial is the largest whose factorial a numeric holds.
const maxFactorial = 32177

func evalFactorial(c *Context, a []Datum) (Datum, error) {
	switch n := a[0].Int(); {
	case n < 0:
		return types.Null, types.Errorf(types.CodeNumericOutOfRange,
			"factorial of a negative number is undefined")
	case n > maxFactorial:
		return types.Null, types.Errorf(types.CodeNumericOutOfRange,
			"value overflows numeric format")
	}
	v := types.NumericFromInt(1)
	for i := int64(2); i <= a[0].Int(); i++ {
		if err := c.Check(); err != nil {
			return types.Null, err
		}
		var err error
		if v, err = types.NumericArith(types.NumericMul, v, types.NumericFromInt(i)); err != nil {
			return types.Null, err
		}
	}
	return v, nil
}

func errBucket(what string) error { return types.Errorf("2201G", "%s", what) }

func evalNumericBucket(_ *Context, a []Datum) (Datum, error) {
	v, low, high, count := a[0], a[1], a[2], a[3].Int()
	order := types.Compare(low, high)
	switch {
	case count <= 0:
		return types.Null, errBucket("count must be greater than zero")
	case types.IsNumericNaN(v) || types.IsNumericNaN(low) || types.IsNumericNaN(high):
		return types.Null, errBucket("operand, lower bound, and upper bound cannot be NaN")
	case isNumericWord(low) || isNumericWord(high):
		return types.Null, errBucket("lower and upper bounds must be finite")
	case order == 0:
		return types.Null, errBucket("lower bound cannot equal upper bound")
	case types.Compare(v, low)*order > 0:
		return types.NewInt4(0), nil
	case types.Compare(v, high)*order > 0:
		return bucketOf(v, low, high, count)
	}
	if count == math.MaxInt32 {
		return types.Null, types.Errorf(types.CodeNumericOutOfRange, "integer out of range")
	}
	return types.NewInt4(int32(count) + 1), nil
}

// bucketOf is count * (v - low) / (high - low), cut, from 1.
func bucketOf(v, low, high Datum, count int64) (Datum, error) {
	over, err := types.NumericArith(types.NumericSub, v, low)
	if err != nil {
		return types.Null, err
	}
	over, err = types.NumericArith(types.NumericMul, over, types.NumericFromInt(count))
	if err != nil {
		return types.Null, err
	}
	width, err := types.NumericArith(types.NumericSub, high, low)
	if err != nil {
		return types.Null, err
	}
	bucket, err := types.NumericArith(types.NumericIntDiv, over, width)
	if err != nil {
		return types.Null, err
	}
	n, err := types.CastDatum(bucket, types.Of(types.Int4), types.Explicit, nil)
	if err != nil {
		return types.Null, err
	}
	return types.NewInt4(int32(n.Int()) + 1), nil
}

// evalArrayBucket counts the thresholds at or below the value.
func evalArrayBucket(_ *Context, a []Datum) (Datum, error) {
	array := a[1].Array()
	if len(array.Dims) > 1 {
		return types.Null, types.Errorf(types.CodeArraySubscript,
			"thresholds must be one-dimensional array")
	}
	low, high := 0, len(array.Elems)
	for low < high {
		middle := (low + high) / 2
		switch e := array.Elems[middle]; {
		case e.IsNull():
			return types.Null, types.Errorf(types.CodeNullNotAllowed,
				"thresholds array must not contain NULLs")
		case types.Compare(a[0], e) < 0:
			high = middle
		default:
			low = middle + 1
		}
	}
	return types.NewInt4(int32(low)), nil
}
