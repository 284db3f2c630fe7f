package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRowRoundTrip(t *testing.T) {
	r := newRand(t)
	for range 2000 {
		n := r.IntN(20)
		oids, row := make([]OID, n), make([]Datum, n)
		want := make([]bool, n)
		for i := range row {
			oids[i] = randomTypes[r.IntN(len(randomTypes))]
			row[i] = randomOrNull(r, oids[i])
			want[i] = r.IntN(2) == 0
		}
		src := AppendRow(nil, row)
		got := make([]Datum, n)
		count, err := DecodeRow(src, oids, got)
		require.NoError(t, err)
		require.Equal(t, n, count)
		some := make([]Datum, n)
		_, err = DecodeColumns(src, oids, want, some)
		require.NoError(t, err)
		for i := range row {
			require.Zero(t, Compare(row[i], got[i]), "%s as %s", row[i], got[i])
			if want[i] {
				require.Zero(t, Compare(row[i], some[i]))
			} else {
				require.True(t, some[i].IsNull())
			}
		}
	}
}

// A row written before a column was added leaves that column's default alone.
func TestRowOfFewerColumns(t *testing.T) {
	src := AppendRow(nil, []Datum{NewInt4(1), Null})
	dst := []Datum{Null, NewText("x"), NewText("default")}
	n, err := DecodeRow(src, []OID{Int4, Text, Text}, dst)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, "1", dst[0].String())
	require.True(t, dst[1].IsNull())
	require.Equal(t, "default", dst[2].String())
}

func TestRowDamage(t *testing.T) {
	src := AppendRow(nil, []Datum{NewInt4(1), NewText("abc"), randomNumeric(newRand(t))})
	oids := []OID{Int4, Text, Numeric}
	for end := range len(src) {
		_, err := DecodeRow(src[:end], oids, make([]Datum, 3))
		require.Error(t, err, "cut at %d of %d", end, len(src))
	}
	_, err := DecodeRow(src, oids[:2], make([]Datum, 2))
	require.Error(t, err, "a row of more columns than the table has")
}

func TestCloneOwnsItsMemory(t *testing.T) {
	buf := []byte("abc")
	d := NewBytes(Text, buf)
	kept := d.Clone()
	array := NewArray(Text, []Datum{d}).Clone()
	copy(buf, "xyz")
	require.Equal(t, "xyz", d.Str())
	require.Equal(t, "abc", kept.Str())
	require.Equal(t, "{abc}", array.String())
}
