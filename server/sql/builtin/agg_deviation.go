package builtin

import (
	"unsafe"

	"ackdb/server/sql/types"
)

func init() {
	for _, name := range deviationNames {
		for _, oid := range []OID{types.Int2, types.Int4, types.Int8, types.Numeric} {
			registerAggregate(Aggregate{Name: name, Args: []OID{oid}, Result: types.Numeric,
				New: newExactDeviation(name)})
		}
	}
}

// deviationNames are the aggregates of the spread of values.
var deviationNames = []string{"stddev", "stddev_samp", "stddev_pop", "variance", "var_samp",
	"var_pop"}

// exactDeviation keeps the sums of the values and of their squares, which lose nothing.
type exactDeviation struct {
	root, population bool
	n                int64
	sum, squares     Datum
}

func newExactDeviation(name string) func(OID) Accumulator {
	return func(OID) Accumulator {
		return &exactDeviation{
			root:       name == "stddev" || name == "stddev_samp" || name == "stddev_pop",
			population: name == "stddev_pop" || name == "var_pop",
			sum:        types.NumericFromInt(0), squares: types.NumericFromInt(0),
		}
	}
}

func (a *exactDeviation) Add(_ *Context, args []Datum) error {
	v := args[0]
	if v.IsNull() {
		return nil
	}
	if v.OID() != types.Numeric {
		v = types.NumericFromInt(v.Int())
	}
	a.n++
	square, err := types.NumericArith(types.NumericMul, v, v)
	if err != nil {
		return err
	}
	if a.sum, err = types.NumericArith(types.NumericAdd, a.sum, v); err != nil {
		return err
	}
	a.squares, err = types.NumericArith(types.NumericAdd, a.squares, square)
	return err
}

// Result is (n * squares - sum * sum) / (n * n), or with n - 1 of a sample.
func (a *exactDeviation) Result(*Context) (Datum, error) {
	divisor := a.n - 1
	if a.population {
		divisor = a.n
	}
	if a.n == 0 || divisor == 0 {
		return types.Null, nil
	}
	if isNumericWord(a.sum) {
		return types.ParseText(types.Of(types.Numeric), "NaN", nil)
	}
	over, err := a.numerator()
	if err != nil {
		return types.Null, err
	}
	if sign, _ := types.NumericSign(over); sign <= 0 {
		return types.NumericFromInt(0), nil
	}
	under, err := types.NumericArith(types.NumericMul, types.NumericFromInt(a.n),
		types.NumericFromInt(divisor))
	if err != nil {
		return types.Null, err
	}
	variance, err := types.NumericArith(types.NumericDiv, over, under)
	if err != nil || !a.root {
		return variance, err
	}
	return types.SqrtNumericScaled(variance)
}

func (a *exactDeviation) numerator() (Datum, error) {
	squares, err := types.NumericArith(types.NumericMul, types.NumericFromInt(a.n), a.squares)
	if err != nil {
		return types.Null, err
	}
	square, err := types.NumericArith(types.NumericMul, a.sum, a.sum)
	if err != nil {
		return types.Null, err
	}
	return types.NumericArith(types.NumericSub, squares, square)
}

func (a *exactDeviation) Size() int {
	return int(unsafe.Sizeof(*a)) + a.sum.Size() + a.squares.Size()
}
