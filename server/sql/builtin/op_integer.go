package builtin

import (
	"math"

	"ackdb/server/sql/types"
)

var integerTypes = []OID{types.Int2, types.Int4, types.Int8}

func init() {
	for i, left := range integerTypes {
		for j, right := range integerTypes {
			result := integerTypes[max(i, j)]
			registerOp("+", left, right, result, evalIntAdd)
			registerOp("-", left, right, result, evalIntSub)
			registerOp("*", left, right, result, evalIntMul)
			registerOp("/", left, right, result, evalIntDiv)
		}
		registerOp("%", left, left, left, evalIntMod)
		registerOp("-", 0, left, left, evalIntNegate)
		registerOp("+", 0, left, left, evalFirst)
		registerOp("@", 0, left, left, evalIntAbs)
		registerOp("&", left, left, left, evalIntAnd)
		registerOp("|", left, left, left, evalIntOr)
		registerOp("#", left, left, left, evalIntXor)
		registerOp("~", 0, left, left, evalIntNot)
		registerOp("<<", left, types.Int4, left, evalShiftLeft)
		registerOp(">>", left, types.Int4, left, evalShiftRight)
		register(
			fn("abs", left, evalIntAbs, left),
			fn("mod", left, evalIntMod, left, left),
		)
		if left != types.Int2 {
			register(
				fn("gcd", left, evalGCD, left, left),
				fn("lcm", left, evalLCM, left, left),
			)
		}
	}
}

func evalFirst(_ *Context, a []Datum) (Datum, error) { return a[0], nil }

// widest is the larger integer type of two arguments.
func widest(a []Datum) OID {
	x, y := a[0].OID(), a[1].OID()
	switch {
	case x == types.Int8 || y == types.Int8:
		return types.Int8
	case x == types.Int4 || y == types.Int4:
		return types.Int4
	}
	return types.Int2
}

// intResult checks a result that fits 64 bits, unless overflow says that it does not, against the
// narrower types.
func intResult(oid OID, v int64, overflow bool) (Datum, error) {
	switch {
	case overflow:
	case oid == types.Int4 && v == int64(int32(v)), oid == types.Int8,
		oid == types.Int2 && v == int64(int16(v)):
		return types.NewInt(oid, v), nil
	}
	return types.Null, types.Errorf(types.CodeNumericOutOfRange, "%s out of range",
		types.FormatType(oid, types.NoMod))
}

func evalIntAdd(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Int(), a[1].Int()
	sum := x + y
	return intResult(widest(a), sum, (x^sum)&(y^sum) < 0)
}

func evalIntSub(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Int(), a[1].Int()
	diff := x - y
	return intResult(widest(a), diff, (x^y)&(x^diff) < 0)
}

func evalIntMul(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Int(), a[1].Int()
	product, overflow := multiply(x, y)
	return intResult(widest(a), product, overflow)
}

func multiply(x, y int64) (product int64, overflow bool) {
	product = x * y
	if x == 0 || y == 0 {
		return 0, false
	}
	lowest := x == -1 && y == math.MinInt64 || y == -1 && x == math.MinInt64
	return product, lowest || product/y != x
}

func evalIntDiv(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Int(), a[1].Int()
	if y == 0 {
		return types.Null, types.ErrDivisionByZero()
	}
	if y == -1 {
		return intResult(widest(a), -x, x == math.MinInt64)
	}
	return intResult(widest(a), x/y, false)
}

func evalIntMod(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Int(), a[1].Int()
	if y == 0 {
		return types.Null, types.ErrDivisionByZero()
	}
	if y == -1 {
		return types.NewInt(a[0].OID(), 0), nil
	}
	return types.NewInt(a[0].OID(), x%y), nil
}

func evalIntNegate(_ *Context, a []Datum) (Datum, error) {
	v := a[0].Int()
	return intResult(a[0].OID(), -v, v == math.MinInt64)
}

func evalIntAbs(_ *Context, a []Datum) (Datum, error) {
	if a[0].Int() >= 0 {
		return a[0], nil
	}
	return evalIntNegate(nil, a)
}

func evalIntAnd(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt(a[0].OID(), a[0].Int()&a[1].Int()), nil
}

func evalIntOr(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt(a[0].OID(), a[0].Int()|a[1].Int()), nil
}

func evalIntXor(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt(a[0].OID(), a[0].Int()^a[1].Int()), nil
}

func evalIntNot(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt(a[0].OID(), ^a[0].Int()), nil
}

// intBits is the width of an integer type.
func intBits(oid OID) int64 {
	switch oid {
	case types.Int2:
		return 16
	case types.Int4:
		return 32
	}
	return 64
}

// evalShiftLeft shifts by the count modulo the width, as the processor under PostgreSQL does; an
// int2 is shifted as an int4.
func evalShiftLeft(_ *Context, a []Datum) (Datum, error) {
	oid := a[0].OID()
	v := a[0].Int() << shiftCount(oid, a[1].Int())
	switch oid {
	case types.Int2:
		v = int64(int16(v))
	case types.Int4:
		v = int64(int32(v))
	}
	return types.NewInt(oid, v), nil
}

func evalShiftRight(_ *Context, a []Datum) (Datum, error) {
	oid := a[0].OID()
	return types.NewInt(oid, a[0].Int()>>shiftCount(oid, a[1].Int())), nil
}

func shiftCount(oid OID, count int64) uint64 {
	return uint64(count) & uint64(max(intBits(oid), 32)-1)
}

func evalGCD(_ *Context, a []Datum) (Datum, error) {
	v := gcd(a[0].Int(), a[1].Int())
	return intResult(a[0].OID(), v, v < 0) // of the smallest int8 and itself or zero
}

func gcd(x, y int64) int64 {
	for y != 0 {
		if y == -1 {
			return 1
		}
		x, y = y, x%y
	}
	if x < 0 {
		return -x
	}
	return x
}

func evalLCM(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Int(), a[1].Int()
	if x == 0 || y == 0 {
		return types.NewInt(a[0].OID(), 0), nil
	}
	product, overflow := multiply(x/gcd(x, y), y)
	if product < 0 {
		product = -product
	}
	return intResult(a[0].OID(), product, overflow || product < 0)
}
