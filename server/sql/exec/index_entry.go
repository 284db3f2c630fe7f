package exec

import (
	"bytes"
	"encoding/binary"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// An entry of an index beside the primary key:
//
//	key    the index's columns in key form, one behind another, and behind them the row's own key,
//	       which tells apart rows that are equal in those columns
//	value  the length of the columns' part, a uvarint
//
// Of an index that is unique, and of a row without NULL in its columns or where NULL equals NULL:
//
//	key    the columns
//	value  their length | the row's own key
//
// so that two rows which must not both be there are one key, and the row lock of that key is where
// their writers meet. Others' entries need no lock of their own: only who holds the row writes
// them.
type entry struct {
	key, value []byte
	none       bool // the index is partial and has not the row
	exclusive  bool // the key stands for one row
}

// encode makes the entry of a row in the memory of the last.
func (e *entry) encode(r *run, x *indexWriter, row []types.Datum, rowKey []byte) error {
	index := x.index
	if e.none = false; len(index.Exprs) > 0 || index.Where != "" {
		values, err := x.values(r, row)
		if err != nil {
			return err
		}
		if values == nil {
			*e = entry{key: e.key[:0], value: e.value[:0], none: true}
			return nil
		}
		e.begin(index)
		for i, v := range values {
			e.append(index, i, v)
		}
	} else {
		e.begin(index)
		for i, column := range index.Columns {
			e.append(index, i, row[column])
		}
	}
	e.end(rowKey)
	return nil
}

func (e *entry) begin(index *catalog.Index) { e.key, e.exclusive = e.key[:0], index.Unique }

// append adds the i-th column of the key.
func (e *entry) append(index *catalog.Index, i int, v types.Datum) {
	e.key = types.EncodeKey(e.key, v, index.Order(i))
	e.exclusive = e.exclusive && (index.NullsNotDistinct || !v.IsNull())
}

func (e *entry) end(rowKey []byte) {
	e.value = binary.AppendUvarint(e.value[:0], uint64(len(e.key)))
	if e.exclusive {
		e.value = append(e.value, rowKey...)
	} else {
		e.key = append(e.key, rowKey...)
	}
}

func (e *entry) equal(f *entry) bool {
	return e.none == f.none && bytes.Equal(e.key, f.key) && bytes.Equal(e.value, f.value)
}

// entryRow gives the key of the row that an entry leads to.
func entryRow(index *catalog.Index, key, value []byte) ([]byte, error) {
	columns, n := binary.Uvarint(value)
	switch {
	case n <= 0 || columns > uint64(len(key)):
		return nil, types.Errorf(codeIndexCorrupted,
			"entry of index \"%s\" is malformed: %x", index.Name, value)
	case columns < uint64(len(key)):
		return key[columns:], nil
	}
	return value[n:], nil
}

// codeIndexCorrupted is the SQLSTATE of an index that contradicts its table.
const codeIndexCorrupted types.Code = "XX002"

// errNoRow is the error of an entry without its row.
func errNoRow(t *catalog.Table, index *catalog.Index, rowKey []byte) error {
	e := types.Errorf(codeIndexCorrupted,
		"index \"%s\" leads to a row that is not in table \"%s\"", index.Name, t.Name).
		WithDetail("The row's key is %x.", rowKey)
	e.Schema, e.Table = t.Schema, t.Name
	return e
}
