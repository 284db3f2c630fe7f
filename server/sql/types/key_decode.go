package types

import (
	"bytes"
	"encoding/binary"

	"github.com/cockroachdb/apd/v3"
)

// errKey answers bytes that EncodeKey cannot have written.
func errKey(oid OID, what string) *Error {
	return Errorf(CodeDataCorrupted, "damaged key of type %s: %s", FormatType(oid, NoMod), what)
}

// DecodeKey reads a value that EncodeKey wrote and returns what follows it. Ascending text without
// zero bytes aliases src (T1). Where KeyLossless is false the value is one that compares equal.
func DecodeKey(src []byte, oid OID, o KeyOrder) (d Datum, rest []byte, err error) {
	if len(src) == 0 {
		return Null, nil, errKey(oid, "missing")
	}
	if src[0] == keyNullFirst && o.NullsFirst || src[0] == keyNullLast && !o.NullsFirst {
		return Null, src[1:], nil
	}
	if !o.Desc {
		return decodeKey(src, oid)
	}
	inverted := bytes.Clone(src)
	invert(inverted)
	d, tail, err := decodeKey(inverted, oid)
	if err != nil {
		return Null, nil, err
	}
	return d, src[len(src)-len(tail):], nil
}

func decodeKey(src []byte, oid OID) (Datum, []byte, error) {
	if len(src) == 0 {
		return Null, nil, errKey(oid, "missing")
	}
	switch reprFor(oid) {
	case reprInt:
		return decodeKeyIntDatum(src, oid)
	case reprBytes:
		switch oid {
		case UUID:
			return decodeKeyUUID(src)
		case JSONB:
			return decodeKeyJSONB(src)
		case Inet:
			return decodeKeyInet(src)
		}
		return decodeKeyBytes(src, oid)
	case reprFloat:
		if src[0] != keyFloat || len(src) < 9 {
			return Null, nil, errKey(oid, "no float")
		}
		raw := binary.BigEndian.Uint64(src[1:])
		v := floatFromOrdered(raw)
		if orderedFloat(v) != raw || oid == Float4 && v == v && float64(float32(v)) != v {
			return Null, nil, errKey(oid, "a second form of one float")
		}
		return newFloat(oid, v), src[9:], nil
	case reprNumeric:
		return decodeKeyNumeric(src)
	case reprSpan:
		return decodeKeySpan(src)
	case reprArray:
		return decodeKeyArray(src, oid)
	}
	return Null, nil, errKey(oid, "no key type")
}

func decodeKeyIntDatum(src []byte, oid OID) (Datum, []byte, error) {
	v, rest, ok := decodeKeyInt(src, oid == PgLSN || oid == Xid8)
	if !ok {
		return Null, nil, errKey(oid, "no integer")
	}
	if !intInRange(oid, v) {
		return Null, nil, errKey(oid, "integer out of range")
	}
	return NewInt(oid, v), rest, nil
}

// intInRange reports whether an integer can be a value of the type.
func intInRange(oid OID, v int64) bool {
	switch oid {
	case Bool:
		return v == 0 || v == 1
	case Char:
		return v == int64(uint8(v))
	case Int2, Int4:
		return fitsInt(oid, v)
	case Int8, PgLSN, Xid8:
		return true
	case Date, Time, Timestamp, TimestampTZ:
		return dateTimeInRange(oid, v)
	}
	return v == int64(uint32(v))
}

func decodeKeyInt(src []byte, unsigned bool) (v int64, rest []byte, ok bool) {
	if len(src) == 0 {
		return 0, nil, false
	}
	n := int(src[0]) - keyIntZero
	negative := n < 0
	if negative {
		n = -1 - n
		v = -1
	}
	if n > 8 || len(src) < 1+n {
		return 0, nil, false
	}
	for _, b := range src[1 : 1+n] {
		v = v<<8 | int64(b)
	}
	// Only the shortest form is valid: two forms of one value would be two keys.
	if negative {
		return v, src[1+n:], v < 0 && !unsigned && byteLen(uint64(^v)) == n
	}
	return v, src[1+n:], (v >= 0 || unsigned) && byteLen(uint64(v)) == n
}

func decodeKeyUUID(src []byte) (Datum, []byte, error) {
	if src[0] != keyUUID || len(src) < 17 {
		return Null, nil, errKey(UUID, "no uuid")
	}
	return NewBytes(UUID, src[1:17]), src[17:], nil
}

func decodeKeyBytes(src []byte, oid OID) (Datum, []byte, error) {
	if src[0] != keyBytes {
		return Null, nil, errKey(oid, "no text")
	}
	src = src[1:]
	var out []byte // nil while nothing had to be unescaped
	for from := 0; ; {
		i := bytes.IndexByte(src[from:], keyEscape)
		if i < 0 || from+i+1 >= len(src) {
			return Null, nil, errKey(oid, "text without end")
		}
		i += from
		if out == nil && src[i+1] == keyEscapedFinish {
			return keyText(oid, src[:i:i], src[i+2:])
		}
		out = append(out, src[from:i]...)
		from = i + 2
		switch src[i+1] {
		case keyEscapedFinish:
			return keyText(oid, out, src[from:])
		case keyEscapedZero:
			out = append(out, keyEscape)
		default:
			return Null, nil, errKey(oid, "unknown escape")
		}
	}
}

// keyText refuses a char(n) with the blanks that EncodeKey leaves out.
func keyText(oid OID, text, rest []byte) (Datum, []byte, error) {
	if oid == BPChar && bytes.HasSuffix(text, []byte(" ")) {
		return Null, nil, errKey(oid, "trailing blanks")
	}
	return NewBytes(oid, text), rest, nil
}

func decodeKeySpan(src []byte) (Datum, []byte, error) {
	if src[0] != keySpan || len(src) < 17 {
		return Null, nil, errKey(Interval, "no interval")
	}
	high := int64(binary.BigEndian.Uint64(src[1:]) ^ 1<<63)
	span, ok := spanFromValue(high, binary.BigEndian.Uint64(src[9:]))
	if !ok {
		return Null, nil, errKey(Interval, "interval out of range")
	}
	return NewSpan(span), src[17:], nil
}

func decodeKeyNumeric(src []byte) (Datum, []byte, error) {
	dec := &apd.Decimal{}
	rest := src[1:]
	switch src[0] {
	case keyNumericNegInf:
		dec.Form, dec.Negative = apd.Infinite, true
	case keyNumericInf:
		dec.Form = apd.Infinite
	case keyNumericNaN:
		dec.Form = apd.NaN
	case keyNumericZero:
	case keyNumericPositive, keyNumericNegative:
		var ok bool
		if rest, ok = decodeKeyDigits(dec, rest, src[0] == keyNumericNegative); !ok {
			return Null, nil, errKey(Numeric, "damaged digits")
		}
	default:
		return Null, nil, errKey(Numeric, "no numeric")
	}
	return NewNumeric(dec), rest, nil
}

func decodeKeyDigits(dec *apd.Decimal, src []byte, negative bool) (rest []byte, ok bool) {
	body := src
	if negative {
		body = bytes.Clone(src)
		invert(body)
	}
	exponent, body, ok := decodeKeyInt(body, false)
	if !ok || exponent > maxNumericInteger || exponent < -maxNumericScale {
		return nil, false
	}
	end := bytes.IndexByte(body, 0)
	if end < 1 {
		return nil, false
	}
	text := make([]byte, 0, 2*end)
	for _, pair := range body[:end] {
		if pair < 1 || pair > 100 {
			return nil, false
		}
		text = append(text, '0'+(pair-1)/10, '0'+(pair-1)%10)
	}
	digits := bytes.TrimRight(text, "0")
	if len(digits) == 0 || digits[0] == '0' || len(text)-len(digits) > 1 ||
		len(digits)-int(exponent) > maxNumericScale {
		return nil, false
	}
	dec.Coeff.SetString(string(digits), 10)
	dec.Negative = negative
	dec.Exponent = int32(exponent) - int32(len(digits))
	return src[len(src)-len(body)+end+1:], true
}

func decodeKeyArray(src []byte, oid OID) (Datum, []byte, error) {
	a := &Array{Elem: ElemOf(oid)}
	for {
		if len(src) == 0 {
			return Null, nil, errKey(oid, "array without end")
		}
		if src[0] == keyArrayEnd {
			break
		}
		if src[0] == keyArrayNull {
			a.Elems = append(a.Elems, Null)
			src = src[1:]
			continue
		}
		elem, rest, err := decodeKey(src, a.Elem)
		if err != nil {
			return Null, nil, err
		}
		a.Elems = append(a.Elems, elem)
		src = rest
	}
	rest, ok := decodeKeyDims(a, src[1:])
	if !ok {
		return Null, nil, errKey(oid, "damaged dimensions")
	}
	return NewArrayDatum(oid, a), rest, nil
}

func decodeKeyDims(a *Array, src []byte) (rest []byte, ok bool) {
	if len(src) == 0 || src[0] > MaxArrayDims {
		return nil, false
	}
	a.Dims = make([]Dim, src[0])
	src = src[1:]
	for _, field := range []func(*Dim) *int32{
		func(d *Dim) *int32 { return &d.Len }, func(d *Dim) *int32 { return &d.Lower },
	} {
		for i := range a.Dims {
			v, after, ok := decodeKeyInt(src, false)
			if !ok || !fitsInt(Int4, v) {
				return nil, false
			}
			*field(&a.Dims[i]) = int32(v)
			src = after
		}
	}
	return src, a.shapeFits()
}
