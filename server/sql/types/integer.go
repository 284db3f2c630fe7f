package types

import (
	"math"
	"strconv"
	"strings"
)

// parseInt reads int2, int4 and int8.
func parseInt(oid OID, s string) (Datum, error) {
	t := trimSpace(s)
	digits := t
	negative := false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		negative = digits[0] == '-'
		digits = digits[1:]
	}
	if digits == "" {
		return Null, errSyntax(intName(oid), s)
	}
	// The sum is kept negative, for the lowest value has no positive counterpart.
	var v int64
	overflow := false
	for i := range len(digits) {
		c := digits[i]
		if !isDigit(c) {
			return Null, errSyntax(intName(oid), s)
		}
		digit := int64(c - '0')
		if v < math.MinInt64/10 || v*10 < math.MinInt64+digit {
			overflow = true
			continue
		}
		v = v*10 - digit
	}
	if !negative {
		overflow = overflow || v == math.MinInt64
		v = -v
	}
	if overflow || !fitsInt(oid, v) {
		return Null, errRange(intName(oid), s)
	}
	return NewInt(oid, v), nil
}

func fitsInt(oid OID, v int64) bool {
	switch oid {
	case Int2:
		return v == int64(int16(v))
	case Int4:
		return v == int64(int32(v))
	}
	return true
}

func intName(oid OID) string {
	switch oid {
	case Int2:
		return "smallint"
	case Int4:
		return "integer"
	}
	return "bigint"
}

// parseUnsigned reads oid, xid, cid and xid8; a minus sign wraps around, as strtoul does.
func parseUnsigned(oid OID, s string) (Datum, error) {
	t := trimSpace(s)
	name := Lookup(oid).Name
	negative := strings.HasPrefix(t, "-")
	digits := strings.TrimPrefix(strings.TrimPrefix(t, "-"), "+")
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || digits[0] == '+' {
		if isRangeError(err) {
			return Null, errRange(name, s)
		}
		return Null, errSyntax(name, s)
	}
	if negative {
		v = -v
	}
	if oid == Xid8 {
		return NewInt(oid, int64(v)), nil
	}
	if v > math.MaxUint32 && int64(v) < math.MinInt32 || int64(v) > math.MaxUint32 {
		return Null, errRange(name, s)
	}
	return NewInt(oid, int64(uint32(v))), nil
}

// isRangeError tells a number too large from a text that is none.
func isRangeError(err error) bool {
	numError, ok := err.(*strconv.NumError)
	return ok && numError.Err == strconv.ErrRange
}

// parseLSN reads a pg_lsn: two hexadecimal halves.
func parseLSN(s string) (Datum, error) {
	high, low, ok := strings.Cut(s, "/")
	if !ok {
		return Null, errSyntax("pg_lsn", s)
	}
	h, okHigh := parseHex32(high)
	l, okLow := parseHex32(low)
	if !okHigh || !okLow {
		return Null, errSyntax("pg_lsn", s)
	}
	return NewInt(PgLSN, int64(uint64(h)<<32|uint64(l))), nil
}

func parseHex32(s string) (uint32, bool) {
	if s == "" || len(s) > 8 {
		return 0, false
	}
	var v uint32
	for i := range len(s) {
		digit, ok := hexValue(s[i])
		if !ok {
			return 0, false
		}
		v = v<<4 | uint32(digit)
	}
	return v, true
}

func hexValue(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func appendLSN(dst []byte, v uint64) []byte {
	dst = appendHexUpper(dst, uint32(v>>32))
	dst = append(dst, '/')
	return appendHexUpper(dst, uint32(v))
}

func appendHexUpper(dst []byte, v uint32) []byte {
	start := len(dst)
	dst = strconv.AppendUint(dst, uint64(v), 16)
	for i := start; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst
}
