package types

import (
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

func castNarrow(d Datum, to OID, _ *Env) (Datum, error) {
	if !fitsInt(to, d.n) {
		return Null, errOutOfRange(intName(to))
	}
	return NewInt(to, d.n), nil
}

func castIntToNumeric(d Datum, _ OID, _ *Env) (Datum, error) { return NumericFromInt(d.n), nil }

// castNumericToInt rounds half away from zero.
func castNumericToInt(d Datum, to OID, _ *Env) (Datum, error) {
	var scratch apd.Decimal
	dec := d.Decimal(&scratch)
	switch {
	case dec.Form == apd.Infinite:
		return Null, Errorf(CodeFeatureNotSupported, "cannot convert infinity to %s", intName(to))
	case dec.Form != apd.Finite:
		return Null, Errorf(CodeFeatureNotSupported, "cannot convert NaN to %s", intName(to))
	}
	rounded := RoundNumeric(d, 0, false)
	dec = rounded.Decimal(&scratch)
	v := apd.BigInt{}
	v.Set(&dec.Coeff)
	if dec.Negative {
		v.Neg(&v)
	}
	if !v.IsInt64() || !fitsInt(to, v.Int64()) {
		return Null, errOutOfRange(intName(to))
	}
	return NewInt(to, v.Int64()), nil
}

func castIntToFloat(d Datum, to OID, _ *Env) (Datum, error) {
	v := float64(d.n)
	if to == Float4 {
		v = float64(float32(d.n))
	}
	return newFloat(to, v), nil
}

// castFloatToInt rounds half to even, as C's rint does.
func castFloatToInt(d Datum, to OID, _ *Env) (Datum, error) {
	v := math.RoundToEven(d.Float())
	if !(v >= math.MinInt64 && v < math.MaxInt64) || !fitsInt(to, int64(v)) {
		return Null, errOutOfRange(intName(to))
	}
	return NewInt(to, int64(v)), nil
}

func castFloat8To4(d Datum, _ OID, _ *Env) (Datum, error) {
	v := d.Float()
	narrow := float64(float32(v))
	if math.IsInf(narrow, 0) && !math.IsInf(v, 0) {
		return Null, Errorf(CodeNumericOutOfRange, "value out of range: overflow")
	}
	if narrow == 0 && v != 0 {
		return Null, Errorf(CodeNumericOutOfRange, "value out of range: underflow")
	}
	return newFloat(Float4, narrow), nil
}

// castFloatToNumeric keeps the digits a float surely has, 15 or 6, not those it prints.
func castFloatToNumeric(d Datum, _ OID, _ *Env) (Datum, error) {
	v := d.Float()
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return NumericFromFloatWord(v), nil
	}
	digits := 15
	if d.typ == Float4 {
		digits = 6
	}
	return parseNumeric(string(appendFloatG(nil, v, digits, 64)))
}

func castNumericToFloat(d Datum, to OID, _ *Env) (Datum, error) {
	return parseFloat(to, string(appendNumeric(nil, d)))
}

func castIntToBool(d Datum, _ OID, _ *Env) (Datum, error) { return NewBool(d.n != 0), nil }

func castIntToChar(d Datum, _ OID, _ *Env) (Datum, error) {
	if d.n != int64(int8(d.n)) {
		return Null, errOutOfRange("\"char\"")
	}
	return NewInt(Char, int64(uint8(d.n))), nil
}

func castCharToInt(d Datum, _ OID, _ *Env) (Datum, error) { return NewInt4(int32(int8(d.n))), nil }

func castToUint32(d Datum, to OID, _ *Env) (Datum, error) {
	return NewInt(to, int64(uint32(d.n))), nil
}

func castToInt32(d Datum, to OID, _ *Env) (Datum, error) {
	return NewInt(to, int64(int32(d.n))), nil
}

func castInt8ToOID(d Datum, to OID, _ *Env) (Datum, error) {
	if d.n != int64(uint32(d.n)) {
		return Null, errOutOfRange("OID")
	}
	return NewInt(to, d.n), nil
}

func castToName(d Datum, _ OID, _ *Env) (Datum, error) {
	return NewString(Name, TruncateName(d.Str())), nil
}

func castTrim(d Datum, to OID, _ *Env) (Datum, error) {
	return NewString(to, TrimBlanks(d.Str())), nil
}

func castTrimToName(d Datum, _ OID, _ *Env) (Datum, error) {
	return NewString(Name, TruncateName(TrimBlanks(d.Str()))), nil
}

func castToChar(d Datum, _ OID, _ *Env) (Datum, error) { return parseChar(d.Str()) }

func castCharToString(d Datum, to OID, _ *Env) (Datum, error) {
	return NewBytes(to, appendChar(nil, byte(d.n))), nil
}

func castBoolToString(d Datum, to OID, _ *Env) (Datum, error) {
	return NewString(to, strconv.FormatBool(d.Bool())), nil
}

// castInetToString shows the mask even when it is a single host's.
func castInetToString(d Datum, to OID, _ *Env) (Datum, error) {
	addr, bits, _ := splitInet(d.Str())
	return NewString(to, addr.String()+"/"+strconv.Itoa(bits)), nil
}

func castVectorToArray(d Datum, to OID, _ *Env) (Datum, error) {
	return NewArrayDatum(to, d.Array()), nil
}

// castJSONBToScalar takes a number or boolean out of a document that is nothing else.
func castJSONBToScalar(d Datum, to OID, env *Env) (Datum, error) {
	s := d.Str()
	kind := "numeric"
	switch s[0] {
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	case '"':
		kind = "string"
	case 't', 'f':
		kind = "boolean"
	case 'n':
		kind = "null"
	}
	switch {
	case kind == "boolean" && to == Bool:
		return NewBool(s == "true"), nil
	case kind != "numeric" || to == Bool:
		return Null, Errorf(CodeInvalidParameter, "cannot cast jsonb %s to type %s", kind,
			FormatType(to, NoMod))
	}
	v, err := parseNumeric(s)
	if err != nil || to == Numeric {
		return v, err
	}
	return CastDatum(v, Of(to), Explicit, env)
}

func castDateToTimestamp(d Datum, to OID, _ *Env) (Datum, error) {
	if sign, ok := IsInfinite(d); ok {
		return infinite(to, sign), nil
	}
	micros, ok := joinTimestamp(d.n, 0)
	if !ok {
		return Null, Errorf(CodeDatetimeOverflow, "date out of range for timestamp")
	}
	return NewInt(to, micros), nil
}

func infinite(oid OID, sign int) Datum {
	v := int64(timestampInfinity)
	if oid == Date {
		v = dateInfinity
	}
	if sign < 0 {
		v = -v - 1
	}
	return NewInt(oid, v)
}

func castDateToTimestampTZ(d Datum, to OID, env *Env) (Datum, error) {
	d, err := castDateToTimestamp(d, Timestamp, env)
	if err != nil {
		return Null, err
	}
	return castTimestampToTZ(d, to, env)
}

func castTimestampToDate(d Datum, to OID, _ *Env) (Datum, error) {
	if sign, ok := IsInfinite(d); ok {
		return infinite(to, sign), nil
	}
	days, _ := SplitTimestamp(d.n)
	return NewInt(to, days), nil
}

func castTimestampTZToDate(d Datum, to OID, env *Env) (Datum, error) {
	return castTimestampToDate(NewInt(Timestamp, ToLocal(d.n, env)), to, env)
}

func castTimestampToTZ(d Datum, to OID, env *Env) (Datum, error) {
	micros := FromLocal(d.n, env)
	if !dateTimeInRange(to, micros) {
		return Null, Errorf(CodeDatetimeOverflow, "timestamp out of range")
	}
	return NewInt(to, micros), nil
}

func castTZToTimestamp(d Datum, to OID, env *Env) (Datum, error) {
	return NewInt(to, ToLocal(d.n, env)), nil
}

func castTimestampToTime(d Datum, to OID, _ *Env) (Datum, error) {
	if _, ok := IsInfinite(d); ok {
		return Null, nil
	}
	_, timeOfDay := SplitTimestamp(d.n)
	return NewInt(to, timeOfDay), nil
}

func castTZToTime(d Datum, to OID, env *Env) (Datum, error) {
	if _, ok := IsInfinite(d); ok {
		return Null, nil
	}
	return castTimestampToTime(NewInt(Timestamp, ToLocal(d.n, env)), to, env)
}

func castTimeToInterval(d Datum, _ OID, _ *Env) (Datum, error) {
	return NewSpan(Span{Micros: d.n}), nil
}

func castIntervalToTime(d Datum, to OID, _ *Env) (Datum, error) {
	_, timeOfDay := SplitTimestamp(d.Span().Micros)
	return NewInt(to, timeOfDay), nil
}
