package types

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

// T3: text, binary and row forms read back as the same value.
func TestRoundTrips(t *testing.T) {
	r := newRand(t)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, env := range []*Env{nil, {Location: berlin}, {ByteaEscape: true}} {
		for _, oid := range randomTypes {
			for range 1000 {
				d := randomDatum(r, oid)
				requireRoundTrip(t, d, env)
			}
		}
	}
}

func requireRoundTrip(t *testing.T, d Datum, env *Env) {
	t.Helper()
	binary := AppendBinary(nil, d)
	name := fmt.Sprintf("%s %s", FormatType(d.OID(), NoMod), d)
	fromBinary, err := ParseBinary(Of(d.OID()), binary)
	require.NoError(t, err, name)
	require.Equal(t, binary, AppendBinary(nil, fromBinary), name)

	value := AppendValue(nil, d)
	fromValue, rest, err := DecodeValue(append(bytes.Clone(value), 7), d.OID())
	require.NoError(t, err, name)
	require.Equal(t, []byte{7}, rest, name)
	require.Equal(t, binary, AppendBinary(nil, fromValue), name)
	skipped, ok := skipValue(append(bytes.Clone(value), 7), d.OID())
	require.True(t, ok, name)
	require.Equal(t, []byte{7}, skipped, name)

	if !textRoundTrips(d) {
		return
	}
	text := string(AppendText(nil, d, env))
	fromText, err := ParseText(Of(d.OID()), text, env)
	require.NoError(t, err, "%s: %q", name, text)
	require.Equal(t, binary, AppendBinary(nil, fromText), "%s: %q", name, text)
}

// textRoundTrips excludes a number above the known types, which prints as a number and reads as
// none.
func textRoundTrips(d Datum) bool {
	switch d.OID() {
	case RegType:
		return Lookup(OID(d.Int())) == nil
	case Char:
		return d.Int() != '\\' // prints as itself; only \ and three digits are read as an escape
	}
	return true
}

// TestAgainstPgx reads our text and binary forms with the codecs of pgx, and reads theirs back: the
// two implementations know nothing of each other.
func TestAgainstPgx(t *testing.T) {
	r := newRand(t)
	m := pgtype.NewMap()
	for _, oid := range randomTypes {
		if _, ok := m.TypeForOID(uint32(oid)); !ok {
			continue
		}
		for range 500 {
			d := randomDatum(r, oid)
			if skipPgx(d) {
				continue
			}
			requirePgx(t, m, d)
		}
	}
}

// skipPgx leaves out values that pgx does not represent: a bound beyond Go's years, an array of
// shapes its generic type has no room for.
func skipPgx(d Datum) bool {
	switch d.OID() {
	case Timestamp, TimestampTZ, Date:
		_, infinite := IsInfinite(d)
		year := 0
		if !infinite {
			v := d.Int()
			if d.OID() != Date {
				v, _ = SplitTimestamp(v)
			}
			year = CivilOf(v).Year
		}
		return infinite || year < 1 || year > 9999
	case Char, Name, RegType, Xid8, PgLSN, TextArray, Int4Array, NumericArray:
		return true
	}
	return false
}

func requirePgx(t *testing.T, m *pgtype.Map, d Datum) {
	t.Helper()
	oid := uint32(d.OID())
	pgxType, _ := m.TypeForOID(oid)
	name := fmt.Sprintf("%s %s", FormatType(d.OID(), NoMod), d)
	text := AppendText(nil, d, nil)
	binary := AppendBinary(nil, d)

	fromText, err := pgxType.Codec.DecodeValue(m, oid, pgtype.TextFormatCode, text)
	require.NoError(t, err, name)
	fromBinary, err := pgxType.Codec.DecodeValue(m, oid, pgtype.BinaryFormatCode, binary)
	require.NoError(t, err, name)
	again, err := m.Encode(oid, pgtype.BinaryFormatCode, fromBinary, nil)
	require.NoError(t, err, name)
	got, err := ParseBinary(Of(d.OID()), again)
	require.NoError(t, err, name)
	require.Zero(t, Compare(d, got), "%s came back from pgx as %s [%s]", name, got,
		hex.EncodeToString(again))
	textAgain, err := m.Encode(oid, pgtype.TextFormatCode, fromText, nil)
	require.NoError(t, err, name)
	got, err = ParseText(Of(d.OID()), string(textAgain), nil)
	require.NoError(t, err, "%s: %s", name, textAgain)
	require.Zero(t, Compare(d, got), "%s came back from pgx as %s [%s]", name, got, textAgain)
}

// TestArraysAgainstPgx covers the shapes that drivers send.
func TestArraysAgainstPgx(t *testing.T) {
	m := pgtype.NewMap()
	for _, want := range [][]string{{}, {"a"}, {"a", "", "NULL", `q"\`, "x y"}} {
		for _, format := range []int16{pgtype.TextFormatCode, pgtype.BinaryFormatCode} {
			encoded, err := m.Encode(uint32(TextArray), format, want, nil)
			require.NoError(t, err)
			d, err := parseAny(TextArray, format, encoded)
			require.NoError(t, err)
			out := AppendBinary(nil, d)
			if format == pgtype.TextFormatCode {
				out = AppendText(nil, d, nil)
			}
			var got []string
			require.NoError(t, m.Scan(uint32(TextArray), format, out, &got))
			require.Equal(t, want, got)
		}
	}
	encoded, err := m.Encode(uint32(Int4Array), pgtype.BinaryFormatCode, []int32{1, -2, 3}, nil)
	require.NoError(t, err)
	d, err := ParseBinary(Of(Int4Array), encoded)
	require.NoError(t, err)
	require.Equal(t, "{1,-2,3}", d.String())
	require.Equal(t, encoded, AppendBinary(nil, d))
}

func parseAny(oid OID, format int16, b []byte) (Datum, error) {
	if format == pgtype.BinaryFormatCode {
		return ParseBinary(Of(oid), b)
	}
	return ParseText(Of(oid), string(b), nil)
}
