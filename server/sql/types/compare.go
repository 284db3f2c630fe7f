package types

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Compare orders two values of one type, or of types that share a comparison without a cast: the
// integers among themselves, the texts among themselves. NULL is above everything, as ORDER BY has
// it. Dates and timestamps of different types must be cast by the caller.
func Compare(a, b Datum) int {
	if a.typ == 0 || b.typ == 0 {
		return compareNull(a, b)
	}
	switch reprFor(a.typ) {
	case reprInt:
		if a.typ == PgLSN || a.typ == Xid8 {
			return cmp.Compare(uint64(a.n), uint64(b.n))
		}
		return cmp.Compare(a.n, b.n)
	case reprBytes:
		return compareBytes(a, b)
	case reprFloat:
		return CompareFloat(a.Float(), b.Float())
	case reprNumeric:
		return compareNumeric(a, b)
	case reprSpan:
		return compareSpan(a.Span(), b.Span())
	case reprArray:
		return compareArray(a.Array(), b.Array())
	case reprRecord:
		return compareRow(a.Row(), b.Row())
	}
	return 0
}

// Equal reports whether two values are the same by their type's own comparison; two NULLs are.
func Equal(a, b Datum) bool { return Compare(a, b) == 0 }

func compareNull(a, b Datum) int {
	switch {
	case a.typ == b.typ:
		return 0
	case a.typ == 0:
		return 1
	}
	return -1
}

func compareBytes(a, b Datum) int {
	if a.typ == BPChar || b.typ == BPChar {
		// Trailing blanks of char(n) do not count. A text compared with char(n) is cast to text by
		// the planner first, so both sides are char(n) here.
		return strings.Compare(TrimBlanks(a.Str()), TrimBlanks(b.Str()))
	}
	switch a.typ {
	case JSONB:
		return compareJSONB(a.Str(), b.Str())
	case Inet:
		return compareInet(a.Str(), b.Str())
	}
	return bytes.Compare(a.Bytes(), b.Bytes())
}

// TrimBlanks cuts the trailing blanks of a char(n).
func TrimBlanks(s string) string { return strings.TrimRight(s, " ") }

// CompareFloat orders floats as PostgreSQL does: NaN equals itself and is above everything.
func CompareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	}
	return -1
}

func compareNumeric(a, b Datum) int {
	if a.p == nil && b.p == nil && a.aux == b.aux {
		return cmp.Compare(a.n, b.n)
	}
	var sa, sb apd.Decimal
	x, y := a.Decimal(&sa), b.Decimal(&sb)
	if rx, ry := numericRank(x), numericRank(y); rx != ry || rx != 0 {
		return cmp.Compare(rx, ry)
	}
	return x.Cmp(y)
}

// numericRank orders -Infinity, the finite, Infinity and NaN.
func numericRank(x *apd.Decimal) int {
	switch {
	case x.Form == apd.Finite:
		return 0
	case x.Form != apd.Infinite:
		return 2
	case x.Negative:
		return -1
	}
	return 1
}

const (
	microsPerDay  = 24 * 60 * 60 * 1_000_000
	daysPerMonth  = 30 // when intervals are compared
	monthsPerYear = 12
)

// compareSpan counts a month as thirty days and a day as 24 hours.
func compareSpan(a, b Span) int {
	highA, lowA := spanValue(a)
	highB, lowB := spanValue(b)
	if c := cmp.Compare(highA, highB); c != 0 {
		return c
	}
	return cmp.Compare(lowA, lowB)
}

// spanValue is the length of an interval in microseconds, in 128 bits: the months of an int32 alone
// pass 64.
func spanValue(s Span) (high int64, low uint64) {
	days := int64(s.Months)*daysPerMonth + int64(s.Days)
	negative := days < 0
	hi, lo := bits.Mul64(magnitude(days), microsPerDay)
	if negative {
		var carry uint64
		lo, carry = bits.Add64(^lo, 1, 0)
		hi = ^hi + carry
	}
	lo, carry := bits.Add64(lo, uint64(s.Micros), 0)
	return int64(hi) + s.Micros>>63 + int64(carry), lo
}

// compareArray goes element by element, then by number of elements, then by shape.
func compareArray(a, b *Array) int {
	for i := range min(len(a.Elems), len(b.Elems)) {
		if c := Compare(a.Elems[i], b.Elems[i]); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(a.Elems), len(b.Elems)); c != 0 {
		return c
	}
	if c := cmp.Compare(len(a.Dims), len(b.Dims)); c != 0 {
		return c
	}
	for i := range a.Dims {
		if c := cmp.Compare(a.Dims[i].Len, b.Dims[i].Len); c != 0 {
			return c
		}
	}
	for i := range a.Dims {
		if c := cmp.Compare(a.Dims[i].Lower, b.Dims[i].Lower); c != 0 {
			return c
		}
	}
	return 0
}

func compareRow(a, b Row) int {
	for i := range min(len(a), len(b)) {
		if c := Compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// divide128 splits a length in microseconds into days and what is left, towards zero.
func divide128(high int64, low uint64) (days, micros int64, ok bool) {
	negative := high < 0
	hi, lo := uint64(high), low
	if negative {
		var carry uint64
		lo, carry = bits.Add64(^lo, 1, 0)
		hi = ^hi + carry
	}
	if hi >= microsPerDay {
		return 0, 0, false
	}
	quotient, remainder := bits.Div64(hi, lo, microsPerDay)
	if quotient > math.MaxInt64 {
		return 0, 0, false
	}
	if negative {
		return -int64(quotient), -int64(remainder), true
	}
	return int64(quotient), int64(remainder), true
}
