package builtin

import "ackdb/server/sql/types"

func init() {
	n := types.Numeric
	for op, kind := range map[string]types.NumericOp{
		"+": types.NumericAdd, "-": types.NumericSub, "*": types.NumericMul,
		"/": types.NumericDiv, "%": types.NumericMod,
	} {
		registerOp(op, n, n, n, numericOp(kind))
	}
	registerOp("-", 0, n, n, evalNumericNegate)
	registerOp("+", 0, n, n, evalFirst)
	registerOp("@", 0, n, n, evalNumericAbs)
	registerOp("^", n, n, n, evalNumericPower)
	register(
		fn("abs", n, evalNumericAbs, n),
		fn("mod", n, numericOp(types.NumericMod), n, n),
		fn("div", n, numericOp(types.NumericIntDiv), n, n),
	)
	lsn := types.PgLSN
	registerOp("-", lsn, lsn, n, evalLSNDiff)
	registerOp("+", lsn, n, lsn, evalLSNAdd)
	registerOp("-", lsn, n, lsn, evalLSNSub)
	registerOp("+", n, lsn, lsn, func(c *Context, a []Datum) (Datum, error) {
		return evalLSNAdd(c, []Datum{a[1], a[0]})
	})
	register(fn("pg_lsn", lsn, evalLSNOfNumeric, n), fn("pg_wal_lsn_diff", n, evalLSNDiff, lsn, lsn))
}

func numericOp(kind types.NumericOp) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		return types.NumericArith(kind, a[0], a[1])
	}
}

func evalNumericNegate(_ *Context, a []Datum) (Datum, error) {
	return types.NegateNumeric(a[0]), nil
}

func evalNumericAbs(_ *Context, a []Datum) (Datum, error) {
	if sign, ok := types.NumericSign(a[0]); ok && sign < 0 {
		return types.NegateNumeric(a[0]), nil
	}
	return a[0], nil
}

// evalLSNDiff subtracts through numeric, for the difference of two positions passes an int8.
func evalLSNDiff(_ *Context, a []Datum) (Datum, error) {
	return types.NumericArith(types.NumericSub, lsnNumeric(a[0]), lsnNumeric(a[1]))
}

func lsnNumeric(d Datum) Datum { return types.NumericFromUint(uint64(d.Int())) }

func evalLSNOfNumeric(_ *Context, a []Datum) (Datum, error) {
	if types.IsNumericNaN(a[0]) {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"cannot convert NaN to pg_lsn")
	}
	return lsnOf(a[0])
}

func lsnOf(d Datum) (Datum, error) {
	v, ok := types.NumericToUint(d)
	if !ok {
		return types.Null, types.Errorf(types.CodeInvalidParameter, "pg_lsn out of range")
	}
	return types.NewInt(types.PgLSN, int64(v)), nil
}

func evalLSNAdd(_ *Context, a []Datum) (Datum, error) {
	return lsnArith(types.NumericAdd, "add", "to", a)
}

func evalLSNSub(_ *Context, a []Datum) (Datum, error) {
	return lsnArith(types.NumericSub, "subtract", "from", a)
}

func lsnArith(op types.NumericOp, verb, preposition string, a []Datum) (Datum, error) {
	if types.IsNumericNaN(a[1]) {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported, "cannot %s NaN %s pg_lsn",
			verb, preposition)
	}
	sum, err := types.NumericArith(op, lsnNumeric(a[0]), a[1])
	if err != nil {
		return types.Null, err
	}
	return lsnOf(sum)
}
