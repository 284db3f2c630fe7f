package builtin

import (
	"math"
	"math/big"
	"unsafe"

	"ackdb/server/sql/types"
)

func init() {
	n, f8 := types.Numeric, types.Float8
	registerAggregate(
		Aggregate{Name: "sum", Args: []OID{types.Int2}, Result: types.Int8, New: newIntSum},
		Aggregate{Name: "sum", Args: []OID{types.Int4}, Result: types.Int8, New: newIntSum},
		Aggregate{Name: "sum", Args: []OID{types.Int8}, Result: n, New: newIntSum},
		Aggregate{Name: "avg", Args: []OID{types.Int2}, Result: n, New: newIntAvg},
		Aggregate{Name: "avg", Args: []OID{types.Int4}, Result: n, New: newIntAvg},
		Aggregate{Name: "avg", Args: []OID{types.Int8}, Result: n, New: newIntAvg},
		Aggregate{Name: "sum", Args: []OID{n}, Result: n, New: newNumericSum(false)},
		Aggregate{Name: "avg", Args: []OID{n}, Result: n, New: newNumericSum(true)},
		Aggregate{Name: "sum", Args: []OID{types.Float4}, Result: types.Float4, New: newFloatSum},
		Aggregate{Name: "sum", Args: []OID{f8}, Result: f8, New: newFloatSum},
		Aggregate{Name: "avg", Args: []OID{types.Float4}, Result: f8, New: newFloatAvg},
		Aggregate{Name: "avg", Args: []OID{f8}, Result: f8, New: newFloatAvg},
		Aggregate{Name: "sum", Args: []OID{types.Interval}, Result: types.Interval,
			New: newSpanSum(false)},
		Aggregate{Name: "avg", Args: []OID{types.Interval}, Result: types.Interval,
			New: newSpanSum(true)},
	)
	for _, name := range deviationNames {
		registerAggregate(
			Aggregate{Name: name, Args: []OID{types.Float4}, Result: f8, New: newDeviation(name)},
			Aggregate{Name: name, Args: []OID{f8}, Result: f8, New: newDeviation(name)},
		)
	}
}

// intSum adds in 64 bits and moves to a big integer only when those overflow.
type intSum struct {
	result OID
	avg    bool
	count  int64
	low    int64
	high   *big.Int // what overflowed out of low; nil while nothing has
}

func newIntSum(result OID) Accumulator { return &intSum{result: result} }

func newIntAvg(result OID) Accumulator { return &intSum{result: result, avg: true} }

func (a *intSum) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	a.count++
	v := args[0].Int()
	sum := a.low + v
	if (a.low^sum)&(v^sum) < 0 {
		if a.high == nil {
			a.high = new(big.Int)
		}
		a.high.Add(a.high, big.NewInt(a.low))
		sum = v
	}
	a.low = sum
	return nil
}

func (a *intSum) Result(*Context) (Datum, error) {
	if a.count == 0 {
		return types.Null, nil
	}
	if a.result == types.Int8 {
		// A sum of int4 cannot pass 64 bits with fewer than 2^32 rows.
		return intResult(types.Int8, a.low, a.high != nil)
	}
	total := types.NumericFromInt(a.low)
	if a.high != nil {
		sum := new(big.Int).Add(a.high, big.NewInt(a.low))
		d, err := types.ParseText(types.Of(types.Numeric), sum.String(), nil)
		if err != nil {
			return types.Null, err
		}
		total = d
	}
	if !a.avg {
		return total, nil
	}
	return types.NumericArith(types.NumericDiv, total, types.NumericFromInt(a.count))
}

func (a *intSum) Size() int { return int(unsafe.Sizeof(*a)) }

type numericSum struct {
	avg   bool
	count int64
	total Datum
}

func newNumericSum(avg bool) func(OID) Accumulator {
	return func(OID) Accumulator { return &numericSum{avg: avg} }
}

func (a *numericSum) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	a.count++
	if a.total.IsNull() {
		a.total = args[0]
		return nil
	}
	var err error
	a.total, err = types.NumericArith(types.NumericAdd, a.total, args[0])
	return err
}

func (a *numericSum) Result(*Context) (Datum, error) {
	if !a.avg || a.count == 0 {
		return a.total, nil
	}
	return types.NumericArith(types.NumericDiv, a.total, types.NumericFromInt(a.count))
}

func (a *numericSum) Size() int { return int(unsafe.Sizeof(*a)) + a.total.Size() }

type floatSum struct {
	result   OID
	avg      bool
	count    int64
	total    float64
	infinite bool // an argument was, so that an infinite total is none of our making
}

func newFloatSum(result OID) Accumulator { return &floatSum{result: result} }

func newFloatAvg(result OID) Accumulator { return &floatSum{result: result, avg: true} }

func (a *floatSum) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	a.count++
	v := args[0].Float()
	a.infinite = a.infinite || math.IsInf(v, 0)
	a.total += v
	if a.result == types.Float4 {
		a.total = float64(float32(a.total))
	}
	if math.IsInf(a.total, 0) && !a.infinite {
		return types.Errorf(types.CodeNumericOutOfRange, "value out of range: overflow")
	}
	return nil
}

func (a *floatSum) Result(*Context) (Datum, error) {
	if a.count == 0 {
		return types.Null, nil
	}
	if a.avg {
		return types.NewFloat8(a.total / float64(a.count)), nil
	}
	return newFloat(a.result, a.total), nil
}

func (a *floatSum) Size() int { return int(unsafe.Sizeof(*a)) }

type spanSum struct {
	avg   bool
	count int64
	total types.Span
}

func newSpanSum(avg bool) func(OID) Accumulator {
	return func(OID) Accumulator { return &spanSum{avg: avg} }
}

func (a *spanSum) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	a.count++
	var err error
	a.total, err = types.SumSpans(a.total, args[0].Span())
	return err
}

func (a *spanSum) Result(*Context) (Datum, error) {
	switch {
	case a.count == 0:
		return types.Null, nil
	case a.avg:
		return spanResult(types.DivideSpan(a.total, float64(a.count)))
	}
	return types.NewSpan(a.total), nil
}

func (a *spanSum) Size() int { return int(unsafe.Sizeof(*a)) }

// deviation keeps count, sum and the sum of squared distances from the mean, updated as Youngs and
// Cramer do, which does not cancel.
type deviation struct {
	root, population bool
	n, sum, squares  float64
}

func newDeviation(name string) func(OID) Accumulator {
	return func(OID) Accumulator {
		return &deviation{
			root:       name == "stddev" || name == "stddev_samp" || name == "stddev_pop",
			population: name == "stddev_pop" || name == "var_pop",
		}
	}
}

func (a *deviation) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	v := args[0].Float()
	a.n++
	a.sum += v
	if a.n > 1 {
		distance := v*a.n - a.sum
		a.squares += distance * distance / (a.n * (a.n - 1))
	}
	return nil
}

func (a *deviation) Result(*Context) (Datum, error) {
	divisor := a.n - 1
	if a.population {
		divisor = a.n
	}
	if divisor <= 0 {
		return types.Null, nil
	}
	v := a.squares / divisor
	if a.root {
		v = math.Sqrt(v)
	}
	return types.NewFloat8(v), nil
}

func (a *deviation) Size() int { return int(unsafe.Sizeof(*a)) }
