package types

import (
	"encoding/binary"
	"strings"
)

// appendRecord prints (a,"b c",) as a row does.
func appendRecord(dst []byte, fields Row, env *Env) []byte {
	dst = append(dst, '(')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		if f.IsNull() {
			continue
		}
		start := len(dst)
		dst = AppendText(dst, f, env)
		text := string(dst[start:])
		if text != "" && !strings.ContainsAny(text, "\"\\(), \t\n\r\v\f") {
			continue
		}
		dst = append(dst[:start], '"')
		for j := range len(text) {
			if text[j] == '"' || text[j] == '\\' {
				dst = append(dst, text[j])
			}
			dst = append(dst, text[j])
		}
		dst = append(dst, '"')
	}
	return append(dst, ')')
}

// The binary form is a count, then for each field its type, its length and its bytes.
func appendRecordBinary(dst []byte, fields Row) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(fields)))
	for _, f := range fields {
		oid := f.typ
		if oid == 0 {
			oid = Text
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(oid))
		dst = appendSized(dst, f)
	}
	return dst
}

func parseRecordBinary(b []byte) (Datum, error) {
	if len(b) < 4 {
		return Null, errBinaryLength(Record, len(b), 4)
	}
	count := binary.BigEndian.Uint32(b)
	b = b[4:]
	const least = 8 // type and length of a field
	if uint64(count) > uint64(len(b)/least) {
		return Null, errBinary("wrong number of columns: %d", count)
	}
	fields := make(Row, count)
	for i := range fields {
		if len(b) < least {
			return Null, errBinary("insufficient data left in message")
		}
		oid := OID(binary.BigEndian.Uint32(b))
		var err error
		if fields[i], b, err = parseElemBinary(oid, b[4:]); err != nil {
			return Null, err
		}
	}
	if len(b) != 0 {
		return Null, errBinary("improper binary format in record")
	}
	return NewRecord(fields), nil
}
