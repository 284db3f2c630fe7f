package builtin

import (
	"unsafe"

	"ackdb/server/sql/types"
)

func init() {
	registerAggregate(
		Aggregate{Name: "count", Star: true, Result: types.Int8, New: newCountAll},
		Aggregate{Name: "count", Args: []OID{types.Any}, Result: types.Int8, New: newCount},
		Aggregate{Name: "bool_and", Args: []OID{types.Bool}, Result: types.Bool, New: newBoolAgg(true)},
		Aggregate{Name: "every", Args: []OID{types.Bool}, Result: types.Bool, New: newBoolAgg(true)},
		Aggregate{Name: "bool_or", Args: []OID{types.Bool}, Result: types.Bool, New: newBoolAgg(false)},
	)
	for _, oid := range []OID{
		types.Int2, types.Int4, types.Int8, types.Float4, types.Float8, types.Numeric, types.Text,
		types.BPChar, types.Date, types.Time, types.Timestamp, types.TimestampTZ, types.Interval,
		types.Oid, types.PgLSN, types.Inet, types.AnyArray, types.Xid8,
	} {
		registerAggregate(
			Aggregate{Name: "min", Args: []OID{oid}, Result: oid, New: newExtreme(-1)},
			Aggregate{Name: "max", Args: []OID{oid}, Result: oid, New: newExtreme(1)},
		)
	}
	for _, oid := range integerTypes {
		for name, fold := range map[string]func(a, b int64) int64{
			"bit_and": func(a, b int64) int64 { return a & b },
			"bit_or":  func(a, b int64) int64 { return a | b },
			"bit_xor": func(a, b int64) int64 { return a ^ b },
		} {
			registerAggregate(Aggregate{Name: name, Args: []OID{oid}, Result: oid, New: newBitAgg(fold)})
		}
	}
}

// counter counts rows, or with skipNull those whose argument is not NULL.
type counter struct {
	n        int64
	skipNull bool
}

func newCountAll(OID) Accumulator { return &counter{} }

func newCount(OID) Accumulator { return &counter{skipNull: true} }

func (a *counter) Add(_ *Context, args []Datum) error {
	if !a.skipNull || !args[0].IsNull() {
		a.n++
	}
	return nil
}

func (a *counter) Result(*Context) (Datum, error) { return types.NewInt8(a.n), nil }

func (a *counter) Size() int { return int(unsafe.Sizeof(*a)) }

// extreme keeps the lowest or highest value.
type extreme struct {
	sign  int
	value Datum
}

func newExtreme(sign int) func(OID) Accumulator {
	return func(OID) Accumulator { return &extreme{sign: sign} }
}

func (a *extreme) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	if a.value.IsNull() || types.Compare(args[0], a.value)*a.sign >= 0 {
		// Of equal values the last is kept, as PostgreSQL keeps it: 1.1 after 1.10.
		a.value = args[0].Clone()
	}
	return nil
}

func (a *extreme) Result(*Context) (Datum, error) { return a.value, nil }

func (a *extreme) Size() int { return int(unsafe.Sizeof(*a)) + a.value.Size() }

// boolAgg is bool_and, which any false decides, or bool_or, which any true does.
type boolAgg struct {
	all  bool
	seen bool
	set  bool // some value decided it
}

func newBoolAgg(all bool) func(OID) Accumulator {
	return func(OID) Accumulator { return &boolAgg{all: all} }
}

func (a *boolAgg) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return nil
	}
	a.seen = true
	a.set = a.set || args[0].Bool() != a.all
	return nil
}

func (a *boolAgg) Result(*Context) (Datum, error) {
	if !a.seen {
		return types.Null, nil
	}
	return types.NewBool(a.all != a.set), nil
}

func (a *boolAgg) Size() int { return int(unsafe.Sizeof(*a)) }

type bitAgg struct {
	fold  func(a, b int64) int64
	value Datum
}

func newBitAgg(fold func(a, b int64) int64) func(OID) Accumulator {
	return func(OID) Accumulator { return &bitAgg{fold: fold} }
}

func (a *bitAgg) Add(_ *Context, args []Datum) error {
	switch {
	case args[0].IsNull():
	case a.value.IsNull():
		a.value = args[0]
	default:
		a.value = types.NewInt(a.value.OID(), a.fold(a.value.Int(), args[0].Int()))
	}
	return nil
}

func (a *bitAgg) Result(*Context) (Datum, error) { return a.value, nil }

func (a *bitAgg) Size() int { return int(unsafe.Sizeof(*a)) }
