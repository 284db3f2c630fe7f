package builtin

import (
	"ackdb/server/sql/types"
)

func init() {
	register(
		fn("to_json", types.JSON, toJSON(types.JSON), types.AnyElement).stable(),
		fn("to_jsonb", types.JSONB, toJSON(types.JSONB), types.AnyElement).stable(),
		fn("json_build_array", types.JSON, buildArray(types.JSON)).stable().notStrict(),
		fn("jsonb_build_array", types.JSONB, buildArray(types.JSONB)).stable().notStrict(),
		fn("json_build_object", types.JSON, buildObject(types.JSON)).stable().notStrict(),
		fn("jsonb_build_object", types.JSONB, buildObject(types.JSONB)).stable().notStrict(),
		fn("json_build_array", types.JSON, buildArray(types.JSON), types.Any).
			stable().notStrict().variadic(),
		fn("jsonb_build_array", types.JSONB, buildArray(types.JSONB), types.Any).
			stable().notStrict().variadic(),
		fn("json_build_object", types.JSON, buildObject(types.JSON), types.Any).
			stable().notStrict().variadic(),
		fn("jsonb_build_object", types.JSONB, buildObject(types.JSONB), types.Any).
			stable().notStrict().variadic(),
	)
}

// appendJSON appends a value as to_json makes it: numbers and booleans bare, documents as they are,
// arrays as arrays, all else a string of the text form.
func appendJSON(dst []byte, d Datum, c *Context) []byte {
	if d.IsNull() {
		return append(dst, "null"...)
	}
	switch d.OID() {
	case types.Bool:
		if d.Bool() {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case types.JSON, types.JSONB:
		return append(dst, d.Bytes()...)
	case types.Int2, types.Int4, types.Int8:
		return types.AppendText(dst, d, c.Env)
	case types.Float4, types.Float8, types.Numeric:
		text := types.AppendText(nil, d, c.Env)
		if last := text[len(text)-1]; last >= '0' && last <= '9' {
			return append(dst, text...)
		}
		return types.AppendJSONString(dst, string(text)) // NaN, Infinity
	case types.Timestamp, types.TimestampTZ:
		text := types.AppendText(nil, d, c.Env)
		if len(text) > 10 && text[10] == ' ' {
			text[10] = 'T'
		}
		return types.AppendJSONString(dst, jsonZone(string(text)))
	}
	if a := d.Array(); a != nil {
		return appendJSONArray(dst, a, c)
	}
	if d.OID() == types.Record {
		return appendJSONRow(dst, d, c, false)
	}
	return types.AppendJSONString(dst, string(types.AppendText(nil, d, c.Env)))
}

// jsonZone gives an offset of whole hours its minutes, as ISO 8601 wants.
func jsonZone(s string) string {
	if n := len(s); n > 3 && (s[n-3] == '+' || s[n-3] == '-') && n > 11 {
		return s + ":00"
	}
	return s
}

func appendJSONArray(dst []byte, a *types.Array, c *Context) []byte {
	dst = append(dst, '[')
	inner := len(a.Elems)
	if len(a.Dims) > 1 {
		inner /= int(a.Dims[0].Len)
	}
	for i := 0; i < len(a.Elems); {
		if i > 0 {
			dst = append(dst, ',')
		}
		if len(a.Dims) > 1 {
			row := &types.Array{Elem: a.Elem, Dims: a.Dims[1:], Elems: a.Elems[i : i+inner]}
			dst = appendJSONArray(dst, row, c)
			i += inner
			continue
		}
		dst = appendJSON(dst, a.Elems[i], c)
		i++
	}
	return append(dst, ']')
}

func toJSON(oid OID) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		return types.ParseText(types.Of(oid), string(appendJSON(nil, a[0], c)), nil)
	}
}

func buildArray(oid OID) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		out := []byte{'['}
		for i, d := range a {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = appendJSON(out, d, c)
		}
		return types.ParseText(types.Of(oid), string(append(out, ']')), nil)
	}
}

func buildObject(oid OID) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		if len(a)%2 != 0 {
			return types.Null, types.Errorf(types.CodeInvalidParameter,
				"argument list must have even number of elements").
				WithHint("The arguments of %s_build_object() must consist of alternating "+
					"keys and values.", types.FormatType(oid, types.NoMod))
		}
		out := []byte{'{'}
		for i := 0; i < len(a); i += 2 {
			switch {
			case a[i].IsNull() && oid == types.JSONB:
				return types.Null, types.Errorf(types.CodeInvalidParameter,
					"argument %d: key must not be null", i+1)
			case a[i].IsNull():
				return types.Null, types.Errorf(types.CodeInvalidParameter,
					"argument %d cannot be null", i+1).
					WithHint("Object keys should be text.")
			}
			if err := checkJSONKey(a[i]); err != nil {
				return types.Null, err
			}
			if i > 0 {
				out = append(out, ", "...)
			}
			key := types.AppendText(nil, a[i], c.Env)
			out = types.AppendJSONString(out, string(key))
			out = append(out, " : "...)
			out = appendJSON(out, a[i+1], c)
		}
		return types.ParseText(types.Of(oid), string(append(out, '}')), nil)
	}
}
