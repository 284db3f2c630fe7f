package builtin

import "ackdb/server/sql/types"

func init() {
	for _, oid := range []OID{types.JSON, types.JSONB} {
		name := types.FormatType(oid, types.NoMod)
		elements := setFn(name+"_array_elements", oid, jsonElementRows(name, false), oid)
		elements.Columns = []Column{{"value", oid}}
		texts := setFn(name+"_array_elements_text", types.Text, jsonElementRows(name, true), oid)
		texts.Columns = []Column{{"value", types.Text}}
		each := setFn(name+"_each", types.Record, jsonEach(name, false), oid)
		each.Columns = []Column{{"key", types.Text}, {"value", oid}}
		eachText := setFn(name+"_each_text", types.Record, jsonEach(name, true), oid)
		eachText.Columns = []Column{{"key", types.Text}, {"value", types.Text}}
		register(elements, texts, each, eachText,
			setFn(name+"_object_keys", types.Text, jsonKeys(name), oid))
	}
}

func jsonElementRows(name string, asText bool) SetEval {
	return func(c *Context, a []Datum, yield func(Datum) error) error {
		if kind := jsonKind(a[0].Bytes()); kind != '[' {
			return errNoElements(name, kind, asText)
		}
		for _, e := range jsonElements(a[0].Bytes()) {
			if err := c.Check(); err != nil {
				return err
			}
			v, err := jsonResult(a[0].OID(), e, asText)
			if err != nil {
				return err
			}
			if err := yield(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// errNoElements words it as Postgres does, which has other words for json than for jsonb.
func errNoElements(name string, kind byte, asText bool) error {
	function := name + "_array_elements"
	if asText {
		function += "_text"
	}
	switch {
	case name == "jsonb" && kind == '{':
		return types.Errorf(types.CodeInvalidParameter, "cannot extract elements from an object")
	case name == "jsonb":
		return types.Errorf(types.CodeInvalidParameter, "cannot extract elements from a scalar")
	case kind == '{':
		return types.Errorf(types.CodeInvalidParameter, "cannot call %s on a non-array", function)
	}
	return types.Errorf(types.CodeInvalidParameter, "cannot call %s on a scalar", function)
}

func jsonEach(name string, asText bool) SetEval {
	return func(c *Context, a []Datum, yield func(Datum) error) error {
		if kind := jsonKind(a[0].Bytes()); kind != '{' {
			return errNoMembers(name, kind, asText)
		}
		for _, f := range jsonFields(a[0].Bytes()) {
			if err := c.Check(); err != nil {
				return err
			}
			v, err := jsonResult(a[0].OID(), f.value, asText)
			if err != nil {
				return err
			}
			if err := yield(types.NewRecord(types.Row{types.NewText(f.key), v})); err != nil {
				return err
			}
		}
		return nil
	}
}

func errNoMembers(name string, kind byte, asText bool) error {
	switch {
	case name == "jsonb" && asText:
		return types.Errorf(types.CodeInvalidParameter, "cannot call jsonb_each_text on a non-object")
	case name == "jsonb":
		return types.Errorf(types.CodeInvalidParameter, "cannot call jsonb_each on a non-object")
	case kind == '[':
		return types.Errorf(types.CodeInvalidParameter, "cannot deconstruct an array as an object")
	}
	return types.Errorf(types.CodeInvalidParameter, "cannot deconstruct a scalar")
}

func jsonKeys(name string) SetEval {
	return func(c *Context, a []Datum, yield func(Datum) error) error {
		switch jsonKind(a[0].Bytes()) {
		case '{':
		case '[':
			return types.Errorf(types.CodeInvalidParameter,
				"cannot call %s_object_keys on an array", name)
		default:
			return types.Errorf(types.CodeInvalidParameter,
				"cannot call %s_object_keys on a scalar", name)
		}
		for _, f := range jsonFields(a[0].Bytes()) {
			if err := c.Check(); err != nil {
				return err
			}
			if err := yield(types.NewText(f.key)); err != nil {
				return err
			}
		}
		return nil
	}
}
