package exec

import (
	"encoding/binary"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// A stored row:
//
//	key    the primary key's columns in key form, one behind another,
//	       or 8 bytes of row id, big endian, for a table without one
//	value  the Stored columns of the table in row form
//
// rowCodec turns rows into that and back, reusing its buffers. It belongs to one execution.
type rowCodec struct {
	table  *catalog.Table
	stored []types.Datum
	key    []byte
	value  []byte
}

func newRowCodec(t *catalog.Table) *rowCodec {
	return &rowCodec{table: t, stored: make([]types.Datum, len(t.Stored()))}
}

// encodeKey gives the key of a row of a table that has a primary key; valid until the next call.
func (c *rowCodec) encodeKey(row []types.Datum) []byte {
	c.key = c.key[:0]
	for _, i := range c.table.PrimaryKey.Columns {
		c.key = types.EncodeKey(c.key, row[i], types.KeyOrder{})
	}
	return c.key
}

// encodeValue gives the value of a row; valid until the next call.
func (c *rowCodec) encodeValue(row []types.Datum) []byte {
	for i, column := range c.table.Stored() {
		if column < 0 {
			c.stored[i] = types.Null
			continue
		}
		c.stored[i] = row[column]
	}
	c.value = types.AppendRow(c.value[:0], c.stored)
	return c.value
}

// decode fills row, one datum a column, which aliases key and value.
func (c *rowCodec) decode(row []types.Datum, key, value []byte) error {
	t := c.table
	n, err := types.DecodeRow(value, t.StoredOIDs(), c.stored)
	if err != nil {
		return err
	}
	if n < len(c.stored) {
		copy(c.stored[n:], t.Missing()[n:])
	}
	for i, column := range t.Stored() {
		if column >= 0 {
			row[column] = c.stored[i]
		}
	}
	if t.PrimaryKey == nil {
		return nil
	}
	for _, i := range t.PrimaryKey.Columns {
		d, rest, err := types.DecodeKey(key, t.Columns[i].Type.OID, types.KeyOrder{})
		if err != nil {
			return err
		}
		// A column that its key does not give back exactly was decoded from the value.
		if types.KeyLossless(t.Columns[i].Type.OID) {
			row[i] = d
		}
		key = rest
	}
	return nil
}

// small says whether the buffers are worth keeping between statements.
func (c *rowCodec) small() bool { return cap(c.key)+cap(c.value) <= maxKeptBytes }

// rowIDKey is the key of a row of a table without a primary key.
func rowIDKey(dst []byte, id uint64) []byte { return binary.BigEndian.AppendUint64(dst, id) }

// cloneRow gives a copy that owns its memory.
func cloneRow(row []types.Datum) []types.Datum {
	out := make([]types.Datum, len(row))
	types.CloneInto(out, row)
	return out
}

// rowSize is the memory a kept row takes.
func rowSize(row []types.Datum) int {
	const overhead = 24
	size := overhead
	for _, d := range row {
		size += d.Size()
	}
	return size
}

// errDuplicate is the error of a row whose key is taken.
func errDuplicate(t *catalog.Table, row []types.Datum, env *types.Env) error {
	names, values := describeKey(t, row, env)
	e := types.Errorf(plan.CodeUniqueViolation,
		"duplicate key value violates unique constraint \"%s\"", t.PrimaryKey.Name).
		WithDetail("Key (%s)=(%s) already exists.", names, values)
	e.Schema, e.Table, e.Constraint = t.Schema, t.Name, t.PrimaryKey.Name
	return e
}

func describeKey(t *catalog.Table, row []types.Datum, env *types.Env) (names, values []byte) {
	for n, i := range t.PrimaryKey.Columns {
		if n > 0 {
			names, values = append(names, ", "...), append(values, ", "...)
		}
		names = append(names, t.Columns[i].Name...)
		values = types.AppendText(values, row[i], env)
	}
	return names, values
}

// maxShownBytes bounds a value in the detail of an error, as in Postgres.
const maxShownBytes = 64

// checkNotNull refuses NULL in the columns that do not take it.
func checkNotNull(t *catalog.Table, row []types.Datum, env *types.Env) error {
	for i := range t.Columns {
		if !t.Columns[i].NotNull || !row[i].IsNull() {
			continue
		}
		e := types.Errorf(plan.CodeNotNullViolation,
			"null value in column \"%s\" of relation \"%s\" violates not-null constraint",
			t.Columns[i].Name, t.Name).
			WithDetail("Failing row contains (%s).", describeRow(row[:len(t.Columns)], env))
		e.Schema, e.Table, e.Column = t.Schema, t.Name, t.Columns[i].Name
		return e
	}
	return nil
}

// errCheck is the error of a row that violates a CHECK constraint.
func errCheck(t *catalog.Table, name string, row []types.Datum, env *types.Env) error {
	e := types.Errorf(plan.CodeCheckViolation,
		"new row for relation \"%s\" violates check constraint \"%s\"", t.Name, name).
		WithDetail("Failing row contains (%s).", describeRow(row[:len(t.Columns)], env))
	e.Schema, e.Table, e.Constraint = t.Schema, t.Name, name
	return e
}

func describeRow(row []types.Datum, env *types.Env) []byte {
	var out []byte
	for i, d := range row {
		if i > 0 {
			out = append(out, ", "...)
		}
		if d.IsNull() {
			out = append(out, "null"...)
			continue
		}
		text := types.AppendText(nil, d, env)
		if len(text) > maxShownBytes {
			text = append(text[:maxShownBytes:maxShownBytes], "..."...)
		}
		out = append(out, text...)
	}
	return out
}
