package builtin

import "ackdb/server/sql/types"

// comparison is one of the six, as a test of what Compare says.
type comparison struct {
	name                string
	commutator, negator string
	eval                Eval
}

var comparisons = []comparison{
	{"=", "=", "<>", evalEqual},
	{"<>", "<>", "=", evalNotEqual},
	{"<", ">", ">=", evalLess},
	{"<=", ">=", ">", evalLessEqual},
	{">", "<", "<=", evalGreater},
	{">=", "<=", "<", evalGreaterEqual},
}

func evalEqual(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(types.Equal(a[0], a[1])), nil
}

func evalNotEqual(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(!types.Equal(a[0], a[1])), nil
}

func evalLess(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(types.Compare(a[0], a[1]) < 0), nil
}

func evalLessEqual(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(types.Compare(a[0], a[1]) <= 0), nil
}

func evalGreater(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(types.Compare(a[0], a[1]) > 0), nil
}

func evalGreaterEqual(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(types.Compare(a[0], a[1]) >= 0), nil
}

func init() {
	for _, oid := range []OID{
		types.Bool, types.Char, types.Name, types.Text, types.BPChar, types.Bytea, types.Oid,
		types.Numeric, types.Date, types.Time, types.Timestamp, types.TimestampTZ, types.Interval,
		types.UUID, types.PgLSN, types.Xid8, types.JSONB, types.Inet, types.OidVector,
		types.AnyArray, types.Record,
	} {
		registerComparisons(oid, oid)
	}
	registerCross(types.Int2, types.Int4, types.Int8)
	registerCross(types.Float4, types.Float8)
	registerComparisons(types.Name, types.Text)
	registerComparisons(types.Text, types.Name)
	registerTimeComparisons()
	for _, right := range []OID{types.Xid, types.Int4} {
		registerOp("=", types.Xid, right, types.Bool, evalEqual)
		registerOp("<>", types.Xid, right, types.Bool, evalNotEqual)
	}
	registerOp("=", types.Cid, types.Cid, types.Bool, evalEqual)
}

// registerCross enters the comparisons of every pair of the types, whose values Compare mixes.
func registerCross(oids ...OID) {
	for _, left := range oids {
		for _, right := range oids {
			registerComparisons(left, right)
		}
	}
}

func registerComparisons(left, right OID, opts ...opOption) {
	for _, c := range comparisons {
		registerOp(c.name, left, right, types.Bool, c.eval, append(opts, c.linked)...)
	}
}

func (c *comparison) linked(op *Operator) { op.Commutator, op.Negator = c.commutator, c.negator }

// registerTimeComparisons enters date against timestamp and so on: each side becomes the later of
// the two types first, and with a time zone involved the result depends on the session.
func registerTimeComparisons() {
	order := []OID{types.Date, types.Timestamp, types.TimestampTZ}
	for i, left := range order {
		for j, right := range order {
			if i == j {
				continue
			}
			wider := order[max(i, j)]
			var opts []opOption
			if wider == types.TimestampTZ {
				opts = append(opts, stableOp)
			}
			for _, c := range comparisons {
				registerOp(c.name, left, right, types.Bool, compareAs(wider, c.eval),
					append(opts, c.linked)...)
			}
		}
	}
}

func compareAs(oid OID, eval Eval) Eval {
	target := types.Of(oid)
	return func(c *Context, args []Datum) (Datum, error) {
		var widened [2]Datum
		for i, a := range args {
			var err error
			if widened[i], err = types.CastDatum(a, target, types.Implicit, c.Env); err != nil {
				return types.Null, err
			}
		}
		return eval(c, widened[:])
	}
}

// AnyAll computes left op ANY (array) or left op ALL (array): the call is that of op on the left
// and the element type. NULL elements make the result NULL unless another element decides it.
func AnyAll(call *Call, c *Context, left, array Datum, all bool) (Datum, error) {
	if array.IsNull() {
		return types.Null, nil
	}
	unknown := false
	args := []Datum{left, types.Null}
	for _, elem := range array.Array().Elems {
		args[1] = elem
		d, err := call.Eval(c, args)
		if err != nil {
			return types.Null, err
		}
		switch {
		case d.IsNull():
			unknown = true
		case d.Bool() != all:
			return types.NewBool(!all), nil
		}
	}
	if unknown {
		return types.Null, nil
	}
	return types.NewBool(all), nil
}
