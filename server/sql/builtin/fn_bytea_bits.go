package builtin

import (
	"bytes"
	"math/bits"

	"ackdb/server/sql/types"
)

func init() {
	bytea, i4, i8 := types.Bytea, types.Int4, types.Int8
	register(
		fn("btrim", bytea, byteaTrim(true, true), bytea, bytea),
		fn("ltrim", bytea, byteaTrim(true, false), bytea, bytea),
		fn("rtrim", bytea, byteaTrim(false, true), bytea, bytea),
		fn("overlay", bytea, evalByteaOverlay, bytea, bytea, i4),
		fn("overlay", bytea, evalByteaOverlay, bytea, bytea, i4, i4),
		fn("get_bit", i4, evalGetBit, bytea, i8),
		fn("set_bit", bytea, evalSetBit, bytea, i8, i4),
		fn("bit_count", i8, evalBitCount, bytea),
	)
}

func byteaTrim(left, right bool) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		b, set := a[0].Bytes(), a[1].Bytes()
		for left && len(b) > 0 && bytes.IndexByte(set, b[0]) >= 0 {
			b = b[1:]
		}
		for right && len(b) > 0 && bytes.IndexByte(set, b[len(b)-1]) >= 0 {
			b = b[:len(b)-1]
		}
		return types.NewBytes(types.Bytea, b), nil
	}
}

func evalByteaOverlay(_ *Context, a []Datum) (Datum, error) {
	b, insert, start := a[0].Bytes(), a[1].Bytes(), a[2].Int()
	length := int64(len(insert))
	if len(a) > 3 {
		length = a[3].Int()
	}
	if start <= 0 {
		return types.Null, errNegativeSubstring()
	}
	size := int64(len(b))
	out := append([]byte(nil), b[:min(start-1, size)]...)
	out = append(out, insert...)
	rest := min(max(start-1+length, 0), size)
	return types.NewBytes(types.Bytea, append(out, b[rest:]...)), nil
}

func checkBit(b []byte, i int64) error {
	if i < 0 || i >= int64(len(b))*8 {
		return types.Errorf(types.CodeArraySubscript, "index %d out of valid range, 0..%d", i,
			int64(len(b))*8-1)
	}
	return nil
}

func evalGetBit(_ *Context, a []Datum) (Datum, error) {
	b, i := a[0].Bytes(), a[1].Int()
	if err := checkBit(b, i); err != nil {
		return types.Null, err
	}
	return types.NewInt4(int32(b[i/8] >> (i % 8) & 1)), nil
}

func evalSetBit(_ *Context, a []Datum) (Datum, error) {
	b, i, bit := a[0].Bytes(), a[1].Int(), a[2].Int()
	if err := checkBit(b, i); err != nil {
		return types.Null, err
	}
	if bit != 0 && bit != 1 {
		return types.Null, types.Errorf(types.CodeInvalidParameter, "new bit must be 0 or 1")
	}
	out := bytes.Clone(b)
	out[i/8] = out[i/8]&^(1<<(i%8)) | byte(bit)<<(i%8)
	return types.NewBytes(types.Bytea, out), nil
}

func evalBitCount(_ *Context, a []Datum) (Datum, error) {
	n := 0
	for _, c := range a[0].Bytes() {
		n += bits.OnesCount8(c)
	}
	return types.NewInt8(int64(n)), nil
}
