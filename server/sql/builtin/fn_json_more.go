package builtin

import (
	"slices"

	"ackdb/server/sql/types"
)

func init() {
	js, b, text, texts := types.JSON, types.JSONB, types.Text, types.TextArray
	boolean, i4 := types.Bool, types.Int4
	register(
		fn("array_to_json", js, toJSONLines(toJSON(js)), types.AnyArray).stable(),
		fn("array_to_json", js, toJSONLines(toJSON(js)), types.AnyArray, boolean).stable(),
		fn("json_strip_nulls", js, evalStripNulls, js),
		fn("json_object", js, jsonOfPairs(js), texts),
		fn("json_object", js, jsonOfLists(js), texts, texts),
		fn("jsonb_object", b, jsonOfPairs(b), texts),
		fn("jsonb_object", b, jsonOfLists(b), texts, texts),
		fn("jsonb_set_lax", b, evalJSONSetLax, b, texts, b, boolean, text).defaults(2).notStrict(),
		fn("jsonb_contains", boolean, evalJSONContains, b, b),
		fn("jsonb_contained", boolean, exchanged(evalJSONContains), b, b),
		fn("jsonb_exists", boolean, evalJSONExists, b, text),
		fn("jsonb_exists_any", boolean, jsonExistsAny(false), b, texts),
		fn("jsonb_exists_all", boolean, jsonExistsAny(true), b, texts),
		fn("jsonb_concat", b, evalJSONConcat, b, b),
		fn("jsonb_delete", b, evalJSONWithout, b, text),
		fn("jsonb_delete", b, evalJSONWithout, b, texts).variadic(),
		fn("jsonb_delete", b, evalJSONWithoutIndex, b, i4),
		fn("jsonb_delete_path", b, evalJSONWithoutPath, b, texts),
	)
	for _, oid := range []OID{js, b} {
		name := types.FormatType(oid, types.NoMod)
		register(
			fn(name+"_object_field", oid, jsonKey(false), oid, text),
			fn(name+"_object_field_text", text, jsonKey(true), oid, text),
			fn(name+"_array_element", oid, jsonIndex(false), oid, i4),
			fn(name+"_array_element_text", text, jsonIndex(true), oid, i4),
		)
	}
}

// toJSONLines puts each element of the outermost level on a line of its own, if the second argument
// says so.
func toJSONLines(plain Eval) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		d, err := plain(c, a[:1])
		if err != nil || len(a) < 2 || !a[1].Bool() {
			return d, err
		}
		out := []byte{'['}
		for i, e := range jsonElements(d.Bytes()) {
			if i > 0 {
				out = append(out, ",\n "...)
			}
			out = append(out, e...)
		}
		return types.NewBytes(types.JSON, append(out, ']')), nil
	}
}

// evalStripNulls drops the members that are null and all blanks, and keeps equal keys.
func evalStripNulls(_ *Context, a []Datum) (Datum, error) {
	return types.NewBytes(types.JSON, appendStripped(nil, a[0].Bytes())), nil
}

func appendStripped(dst, doc []byte) []byte {
	switch jsonKind(doc) {
	case '{':
		dst = append(dst, '{')
		first := true
		for _, f := range jsonFields(doc) {
			if jsonKind(f.value) == 'n' {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(types.AppendJSONString(dst, f.key), ':')
			dst = appendStripped(dst, f.value)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for i, e := range jsonElements(doc) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendStripped(dst, e)
		}
		return append(dst, ']')
	}
	return append(dst, trimJSON(doc)...)
}

func trimJSON(doc []byte) []byte {
	start := slices.IndexFunc(doc, notJSONSpace)
	end := len(doc)
	for end > start && !notJSONSpace(doc[end-1]) {
		end--
	}
	return doc[start:end]
}

func notJSONSpace(c byte) bool { return c != ' ' && c != '\t' && c != '\n' && c != '\r' }

// jsonOfPairs makes an object of keys and values in turns, or of an array of pairs.
func jsonOfPairs(oid OID) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		array := a[0].Array()
		switch {
		case len(array.Dims) > 2:
			return types.Null, types.Errorf(types.CodeArraySubscript,
				"wrong number of array subscripts")
		case len(array.Dims) == 2 && array.Dims[1].Len != 2:
			return types.Null, types.Errorf(types.CodeArraySubscript, "array must have two columns")
		case len(array.Elems)%2 != 0:
			return types.Null, types.Errorf(types.CodeArraySubscript,
				"array must have even number of elements")
		}
		keys, values := make([]Datum, 0, len(array.Elems)/2), make([]Datum, 0, len(array.Elems)/2)
		for i := 0; i < len(array.Elems); i += 2 {
			keys, values = append(keys, array.Elems[i]), append(values, array.Elems[i+1])
		}
		return objectOfTexts(oid, keys, values)
	}
}

func jsonOfLists(oid OID) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		keys, values := a[0].Array(), a[1].Array()
		switch {
		case len(keys.Dims) > 1 || len(keys.Dims) != len(values.Dims):
			return types.Null, types.Errorf(types.CodeArraySubscript,
				"wrong number of array subscripts")
		case len(keys.Elems) != len(values.Elems):
			return types.Null, types.Errorf(types.CodeArraySubscript, "mismatched array dimensions")
		}
		return objectOfTexts(oid, keys.Elems, values.Elems)
	}
}

func objectOfTexts(oid OID, keys, values []Datum) (Datum, error) {
	out := []byte{'{'}
	for i, key := range keys {
		if key.IsNull() {
			return types.Null, types.Errorf(types.CodeNullNotAllowed,
				"null value not allowed for object key")
		}
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(types.AppendJSONString(out, key.Str()), " : "...)
		if values[i].IsNull() {
			out = append(out, "null"...)
			continue
		}
		out = types.AppendJSONString(out, values[i].Str())
	}
	return types.ParseText(types.Of(oid), string(append(out, '}')), nil)
}

// evalJSONSetLax is jsonb_set that is told what a NULL means.
func evalJSONSetLax(c *Context, a []Datum) (Datum, error) {
	create, treatment := types.NewBool(true), "use_json_null"
	if len(a) > 3 {
		create = a[3]
	}
	if a[0].IsNull() || a[1].IsNull() || create.IsNull() {
		return types.Null, nil
	}
	if len(a) > 4 {
		if a[4].IsNull() {
			return types.Null, types.Errorf(types.CodeInvalidParameter,
				"null_value_treatment must be \"delete_key\", \"return_target\", "+
					"\"use_json_null\", or \"raise_exception\"")
		}
		treatment = a[4].Str()
	}
	if !a[2].IsNull() {
		return evalJSONSet(c, []Datum{a[0], a[1], a[2], create})
	}
	switch treatment {
	case "raise_exception":
		return types.Null, types.Errorf(types.CodeNullNotAllowed, "JSON value must not be null").
			WithDetail("Exception was raised because null_value_treatment is " +
				"\"raise_exception\".").
			WithHint("To avoid, either change the null_value_treatment argument or ensure " +
				"that an SQL NULL is not passed.")
	case "use_json_null":
		return evalJSONSet(c, []Datum{a[0], a[1], types.NewString(types.JSONB, "null"), create})
	case "delete_key":
		return evalJSONWithoutPath(c, a[:2])
	case "return_target":
		return a[0], nil
	}
	return types.Null, types.Errorf(types.CodeInvalidParameter,
		"null_value_treatment must be \"delete_key\", \"return_target\", "+
			"\"use_json_null\", or \"raise_exception\"")
}

// checkJSONKey refuses what has no text of its own to be a key.
func checkJSONKey(d Datum) error {
	if d.Array() == nil && d.OID() != types.Record && d.OID() != types.JSON &&
		d.OID() != types.JSONB {
		return nil
	}
	return types.Errorf(types.CodeInvalidParameter,
		"key value must be scalar, not array, composite, or json")
}
