package builtin

import (
	"math"

	"ackdb/server/sql/types"
)

func init() {
	floats := []OID{types.Float4, types.Float8}
	for i, left := range floats {
		for j, right := range floats {
			result := floats[max(i, j)]
			for _, op := range []string{"+", "-", "*", "/"} {
				registerOp(op, left, right, result, floatOp(op, result))
			}
		}
		registerOp("-", 0, left, left, floatUnary(func(v float64) float64 { return -v }))
		registerOp("+", 0, left, left, evalFirst)
		registerOp("@", 0, left, left, floatUnary(math.Abs))
		register(fn("abs", left, floatUnary(math.Abs), left))
	}
	registerOp("^", types.Float8, types.Float8, types.Float8, evalFloatPower)
	registerOp("|/", 0, types.Float8, types.Float8, evalFloatSqrt)
	registerOp("||/", 0, types.Float8, types.Float8, floatUnary(math.Cbrt))
}

func newFloat(oid OID, v float64) Datum {
	if oid == types.Float4 {
		return types.NewFloat4(float32(v))
	}
	return types.NewFloat8(v)
}

func floatOp(op string, result OID) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		x, y := a[0].Float(), a[1].Float()
		var v float64
		switch op {
		case "+":
			v = x + y
		case "-":
			v = x - y
		case "*":
			v = x * y
		default:
			if y == 0 && !math.IsNaN(x) {
				return types.Null, types.ErrDivisionByZero()
			}
			v = x / y
		}
		if result == types.Float4 {
			v = float64(float32(v))
		}
		zeroFits := op == "+" || op == "-" || x == 0 || op == "/" && math.IsInf(y, 0) ||
			op == "*" && y == 0
		if err := checkFloat(v, zeroFits, x, y); err != nil {
			return types.Null, err
		}
		return newFloat(result, v), nil
	}
}

// checkFloat refuses an infinity or a zero that the arguments do not explain.
func checkFloat(v float64, zeroFits bool, args ...float64) error {
	if math.IsInf(v, 0) {
		for _, a := range args {
			if math.IsInf(a, 0) {
				return nil
			}
		}
		return types.Errorf(types.CodeNumericOutOfRange, "value out of range: overflow")
	}
	if v == 0 && !zeroFits {
		return types.Errorf(types.CodeNumericOutOfRange, "value out of range: underflow")
	}
	return nil
}

func floatUnary(f func(float64) float64) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		return newFloat(a[0].OID(), f(a[0].Float())), nil
	}
}

func evalFloatSqrt(_ *Context, a []Datum) (Datum, error) {
	v := a[0].Float()
	if v < 0 {
		return types.Null, types.Errorf(types.CodeInvalidPower,
			"cannot take square root of a negative number")
	}
	return types.NewFloat8(math.Sqrt(v)), nil
}

func evalFloatPower(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Float(), a[1].Float()
	switch {
	case x == 0 && y < 0:
		return types.Null, types.Errorf(types.CodeInvalidPower,
			"zero raised to a negative power is undefined")
	case x < 0 && math.Floor(y) != y && !math.IsInf(y, 0) && !math.IsNaN(y):
		return types.Null, types.Errorf(types.CodeInvalidPower,
			"a negative number raised to a non-integer power yields a complex result")
	}
	v := math.Pow(x, y)
	if err := checkFloat(v, x == 0 || math.IsInf(y, 0) || math.IsInf(x, 0), x, y); err != nil {
		return types.Null, err
	}
	return types.NewFloat8(v), nil
}
