package types

import (
	"encoding/binary"
	"math"
)

// ParseBinary reads the binary form of a value of type t, as PostgreSQL's receive functions do, and
// applies t's modifier. Values held as bytes alias b (T1).
func ParseBinary(t Type, b []byte) (Datum, error) {
	d, err := parseBinary(t.OID, b)
	if err != nil || t.Mod == NoMod {
		return d, err
	}
	return ApplyMod(d, t, false)
}

func parseBinary(oid OID, b []byte) (Datum, error) {
	if width := binaryWidth(oid); width > 0 {
		if len(b) != width {
			return Null, errBinaryLength(oid, len(b), width)
		}
		return parseFixedBinary(oid, b)
	}
	switch oid {
	case Text, VarChar, BPChar, Unknown, CString:
		return checkedBytes(oid, b)
	case Name:
		if len(b) > NameLen {
			return Null, Errorf(CodeInvalidName, "identifier too long").
				WithDetail("Identifier must be less than %d characters.", NameLen+1)
		}
		return checkedBytes(oid, b)
	case Bytea:
		return NewBytes(oid, b), nil
	case JSON, JSONB:
		return parseJSONBinary(oid, b)
	case Numeric:
		return parseNumericBinary(b)
	case Inet:
		return parseInetBinary(b)
	case Record:
		return parseRecordBinary(b)
	case Void:
		return NewString(Void, ""), nil
	}
	if reprFor(oid) == reprArray {
		return parseArrayBinary(oid, b)
	}
	return Null, Errorf(CodeFeatureNotSupported, "binary input of type %s is not supported",
		FormatType(oid, NoMod))
}

func checkedBytes(oid OID, b []byte) (Datum, error) {
	d := NewBytes(oid, b)
	if err := CheckText(d.Str()); err != nil {
		return Null, err
	}
	return d, nil
}

func errBinaryLength(oid OID, got, want int) *Error {
	if got < want {
		return Errorf("08P01", "insufficient data left in message").
			WithDetail("Type %s needs %d bytes, got %d.", FormatType(oid, NoMod), want, got)
	}
	return errBinary("incorrect binary data format").
		WithDetail("Type %s needs %d bytes, got %d.", FormatType(oid, NoMod), want, got)
}

// binaryWidth is the length of a type's binary form where that is fixed, else 0.
func binaryWidth(oid OID) int {
	switch oid {
	case Bool, Char:
		return 1
	case Int2:
		return 2
	case Int4, Oid, Xid, Cid, Float4, Date, RegClass, RegType, RegProc, RegProcedure, RegNamespace,
		RegRole:
		return 4
	case Int8, Float8, Timestamp, TimestampTZ, Time, PgLSN, Xid8:
		return 8
	case UUID, Interval:
		return 16
	}
	return 0
}

func parseFixedBinary(oid OID, b []byte) (Datum, error) {
	switch oid {
	case Bool:
		return NewBool(b[0] != 0), nil
	case Char:
		return NewInt(Char, int64(b[0])), nil
	case Int2:
		return NewInt2(int16(binary.BigEndian.Uint16(b))), nil
	case Int4:
		return NewInt4(int32(binary.BigEndian.Uint32(b))), nil
	case Int8, PgLSN, Xid8:
		return NewInt(oid, int64(binary.BigEndian.Uint64(b))), nil
	case Float4:
		return NewFloat4(math.Float32frombits(binary.BigEndian.Uint32(b))), nil
	case Float8:
		return NewFloat8(math.Float64frombits(binary.BigEndian.Uint64(b))), nil
	case UUID:
		return NewBytes(UUID, b), nil
	case Interval:
		return NewSpan(Span{
			Micros: int64(binary.BigEndian.Uint64(b)),
			Days:   int32(binary.BigEndian.Uint32(b[8:])),
			Months: int32(binary.BigEndian.Uint32(b[12:])),
		}), nil
	case Date, Time, Timestamp, TimestampTZ:
		return parseDateTimeBinary(oid, b)
	}
	return NewInt(oid, int64(binary.BigEndian.Uint32(b))), nil
}

// parseDateTimeBinary refuses what lies outside the ranges, for printing could not show it.
func parseDateTimeBinary(oid OID, b []byte) (Datum, error) {
	v := int64(0)
	if oid == Date {
		v = int64(int32(binary.BigEndian.Uint32(b)))
	} else {
		v = int64(binary.BigEndian.Uint64(b))
	}
	if !dateTimeInRange(oid, v) {
		return Null, Errorf(CodeDatetimeOverflow, "%s out of range", dateTimeNoun(oid))
	}
	return NewInt(oid, v), nil
}

// AppendBinary appends the binary form of a value, as PostgreSQL's send functions do. NULL appends
// nothing.
func AppendBinary(dst []byte, d Datum) []byte {
	switch d.typ {
	case 0, Void:
		return dst
	case Bool, Char:
		return append(dst, byte(d.n))
	case Int2:
		return binary.BigEndian.AppendUint16(dst, uint16(d.n))
	case Int4, Oid, Xid, Cid, Date, RegClass, RegType, RegProc, RegProcedure, RegNamespace, RegRole:
		return binary.BigEndian.AppendUint32(dst, uint32(d.n))
	case Int8, Float8, Timestamp, TimestampTZ, Time, PgLSN, Xid8:
		return binary.BigEndian.AppendUint64(dst, uint64(d.n))
	case Float4:
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(d.Float())))
	case Interval:
		s := d.Span()
		dst = binary.BigEndian.AppendUint64(dst, uint64(s.Micros))
		dst = binary.BigEndian.AppendUint32(dst, uint32(s.Days))
		return binary.BigEndian.AppendUint32(dst, uint32(s.Months))
	case JSONB:
		return append(append(dst, jsonbVersion), d.Bytes()...)
	case Numeric:
		return appendNumericBinary(dst, d)
	case Inet:
		return appendInetBinary(dst, d.Str())
	case Record:
		return appendRecordBinary(dst, d.Row())
	}
	if reprFor(d.typ) == reprArray {
		return appendArrayBinary(dst, d.Array())
	}
	return append(dst, d.Bytes()...)
}
