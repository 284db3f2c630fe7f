package builtin

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	hexcodec "encoding/hex"
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	bytea, i4, text := types.Bytea, types.Int4, types.Text
	register(
		fn("length", i4, evalOctets, bytea), fn("octet_length", i4, evalOctets, bytea),
		fn("bit_length", i4, evalBits, bytea),
		fn("md5", text, evalMD5, text), fn("md5", text, evalMD5, bytea),
		fn("sha224", bytea, digest(func(b []byte) []byte { d := sha256.Sum224(b); return d[:] }), bytea),
		fn("sha256", bytea, digest(func(b []byte) []byte { d := sha256.Sum256(b); return d[:] }), bytea),
		fn("sha384", bytea, digest(func(b []byte) []byte { d := sha512.Sum384(b); return d[:] }), bytea),
		fn("sha512", bytea, digest(func(b []byte) []byte { d := sha512.Sum512(b); return d[:] }), bytea),
		fn("encode", text, evalEncode, bytea, text),
		fn("decode", bytea, evalDecode, text, text),
		fn("convert_from", text, evalConvertFrom, bytea, types.Name).stable(),
		fn("convert_to", bytea, evalConvertTo, text, types.Name).stable(),
		fn("substr", bytea, evalByteaSubstr, bytea, i4),
		fn("substr", bytea, evalByteaSubstr, bytea, i4, i4),
		fn("substring", bytea, evalByteaSubstr, bytea, i4),
		fn("substring", bytea, evalByteaSubstr, bytea, i4, i4),
		fn("position", i4, evalByteaPosition, bytea, bytea),
		fn("get_byte", i4, evalGetByte, bytea, i4),
		fn("set_byte", bytea, evalSetByte, bytea, i4, i4),
		fn("gen_random_uuid", types.UUID, evalRandomUUID).volatile(),
	)
}

func evalMD5(_ *Context, a []Datum) (Datum, error) {
	sum := md5.Sum(a[0].Bytes())
	return types.NewText(hexcodec.EncodeToString(sum[:])), nil
}

func digest(sum func([]byte) []byte) Eval {
	return func(_ *Context, a []Datum) (Datum, error) {
		return types.NewBytes(types.Bytea, sum(a[0].Bytes())), nil
	}
}

// base64Line is how many characters encode() puts on a line.
const base64Line = 76

func evalEncode(_ *Context, a []Datum) (Datum, error) {
	switch format := strings.ToLower(a[1].Str()); format {
	case "hex":
		return types.NewText(hexcodec.EncodeToString(a[0].Bytes())), nil
	case "base64":
		text := base64.StdEncoding.EncodeToString(a[0].Bytes())
		var b strings.Builder
		for len(text) > base64Line {
			b.WriteString(text[:base64Line] + "\n")
			text = text[base64Line:]
		}
		return types.NewText(b.String() + text), nil
	case "escape":
		return types.NewBytes(types.Text, escapeBytes(a[0].Bytes())), nil
	}
	return types.Null, errEncodingName(a[1].Str())
}

func errEncodingName(name string) error {
	return types.Errorf(types.CodeInvalidParameter, "unrecognized encoding: \"%s\"", name)
}

// escapeBytes keeps what is ASCII, control characters too, which bytea's own escape form does not.
func escapeBytes(b []byte) []byte {
	var out []byte
	for _, c := range b {
		switch {
		case c == '\\':
			out = append(out, '\\', '\\')
		case c == 0 || c >= 0x80:
			out = append(out, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			out = append(out, c)
		}
	}
	return out
}

func evalDecode(_ *Context, a []Datum) (Datum, error) {
	s := a[0].Str()
	switch strings.ToLower(a[1].Str()) {
	case "hex":
		return types.ParseText(types.Of(types.Bytea), `\x`+s, nil)
	case "base64":
		return decodeBase64(s)
	case "escape":
		if strings.HasPrefix(s, `\x`) {
			return types.Null, types.Errorf(types.CodeInvalidText,
				"invalid input syntax for type bytea")
		}
		return types.ParseText(types.Of(types.Bytea), s, nil)
	}
	return types.Null, errEncodingName(a[1].Str())
}

func decodeBase64(s string) (Datum, error) {
	compact := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n\r", r) {
			return -1
		}
		return r
	}, s)
	out, err := base64.StdEncoding.DecodeString(compact)
	if err == nil {
		return types.NewBytes(types.Bytea, out), nil
	}
	for _, r := range compact {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r) {
			return types.Null, types.Errorf(types.CodeInvalidParameter,
				"invalid symbol \"%c\" found while decoding base64 sequence", r)
		}
	}
	return types.Null, types.Errorf(types.CodeInvalidParameter, "invalid base64 end sequence").
		WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.")
}

func checkEncoding(name string) error {
	switch strings.ToLower(name) {
	case "utf8", "utf-8", "unicode", "sql_ascii":
		return nil
	}
	return types.Errorf(types.CodeFeatureNotSupported, "conversion to or from %s is not supported",
		name)
}

func evalConvertFrom(_ *Context, a []Datum) (Datum, error) {
	if err := checkEncoding(a[1].Str()); err != nil {
		return types.Null, err
	}
	return types.ParseText(types.Of(types.Text), a[0].Str(), nil)
}

func evalConvertTo(_ *Context, a []Datum) (Datum, error) {
	if err := checkEncoding(a[1].Str()); err != nil {
		return types.Null, err
	}
	return types.NewString(types.Bytea, a[0].Str()), nil
}

func evalByteaSubstr(_ *Context, a []Datum) (Datum, error) {
	b, start, length := a[0].Bytes(), a[1].Int(), int64(wholeString)
	if len(a) > 2 {
		if length = a[2].Int(); length < 0 {
			return types.Null, errNegativeSubstring()
		}
	}
	size := int64(len(b)) + 1
	end := min(start+length, size)
	start = min(max(start, 1), size)
	return types.NewBytes(types.Bytea, b[start-1:max(end, start)-1]), nil
}

func evalByteaPosition(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt4(int32(strings.Index(a[0].Str(), a[1].Str())) + 1), nil
}

func checkIndex(b []byte, i int64) error {
	if i >= 0 && i < int64(len(b)) {
		return nil
	}
	return types.Errorf(types.CodeArraySubscript, "index %d out of valid range, 0..%d", i, len(b)-1)
}

func evalGetByte(_ *Context, a []Datum) (Datum, error) {
	b, i := a[0].Bytes(), a[1].Int()
	if err := checkIndex(b, i); err != nil {
		return types.Null, err
	}
	return types.NewInt4(int32(b[i])), nil
}

func evalSetByte(_ *Context, a []Datum) (Datum, error) {
	b, i := a[0].Bytes(), a[1].Int()
	if err := checkIndex(b, i); err != nil {
		return types.Null, err
	}
	out := append([]byte(nil), b...)
	out[i] = byte(a[2].Int())
	return types.NewBytes(types.Bytea, out), nil
}

func evalRandomUUID(*Context, []Datum) (Datum, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return types.Null, types.Errorf("XX000", "could not generate random values")
	}
	b[6] = b[6]&0x0f | 0x40 // version 4
	b[8] = b[8]&0x3f | 0x80 // variant of RFC 4122
	return types.NewString(types.UUID, string(b[:])), nil
}
