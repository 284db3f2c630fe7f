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
	header  bool // was read
	done    bool // the count of -1 was met
	reading bool // a row, else one is being written
	rows    int64
	column  int // the field being read, or -1
}

func (b *binaryReader) where() (int64, []byte, int) {
	if b.reading {
		return b.rows + 1, nil, b.column
	}
	return b.rows, nil, -1
}

func (b *binaryReader) read(c *CopyIn, data []byte, _ bool) (int, bool, bool, error) {
	if !b.header {
		taken, err := b.readHeader(data)
		return taken, false, false, err
	}
	b.reading, b.column = true, -1
	if b.done {
		return 0, false, false, errCopyFormat("received copy data after EOF marker")
	}
	if len(data) < 2 {
		return 0, false, false, nil
	}
	count := int(int16(binary.BigEndian.Uint16(data)))
	if count == -1 {
		b.done = true
		return 2, false, false, nil
	}
	if count != len(c.fields) {
		return 0, false, false, types.Errorf(plan.CodeBadCopyFormat,
			"row field count is %d, expected %d", count, len(c.fields))
	}
	at := 2
	for i := range c.fields {
		b.column = i
		n, v, err := b.field(c, i, data[at:])
		if err != nil || n == 0 {
			return 0, false, false, err
		}
		c.fields[i] = v
		at += n
	}
	b.rows++
	b.reading = false
	return at, false, true, nil
}

func errCopyFormat(message string) error {
	return types.Errorf(plan.CodeBadCopyFormat, "%s", message)
}

// finish finds a row that is not all there; of one whose count is cut in two nothing is said.
func (b *binaryReader) finish(left int) error {
	switch {
	case b.header && (left < 2 || !b.reading):
		return nil
	case b.header:
		return errCopyFormat("unexpected EOF in COPY data")
	case left < len(copySignature):
		return errCopyFormat("COPY file signature not recognized")
	case left < len(copySignature)+4:
		return errCopyFormat("invalid COPY file header (missing flags)")
	case left < copyHeaderSize:
		return errCopyFormat("invalid COPY file header (missing length)")
	}
	return errCopyFormat("invalid COPY file header (wrong length)")
}

func (b *binaryReader) readHeader(data []byte) (int, error) {
	if len(data) < copyHeaderSize {
		return 0, nil
	}
	if string(data[:len(copySignature)]) != copySignature {
		return 0, errCopyFormat("COPY file signature not recognized")
	}
	const withOIDs = 1 << 16
	flags := binary.BigEndian.Uint32(data[len(copySignature):])
	switch {
	case flags&withOIDs != 0:
		return 0, errCopyFormat("invalid COPY file header (WITH OIDS)")
	case flags>>16 != 0:
		return 0, errCopyFormat("unrecognized critical flags in COPY file header")
	}
	extension := binary.BigEndian.Uint32(data[len(copySignature)+4:])
	if extension > CopyRowMax {
		return 0, errCopyFormat("invalid COPY file header (wrong length)")
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
		return 0, types.Null, errCopyFormat("invalid field size")
	case len(data) < 4+size:
		return 0, types.Null, nil
	}
	v, err := types.ParseBinary(c.types[i], data[4:4+size])
	return 4 + size, v, err
}

// appendBinaryHeader appends what comes before the first row.
func appendBinaryHeader(dst []byte) []byte {
	return append(append(dst, copySignature...), make([]byte, copyHeaderSize-len(copySignature))...)
}

// appendBinaryRow appends a row.
func appendBinaryRow(dst []byte, row []types.Datum) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(row)))
	for _, d := range row {
		at := len(dst)
		dst = append(dst, 0xff, 0xff, 0xff, 0xff) // the size of NULL
		if !d.IsNull() {
			dst = types.AppendBinary(dst, d)
			binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		}
	}
	return dst
}
