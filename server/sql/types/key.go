package types

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/cockroachdb/apd/v3"
)

// KeyOrder says how a column lies in a key. PostgreSQL's defaults are NULLS LAST ascending and
// NULLS FIRST descending.
type KeyOrder struct {
	Desc       bool `json:"desc,omitempty"`
	NullsFirst bool `json:"nulls_first,omitempty"`
}

// The first byte of an encoded value. Integers fold their sign and length into it, so that small
// ones take one to three bytes and all widths, dates and times included, share one encoding: a
// bound of a wider type needs no cast to seek a narrower column.
//
//	0x00            NULL before everything
//	0x01            the end of an array
//	0x02            text and bytea:  escaped bytes, 0x00 0x01
//	0x03 .. 0x08    numeric: -Infinity, negative, zero, positive, Infinity, NaN
//	0x0f            float: eight bytes
//	0x10            interval: 16 bytes;  0x11 uuid: 16 bytes
//	0x12            jsonb: see appendKeyJSONB;  0x13 record: fields as those of an array
//	0x14            inet: see appendKeyInet
//	0x77 .. 0x7f    negative integer, 0x7f - length, then that many bytes
//	0x80 .. 0x88    other integer, 0x80 + length, then that many bytes
//	0xfe            NULL within an array
//	0xff            NULL after everything
//
// A descending column has every byte inverted, but for the NULL markers.
const (
	keyNullFirst       = 0x00
	keyArrayEnd        = 0x01
	keyBytes           = 0x02
	keyNumericNegInf   = 0x03
	keyNumericNegative = 0x04
	keyNumericZero     = 0x05
	keyNumericPositive = 0x06
	keyNumericInf      = 0x07
	keyNumericNaN      = 0x08
	keyFloat           = 0x0f
	keySpan            = 0x10
	keyUUID            = 0x11
	keyJSONB           = 0x12
	keyRecord          = 0x13
	keyInet            = 0x14
	keyIntZero         = 0x80
	keyArrayNull       = 0xfe
	keyNullLast        = 0xff
)

// A zero byte within text is written 0x00 0xff; the end is 0x00 0x01, below every continuation.
const (
	keyEscape        = 0x00
	keyEscapedZero   = 0xff
	keyEscapedFinish = 0x01
)

// Keyable reports whether values of the type may lie in a key.
func Keyable(oid OID) bool {
	switch oid {
	case JSON, AclItem, PgNodeTree, Void, Unknown, Xid, Cid:
		return false
	case Record:
		return true
	}
	if elem := ElemOf(oid); elem != 0 {
		return Keyable(elem)
	}
	return reprFor(oid) != reprNone && !Lookup(oid).Pseudo
}

// KeyLossless reports whether DecodeKey gives back the very value. Where it does not (a numeric's
// scale, also within jsonb, the sign of a float's zero, the blanks of a char(n), an interval's
// parts), a row must hold the column beside its key.
func KeyLossless(oid OID) bool {
	switch oid {
	case Numeric, Float4, Float8, BPChar, Interval, JSONB, Record:
		return false
	}
	if elem := ElemOf(oid); elem != 0 {
		return false
	}
	return Keyable(oid)
}

// EncodeKey appends the key form of a value, so that bytes order as values do (T2).
func EncodeKey(dst []byte, d Datum, o KeyOrder) []byte {
	if d.typ == 0 {
		if o.NullsFirst {
			return append(dst, keyNullFirst)
		}
		return append(dst, keyNullLast)
	}
	start := len(dst)
	dst = appendKey(dst, d)
	if o.Desc {
		invert(dst[start:])
	}
	return dst
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

func appendKey(dst []byte, d Datum) []byte {
	switch reprFor(d.typ) {
	case reprInt:
		if d.typ == PgLSN || d.typ == Xid8 {
			return appendKeyUint(dst, uint64(d.n))
		}
		return appendKeyInt(dst, d.n)
	case reprBytes:
		switch d.typ {
		case UUID:
			return append(append(dst, keyUUID), d.Bytes()...)
		case BPChar:
			return appendKeyBytes(dst, bytes.TrimRight(d.Bytes(), " "))
		case JSONB:
			return appendKeyJSONB(dst, d.Str())
		case Inet:
			return appendKeyInet(dst, d.Str())
		}
		return appendKeyBytes(dst, d.Bytes())
	case reprFloat:
		return binary.BigEndian.AppendUint64(append(dst, keyFloat), orderedFloat(d.Float()))
	case reprNumeric:
		return appendKeyNumeric(dst, d)
	case reprSpan:
		high, low := spanValue(d.Span())
		dst = binary.BigEndian.AppendUint64(append(dst, keySpan), uint64(high)^1<<63)
		return binary.BigEndian.AppendUint64(dst, low)
	case reprArray:
		return appendKeyArray(dst, d.Array())
	case reprRecord:
		return append(appendKeyElems(append(dst, keyRecord), d.Row()), keyArrayEnd)
	}
	panic("types: EncodeKey of type " + FormatType(d.typ, NoMod))
}

func appendKeyInt(dst []byte, v int64) []byte {
	if v >= 0 {
		return appendKeyUint(dst, uint64(v))
	}
	n := byteLen(uint64(^v))
	return appendLowBytes(append(dst, byte(keyIntZero-1-n)), uint64(v), n)
}

func appendKeyUint(dst []byte, v uint64) []byte {
	n := byteLen(v)
	return appendLowBytes(append(dst, byte(keyIntZero+n)), v, n)
}

func byteLen(v uint64) int { return (bits.Len64(v) + 7) / 8 }

func appendLowBytes(dst []byte, v uint64, n int) []byte {
	for n--; n >= 0; n-- {
		dst = append(dst, byte(v>>(8*n)))
	}
	return dst
}

func appendKeyBytes(dst, b []byte) []byte {
	dst = appendEscaped(append(dst, keyBytes), b)
	return append(dst, keyEscape, keyEscapedFinish)
}

func appendEscaped(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, keyEscape)
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(append(dst, b[:i]...), keyEscape, keyEscapedZero)
		b = b[i+1:]
	}
}

// orderedFloat maps floats to integers of the same order: both zeros to one, every NaN to the
// highest.
func orderedFloat(v float64) uint64 {
	switch {
	case math.IsNaN(v):
		return math.MaxUint64
	case v == 0:
		return 1 << 63
	}
	b := math.Float64bits(v)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func floatFromOrdered(b uint64) float64 {
	switch {
	case b == math.MaxUint64:
		return math.NaN()
	case b>>63 != 0:
		return math.Float64frombits(b &^ (1 << 63))
	}
	return math.Float64frombits(^b)
}

// appendKeyNumeric writes the exponent of 0.ddd * 10^e, then the digits in pairs, each pair as one
// byte from 1 to 100, then 0. A negative number has all of that inverted.
func appendKeyNumeric(dst []byte, d Datum) []byte {
	var scratch apd.Decimal
	dec := d.Decimal(&scratch)
	switch {
	case dec.Form == apd.Infinite && dec.Negative:
		return append(dst, keyNumericNegInf)
	case dec.Form == apd.Infinite:
		return append(dst, keyNumericInf)
	case dec.Form != apd.Finite:
		return append(dst, keyNumericNaN)
	case dec.Coeff.Sign() == 0:
		return append(dst, keyNumericZero)
	}
	var buf [64]byte
	digits := dec.Coeff.Append(buf[:0], 10)
	exponent := int64(len(digits)) + int64(dec.Exponent)
	digits = bytes.TrimRight(digits, "0")
	tag := byte(keyNumericPositive)
	if dec.Negative {
		tag = keyNumericNegative
	}
	dst = append(dst, tag)
	start := len(dst)
	dst = appendKeyInt(dst, exponent)
	for i := 0; i < len(digits); i += 2 {
		pair := (digits[i] - '0') * 10
		if i+1 < len(digits) {
			pair += digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	dst = append(dst, 0)
	if dec.Negative {
		invert(dst[start:])
	}
	return dst
}

// appendKeyArray writes the elements, then the shape, which decides between arrays of the same
// elements.
func appendKeyArray(dst []byte, a *Array) []byte {
	dst = append(appendKeyElems(dst, a.Elems), keyArrayEnd, byte(len(a.Dims)))
	for _, dim := range a.Dims {
		dst = appendKeyInt(dst, int64(dim.Len))
	}
	for _, dim := range a.Dims {
		dst = appendKeyInt(dst, int64(dim.Lower))
	}
	return dst
}

func appendKeyElems(dst []byte, elems []Datum) []byte {
	for _, e := range elems {
		if e.IsNull() {
			dst = append(dst, keyArrayNull)
			continue
		}
		dst = appendKey(dst, e)
	}
	return dst
}

// EncodeKeyPrefix appends what every encoded text beginning with prefix begins with; together with
// KeyPrefixEnd it bounds LIKE 'prefix%'.
func EncodeKeyPrefix(dst []byte, prefix string, o KeyOrder) []byte {
	start := len(dst)
	dst = appendEscaped(append(dst, keyBytes), []byte(prefix))
	if o.Desc {
		invert(dst[start:])
	}
	return dst
}

// KeyPrefixEnd returns the lowest key above every key that begins with prefix, nil when there is
// none.
func KeyPrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := bytes.Clone(prefix[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}
