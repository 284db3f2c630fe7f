package builtin

import (
	"encoding/json"
	"slices"
	"strconv"

	"ackdb/server/sql/types"
)

func init() {
	b, text, texts, boolean := types.JSONB, types.Text, types.TextArray, types.Bool
	registerOp("@>", b, b, boolean, evalJSONContains)
	registerOp("<@", b, b, boolean, exchanged(evalJSONContains))
	registerOp("?", b, text, boolean, evalJSONExists)
	registerOp("?|", b, texts, boolean, jsonExistsAny(false))
	registerOp("?&", b, texts, boolean, jsonExistsAny(true))
	registerOp("||", b, b, b, evalJSONConcat)
	registerOp("-", b, text, b, evalJSONWithout)
	registerOp("-", b, texts, b, evalJSONWithout, variadicOp)
	registerOp("-", b, types.Int4, b, evalJSONWithoutIndex)
	registerOp("#-", b, texts, b, evalJSONWithoutPath)
	register(
		fn("jsonb_set", b, evalJSONSet, b, texts, b, boolean).defaults(1),
		fn("jsonb_insert", b, evalJSONInsert, b, texts, b, boolean).defaults(1),
		fn("jsonb_strip_nulls", b, evalJSONStrip, b),
		fn("jsonb_pretty", text, evalJSONPretty, b),
	)
}

// jsonContains says whether document b is within a: members and elements of b in those of a. A
// scalar at the top is in an array that has it.
func jsonContains(a, b []byte, top bool) bool {
	switch kind := jsonKind(b); {
	case kind == '{':
		if jsonKind(a) != '{' {
			return false
		}
		for _, f := range jsonFields(b) {
			have := jsonMember(a, f.key)
			if have == nil || !jsonContains(have, f.value, false) {
				return false
			}
		}
		return true
	case kind == '[':
		elems := jsonElements(a)
		if elems == nil {
			return false
		}
		for _, wanted := range jsonElements(b) {
			if !slices.ContainsFunc(elems, func(e json.RawMessage) bool {
				return jsonContains(e, wanted, false)
			}) {
				return false
			}
		}
		return true
	case top && jsonKind(a) == '[':
		return slices.ContainsFunc(jsonElements(a), func(e json.RawMessage) bool {
			return jsonContains(e, b, false)
		})
	}
	return jsonScalarEqual(a, b)
}

func jsonScalarEqual(a, b []byte) bool {
	if isJSONNumber(a) && isJSONNumber(b) {
		x, errX := types.ParseText(types.Of(types.Numeric), string(a), nil)
		y, errY := types.ParseText(types.Of(types.Numeric), string(b), nil)
		return errX == nil && errY == nil && types.Equal(x, y)
	}
	return string(a) == string(b)
}

func isJSONNumber(doc []byte) bool {
	kind := jsonKind(doc)
	return kind == '-' || kind >= '0' && kind <= '9'
}

func evalJSONContains(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(jsonContains(a[0].Bytes(), a[1].Bytes(), true)), nil
}

// jsonExists says whether a string is a key of an object or a string in an array.
func jsonExists(doc []byte, key string) bool {
	quoted := string(types.AppendJSONString(nil, key))
	switch jsonKind(doc) {
	case '{':
		return jsonMember(doc, key) != nil
	case '[':
		return slices.ContainsFunc(jsonElements(doc), func(e json.RawMessage) bool {
			return string(e) == quoted
		})
	}
	return string(doc) == quoted
}

func evalJSONExists(_ *Context, a []Datum) (Datum, error) {
	return types.NewBool(jsonExists(a[0].Bytes(), a[1].Str())), nil
}

func jsonExistsAny(all bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		for _, key := range a[1].Array().Elems {
			if !key.IsNull() && jsonExists(a[0].Bytes(), key.Str()) != all {
				return types.NewBool(!all), nil
			}
		}
		return types.NewBool(all), nil
	}
}

// jsonbOf makes a jsonb of members or elements.
func jsonbOf(fields []jsonField, elems []json.RawMessage) (Datum, error) {
	out := []byte{'['}
	closing := byte(']')
	if fields != nil {
		out[0], closing = '{', '}'
	}
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(types.AppendJSONString(out, f.key), ':')
		out = append(out, f.value...)
	}
	for i, e := range elems {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e...)
	}
	if len(out) > maxFieldSize {
		return types.Null, errTooLarge()
	}
	return types.ParseText(types.Of(types.JSONB), string(append(out, closing)), nil)
}

// evalJSONConcat merges objects; anything else becomes arrays, which are joined.
func evalJSONConcat(_ *Context, a []Datum) (Datum, error) {
	x, y := a[0].Bytes(), a[1].Bytes()
	if jsonKind(x) == '{' && jsonKind(y) == '{' {
		return jsonbOf(append(jsonFields(x), jsonFields(y)...), nil)
	}
	elems := func(doc []byte) []json.RawMessage {
		if e := jsonElements(doc); e != nil {
			return e
		}
		return []json.RawMessage{doc}
	}
	return jsonbOf(nil, append(elems(x), elems(y)...))
}

// evalJSONWithout drops a key, or each of some: members, or strings that are elements.
func evalJSONWithout(_ *Context, a []Datum) (Datum, error) {
	keys := []Datum{a[1]}
	if array := a[1].Array(); array != nil {
		keys = array.Elems
	}
	dropped := func(s string) bool {
		return slices.ContainsFunc(keys, func(k Datum) bool { return !k.IsNull() && k.Str() == s })
	}
	doc := a[0].Bytes()
	switch jsonKind(doc) {
	case '{':
		return jsonbOf(slices.DeleteFunc(jsonFields(doc), func(f jsonField) bool {
			return dropped(f.key)
		}), nil)
	case '[':
		return jsonbOf(nil, slices.DeleteFunc(jsonElements(doc), func(e json.RawMessage) bool {
			var s string
			return jsonKind(e) == '"' && json.Unmarshal(e, &s) == nil && dropped(s)
		}))
	}
	return types.Null, types.Errorf(types.CodeInvalidParameter, "cannot delete from scalar")
}

func evalJSONWithoutIndex(_ *Context, a []Datum) (Datum, error) {
	doc, index := a[0].Bytes(), a[1].Int()
	switch jsonKind(doc) {
	case '[':
	case '{':
		return types.Null, types.Errorf(types.CodeInvalidParameter,
			"cannot delete from object using integer index")
	default:
		return types.Null, types.Errorf(types.CodeInvalidParameter, "cannot delete from scalar")
	}
	elems := jsonElements(doc)
	if index < 0 {
		index += int64(len(elems))
	}
	if index < 0 || index >= int64(len(elems)) {
		return a[0], nil
	}
	return jsonbOf(nil, slices.Delete(elems, int(index), int(index)+1))
}

// jsonEdit is what happens at the end of a path.
type jsonEdit struct {
	drop, insert, after bool
	create              bool // what is not there
	value               []byte
}

func (e *jsonEdit) run(a []Datum) (Datum, error) {
	doc := a[0].Bytes()
	if kind := jsonKind(doc); kind != '{' && kind != '[' {
		verb := "set path in"
		if e.drop {
			verb = "delete path in"
		}
		return types.Null, types.Errorf(types.CodeInvalidParameter, "cannot %s scalar", verb)
	}
	path := a[1].Array().Elems
	if len(path) == 0 || !e.create && (string(doc) == "[]" || string(doc) == "{}") {
		return a[0], nil
	}
	out, err := e.apply(doc, path, 1)
	if err != nil {
		return types.Null, err
	}
	return types.ParseText(types.Of(types.JSONB), string(out), nil)
}

// apply gives the document with the edit done; level is that of the path, from 1.
func (e *jsonEdit) apply(doc []byte, path []Datum, level int) ([]byte, error) {
	if path[0].IsNull() {
		return nil, types.Errorf(types.CodeNullNotAllowed,
			"path element at position %d is null", level)
	}
	switch jsonKind(doc) {
	case '{':
		return e.inObject(doc, path, level)
	case '[':
		return e.inArray(doc, path, level)
	}
	return doc, nil
}

func (e *jsonEdit) inObject(doc []byte, path []Datum, level int) ([]byte, error) {
	fields, key := jsonFields(doc), path[0].Str()
	i := slices.IndexFunc(fields, func(f jsonField) bool { return f.key == key })
	switch {
	case i >= 0 && len(path) > 1:
		inner, err := e.apply(fields[i].value, path[1:], level+1)
		if err != nil {
			return nil, err
		}
		fields[i].value = inner
	case i >= 0 && e.drop:
		fields = slices.Delete(fields, i, i+1)
	case i >= 0 && e.insert:
		return nil, types.Errorf(types.CodeInvalidParameter, "cannot replace existing key").
			WithHint("Try using the function jsonb_set to replace key value.")
	case i >= 0:
		fields[i].value = e.value
	case len(path) == 1 && e.create:
		fields = append(fields, jsonField{key, e.value})
	}
	d, err := jsonbOf(fields, nil)
	return d.Bytes(), err
}

func (e *jsonEdit) inArray(doc []byte, path []Datum, level int) ([]byte, error) {
	elems := jsonElements(doc)
	index, err := strconv.ParseInt(path[0].Str(), 10, 32)
	if err != nil {
		return nil, types.Errorf(types.CodeInvalidText,
			"path element at position %d is not an integer: \"%s\"", level, path[0].Str())
	}
	size := int64(len(elems))
	before := index < -size
	if index < 0 {
		index = max(index+size, 0)
	}
	inside := index < size && !before
	switch {
	case inside && len(path) > 1:
		if elems[index], err = e.apply(elems[index], path[1:], level+1); err != nil {
			return nil, err
		}
	case len(path) > 1:
	case inside && e.drop:
		elems = slices.Delete(elems, int(index), int(index)+1)
	case inside && e.insert && e.after:
		elems = slices.Insert(elems, int(index)+1, json.RawMessage(e.value))
	case inside && e.insert, before && e.create:
		elems = slices.Insert(elems, int(index), json.RawMessage(e.value))
	case inside:
		elems[index] = e.value
	case e.create:
		elems = append(elems, e.value)
	}
	d, err := jsonbOf(nil, elems)
	return d.Bytes(), err
}

func evalJSONWithoutPath(_ *Context, a []Datum) (Datum, error) {
	return (&jsonEdit{drop: true}).run(a)
}

func evalJSONSet(_ *Context, a []Datum) (Datum, error) {
	return (&jsonEdit{create: len(a) < 4 || a[3].Bool(), value: a[2].Bytes()}).run(a)
}

func evalJSONInsert(_ *Context, a []Datum) (Datum, error) {
	return (&jsonEdit{insert: true, create: true, after: len(a) > 3 && a[3].Bool(),
		value: a[2].Bytes()}).run(a)
}

// withoutNulls drops the members that are null, in all objects.
func withoutNulls(doc []byte) ([]byte, error) {
	switch jsonKind(doc) {
	case '{':
		fields := slices.DeleteFunc(jsonFields(doc), func(f jsonField) bool {
			return jsonKind(f.value) == 'n'
		})
		for i := range fields {
			var err error
			if fields[i].value, err = withoutNulls(fields[i].value); err != nil {
				return nil, err
			}
		}
		d, err := jsonbOf(fields, nil)
		return d.Bytes(), err
	case '[':
		elems := jsonElements(doc)
		for i := range elems {
			var err error
			if elems[i], err = withoutNulls(elems[i]); err != nil {
				return nil, err
			}
		}
		d, err := jsonbOf(nil, elems)
		return d.Bytes(), err
	}
	return doc, nil
}

func evalJSONStrip(_ *Context, a []Datum) (Datum, error) {
	out, err := withoutNulls(a[0].Bytes())
	return types.NewBytes(types.JSONB, out), err
}

func evalJSONPretty(_ *Context, a []Datum) (Datum, error) {
	out := appendPretty(nil, a[0].Bytes(), "\n")
	if len(out) > maxFieldSize {
		return types.Null, errTooLarge()
	}
	return types.NewBytes(types.Text, out), nil
}

// appendPretty appends a document with a line for each member and element; lineStart begins one.
func appendPretty(dst, doc []byte, lineStart string) []byte {
	inner := lineStart + "    "
	switch jsonKind(doc) {
	case '{':
		dst = append(dst, '{')
		for i, f := range jsonFields(doc) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(types.AppendJSONString(append(dst, inner...), f.key), ": "...)
			dst = appendPretty(dst, f.value, inner)
		}
		return append(append(dst, lineStart...), '}')
	case '[':
		dst = append(dst, '[')
		for i, e := range jsonElements(doc) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendPretty(append(dst, inner...), e, inner)
		}
		return append(append(dst, lineStart...), ']')
	}
	return append(dst, doc...)
}
