package types

import "encoding/binary"

// The row form of a value is for storage: no type in it, the reader knows that.
//
//	integers, dates, times   zigzag varint
//	float4, float8           8 bytes, little-endian bits
//	uuid                     16 bytes
//	interval                 three zigzag varints: months, days, microseconds
//	all else                 varint length, then that many bytes: text as it is, numeric, array and
//	                         record in their binary form
//
// A row is
//
//	+---------------+----------------------+--------------------------------+
//	| count, varint | one null bit a column | values of the columns not NULL |
//	+---------------+----------------------+--------------------------------+
//
// so a row written before a column was added simply has a smaller count.

// maxRowColumns bounds the count a reader believes; PostgreSQL allows 1600 columns.
const maxRowColumns = 1 << 14

// AppendValue appends the row form of a value, which is not NULL.
func AppendValue(dst []byte, d Datum) []byte {
	switch reprFor(d.typ) {
	case reprInt:
		return binary.AppendVarint(dst, d.n)
	case reprFloat:
		return binary.LittleEndian.AppendUint64(dst, uint64(d.n))
	case reprBytes:
		if d.typ != UUID {
			dst = binary.AppendUvarint(dst, uint64(d.n))
		}
		return append(dst, d.Bytes()...)
	case reprSpan:
		s := d.Span()
		dst = binary.AppendVarint(dst, int64(s.Months))
		dst = binary.AppendVarint(dst, int64(s.Days))
		return binary.AppendVarint(dst, s.Micros)
	}
	// The length is known only afterwards: write behind a gap of one byte, which is nearly always
	// enough, and move when it is not.
	start := len(dst)
	dst = AppendBinary(append(dst, 0), d)
	size := len(dst) - start - 1
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(size))
	dst = append(dst, length[:n-1]...)
	copy(dst[start+n:], dst[start+1:start+1+size])
	copy(dst[start:], length[:n])
	return dst
}

func errRow(oid OID) *Error {
	return Errorf(CodeDataCorrupted, "damaged row: no value of type %s", FormatType(oid, NoMod))
}

// DecodeValue reads a value that AppendValue wrote and returns what follows it. Values held as
// bytes alias src (T1).
func DecodeValue(src []byte, oid OID) (d Datum, rest []byte, err error) {
	switch reprFor(oid) {
	case reprInt:
		v, n := binary.Varint(src)
		if n <= 0 || !intInRange(oid, v) {
			return Null, nil, errRow(oid)
		}
		return NewInt(oid, v), src[n:], nil
	case reprFloat:
		if len(src) < 8 {
			return Null, nil, errRow(oid)
		}
		return Datum{typ: oid, n: int64(binary.LittleEndian.Uint64(src))}, src[8:], nil
	case reprBytes:
		body, rest, ok := cutBytes(src, oid)
		if !ok {
			return Null, nil, errRow(oid)
		}
		return NewBytes(oid, body), rest, nil
	case reprSpan:
		return decodeSpanValue(src)
	}
	body, rest, ok := cutBytes(src, oid)
	if !ok {
		return Null, nil, errRow(oid)
	}
	if d, err = parseBinary(oid, body); err != nil {
		return Null, nil, errRow(oid).WithDetail("%s", err)
	}
	return d, rest, nil
}

func cutBytes(src []byte, oid OID) (body, rest []byte, ok bool) {
	if oid == UUID {
		if len(src) < 16 {
			return nil, nil, false
		}
		return src[:16:16], src[16:], true
	}
	size, n := binary.Uvarint(src)
	if n <= 0 || size > uint64(len(src)-n) {
		return nil, nil, false
	}
	end := n + int(size)
	return src[n:end:end], src[end:], true
}

func decodeSpanValue(src []byte) (Datum, []byte, error) {
	var parts [3]int64
	for i := range parts {
		v, n := binary.Varint(src)
		if n <= 0 || i < 2 && !fitsInt(Int4, v) {
			return Null, nil, errRow(Interval)
		}
		parts[i] = v
		src = src[n:]
	}
	s := Span{Months: int32(parts[0]), Days: int32(parts[1]), Micros: parts[2]}
	return NewSpan(s), src, nil
}

// skipValue returns what follows a value, without building it.
func skipValue(src []byte, oid OID) (rest []byte, ok bool) {
	switch reprFor(oid) {
	case reprInt:
		_, n := binary.Varint(src)
		if n <= 0 {
			return nil, false
		}
		return src[n:], true
	case reprFloat:
		if len(src) < 8 {
			return nil, false
		}
		return src[8:], true
	case reprSpan:
		_, rest, err := decodeSpanValue(src)
		return rest, err == nil
	}
	_, rest, ok = cutBytes(src, oid)
	return rest, ok
}

// AppendRow appends the row form of a row.
func AppendRow(dst []byte, row []Datum) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(row)))
	bitmap := len(dst)
	for range (len(row) + 7) / 8 {
		dst = append(dst, 0)
	}
	for i, d := range row {
		if d.IsNull() {
			dst[bitmap+i/8] |= 1 << (i % 8)
			continue
		}
		dst = AppendValue(dst, d)
	}
	return dst
}

// DecodeRow reads a row into dst, one Datum for each OID. It returns how many columns the row had:
// the rest of dst, columns added after it was written, is left as it was. Values held as bytes
// alias src (T1).
func DecodeRow(src []byte, oids []OID, dst []Datum) (int, error) {
	return DecodeColumns(src, oids, nil, dst)
}

// DecodeColumns is DecodeRow for the columns marked in want alone; nil wants all. What lies behind
// the last wanted one is not looked at.
func DecodeColumns(src []byte, oids []OID, want []bool, dst []Datum) (int, error) {
	count, n := binary.Uvarint(src)
	if n <= 0 || count > uint64(len(oids)) || count > maxRowColumns {
		return 0, Errorf(CodeDataCorrupted, "damaged row: %d columns for %d", count, len(oids))
	}
	src = src[n:]
	nulls := (int(count) + 7) / 8
	if len(src) < nulls {
		return 0, Errorf(CodeDataCorrupted, "damaged row: ends in the null bits")
	}
	bitmap := src[:nulls]
	src = src[nulls:]
	for i := range lastWanted(want, int(count)) {
		if bitmap[i/8]&(1<<(i%8)) != 0 {
			dst[i] = Null
			continue
		}
		if want != nil && !want[i] {
			rest, ok := skipValue(src, oids[i])
			if !ok {
				return 0, errRow(oids[i])
			}
			src = rest
			continue
		}
		d, rest, err := DecodeValue(src, oids[i])
		if err != nil {
			return 0, err
		}
		dst[i], src = d, rest
	}
	return int(count), nil
}

func lastWanted(want []bool, count int) int {
	if want == nil {
		return count
	}
	for count > 0 && !want[count-1] {
		count--
	}
	return count
}
