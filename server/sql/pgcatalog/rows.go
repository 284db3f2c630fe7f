package pgcatalog

import (
	"context"
	"fmt"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// env is what a table may look at while it makes its rows.
type env struct {
	*catalog.VirtualEnv
	ctx  context.Context
	site *Site
}

// only gives the value that a column of the rows asked for has, when that is known.
func (e *env) only(w *writer, column string) (types.Datum, bool) {
	if e.Value.IsNull() || w.relation.columns[e.Key].Name != column {
		return types.Null, false
	}
	return e.Value, true
}

// onlyOID is only for a column that is an oid.
func (e *env) onlyOID(w *writer, column string) (uint32, bool) {
	v, ok := e.only(w, column)
	return uint32(v.Int()), ok
}

// source makes the rows of a table.
type source func(e *env, w *writer) error

// writer takes rows as Go values and passes them on as the types of the table's columns.
type writer struct {
	relation *relation
	row      []types.Datum
	yield    func([]types.Datum) error
}

// add passes a row on. nil is NULL; a number fits any column held as one, and a rune "char".
func (w *writer) add(values ...any) error {
	columns := w.relation.columns
	if len(values) != len(columns) {
		return fmt.Errorf("pgcatalog: %d values for the %d columns of %s", len(values),
			len(columns), w.relation.name)
	}
	for i, v := range values {
		d, err := datumOf(columns[i].Type.OID, v)
		if err != nil {
			return fmt.Errorf("pgcatalog: column %s of %s: %w", columns[i].Name, w.relation.name,
				err)
		}
		w.row[i] = d
	}
	return w.yield(w.row)
}

// named is add for a row that is NULL but for a few columns.
func (w *writer) named(values map[string]any) error {
	list := make([]any, len(w.relation.columns))
	found := 0
	for i := range list {
		if v, ok := values[w.relation.columns[i].Name]; ok {
			list[i] = v
			found++
		}
	}
	if found != len(values) {
		return fmt.Errorf("pgcatalog: %s has %d of %d columns", w.relation.name, found, len(values))
	}
	return w.add(list...)
}

func datumOf(typ types.OID, v any) (types.Datum, error) {
	switch v := v.(type) {
	case nil:
		return types.Null, nil
	case types.Datum:
		return v, nil
	case string:
		return types.NewString(typ, v), nil
	case bool:
		return types.NewBool(v), nil
	case byte:
		return types.NewInt(typ, int64(v)), nil
	case rune:
		return numberOf(typ, int64(v)), nil
	case int:
		return numberOf(typ, int64(v)), nil
	case int16:
		return types.NewInt(typ, int64(v)), nil
	case int64:
		return types.NewInt(typ, v), nil
	case uint32:
		return types.NewInt(typ, int64(v)), nil
	case types.OID:
		return types.NewInt(typ, int64(v)), nil
	case []any:
		return arrayOf(typ, v)
	}
	return types.Null, fmt.Errorf("no value of type %s is made of a %T",
		types.FormatType(typ, types.NoMod), v)
}

// numberOf lets a constant stand in a column of real numbers too.
func numberOf(typ types.OID, n int64) types.Datum {
	if typ == types.Float4 {
		return types.NewFloat4(float32(n))
	}
	return types.NewInt(typ, n)
}

func arrayOf(typ types.OID, values []any) (types.Datum, error) {
	elem := types.ElemOf(typ)
	elems := make([]types.Datum, len(values))
	for i, v := range values {
		var err error
		if elems[i], err = datumOf(elem, v); err != nil {
			return types.Null, err
		}
	}
	if typ == types.Int2Vector || typ == types.OidVector {
		return types.NewVector(typ, elems), nil
	}
	return types.NewArray(elem, elems), nil
}

// anys makes values of the elements of a list, for a column that is an array.
func anys[T any](list []T) []any {
	values := make([]any, len(list))
	for i, v := range list {
		values[i] = v
	}
	return values
}

// yesNo is the truth value of information_schema.
func yesNo(v bool) string {
	if v {
		return "YES"
	}
	return "NO"
}
