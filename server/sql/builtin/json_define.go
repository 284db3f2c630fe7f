package builtin

import (
	"bytes"
	"encoding/json"

	"ackdb/server/sql/types"
)

// Field is a column that whoever calls a function asks of its records.
type Field struct {
	Name string
	Type types.Type
}

func init() {
	for _, oid := range []OID{types.JSON, types.JSONB} {
		name := types.FormatType(oid, types.NoMod)
		one := setFn(name+"_to_record", types.Record, jsonToRecord(name), oid).stable().notStrict()
		many := setFn(name+"_to_recordset", types.Record, jsonToRecords(name), oid).
			stable().notStrict()
		one.Defined, many.Defined = true, true
		register(one, many)
	}
}

// jsonToRecord yields the document itself: DefineRow makes a row of it.
func jsonToRecord(name string) SetEval {
	return func(_ *Context, a []Datum, yield func(Datum) error) error {
		switch kind := jsonKind(a[0].Bytes()); {
		case a[0].IsNull(), kind == '{':
			return yield(a[0])
		case kind == '[':
			return types.Errorf(types.CodeInvalidParameter,
				"cannot call populate_composite on an array")
		}
		return types.Errorf(types.CodeInvalidParameter,
			"cannot call populate_composite on a scalar")
	}
}

func jsonToRecords(name string) SetEval {
	return func(c *Context, a []Datum, yield func(Datum) error) error {
		if a[0].IsNull() {
			return nil
		}
		if kind := jsonKind(a[0].Bytes()); kind != '[' {
			return errNoRecords(name, kind)
		}
		for _, e := range jsonElements(a[0].Bytes()) {
			if err := c.Check(); err != nil {
				return err
			}
			if jsonKind(e) != '{' {
				return types.Errorf(types.CodeInvalidParameter,
					"argument of %s_to_recordset must be an array of objects", name)
			}
			if err := yield(types.NewBytes(a[0].OID(), e)); err != nil {
				return err
			}
		}
		return nil
	}
}

func errNoRecords(name string, kind byte) error {
	switch {
	case name == "jsonb":
		return types.Errorf(types.CodeInvalidParameter,
			"cannot call jsonb_to_recordset on a non-array")
	case kind == '{':
		return types.Errorf(types.CodeInvalidParameter,
			"cannot call json_to_recordset on an object")
	}
	return types.Errorf(types.CodeInvalidParameter, "cannot call json_to_recordset on a scalar")
}

// DefineRow makes a row of an object: each field of the member of its name, NULL when there is
// none.
func DefineRow(c *Context, doc Datum, fields []Field) (types.Row, error) {
	row := make(types.Row, len(fields))
	if doc.IsNull() {
		return row, nil
	}
	members := map[string]json.RawMessage{}
	for _, f := range jsonFields(doc.Bytes()) {
		members[f.key] = f.value
	}
	for i, f := range fields {
		part, found := members[f.Name]
		if !found {
			continue
		}
		v, err := jsonValue(c, doc.OID(), part, f.Type, "key \""+f.Name+"\"")
		if err != nil {
			return nil, err
		}
		row[i] = v
	}
	return row, nil
}

// jsonValue reads a part of a document as a value of a type: a document as it is, an array of
// arrays of elements, all else by its text.
func jsonValue(
	c *Context, doc OID, part json.RawMessage, to types.Type, where string,
) (Datum, error) {
	kind := jsonKind(part)
	if kind == 'n' {
		return types.Null, nil
	}
	if to.OID == types.JSON || to.OID == types.JSONB {
		return types.ParseText(types.Of(to.OID), string(bytes.TrimSpace(part)), c.Env)
	}
	if elem := types.ElemOf(to.OID); elem != 0 && kind == '[' {
		return jsonArrayValue(c, doc, part, types.Type{OID: elem, Mod: to.Mod}, where)
	} else if elem != 0 && kind == '{' {
		return types.Null, types.Errorf(types.CodeInvalidText, "expected JSON array").
			WithHint("See the value of %s.", where)
	}
	text, err := jsonResult(doc, part, true)
	if err != nil {
		return types.Null, err
	}
	v, err := types.ParseText(types.Of(to.OID), text.Str(), c.Env)
	if err != nil {
		return types.Null, err
	}
	return types.ApplyMod(v, to, false)
}

func jsonArrayValue(
	c *Context, doc OID, part json.RawMessage, elem types.Type, where string,
) (Datum, error) {
	var elems []Datum
	for _, e := range jsonElements(part) {
		if err := c.Check(); err != nil {
			return types.Null, err
		}
		v, err := jsonValue(c, doc, e, elem, where)
		if err != nil {
			return types.Null, err
		}
		elems = append(elems, v)
	}
	return types.NewArray(elem.OID, elems), nil
}
