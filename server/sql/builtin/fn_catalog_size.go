package builtin

import (
	"fmt"
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	oid, text, name, i8 := types.Oid, types.Text, types.Name, types.Int8
	class := types.RegClass
	register(
		fn("pg_relation_size", i8, sizeFunc(SizeMain), class).volatile(),
		fn("pg_relation_size", i8, evalForkSize, class, text).volatile(),
		fn("pg_table_size", i8, sizeFunc(SizeTable), class).volatile(),
		fn("pg_indexes_size", i8, sizeFunc(SizeIndexes), class).volatile(),
		fn("pg_total_relation_size", i8, sizeFunc(SizeTotal), class).volatile(),
		fn("pg_database_size", i8, evalDatabaseSize, name).volatile(),
		fn("pg_database_size", i8, evalDatabaseSize, oid).volatile(),
		fn("pg_tablespace_size", i8, evalDatabaseSize, name).volatile(),
		fn("pg_tablespace_size", i8, evalDatabaseSize, oid).volatile(),
		fn("pg_size_pretty", text, evalSizePretty, i8),
		fn("pg_size_bytes", i8, evalSizeBytes, text),
	)
}

func sizeFunc(kind SizeKind) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		size, ok := c.catalog().Size(OID(a[0].Int()), kind)
		if !ok {
			return types.Null, nil
		}
		return types.NewInt8(size), nil
	}
}

// evalForkSize: of what PostgreSQL keeps beside a relation's rows there is nothing here.
func evalForkSize(c *Context, a []Datum) (Datum, error) {
	switch a[1].Str() {
	case "main":
		return sizeFunc(SizeMain)(c, a)
	case "fsm", "vm", "init":
		return types.NewInt8(0), nil
	}
	return types.Null, types.Errorf(types.CodeInvalidParameter, "invalid fork name").WithHint(
		`Valid fork names are "main", "fsm", "vm", and "init".`)
}

func evalDatabaseSize(c *Context, _ []Datum) (Datum, error) {
	size, ok := c.catalog().Size(0, SizeTotal)
	if !ok {
		return types.Null, nil
	}
	return types.NewInt8(size), nil
}

// evalSizePretty changes the unit at ten thousand and rounds halves up, as PostgreSQL does.
func evalSizePretty(_ *Context, a []Datum) (Datum, error) {
	v := a[0].Int()
	sign, rest := "", uint64(v)
	if v < 0 {
		sign, rest = "-", -uint64(v)
	}
	const limit = 10 * 1024
	if rest < limit {
		return types.NewText(fmt.Sprintf("%s%d bytes", sign, rest)), nil
	}
	units := []string{"kB", "MB", "GB", "TB", "PB"}
	rest >>= 9 // halves of a kilobyte
	for i, unit := range units {
		if rest < 2*limit-1 || i == len(units)-1 {
			return types.NewText(fmt.Sprintf("%s%d %s", sign, (rest+1)/2, unit)), nil
		}
		rest >>= 10
	}
	return types.Null, nil
}

// sizeUnits are the powers of two that units of sizes stand for.
var sizeUnits = map[string]int{"": 0, "bytes": 0, "b": 0, "kb": 10, "mb": 20, "gb": 30, "tb": 40,
	"pb": 50}

// evalSizeBytes reads a size as pg_size_pretty writes it: a number and a unit.
func evalSizeBytes(_ *Context, a []Datum) (Datum, error) {
	written := a[0].Str()
	number, unit := cutNumber(strings.TrimSpace(written))
	value, err := types.ParseText(types.Of(types.Numeric), number, nil)
	if err != nil {
		return types.Null, types.Errorf(types.CodeInvalidParameter, "invalid size: \"%s\"", written)
	}
	power, ok := sizeUnits[strings.ToLower(unit)]
	if !ok {
		return types.Null, types.Errorf(types.CodeInvalidParameter, "invalid size: \"%s\"",
			written).WithDetail("Invalid size unit: \"%s\".", unit).
			WithHint(`Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".`)
	}
	value, err = types.NumericArith(types.NumericMul, value, types.NumericFromInt(1<<power))
	if err != nil {
		return types.Null, err
	}
	cast, _ := types.FindCast(types.Numeric, types.Int8, types.Explicit)
	return cast.Apply(value, types.Of(types.Int8), nil)
}

// cutNumber takes a number off the front: sign, digits, fraction, exponent.
func cutNumber(s string) (number, rest string) {
	end := 0
	digits := func() {
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
	}
	if end < len(s) && (s[end] == '+' || s[end] == '-') {
		end++
	}
	digits()
	if end < len(s) && s[end] == '.' {
		end++
		digits()
	}
	if mark := end; end < len(s) && (s[end] == 'e' || s[end] == 'E') {
		end++
		if end < len(s) && (s[end] == '+' || s[end] == '-') {
			end++
		}
		start := end
		if digits(); end == start {
			end = mark // no exponent, but the start of a unit
		}
	}
	return s[:end], strings.TrimSpace(s[end:])
}
