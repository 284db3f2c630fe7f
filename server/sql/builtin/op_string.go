package builtin

import "ackdb/server/sql/types"

func init() {
	text, bpchar, name := types.Text, types.BPChar, types.Name
	registerOp("||", text, text, text, evalConcat)
	registerOp("||", text, types.AnyNonArray, text, evalConcatAny, stableOp)
	registerOp("||", types.AnyNonArray, text, text, evalConcatAny, stableOp)
	registerOp("||", types.Bytea, types.Bytea, types.Bytea, evalConcatBytes)
	for _, left := range []OID{text, bpchar, name} {
		registerOp("~~", left, text, types.Bool, likeOp(false, false))
		registerOp("!~~", left, text, types.Bool, likeOp(true, false))
		registerOp("~~*", left, text, types.Bool, likeOp(false, true))
		registerOp("!~~*", left, text, types.Bool, likeOp(true, true))
		registerOp("~", left, text, types.Bool, regexOp(false, false))
		registerOp("!~", left, text, types.Bool, regexOp(true, false))
		registerOp("~*", left, text, types.Bool, regexOp(false, true))
		registerOp("!~*", left, text, types.Bool, regexOp(true, true))
	}
	registerOp("~~", types.Bytea, types.Bytea, types.Bool, likeBytes(false))
	registerOp("!~~", types.Bytea, types.Bytea, types.Bool, likeBytes(true))
	registerOp("^@", text, text, types.Bool, evalStartsWith)
}

func evalConcat(_ *Context, a []Datum) (Datum, error) {
	return types.NewText(a[0].Str() + a[1].Str()), nil
}

// evalConcatAny joins a text with any other value, cast to text: true, where concat() would print
// t.
func evalConcatAny(c *Context, a []Datum) (Datum, error) {
	var parts [2]Datum
	for i, d := range a {
		var err error
		if parts[i], err = types.CastDatum(d, types.Of(types.Text), types.Explicit, c.Env); err != nil {
			return types.Null, err
		}
	}
	return evalConcat(c, parts[:])
}

func evalConcatBytes(_ *Context, a []Datum) (Datum, error) {
	out := make([]byte, 0, len(a[0].Bytes())+len(a[1].Bytes()))
	out = append(out, a[0].Bytes()...)
	return types.NewBytes(types.Bytea, append(out, a[1].Bytes()...)), nil
}
