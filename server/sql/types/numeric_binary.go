package types

import (
	"encoding/binary"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// The sign field of a numeric's binary form.
const (
	numericPositive    = 0x0000
	numericNegative    = 0x4000
	numericNaN         = 0xC000
	numericInfinity    = 0xD000
	numericNegInfinity = 0xF000
)

// infinityScale is the scale PostgreSQL sends with an infinity; it has no meaning.
const infinityScale = 0x20

// numericBase is what a digit of the binary form counts to; it holds four decimal digits.
const (
	numericBase       = 10000
	numericBaseDigits = 4
	numericHeader     = 8
)

// The binary form is, in 16-bit big-endian fields:
//
//	+---------+--------+------+--------+----------- - -
//	| ndigits | weight | sign | dscale | digits ...
//	+---------+--------+------+--------+----------- - -
//
// and the value the sum of digit[i] * 10000^(weight-i).

func parseNumericBinary(b []byte) (Datum, error) {
	if len(b) < numericHeader {
		return Null, errBinaryLength(Numeric, len(b), numericHeader)
	}
	count := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sign := binary.BigEndian.Uint16(b[4:])
	scale := int32(binary.BigEndian.Uint16(b[6:]))
	if len(b) != numericHeader+2*count {
		return Null, errBinary("invalid length in external \"numeric\" value")
	}
	dec := &apd.Decimal{}
	switch sign {
	case numericNaN:
		dec.Form = apd.NaN
		return NewNumeric(dec), nil
	case numericInfinity, numericNegInfinity:
		dec.Form, dec.Negative = apd.Infinite, sign == numericNegInfinity
		return NewNumeric(dec), nil
	case numericNegative:
		dec.Negative = true
	case numericPositive:
	default:
		return Null, errBinary("invalid sign in external \"numeric\" value")
	}
	if scale > maxNumericScale {
		return Null, errBinary("invalid scale in external \"numeric\" value")
	}
	if err := setBaseDigits(&dec.Coeff, b[numericHeader:]); err != nil {
		return Null, err
	}
	dec.Exponent = int32((weight - count + 1) * numericBaseDigits)
	// Digits beyond the stated scale are cut, as PostgreSQL does.
	truncateScale(dec, scale)
	return checkNumeric(dec)
}

// setBaseDigits builds the decimal text first: setting a big integer from text is far cheaper than
// a multiplication for each digit.
func setBaseDigits(z *apd.BigInt, b []byte) error {
	text := make([]byte, 0, len(b)*2+1)
	text = append(text, '0')
	for i := 0; i < len(b); i += 2 {
		digit := binary.BigEndian.Uint16(b[i:])
		if digit >= numericBase {
			return errBinary("invalid digit in external \"numeric\" value")
		}
		text = append(text, byte('0'+digit/1000), byte('0'+digit/100%10),
			byte('0'+digit/10%10), byte('0'+digit%10))
	}
	z.SetString(string(text), 10)
	return nil
}

func appendNumericBinary(dst []byte, d Datum) []byte {
	var scratch apd.Decimal
	dec := d.Decimal(&scratch)
	if dec.Form != apd.Finite {
		switch {
		case dec.Form != apd.Infinite:
			return appendNumericHeader(dst, 0, 0, numericNaN, 0)
		case dec.Negative:
			return appendNumericHeader(dst, 0, 0, numericNegInfinity, infinityScale)
		}
		return appendNumericHeader(dst, 0, 0, numericInfinity, infinityScale)
	}
	scale := -dec.Exponent
	digits, weight := baseDigits(dec)
	sign := uint16(numericPositive)
	if dec.Negative && len(digits) > 0 {
		sign = numericNegative
	}
	dst = appendNumericHeader(dst, len(digits), weight, sign, uint16(scale))
	for _, digit := range digits {
		dst = binary.BigEndian.AppendUint16(dst, digit)
	}
	return dst
}

func appendNumericHeader(dst []byte, count, weight int, sign, scale uint16) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(count))
	dst = binary.BigEndian.AppendUint16(dst, uint16(weight))
	dst = binary.BigEndian.AppendUint16(dst, sign)
	return binary.BigEndian.AppendUint16(dst, scale)
}

// baseDigits splits a finite decimal into digits of base 10000, without zeros at either end, and
// the weight of the first; zero has none.
func baseDigits(dec *apd.Decimal) (digits []uint16, weight int) {
	if dec.Coeff.Sign() == 0 {
		return nil, 0
	}
	var buf [64]byte
	text := dec.Coeff.Append(buf[:0], 10)
	// Zeros behind align the point with an edge between digits; zeros before fill the first digit.
	for range positiveMod(int(dec.Exponent), numericBaseDigits) {
		text = append(text, '0')
	}
	exponent := floorDiv(int(dec.Exponent), numericBaseDigits)
	first := (len(text)-1)%numericBaseDigits + 1
	digits = append(digits, parseDigit(text[:first]))
	for text = text[first:]; len(text) > 0; text = text[numericBaseDigits:] {
		digits = append(digits, parseDigit(text[:numericBaseDigits]))
	}
	weight = exponent + len(digits) - 1
	for digits[0] == 0 {
		digits = digits[1:]
		weight--
	}
	for digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	return digits, weight
}

func parseDigit(text []byte) uint16 {
	var v uint16
	for _, c := range text {
		v = v*10 + uint16(c-'0')
	}
	return v
}

func positiveMod(x, y int) int { return ((x % y) + y) % y }

func floorDiv(x, y int) int { return (x - positiveMod(x, y)) / y }

func appendSmall(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }
