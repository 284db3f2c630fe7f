package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzzTypes are all types that can be read.
var fuzzTypes = append([]OID{JSON, Record, OidVector, Int2Vector, TimestampArray,
	ByteaArray, RegClass, BoolArray}, randomTypes...)

func fuzzType(selector byte) OID { return fuzzTypes[int(selector)%len(fuzzTypes)] }

func FuzzText(f *testing.F) {
	for i, oid := range fuzzTypes {
		for _, seed := range []string{"", "1", "{1,2}", "{\"a", "2024-02-29 12:34:56.7+02",
			"1 year -2 days 03:04", "P1Y", "1e5", "\\x00", "\\", "0/1", "{\"a\":[1]}", "J1",
			"12:00 PM", "infinity", "[1:2]={1,2}"} {
			f.Add(byte(i), seed)
		}
		_ = oid
	}
	f.Fuzz(func(t *testing.T, selector byte, s string) {
		oid := fuzzType(selector)
		d, err := ParseText(Of(oid), s, nil)
		if err != nil {
			return
		}
		text := string(AppendText(nil, d, nil))
		if oid == Record || !textRoundTrips(d) {
			return
		}
		again, err := ParseText(Of(oid), text, nil)
		require.NoError(t, err, "%s: %q printed as %q", FormatType(oid, NoMod), s, text)
		require.Equal(t, text, string(AppendText(nil, again, nil)))
	})
}

func FuzzBinary(f *testing.F) {
	r := newSeededRand(1)
	for i, oid := range fuzzTypes {
		f.Add(byte(i), []byte{})
		if i >= len(fuzzTypes)-len(randomTypes) {
			f.Add(byte(i), AppendBinary(nil, randomDatum(r, oid)))
		}
	}
	f.Fuzz(func(t *testing.T, selector byte, b []byte) {
		oid := fuzzType(selector)
		d, err := ParseBinary(Of(oid), b)
		if err != nil {
			return
		}
		_ = AppendText(nil, d, nil)
		again, err := ParseBinary(Of(oid), AppendBinary(nil, d))
		require.NoError(t, err)
		require.Zero(t, Compare(d, again))
	})
}

func FuzzKey(f *testing.F) {
	r := newSeededRand(1)
	for i, oid := range randomTypes {
		for _, o := range keyOrders {
			f.Add(byte(i), o.Desc, EncodeKey(nil, randomDatum(r, oid), o))
		}
	}
	f.Fuzz(func(t *testing.T, selector byte, desc bool, key []byte) {
		oid := randomTypes[int(selector)%len(randomTypes)]
		o := KeyOrder{Desc: desc}
		d, rest, err := DecodeKey(key, oid, o)
		if err != nil {
			return
		}
		require.Equal(t, key[:len(key)-len(rest)], EncodeKey(nil, d, o), "one value, two keys: %s", d)
	})
}

func FuzzRow(f *testing.F) {
	f.Add(AppendRow(nil, []Datum{NewInt4(1), NewText("a"), Null}))
	f.Fuzz(func(t *testing.T, src []byte) {
		oids := []OID{Int4, Text, Numeric, Interval, TextArray, UUID, Timestamp, Float8}
		dst := make([]Datum, len(oids))
		n, err := DecodeRow(src, oids, dst)
		if err != nil {
			return
		}
		again := make([]Datum, len(oids))
		_, err = DecodeRow(AppendRow(nil, dst[:n]), oids, again)
		require.NoError(t, err)
		for i := range n {
			require.Zero(t, Compare(dst[i], again[i]))
		}
	})
}
