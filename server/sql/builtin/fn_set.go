package builtin

import (
	"ackdb/server/sql/types"
)

func init() {
	register(
		setFn("unnest", types.AnyElement, evalUnnest, types.AnyArray),
		setFn("generate_subscripts", types.Int4, evalSubscripts, types.AnyArray, types.Int4),
		setFn("regexp_split_to_table", types.Text, evalSplitTable, types.Text, types.Text),
		setFn("regexp_split_to_table", types.Text, evalSplitTable, types.Text, types.Text,
			types.Text),
		setFn("string_to_table", types.Text, evalStringTable, types.Text, types.Text).notStrict(),
		setFn("string_to_table", types.Text, evalStringTable, types.Text, types.Text,
			types.Text).notStrict(),
		setFn("regexp_matches", types.TextArray, evalRegexMatches, types.Text, types.Text),
		setFn("regexp_matches", types.TextArray, evalRegexMatches, types.Text, types.Text, types.Text),
	)
	for _, oid := range []OID{types.Int4, types.Int8} {
		register(
			setFn("generate_series", oid, intSeries(oid), oid, oid),
			setFn("generate_series", oid, intSeries(oid), oid, oid, oid),
		)
	}
	register(
		setFn("generate_series", types.Numeric, numericSeries, types.Numeric, types.Numeric),
		setFn("generate_series", types.Numeric, numericSeries, types.Numeric, types.Numeric,
			types.Numeric),
		setFn("generate_series", types.Timestamp, timeSeries, types.Timestamp, types.Timestamp,
			types.Interval),
		setFn("generate_series", types.TimestampTZ, timeSeries, types.TimestampTZ, types.TimestampTZ,
			types.Interval).stable(),
	)
}

func setFn(name string, result OID, set SetEval, args ...OID) Function {
	f := fn(name, result, nil, args...)
	f.Set = set
	return f
}

// checkEvery is how many rows a series yields between looks at whether it must stop (B4).
const checkEvery = 1024

func errStepZero() error {
	return types.Errorf(types.CodeInvalidParameter, "step size cannot equal zero")
}

func intSeries(oid OID) SetEval {
	return func(c *Context, a []Datum, yield func(Datum) error) error {
		v, stop, step := a[0].Int(), a[1].Int(), int64(1)
		if len(a) > 2 {
			step = a[2].Int()
		}
		if step == 0 {
			return errStepZero()
		}
		for n := 0; step > 0 && v <= stop || step < 0 && v >= stop; n++ {
			if n%checkEvery == 0 {
				if err := c.Check(); err != nil {
					return err
				}
			}
			if err := yield(types.NewInt(oid, v)); err != nil {
				return err
			}
			next := v + step
			if (next > v) != (step > 0) {
				return nil // past the end of the type
			}
			v = next
		}
		return nil
	}
}

func numericSeries(c *Context, a []Datum, yield func(Datum) error) error {
	step := types.NumericFromInt(1)
	if len(a) > 2 {
		step = a[2]
	}
	if err := checkSeries(a[0], a[1], step); err != nil {
		return err
	}
	sign, _ := types.NumericSign(step)
	for v := a[0]; types.Compare(v, a[1])*sign <= 0; {
		if err := c.Check(); err != nil {
			return err
		}
		if err := yield(v); err != nil {
			return err
		}
		next, err := types.NumericArith(types.NumericAdd, v, step)
		if err != nil {
			return nil // past every number, and so past the last
		}
		v = next
	}
	return nil
}

// checkSeries refuses what a series of numerics would never reach or never leave.
func checkSeries(start, stop, step Datum) error {
	names := []string{"start value", "stop value", "step size"}
	for i, d := range []Datum{start, stop, step} {
		sign, ok := types.NumericSign(d)
		switch {
		case !ok:
			return types.Errorf(types.CodeInvalidParameter, "%s cannot be NaN", names[i])
		case isNumericWord(d):
			return types.Errorf(types.CodeInvalidParameter, "%s cannot be infinity", names[i])
		case sign == 0 && i == 2:
			return errStepZero()
		}
	}
	return nil
}

func timeSeries(c *Context, a []Datum, yield func(Datum) error) error {
	step := a[2].Span()
	sign := types.Compare(a[2], types.NewSpan(types.Span{}))
	if sign == 0 {
		return errStepZero()
	}
	for v := a[0]; types.Compare(v, a[1])*sign <= 0; {
		if err := c.Check(); err != nil {
			return err
		}
		if err := yield(v); err != nil {
			return err
		}
		next, err := types.AddSpan(v, step, c.Env)
		if err != nil {
			return err
		}
		if types.Equal(next, v) {
			return nil // infinity
		}
		v = next
	}
	return nil
}

func evalUnnest(_ *Context, a []Datum, yield func(Datum) error) error {
	for _, e := range a[0].Array().Elems {
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

func evalSubscripts(_ *Context, a []Datum, yield func(Datum) error) error {
	dim, ok := dimension(a[0], a[1].Int())
	if !ok {
		return nil
	}
	reverse := len(a) > 2 && a[2].Bool()
	for i := range dim.Len {
		if reverse {
			i = dim.Len - 1 - i
		}
		if err := yield(types.NewInt4(dim.Lower + i)); err != nil {
			return err
		}
	}
	return nil
}

var splitTable = regexSplit("regexp_split_to_table")

func evalSplitTable(c *Context, a []Datum, yield func(Datum) error) error {
	array, err := splitTable(c, a)
	if err != nil {
		return err
	}
	return evalUnnest(c, []Datum{array}, yield)
}

func evalStringTable(c *Context, a []Datum, yield func(Datum) error) error {
	array, err := evalStringToArray(c, a)
	if err != nil || array.IsNull() {
		return err
	}
	return evalUnnest(c, []Datum{array}, yield)
}

func evalRegexMatches(c *Context, a []Datum, yield func(Datum) error) error {
	re, flags, err := regexArg(a, 2)
	if err != nil {
		return err
	}
	limit := 1
	for _, f := range flags {
		if f == 'g' {
			limit = -1
		}
	}
	s := a[0].Str()
	found, err := c.matches(re, s, limit)
	if err != nil {
		return err
	}
	for _, at := range found {
		if err := yield(matchArray(s, at)); err != nil {
			return err
		}
	}
	return nil
}
