package catalog

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// A descriptor row:
//
//	key    kind byte 'n' schema, 't' table, 's' sequence, 'v' view | oid, 4 bytes big endian
//	value  format byte 1, 2 or 3 | JSON
//
// JSON, because descriptors are few, read once at start, and `ackdb wal dump` should show a person
// what a DDL did. The format byte lets a later form be refused by name instead of misread: format 1
// knew no constraints but the primary key, and whoever reads only that must not drop the others. 3 is
// written where a table has an index that to a reader of 2 would be one of all rows, or of columns.
const (
	kindSchema   = 'n'
	kindTable    = 't'
	kindSequence = 's'
	kindView     = 'v'

	firstFormat      = 1
	secondFormat     = 2
	descriptorFormat = 3
)

func descriptorKey(kind byte, oid uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, oid)
}

func nameKey(schemaOID uint32, name string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, schemaOID), name...)
}

// SequenceKey is the key of a sequence's state in SequenceTable.
func SequenceKey(oid uint32) []byte { return binary.BigEndian.AppendUint32(nil, oid) }

func encodeDescriptor(d any) ([]byte, error) {
	body, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("catalog: encode descriptor: %w", err)
	}
	format := byte(secondFormat)
	if t, ok := d.(*Table); ok && t.hasLateIndexes() {
		format = descriptorFormat
	}
	return append([]byte{format}, body...), nil
}

// decodeDescriptor adds the descriptor of one stored row to s.
func decodeDescriptor(s *Snapshot, key, value []byte) error {
	if len(key) != 5 || len(value) == 0 {
		return fmt.Errorf("catalog: descriptor row %x is malformed", key)
	}
	if value[0] < firstFormat || value[0] > descriptorFormat {
		return fmt.Errorf("catalog: descriptor %x has unsupported format %d", key, value[0])
	}
	into := func(d any) error {
		if err := json.Unmarshal(value[1:], d); err != nil {
			return fmt.Errorf("catalog: decode descriptor %x: %w", key, err)
		}
		return nil
	}
	switch key[0] {
	case kindSchema:
		d := new(Schema)
		if err := into(d); err != nil {
			return err
		}
		s.putSchema(d)
	case kindTable:
		d := new(Table)
		if err := into(d); err != nil {
			return err
		}
		if err := d.validate(); err != nil {
			return fmt.Errorf("catalog: descriptor %x: %w", key, err)
		}
		if err := d.finish(); err != nil {
			return fmt.Errorf("catalog: descriptor %x: %w", key, err)
		}
		s.putTable(d)
	case kindSequence:
		d := new(Sequence)
		if err := into(d); err != nil {
			return err
		}
		s.putSequence(d)
	case kindView:
		d := new(View)
		if err := into(d); err != nil {
			return err
		}
		s.putView(d)
	default:
		return fmt.Errorf("catalog: descriptor %x is of unknown kind %q", key, key[0])
	}
	return nil
}
