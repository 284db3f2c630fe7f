package types

import "encoding/binary"

// The binary form of an array is, in 32-bit big-endian fields:
//
//	+-------+-----------+----------+----------------------+------------------------- - -
//	| ndims | has nulls | elem oid | ndims * (len, lower) | elements: length, bytes ...
//	+-------+-----------+----------+----------------------+------------------------- - -
//
// An element of length -1 is NULL.

const (
	arrayHeader  = 12
	arrayDimSize = 8
	nullLength   = ^uint32(0)
)

func parseArrayBinary(oid OID, b []byte) (Datum, error) {
	if len(b) < arrayHeader {
		return Null, errBinaryLength(oid, len(b), arrayHeader)
	}
	ndims := binary.BigEndian.Uint32(b)
	flags := binary.BigEndian.Uint32(b[4:])
	elem := OID(binary.BigEndian.Uint32(b[8:]))
	switch {
	case ndims > MaxArrayDims:
		return Null, errDimensions(int(ndims))
	case flags > 1:
		return Null, errBinary("invalid array flags")
	case elem != ElemOf(oid):
		return Null, Errorf(CodeDatatypeMismatch, "binary data has array element type %d (%s) "+
			"instead of expected %d (%s)", elem, FormatType(elem, NoMod), ElemOf(oid),
			FormatType(ElemOf(oid), NoMod))
	}
	b = b[arrayHeader:]
	if len(b) < int(ndims)*arrayDimSize {
		return Null, errBinaryLength(oid, len(b), int(ndims)*arrayDimSize)
	}
	a := &Array{Elem: elem}
	for range ndims {
		a.Dims = append(a.Dims, Dim{
			Len:   int32(binary.BigEndian.Uint32(b)),
			Lower: int32(binary.BigEndian.Uint32(b[4:])),
		})
		b = b[arrayDimSize:]
	}
	return parseElemsBinary(oid, a, b)
}

// parseElemsBinary reads as many elements as the dimensions announce. An announced element takes at
// least its four bytes of length, so the input bounds what is allocated (T3).
func parseElemsBinary(oid OID, a *Array, b []byte) (Datum, error) {
	count := int64(1)
	for _, dim := range a.Dims {
		if dim.Len < 0 {
			return Null, errBinary("invalid array dimension")
		}
		if count *= int64(dim.Len); count > int64(len(b)/4) {
			return Null, errBinary("insufficient data left in message")
		}
	}
	if len(a.Dims) == 0 || count == 0 {
		if len(b) != 0 {
			return Null, errBinary("improper binary format in array")
		}
		a.Dims = nil
		if isVector(oid) {
			return newVector(oid, a), nil
		}
		return NewArrayDatum(oid, a), nil
	}
	a.Elems = make([]Datum, count)
	for i := range a.Elems {
		var err error
		if a.Elems[i], b, err = parseElemBinary(a.Elem, b); err != nil {
			return Null, err
		}
	}
	if len(b) != 0 || !a.shapeFits() {
		return Null, errBinary("improper binary format in array")
	}
	return NewArrayDatum(oid, a), nil
}

func parseElemBinary(elem OID, b []byte) (Datum, []byte, error) {
	if len(b) < 4 {
		return Null, nil, errBinary("insufficient data left in message")
	}
	size := binary.BigEndian.Uint32(b)
	b = b[4:]
	if size == nullLength {
		return Null, b, nil
	}
	if uint64(size) > uint64(len(b)) {
		return Null, nil, errBinary("insufficient data left in message")
	}
	d, err := parseBinary(elem, b[:size:size])
	return d, b[size:], err
}

func appendArrayBinary(dst []byte, a *Array) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(a.Dims)))
	flags := uint32(0)
	for _, e := range a.Elems {
		if e.IsNull() {
			flags = 1
			break
		}
	}
	dst = binary.BigEndian.AppendUint32(dst, flags)
	dst = binary.BigEndian.AppendUint32(dst, uint32(a.Elem))
	for _, dim := range a.Dims {
		dst = binary.BigEndian.AppendUint32(dst, uint32(dim.Len))
		dst = binary.BigEndian.AppendUint32(dst, uint32(dim.Lower))
	}
	for _, e := range a.Elems {
		dst = appendSized(dst, e)
	}
	return dst
}

// appendSized writes a length and the binary form, -1 alone for NULL.
func appendSized(dst []byte, d Datum) []byte {
	if d.IsNull() {
		return binary.BigEndian.AppendUint32(dst, nullLength)
	}
	start := len(dst)
	dst = AppendBinary(append(dst, 0, 0, 0, 0), d)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}
