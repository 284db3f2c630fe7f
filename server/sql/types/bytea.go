package types

import (
	"encoding/hex"
	"strings"
)

// parseBytea reads both forms: \x and hexadecimal pairs, which may have blanks between them, and
// the older escape form.
func parseBytea(s string) (Datum, error) {
	if strings.HasPrefix(s, `\x`) {
		return parseByteaHex(s[2:])
	}
	if strings.IndexByte(s, '\\') < 0 {
		return NewString(Bytea, s), nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		rest := s[i+1:]
		switch {
		case strings.HasPrefix(rest, `\`):
			out = append(out, '\\')
			i++
		case len(rest) >= 3 && rest[0] <= '3' && isOctal(rest[0], rest[1], rest[2]):
			out = append(out, (rest[0]-'0')<<6|(rest[1]-'0')<<3|(rest[2]-'0'))
			i += 3
		default:
			return Null, Errorf(CodeInvalidText, "invalid input syntax for type bytea")
		}
	}
	return NewBytes(Bytea, out), nil
}

func parseByteaHex(s string) (Datum, error) {
	out := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); {
		if isSpace(s[i]) {
			i++
			continue
		}
		high, ok := hexValue(s[i])
		if !ok {
			return Null, errHexDigit(s[i:])
		}
		i++
		if i == len(s) {
			return Null, Errorf(CodeInvalidParameter,
				"invalid hexadecimal data: odd number of digits")
		}
		low, ok := hexValue(s[i])
		if !ok {
			return Null, errHexDigit(s[i:])
		}
		i++
		out = append(out, high<<4|low)
	}
	return NewBytes(Bytea, out), nil
}

func errHexDigit(s string) *Error {
	return Errorf(CodeInvalidParameter, "invalid hexadecimal digit: \"%s\"", firstChar(s))
}

// firstChar is the first character of s, whole.
func firstChar(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}

func appendBytea(dst, s []byte, env *Env) []byte {
	if env != nil && env.ByteaEscape {
		return appendByteaEscape(dst, s)
	}
	dst = append(dst, '\\', 'x')
	return hex.AppendEncode(dst, s)
}

func appendByteaEscape(dst, s []byte) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			dst = append(dst, '\\', '\\')
		case c < 0x20 || c > 0x7e:
			dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// parseUUID reads 32 hexadecimal digits, in braces or not, with hyphens after any four.
func parseUUID(s string) (Datum, error) {
	var out [16]byte
	t, braces := s, strings.HasPrefix(s, "{")
	if braces {
		t = t[1:]
	}
	for i := range out {
		if len(t) < 2 {
			return Null, errSyntax("uuid", s)
		}
		high, okHigh := hexValue(t[0])
		low, okLow := hexValue(t[1])
		if !okHigh || !okLow {
			return Null, errSyntax("uuid", s)
		}
		out[i] = high<<4 | low
		t = t[2:]
		if i%2 == 1 && i < len(out)-1 {
			t = strings.TrimPrefix(t, "-")
		}
	}
	if braces && t != "}" || !braces && t != "" {
		return Null, errSyntax("uuid", s)
	}
	return NewString(UUID, string(out[:])), nil
}

func appendUUID(dst []byte, s string) []byte {
	for i := range len(s) {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[s[i]>>4], hexDigits[s[i]&15])
	}
	return dst
}
