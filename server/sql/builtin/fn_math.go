package builtin

import (
	"math"
	"math/rand/v2"

	"ackdb/server/sql/types"
)

func init() {
	f8, n, i4 := types.Float8, types.Numeric, types.Int4
	for name, f := range map[string]func(float64) float64{
		"ceil": math.Ceil, "ceiling": math.Ceil, "floor": math.Floor, "round": math.RoundToEven,
		"trunc": math.Trunc, "cbrt": math.Cbrt, "degrees": func(v float64) float64 {
			return v * 180 / math.Pi
		}, "radians": func(v float64) float64 { return v * math.Pi / 180 },
		"atan": math.Atan,
	} {
		register(fn(name, f8, floatUnary(f), f8))
	}
	register(
		fn("sin", f8, finiteUnary(math.Sin), f8), fn("cos", f8, finiteUnary(math.Cos), f8),
		fn("tan", f8, finiteUnary(math.Tan), f8),
		fn("asin", f8, limitedUnary(math.Asin, -1, 1), f8),
		fn("acos", f8, limitedUnary(math.Acos, -1, 1), f8),
	)
	register(
		fn("ceil", n, numericCeil(true), n), fn("ceiling", n, numericCeil(true), n),
		fn("floor", n, numericCeil(false), n),
		fn("round", n, roundNumeric(false), n), fn("round", n, roundNumeric(false), n, i4),
		fn("trunc", n, roundNumeric(true), n), fn("trunc", n, roundNumeric(true), n, i4),
		fn("sign", f8, evalFloatSign, f8), fn("sign", n, evalNumericSign, n),
		fn("sqrt", f8, evalFloatSqrt, f8), fn("sqrt", n, numericUnary(types.SqrtNumeric), n),
		fn("exp", f8, evalFloatExp, f8), fn("exp", n, numericUnary(types.ExpNumeric), n),
		fn("ln", f8, floatLog(math.Log), f8), fn("ln", n, numericUnary(types.LnNumeric), n),
		fn("log", f8, floatLog(math.Log10), f8), fn("log10", f8, floatLog(math.Log10), f8),
		fn("log", n, numericUnary(numericLog10), n), fn("log10", n, numericUnary(numericLog10), n),
		fn("log", n, evalNumericLog, n, n),
		fn("power", f8, evalFloatPower, f8, f8), fn("pow", f8, evalFloatPower, f8, f8),
		fn("power", n, evalNumericPower, n, n), fn("pow", n, evalNumericPower, n, n),
		fn("pi", f8, evalPi), fn("atan2", f8, evalAtan2, f8, f8),
		fn("scale", i4, evalScale, n), fn("min_scale", i4, evalMinScale, n),
		fn("trim_scale", n, evalTrimScale, n),
		fn("random", f8, evalRandom).volatile(),
		fn("setseed", types.Void, evalSetSeed, f8).volatile(),
		fn("width_bucket", i4, evalWidthBucket, f8, f8, f8, i4),
	)
}

func numericUnary(f func(Datum) (Datum, error)) Eval {
	return func(_ *Context, a []Datum) (Datum, error) { return f(a[0]) }
}

func numericLog10(d Datum) (Datum, error) { return types.LogNumeric(types.NumericFromInt(10), d) }

func evalNumericLog(_ *Context, a []Datum) (Datum, error) { return types.LogNumeric(a[0], a[1]) }

func evalNumericPower(_ *Context, a []Datum) (Datum, error) {
	return types.PowerNumeric(a[0], a[1])
}

func numericCeil(up bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		cut := types.RoundNumeric(a[0], 0, true)
		c := types.Compare(cut, a[0])
		switch {
		case up && c < 0:
			return types.NumericArith(types.NumericAdd, cut, types.NumericFromInt(1))
		case !up && c > 0:
			return types.NumericArith(types.NumericSub, cut, types.NumericFromInt(1))
		}
		return cut, nil
	}
}

// maxNumericDigits is how many digits a numeric has before the point at most.
const maxNumericDigits = 131072

// roundNumeric shows no digits before the point as zeros after it: round(155, -1) is 160.
func roundNumeric(truncate bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		digits := int32(0)
		if len(a) > 1 {
			digits = int32(a[1].Int())
		}
		v := types.RoundNumeric(a[0], digits, truncate)
		if sign, ok := types.NumericSign(v); ok && sign != 0 && digits <= -maxNumericDigits &&
			!isNumericWord(v) {
			return types.Null, types.Errorf(types.CodeNumericOutOfRange,
				"value overflows numeric format")
		}
		return v, nil
	}
}

func evalFloatSign(_ *Context, a []Datum) (Datum, error) {
	switch v := a[0].Float(); {
	case v > 0:
		return types.NewFloat8(1), nil
	case v < 0:
		return types.NewFloat8(-1), nil
	}
	return types.NewFloat8(0), nil
}

func evalNumericSign(_ *Context, a []Datum) (Datum, error) {
	sign, ok := types.NumericSign(a[0])
	if !ok {
		return a[0], nil
	}
	return types.NumericFromInt(int64(sign)), nil
}

func evalFloatExp(_ *Context, a []Datum) (Datum, error) {
	x := a[0].Float()
	v := math.Exp(x)
	if err := checkFloat(v, math.IsInf(x, -1), x); err != nil {
		return types.Null, err
	}
	return types.NewFloat8(v), nil
}

func floatLog(log func(float64) float64) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		switch v := a[0].Float(); {
		case v == 0:
			return types.Null, types.Errorf(types.CodeInvalidLogarithm,
				"cannot take logarithm of zero")
		case v < 0:
			return types.Null, types.Errorf(types.CodeInvalidLogarithm,
				"cannot take logarithm of a negative number")
		}
		return types.NewFloat8(log(a[0].Float())), nil
	}
}

func evalPi(*Context, []Datum) (Datum, error) { return types.NewFloat8(math.Pi), nil }

func evalAtan2(_ *Context, a []Datum) (Datum, error) {
	return types.NewFloat8(math.Atan2(a[0].Float(), a[1].Float())), nil
}

func evalScale(_ *Context, a []Datum) (Datum, error) {
	scale, ok := types.NumericScale(a[0])
	if !ok {
		return types.Null, nil
	}
	return types.NewInt4(scale), nil
}

func evalMinScale(c *Context, a []Datum) (Datum, error) {
	trimmed, err := evalTrimScale(c, a)
	if err != nil {
		return types.Null, err
	}
	return evalScale(c, []Datum{trimmed})
}

func evalTrimScale(_ *Context, a []Datum) (Datum, error) {
	scale, ok := types.NumericScale(a[0])
	if !ok {
		return a[0], nil
	}
	trimmed := a[0]
	for scale > 0 {
		scale--
		shorter := types.RoundNumeric(trimmed, scale, true)
		if !types.Equal(shorter, trimmed) {
			break
		}
		trimmed = shorter
	}
	return trimmed, nil
}

func evalRandom(c *Context, _ []Datum) (Datum, error) {
	if c.Rand != nil {
		return types.NewFloat8(c.Rand()), nil
	}
	return types.NewFloat8(rand.Float64()), nil
}

func evalSetSeed(*Context, []Datum) (Datum, error) {
	return types.Null, types.Errorf(types.CodeFeatureNotSupported, "setseed is not supported")
}

func evalWidthBucket(_ *Context, a []Datum) (Datum, error) {
	v, low, high, count := a[0].Float(), a[1].Float(), a[2].Float(), a[3].Int()
	switch {
	case count <= 0:
		return types.Null, errBucket("count must be greater than zero")
	case math.IsNaN(v) || math.IsNaN(low) || math.IsNaN(high):
		return types.Null, errBucket("operand, lower bound, and upper bound cannot be NaN")
	case math.IsInf(low, 0) || math.IsInf(high, 0):
		return types.Null, errBucket("lower and upper bounds must be finite")
	case low == high:
		return types.Null, errBucket("lower bound cannot equal upper bound")
	case low > high:
		v, low, high = -v, -low, -high
	}
	switch {
	case v < low:
		return types.NewInt4(0), nil
	case v >= high:
		return types.NewInt4(int32(count) + 1), nil
	}
	return types.NewInt4(int32((v-low)/(high-low)*float64(count)) + 1), nil
}
