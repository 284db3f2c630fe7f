package exec

import (
	"encoding/binary"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// The binary format of COPY:
//
//	+----------------+--------------+-----------------+-----------+
//	| signature, 11  | flags, int32 | extension int32 | extension |
//	+----------------+--------------+-----------------+-----------+
//	then for each row
//	+--------------+-------------------------------------------+
//	| fields int16 | each: length int32 (-1 for NULL) | bytes  |
//	+--------------+-------------------------------------------+
//	and at the end a field count of -1. All big endian.
const copySignature = "PGCOPY\n\xff\r\n\x00"

const copyHeaderSize = len(copySignature) + 8

// binaryReader reads the binary format.
type binaryReader struct {
	header bool // was read
	rows   int64
	column int // the field being read, or -1
}

func (b *binaryReader) where() (int64, []byte, int) { return b.rows, nil, b.column }

func (b *binaryReader) read(c *CopyIn, data []byte, _ bool) (int, bool, bool, error) {
	if !b.header {
		taken, err := b.readHeader(data)
		return taken, false, false, err
	}
	if len(data) < 2 {
		return 0, false, false, nil
	}
	count := int(int16(binary.BigEndian.Uint16(data)))
	b.column = -1
	if count == -1 {
		return 2, true, false, nil
	}
	if count != len(c.fields) {
		return 0, false, false, types.Errorf(plan.CodeBadCopyFormat,
			"row field count is %d, expected %d", count, len(c.fields))
	}
	at := 2
	for i := range c.fields {
		n, v, err := b.field(c, i, data[at:])
		if err != nil {
			b.column = i
			b.rows++
		}
		if err != nil || n == 0 {
			return 0, false, false, err
		}
		c.fields[i] = v
		at += n
	}
	b.rows++
	return at, false, true, nil
}

func (b *binaryReader) readHeader(data []byte) (int, error) {
	if len(data) < copyHeaderSize {
		return 0, nil
	}
	if string(data[:len(copySignature)]) != copySignature {
		return 0, types.Errorf(plan.CodeBadCopyFormat, "COPY file signature not recognized")
	}
	flags := binary.BigEndian.Uint32(data[len(copySignature):])
	if flags&0xffff0000 != 0 {
		return 0, types.Errorf(plan.CodeBadCopyFormat,
			"unrecognized critical flags in COPY file header")
	}
	extension := binary.BigEndian.Uint32(data[len(copySignature)+4:])
	if extension > CopyRowMax {
		return 0, types.Errorf(plan.CodeBadCopyFormat,
			"invalid COPY file header (wrong length)")
	}
	size := copyHeaderSize + int(extension)
	if len(data) < size {
		return 0, nil
	}
	b.header = true
	return size, nil
}

// field reads one field and gives its size, 0 when it is not all there.
func (b *binaryReader) field(c *CopyIn, i int, data []byte) (int, types.Datum, error) {
	if len(data) < 4 {
		return 0, types.Null, nil
	}
	size := int(int32(binary.BigEndian.Uint32(data)))
	switch {
	case size == -1:
		return 4, types.Null, nil
	case size < 0 || size > CopyRowMax:
		return 0, types.Null, types.Errorf(plan.CodeBadCopyFormat, "invalid field size")
	case len(data) < 4+size:
		return 0, types.Null, nil
	}
	v, err := types.ParseBinary(c.types[i], data[4:4+size])
	return 4 + size, v, err
}
