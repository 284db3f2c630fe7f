package types

import (
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"
)

// ApplyMod brings a value to its type's modifier: the length of varchar(n) and char(n), precision
// and scale of numeric, digits of timestamps. An explicit cast cuts a text that is too long, an
// assignment refuses it unless only blanks are lost.
func ApplyMod(d Datum, t Type, explicit bool) (Datum, error) {
	if t.Mod < 0 || d.IsNull() {
		return d, nil
	}
	switch t.OID {
	case VarChar:
		return fitString(d, int(t.Mod)-modHeader, explicit, "character varying")
	case BPChar:
		return padString(d, int(t.Mod)-modHeader, explicit)
	case Numeric:
		return fitNumeric(d, t.Mod)
	case Time, Timestamp, TimestampTZ:
		return roundTime(d, t.Mod), nil
	case Interval:
		return roundSpan(d, t.Mod&0xffff), nil
	}
	if elem := ElemOf(t.OID); elem != 0 && d.Array() != nil {
		return modArray(d, Type{OID: elem, Mod: t.Mod}, explicit)
	}
	return d, nil
}

// modArray makes a new array only when there is something to change.
func modArray(d Datum, elem Type, explicit bool) (Datum, error) {
	a := *d.Array()
	a.Elems = append([]Datum(nil), a.Elems...)
	for i := range a.Elems {
		var err error
		if a.Elems[i], err = ApplyMod(a.Elems[i], elem, explicit); err != nil {
			return Null, err
		}
	}
	return NewArrayDatum(d.typ, &a), nil
}

func fitString(d Datum, limit int, explicit bool, name string) (Datum, error) {
	s := d.Str()
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return d, nil
	}
	cut := runeOffset(s, limit)
	if !explicit && strings.Trim(s[cut:], " ") != "" {
		return Null, Errorf(CodeStringRightTruncation, "value too long for type %s(%d)", name, limit)
	}
	return NewString(d.typ, s[:cut]), nil
}

// runeOffset is where the character number n begins, len(s) when there are not so many.
func runeOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

func padString(d Datum, limit int, explicit bool) (Datum, error) {
	s := d.Str()
	count := utf8.RuneCountInString(s)
	if count == limit {
		return d, nil
	}
	if count > limit {
		return fitString(d, limit, explicit, "character")
	}
	return NewString(d.typ, s+strings.Repeat(" ", limit-count)), nil
}

func fitNumeric(d Datum, mod int32) (Datum, error) {
	precision, scale := numericPrecision(mod)
	limit := precision - scale
	var scratch apd.Decimal
	dec := d.Decimal(&scratch)
	switch dec.Form {
	case apd.Infinite:
		return Null, Errorf(CodeNumericOutOfRange, "numeric field overflow").WithDetail(
			"A field with precision %d, scale %d cannot hold an infinite value.", precision, scale)
	case apd.Finite:
	default:
		return d, nil
	}
	rounded := RoundNumeric(d, scale, false)
	dec = rounded.Decimal(&scratch)
	if dec.Coeff.Sign() != 0 && dec.NumDigits()+int64(dec.Exponent) > int64(limit) {
		bound := "1"
		if limit != 0 {
			bound = "10^" + string(appendSmall(nil, int64(limit)))
		}
		return Null, Errorf(CodeNumericOutOfRange, "numeric field overflow").WithDetail(
			"A field with precision %d, scale %d must round to an absolute value less than %s.",
			precision, scale, bound)
	}
	return rounded, nil
}

// roundTime rounds to so many digits of a second, half away from zero.
func roundTime(d Datum, digits int32) Datum {
	if _, infinite := IsInfinite(d); infinite || digits >= maxTimeDigits {
		return d
	}
	return NewInt(d.typ, roundMicros(d.n, digits))
}

func roundMicros(v int64, digits int32) int64 {
	if digits >= maxTimeDigits {
		return v
	}
	unit := int64(power10(maxTimeDigits - int(digits)))
	if v < 0 {
		return -((-v + unit/2) / unit * unit)
	}
	return (v + unit/2) / unit * unit
}

func roundSpan(d Datum, digits int32) Datum {
	s := d.Span()
	s.Micros = roundMicros(s.Micros, digits)
	return NewSpan(s)
}
