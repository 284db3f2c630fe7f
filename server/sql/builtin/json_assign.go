package builtin

import (
	"encoding/json"
	"slices"
	"strconv"

	"ackdb/server/sql/types"
)

// AssignJSON is what doc['a'][0] = value leaves of a jsonb: what the path goes through is made where
// it is missing, an array for a number and an object for a name, and arrays are filled up with
// nulls. fromArray says which of the two a NULL document becomes.
func AssignJSON(doc Datum, path []Datum, value Datum, fromArray bool) (Datum, error) {
	for _, step := range path {
		if step.IsNull() {
			return types.Null, types.Errorf(types.CodeNullNotAllowed,
				"jsonb subscript in assignment must not be null")
		}
	}
	source, part := doc.Bytes(), []byte("null")
	switch {
	case doc.IsNull() && fromArray:
		source = []byte("[]")
	case doc.IsNull():
		source = []byte("{}")
	}
	if !value.IsNull() {
		part = value.Bytes()
	}
	out, err := assignJSON(source, path, part, 1)
	if err != nil {
		return types.Null, err
	}
	return types.ParseText(types.Of(types.JSONB), string(out), nil)
}

func assignJSON(doc []byte, path []Datum, value []byte, level int) ([]byte, error) {
	if len(path) == 0 {
		return value, nil
	}
	step := path[0].Str()
	switch jsonKind(doc) {
	case '{':
		fields := jsonFields(doc)
		i := slices.IndexFunc(fields, func(f jsonField) bool { return f.key == step })
		if i < 0 {
			made, err := makeJSON(path[1:], value)
			if err != nil {
				return nil, err
			}
			d, err := jsonbOf(append(fields, jsonField{step, made}), nil)
			return d.Bytes(), err
		}
		inner, err := assignJSON(fields[i].value, path[1:], value, level+1)
		if err != nil {
			return nil, err
		}
		fields[i].value = inner
		d, err := jsonbOf(fields, nil)
		return d.Bytes(), err
	case '[':
		return assignElement(jsonElements(doc), path, value, level)
	}
	return nil, types.Errorf(types.CodeInvalidParameter, "cannot replace existing key").WithDetail(
		"The path assumes key is a composite object, but it is a scalar value.")
}

func assignElement(
	elems []json.RawMessage, path []Datum, value []byte, level int,
) ([]byte, error) {
	index, err := strconv.ParseInt(path[0].Str(), 10, 32)
	if err != nil {
		return nil, types.Errorf(types.CodeInvalidText,
			"path element at position %d is not an integer: \"%s\"", level, path[0].Str())
	}
	if index < 0 {
		if index += int64(len(elems)); index < 0 {
			return nil, types.Errorf(types.CodeInvalidParameter,
				"path element at position %d is out of range: %s", level, path[0].Str())
		}
	}
	if index < int64(len(elems)) {
		inner, err := assignJSON(elems[index], path[1:], value, level+1)
		if err != nil {
			return nil, err
		}
		elems[index] = inner
	} else {
		if elems, err = fillJSON(elems, index); err != nil {
			return nil, err
		}
		made, err := makeJSON(path[1:], value)
		if err != nil {
			return nil, err
		}
		elems = append(elems, made)
	}
	d, err := jsonbOf(nil, elems)
	return d.Bytes(), err
}

// maxFilled bounds what one short assignment can make of a document.
const maxFilled = 1 << 20

// fillJSON adds nulls up to a number of elements.
func fillJSON(elems []json.RawMessage, size int64) ([]json.RawMessage, error) {
	if size > maxFilled {
		return nil, types.Errorf(types.CodeProgramLimit,
			"an assignment to a jsonb array can fill in at most %d elements", maxFilled)
	}
	for int64(len(elems)) < size {
		elems = append(elems, json.RawMessage("null"))
	}
	return elems, nil
}

// makeJSON makes what a path goes through, around a value.
func makeJSON(path []Datum, value []byte) ([]byte, error) {
	for _, step := range slices.Backward(path) {
		var d Datum
		index, err := strconv.ParseInt(step.Str(), 10, 32)
		if err != nil {
			d, err = jsonbOf([]jsonField{{step.Str(), value}}, nil)
		} else {
			var elems []json.RawMessage
			if elems, err = fillJSON(nil, index); err == nil {
				d, err = jsonbOf(nil, append(elems, value))
			}
		}
		if err != nil {
			return nil, err
		}
		value = d.Bytes()
	}
	return value, nil
}
