package types

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

var keyOrders = []KeyOrder{{}, {Desc: true, NullsFirst: true}, {NullsFirst: true}, {Desc: true}}

// wantOrder is how two values lie in an index of the given order.
func wantOrder(a, b Datum, o KeyOrder) int {
	if a.IsNull() || b.IsNull() {
		c := cmp.Compare(boolInt(a.IsNull()), boolInt(b.IsNull()))
		if o.NullsFirst {
			return -c
		}
		return c
	}
	if o.Desc {
		return -Compare(a, b)
	}
	return Compare(a, b)
}

func boolInt(v bool) int {
	if v {
		return 1
	}
	return 0
}

func randomOrNull(r *rand.Rand, oid OID) Datum {
	if r.IntN(10) == 0 {
		return Null
	}
	return randomDatum(r, oid)
}

// T2: bytes order as values do, alone and as parts of longer keys.
func TestKeyOrderIsCompare(t *testing.T) {
	r := newRand(t)
	for _, oid := range randomTypes {
		for range 3000 {
			o := keyOrders[r.IntN(len(keyOrders))]
			a, b := randomOrNull(r, oid), randomOrNull(r, oid)
			ka, kb := EncodeKey(nil, a, o), EncodeKey(nil, b, o)
			require.Equal(t, wantOrder(a, b, o), bytes.Compare(ka, kb),
				"%s %+v: %s [%x] against %s [%x]", FormatType(oid, NoMod), o, a, ka, b, kb)
		}
	}
}

// The first column decides, and only equal first columns leave it to the second: no encoding is a
// prefix of another.
func TestCompositeKeyOrder(t *testing.T) {
	r := newRand(t)
	for range 20000 {
		types := [2]OID{randomTypes[r.IntN(len(randomTypes))], randomTypes[r.IntN(len(randomTypes))]}
		orders := [2]KeyOrder{keyOrders[r.IntN(4)], keyOrders[r.IntN(4)]}
		var key [2][]byte
		var rows [2][2]Datum
		for i := range rows {
			for j, oid := range types {
				rows[i][j] = randomOrNull(r, oid)
				key[i] = EncodeKey(key[i], rows[i][j], orders[j])
			}
		}
		want := wantOrder(rows[0][0], rows[1][0], orders[0])
		if want == 0 {
			want = wantOrder(rows[0][1], rows[1][1], orders[1])
		}
		require.Equal(t, want, bytes.Compare(key[0], key[1]), "%v against %v, %x against %x",
			rows[0], rows[1], key[0], key[1])
	}
}

// T3: keys read back; where the encoding is lossless the very value, else an equal one.
func TestKeyRoundTrip(t *testing.T) {
	r := newRand(t)
	for _, oid := range randomTypes {
		for range 2000 {
			o := keyOrders[r.IntN(len(keyOrders))]
			d := randomOrNull(r, oid)
			key := EncodeKey(nil, d, o)
			got, rest, err := DecodeKey(append(bytes.Clone(key), "rest"...), oid, o)
			require.NoError(t, err, "%s [%x]", d, key)
			require.Equal(t, "rest", string(rest))
			require.Zero(t, Compare(d, got), "%s read back as %s", d, got)
			require.Equal(t, key, EncodeKey(nil, got, o))
			if KeyLossless(oid) {
				require.Equal(t, d.String(), got.String())
				require.Equal(t, d.OID(), got.OID())
			}
		}
	}
}

// Integers of all widths, dates and times share one encoding.
func TestIntegerKeysMixWidths(t *testing.T) {
	r := newRand(t)
	widths := []OID{Int2, Int4, Int8}
	for range 5000 {
		a, b := randomDatum(r, widths[r.IntN(3)]), randomDatum(r, widths[r.IntN(3)])
		require.Equal(t, Compare(a, b),
			bytes.Compare(EncodeKey(nil, a, KeyOrder{}), EncodeKey(nil, b, KeyOrder{})))
	}
}

// A negative control: the same keys without their inversion are not in descending order, so the
// property test would notice.
func TestKeyOrderTestCanFail(t *testing.T) {
	a := EncodeKey(nil, NewInt4(1), KeyOrder{})
	b := EncodeKey(nil, NewInt4(2), KeyOrder{})
	require.NotEqual(t, wantOrder(NewInt4(1), NewInt4(2), KeyOrder{Desc: true}), bytes.Compare(a, b))
}

// Golden bytes: an encoding that changes would silently reorder every table on disk.
func TestKeyBytes(t *testing.T) {
	numeric := func(s string) Datum {
		d, err := parseNumeric(s)
		require.NoError(t, err)
		return d
	}
	for _, c := range []struct {
		d    Datum
		o    KeyOrder
		want string
	}{
		{Null, KeyOrder{}, "ff"},
		{Null, KeyOrder{NullsFirst: true}, "00"},
		{NewInt4(0), KeyOrder{}, "80"},
		{NewInt4(1), KeyOrder{}, "8101"},
		{NewInt4(-1), KeyOrder{}, "7f"},
		{NewInt4(-2), KeyOrder{}, "7efe"},
		{NewInt8(256), KeyOrder{}, "820100"},
		{NewInt8(256), KeyOrder{Desc: true}, "7dfeff"},
		{NewBool(true), KeyOrder{}, "8101"},
		{NewText(""), KeyOrder{}, "020001"},
		{NewText("ab"), KeyOrder{}, "0261620001"},
		{NewText("ab"), KeyOrder{Desc: true}, "fd9e9dfffe"},
		{NewString(BPChar, "ab  "), KeyOrder{}, "0261620001"},
		{NewString(Bytea, "a\x00b"), KeyOrder{}, "026100ff620001"},
		{NewFloat8(1), KeyOrder{}, "0fbff0000000000000"},
		{NewFloat8(-1), KeyOrder{}, "0f400fffffffffffff"},
		{numeric("0.00"), KeyOrder{}, "05"},
		{numeric("12.30"), KeyOrder{}, "0681020d1f00"},
		{numeric("-12.3"), KeyOrder{}, "047efdf2e0ff"},
		{numeric("NaN"), KeyOrder{}, "08"},
		{NewSpan(Span{Days: 1}), KeyOrder{}, "108000000000000000000000141dd76000"},
		{NewArray(Int4, []Datum{NewInt4(1), Null}), KeyOrder{}, "8101fe010181028101"},
	} {
		require.Equal(t, c.want, hex.EncodeToString(EncodeKey(nil, c.d, c.o)), "%s %+v", c.d, c.o)
	}
}

// What a prefix bounds is exactly the texts that begin with it.
func TestKeyPrefixBounds(t *testing.T) {
	r := newRand(t)
	for _, o := range keyOrders {
		for range 3000 {
			prefix, s := randomText(r), randomText(r)
			if r.IntN(2) == 0 {
				s = prefix + s
			}
			low := EncodeKeyPrefix(nil, prefix, o)
			high := KeyPrefixEnd(low)
			key := EncodeKey(nil, NewText(s), o)
			inside := bytes.Compare(key, low) >= 0 && (high == nil || bytes.Compare(key, high) < 0)
			require.Equal(t, len(s) >= len(prefix) && s[:len(prefix)] == prefix, inside,
				"%q %q %+v", prefix, s, o)
		}
	}
	require.Nil(t, KeyPrefixEnd([]byte{0xff, 0xff}))
	require.Equal(t, []byte{2}, KeyPrefixEnd([]byte{1, 0xff}))
}

func TestLikePrefix(t *testing.T) {
	for _, c := range []struct {
		pattern, prefix string
		exact, whole    bool
	}{
		{"abc", "abc", true, false},
		{"abc%", "abc", false, true},
		{"abc%d", "abc", false, false},
		{"ab_c%", "ab", false, false},
		{`a\%b%`, "a%b", false, true},
		{"%", "", false, true},
		{"", "", true, false},
		{`abc\`, "abc", false, false},
	} {
		prefix, exact, whole := LikePrefix(c.pattern)
		require.Equal(t, c.prefix, prefix, c.pattern)
		require.Equal(t, c.exact, exact, c.pattern)
		require.Equal(t, c.whole, whole, c.pattern)
	}
}

func TestKeyableTypes(t *testing.T) {
	require.False(t, Keyable(JSON))
	require.False(t, Keyable(Any))
	for _, oid := range randomTypes {
		require.True(t, Keyable(oid), FormatType(oid, NoMod))
	}
}
