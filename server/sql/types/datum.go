package types

import (
	"math"
	"strings"
	"unsafe"

	"github.com/cockroachdb/apd/v3"
)

// Datum is one SQL value. The zero Datum is NULL.
//
// It is three words, so that two of them travel in registers, and holds integers, floats, times and
// small numerics in itself and text as a view of someone's bytes (T1). It must not be compared with
// ==: two equal texts may lie in different places.
type Datum struct {
	_   [0]func() // forbids ==
	typ OID
	aux int32 // scale of a small numeric
	n   int64
	p   unsafe.Pointer
}

// Null is the SQL NULL.
var Null = Datum{}

// Span is an interval: three counts that do not convert into one another.
type Span struct {
	Months int32
	Days   int32
	Micros int64
}

// Row is the value of a record.
type Row []Datum

// IsNull reports whether d is NULL.
func (d Datum) IsNull() bool { return d.typ == 0 }

// OID returns the type of the value, 0 for NULL.
func (d Datum) OID() OID { return d.typ }

// As returns the same value under another type of the same representation, as a cast without a
// function does.
func (d Datum) As(oid OID) Datum {
	if d.typ != 0 {
		d.typ = oid
	}
	return d
}

// NewInt makes a value of any type that is held as an integer: int2, int4, int8, oid and its kin,
// xid, "char", date (days since 2000-01-01), time, timestamp and timestamptz (microseconds since
// then), pg_lsn.
func NewInt(oid OID, v int64) Datum { return Datum{typ: oid, n: v} }

// NewInt2 makes an int2.
func NewInt2(v int16) Datum { return Datum{typ: Int2, n: int64(v)} }

// NewInt4 makes an int4.
func NewInt4(v int32) Datum { return Datum{typ: Int4, n: int64(v)} }

// NewInt8 makes an int8.
func NewInt8(v int64) Datum { return Datum{typ: Int8, n: v} }

// NewOID makes an oid.
func NewOID(v OID) Datum { return Datum{typ: Oid, n: int64(v)} }

// NewBool makes a bool.
func NewBool(v bool) Datum {
	d := Datum{typ: Bool}
	if v {
		d.n = 1
	}
	return d
}

// NewFloat8 makes a float8.
func NewFloat8(v float64) Datum { return newFloat(Float8, v) }

// NewFloat4 makes a float4.
func NewFloat4(v float32) Datum { return newFloat(Float4, float64(v)) }

// NewText makes a text that aliases s (T1).
func NewText(s string) Datum { return NewString(Text, s) }

// NewString makes a value of any type held as bytes: text, varchar, bpchar, name, json, bytea, uuid
// (16 bytes), unknown. It aliases s (T1).
func NewString(oid OID, s string) Datum {
	return Datum{typ: oid, n: int64(len(s)), p: unsafe.Pointer(unsafe.StringData(s))}
}

// NewBytes is NewString over a byte slice, which must not change while the value lives (T1).
func NewBytes(oid OID, b []byte) Datum {
	return Datum{typ: oid, n: int64(len(b)), p: unsafe.Pointer(unsafe.SliceData(b))}
}

// NewSpan makes an interval.
func NewSpan(s Span) Datum { return Datum{typ: Interval, p: unsafe.Pointer(&s)} }

// NewArrayDatum makes an array value; the Array is not copied.
func NewArrayDatum(oid OID, a *Array) Datum { return Datum{typ: oid, p: unsafe.Pointer(a)} }

// NewRecord makes a record value; the fields are not copied.
func NewRecord(fields Row) Datum { return NewNamedRecord(fields, nil) }

// NewNamedRecord makes a record value whose fields have names; neither are copied.
func NewNamedRecord(fields Row, names []string) Datum {
	return Datum{typ: Record, p: unsafe.Pointer(&record{fields, names})}
}

// record is what a record value points to.
type record struct {
	fields Row
	names  []string // nil for none
}

// Int returns the integer held by a value of an integer-like type (see NewInt).
func (d Datum) Int() int64 { return d.n }

// Bool returns the value of a bool; false for NULL.
func (d Datum) Bool() bool { return d.n != 0 && d.typ == Bool }

// Float returns the value of a float4 or float8.
func (d Datum) Float() float64 { return math.Float64frombits(uint64(d.n)) }

// Str returns the bytes of a value made by NewString or NewBytes; "" for every other value.
func (d Datum) Str() string {
	if d.p == nil || reprFor(d.typ) != reprBytes {
		return ""
	}
	return unsafe.String((*byte)(d.p), d.n)
}

// Bytes returns what Str does, as a slice the caller must not write to.
func (d Datum) Bytes() []byte {
	if d.p == nil || reprFor(d.typ) != reprBytes {
		return nil
	}
	return unsafe.Slice((*byte)(d.p), d.n)
}

// LargeValue is from what size on a value of bytes is large.
const LargeValue = 1 << 20

// Large says whether the value takes so much that it has to be accounted for by itself.
func (d Datum) Large() bool {
	return d.p != nil && d.n >= LargeValue && reprFor(d.typ) == reprBytes
}

// Span returns the value of an interval.
func (d Datum) Span() Span {
	if d.typ != Interval {
		return Span{}
	}
	return *(*Span)(d.p)
}

// Array returns the value of an array; nil for every other value.
func (d Datum) Array() *Array {
	if reprFor(d.typ) != reprArray {
		return nil
	}
	return (*Array)(d.p)
}

// Row returns the fields of a record; nil for every other value.
func (d Datum) Row() Row {
	if d.typ != Record {
		return nil
	}
	return (*record)(d.p).fields
}

// FieldNames returns the names of a record's fields; nil when they have none.
func (d Datum) FieldNames() []string {
	if d.typ != Record {
		return nil
	}
	return (*record)(d.p).names
}

// Clone returns a value that owns its memory (T1).
func (d Datum) Clone() Datum {
	switch reprFor(d.typ) {
	case reprBytes:
		return NewString(d.typ, strings.Clone(d.Str()))
	case reprArray:
		a := *d.Array()
		a.Elems = cloneAll(a.Elems)
		return NewArrayDatum(d.typ, &a)
	case reprRecord:
		return NewNamedRecord(cloneAll(d.Row()), d.FieldNames())
	}
	return d
}

// CloneInto fills dst with values that own their memory. The bytes of all lie in one block, so that
// a row costs one allocation and not one a column.
func CloneInto(dst, src []Datum) {
	total := 0
	for _, d := range src {
		if reprFor(d.typ) == reprBytes {
			total += int(d.n)
		}
	}
	block := make([]byte, 0, total)
	for i, d := range src {
		if reprFor(d.typ) != reprBytes {
			dst[i] = d.Clone()
			continue
		}
		at := len(block)
		block = append(block, d.Bytes()...)
		dst[i] = NewBytes(d.typ, block[at:])
	}
}

func cloneAll(ds []Datum) []Datum {
	out := make([]Datum, len(ds))
	for i, d := range ds {
		out[i] = d.Clone()
	}
	return out
}

// Size estimates the memory a value holds, itself included, for memory bounds.
func (d Datum) Size() int {
	const self = int(unsafe.Sizeof(d))
	switch reprFor(d.typ) {
	case reprBytes:
		return self + int(d.n)
	case reprNumeric:
		if d.p != nil {
			return self + int(unsafe.Sizeof(apd.Decimal{})) + d.bigNumeric().Coeff.BitLen()/8
		}
	case reprSpan:
		return self + int(unsafe.Sizeof(Span{}))
	case reprArray:
		return self + sizeAll(d.Array().Elems)
	case reprRecord:
		return self + sizeAll(d.Row())
	}
	return self
}

func sizeAll(ds []Datum) int {
	total := int(unsafe.Sizeof(ds))
	for _, d := range ds {
		total += d.Size()
	}
	return total
}

// String shows the value for tests and debugging, in its text form under the default Env.
func (d Datum) String() string {
	if d.IsNull() {
		return "NULL"
	}
	return string(AppendText(nil, d, nil))
}
