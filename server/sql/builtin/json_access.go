package builtin

import (
	"bytes"
	"encoding/json"
	"strconv"

	"ackdb/server/sql/types"
)

func init() {
	text, i4 := types.Text, types.Int4
	for _, oid := range []OID{types.JSON, types.JSONB} {
		registerOp("->", oid, text, oid, jsonKey(false))
		registerOp("->>", oid, text, text, jsonKey(true))
		registerOp("->", oid, i4, oid, jsonIndex(false))
		registerOp("->>", oid, i4, text, jsonIndex(true))
		registerOp("#>", oid, types.TextArray, oid, jsonPath(false), variadicOp)
		registerOp("#>>", oid, types.TextArray, text, jsonPath(true), variadicOp)
		name := types.FormatType(oid, types.NoMod)
		register(
			fn(name+"_extract_path", oid, jsonPath(false), oid, types.TextArray).variadic(),
			fn(name+"_extract_path_text", text, jsonPath(true), oid, types.TextArray).variadic(),
			fn(name+"_array_length", i4, evalJSONLength, oid),
			fn(name+"_typeof", text, evalJSONTypeOf, oid),
		)
	}
}

// jsonField is a member of an object; value is its text in the document.
type jsonField struct {
	key   string
	value json.RawMessage
}

// jsonFields lists the members of an object, nil when the document is none.
func jsonFields(doc []byte) []jsonField {
	dec := json.NewDecoder(bytes.NewReader(doc))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	fields := []jsonField{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil
		}
		f := jsonField{key: key.(string)}
		if err := dec.Decode(&f.value); err != nil {
			return nil
		}
		fields = append(fields, f)
	}
	return fields
}

// jsonElements lists the elements of an array, nil when the document is none.
func jsonElements(doc []byte) []json.RawMessage {
	if jsonKind(doc) != '[' {
		return nil
	}
	elems := []json.RawMessage{}
	if json.Unmarshal(doc, &elems) != nil {
		return nil
	}
	return elems
}

// jsonKind is the byte a document begins with, which tells what it is.
func jsonKind(doc []byte) byte {
	doc = bytes.TrimLeft(doc, " \t\r\n")
	if len(doc) == 0 {
		return 0
	}
	return doc[0]
}

// jsonResult gives a part of a document: as a document of the same type, or as text, of which null
// is NULL and a string its contents.
func jsonResult(oid OID, part []byte, asText bool) (Datum, error) {
	switch {
	case part == nil:
		return types.Null, nil
	case !asText:
		return types.NewBytes(oid, part), nil
	}
	switch jsonKind(part) {
	case 'n':
		return types.Null, nil
	case '"':
		var s string
		if err := json.Unmarshal(part, &s); err != nil {
			return types.Null, types.Errorf(types.CodeInvalidText,
				"invalid input syntax for type json")
		}
		return types.NewText(s), types.CheckText(s)
	}
	return types.NewBytes(types.Text, part), nil
}

// jsonMember is the last member of that name.
func jsonMember(doc []byte, key string) []byte {
	fields := jsonFields(doc)
	for i := len(fields) - 1; i >= 0; i-- {
		if fields[i].key == key {
			return fields[i].value
		}
	}
	return nil
}

// jsonElement is an element of an array, counted from the end when the index is negative.
func jsonElement(doc []byte, index int64) []byte {
	elems := jsonElements(doc)
	if index < 0 {
		index += int64(len(elems))
	}
	if index < 0 || index >= int64(len(elems)) {
		return nil
	}
	return elems[index]
}

func jsonKey(asText bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		return jsonResult(a[0].OID(), jsonMember(a[0].Bytes(), a[1].Str()), asText)
	}
}

// jsonIndex finds an element. To Postgres a jsonb of one scalar is an array of it.
func jsonIndex(asText bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		doc, index := a[0].Bytes(), a[1].Int()
		if kind := jsonKind(doc); a[0].OID() == types.JSONB && kind != '[' && kind != '{' {
			if index != 0 && index != -1 {
				return types.Null, nil
			}
			return jsonResult(types.JSONB, doc, asText)
		}
		return jsonResult(a[0].OID(), jsonElement(doc, index), asText)
	}
}

func jsonPath(asText bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		doc := bytes.Trim(a[0].Bytes(), " \t\r\n")
		for _, step := range a[1].Array().Elems {
			if step.IsNull() {
				return types.Null, nil
			}
			if doc = jsonStep(doc, step.Str()); doc == nil {
				return types.Null, nil
			}
		}
		return jsonResult(a[0].OID(), doc, asText)
	}
}

// jsonStep goes into a document: by a key, or in an array by an index.
func jsonStep(doc []byte, step string) []byte {
	if jsonKind(doc) == '{' {
		return jsonMember(doc, step)
	}
	index, err := strconv.ParseInt(step, 10, 32)
	if err != nil {
		return nil
	}
	return jsonElement(doc, index)
}

func evalJSONLength(_ *Context, a []Datum) (Datum, error) {
	switch jsonKind(a[0].Bytes()) {
	case '[':
		return types.NewInt4(int32(len(jsonElements(a[0].Bytes())))), nil
	case '{':
		return types.Null, types.Errorf(types.CodeInvalidParameter,
			"cannot get array length of a non-array")
	}
	return types.Null, types.Errorf(types.CodeInvalidParameter,
		"cannot get array length of a scalar")
}

func evalJSONTypeOf(_ *Context, a []Datum) (Datum, error) {
	kind := "number"
	switch jsonKind(a[0].Bytes()) {
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	case '"':
		kind = "string"
	case 't', 'f':
		kind = "boolean"
	case 'n':
		kind = "null"
	}
	return types.NewText(kind), nil
}
