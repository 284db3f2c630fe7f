package types

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// hotPath is what a point read or write by key does with each value; none of it may allocate.
var hotPath = []struct {
	name string
	step func(buf []byte) []byte
}{
	{"int4/text", func(buf []byte) []byte {
		d, _ := ParseText(Of(Int4), "123456", nil)
		return AppendText(buf, d, nil)
	}},
	{"int4/binary", func(buf []byte) []byte {
		d, _ := ParseBinary(Of(Int4), benchInt)
		return AppendBinary(buf, d)
	}},
	{"text/text", func(buf []byte) []byte {
		d, _ := ParseText(Of(Text), "some text", nil)
		return AppendText(buf, d, nil)
	}},
	{"text/binary", func(buf []byte) []byte {
		d, _ := ParseBinary(Of(Text), benchText)
		return AppendBinary(buf, d)
	}},
	{"int8/key", func(buf []byte) []byte { return EncodeKey(buf, NewInt8(123456), KeyOrder{}) }},
	{"text/key", func(buf []byte) []byte { return EncodeKey(buf, NewText("user:1234"), KeyOrder{}) }},
	{"text/key decode", func(buf []byte) []byte {
		d, _, _ := DecodeKey(benchKey, Text, KeyOrder{})
		return AppendText(buf, d, nil)
	}},
	{"row/decode", func(buf []byte) []byte {
		var dst [3]Datum
		_, _ = DecodeRow(benchRow, benchOIDs, dst[:])
		return AppendText(buf, dst[1], nil)
	}},
	{"numeric/add", func(buf []byte) []byte {
		d, _ := NumericArith(NumericAdd, newSmallNumeric(150, 2), newSmallNumeric(25, 2))
		return AppendRow(buf, nil)[:len(buf)+int(d.n&1)]
	}},
}

var (
	benchInt  = AppendBinary(nil, NewInt4(123456))
	benchText = []byte("some text")
	benchKey  = EncodeKey(nil, NewText("user:1234"), KeyOrder{})
	benchOIDs = []OID{Int4, Text, Timestamp}
	benchRow  = AppendRow(nil, []Datum{NewInt4(7), NewText("value"), NewInt(Timestamp, 1<<50)})
)

func TestHotPathDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 256)
	for _, c := range hotPath {
		allocs := testing.AllocsPerRun(100, func() { buf = c.step(buf[:0]) })
		require.Zero(t, allocs, c.name)
	}
}

func BenchmarkHotPath(b *testing.B) {
	buf := make([]byte, 0, 256)
	for _, c := range hotPath {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = c.step(buf[:0])
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	pairs := map[string][2]Datum{
		"int4":    {NewInt4(1), NewInt4(2)},
		"text":    {NewText("user:1234"), NewText("user:1235")},
		"numeric": {newSmallNumeric(150, 2), newSmallNumeric(15, 1)},
	}
	for name, pair := range pairs {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Compare(pair[0], pair[1])
			}
		})
	}
}
