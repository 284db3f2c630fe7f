package builtin

import (
	"unsafe"

	"ackdb/server/sql/types"
)

func init() {
	text, bytea := types.Text, types.Bytea
	registerAggregate(
		Aggregate{Lists: true, Name: "string_agg", Args: []OID{text, text}, Result: text,
			New: newStringAgg},
		Aggregate{Lists: true, Name: "string_agg", Args: []OID{bytea, bytea}, Result: bytea,
			New: newStringAgg},
		Aggregate{Lists: true, Name: "array_agg", Args: []OID{types.AnyNonArray},
			Result: types.AnyArray, New: newArrayAgg},
		Aggregate{Lists: true, Name: "array_agg", Args: []OID{types.AnyArray},
			Result: types.AnyArray, New: newArrayStack},
		Aggregate{Lists: true, Name: "json_object_agg", Args: []OID{types.Any, types.Any},
			Result: types.JSON, New: newJSONObjectAgg},
		Aggregate{Lists: true, Name: "jsonb_object_agg", Args: []OID{types.Any, types.Any},
			Result: types.JSONB, New: newJSONObjectAgg},
		Aggregate{Lists: true, Name: "json_agg", Args: []OID{types.AnyElement}, Result: types.JSON,
			New: newJSONAgg},
		Aggregate{Lists: true, Name: "jsonb_agg", Args: []OID{types.AnyElement},
			Result: types.JSONB, New: newJSONAgg},
	)
}

// stringAgg joins texts, each but the first after its own row's delimiter.
type stringAgg struct {
	result OID
	seen   bool
	out    []byte
}

func newStringAgg(result OID) Accumulator { return &stringAgg{result: result} }

func (a *stringAgg) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	if a.seen {
		a.out = append(a.out, args[1].Bytes()...)
	}
	a.seen = true
	a.out = append(a.out, args[0].Bytes()...)
	if len(a.out) > maxFieldSize {
		return errTooLarge()
	}
	return nil
}

func (a *stringAgg) Result(*Context) (Datum, error) {
	if !a.seen {
		return types.Null, nil
	}
	return types.NewBytes(a.result, a.out), nil
}

func (a *stringAgg) Size() int { return int(unsafe.Sizeof(*a)) + cap(a.out) }

type arrayAgg struct {
	result OID
	elems  []Datum
	held   int
}

func newArrayAgg(result OID) Accumulator { return &arrayAgg{result: result} }

func (a *arrayAgg) Add(_ *Context, args []Datum) error {
	elem := args[0].Clone()
	a.elems = append(a.elems, elem)
	a.held += elem.Size()
	return nil
}

func (a *arrayAgg) Result(*Context) (Datum, error) {
	if len(a.elems) == 0 {
		return types.Null, nil
	}
	return types.NewArray(types.ElemOf(a.result), a.elems), nil
}

func (a *arrayAgg) Size() int { return int(unsafe.Sizeof(*a)) + a.held }

// jsonAgg lists values as a document.
type jsonAgg struct {
	result OID
	out    []byte
}

func newJSONAgg(result OID) Accumulator { return &jsonAgg{result: result} }

func (a *jsonAgg) Add(c *Context, args []Datum) error {
	if len(a.out) > 0 {
		a.out = append(a.out, ", "...)
		if args[0].Array() != nil || args[0].Row() != nil {
			a.out = append(a.out, "\n "...)
		}
	}
	a.out = appendJSON(a.out, args[0], c)
	if len(a.out) > maxFieldSize {
		return errTooLarge()
	}
	return nil
}

func (a *jsonAgg) Result(*Context) (Datum, error) {
	if len(a.out) == 0 {
		return types.Null, nil
	}
	return types.ParseText(types.Of(a.result), "["+string(a.out)+"]", nil)
}

func (a *jsonAgg) Size() int { return int(unsafe.Sizeof(*a)) + cap(a.out) }

// jsonObjectAgg gathers keys and values as a document.
type jsonObjectAgg struct {
	result OID
	out    []byte
}

func newJSONObjectAgg(result OID) Accumulator { return &jsonObjectAgg{result: result} }

func (a *jsonObjectAgg) Add(c *Context, args []Datum) error {
	if args[0].IsNull() {
		return types.Errorf(types.CodeInvalidParameter, "field name must not be null")
	}
	if len(a.out) > 0 {
		a.out = append(a.out, ", "...)
	}
	a.out = types.AppendJSONString(a.out, string(types.AppendText(nil, args[0], c.Env)))
	a.out = appendJSON(append(a.out, " : "...), args[1], c)
	if len(a.out) > maxFieldSize {
		return errTooLarge()
	}
	return nil
}

func (a *jsonObjectAgg) Result(*Context) (Datum, error) {
	if len(a.out) == 0 {
		return types.Null, nil
	}
	return types.ParseText(types.Of(a.result), "{ "+string(a.out)+" }", nil)
}

func (a *jsonObjectAgg) Size() int { return int(unsafe.Sizeof(*a)) + cap(a.out) }
