package types

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// jsonbVersion is the first byte of jsonb's binary form.
const jsonbVersion = 1

// zeroEscape is the one escape that no text can hold (T4).
const zeroEscape = `\u0000`

// json keeps its text; jsonb is held as the text PostgreSQL prints for it, keys sorted and the last
// of equal keys kept, so that equal documents of equal numbers are equal bytes.

func parseJSON(oid OID, s string) (Datum, error) {
	if err := CheckText(s); err != nil {
		return Null, err
	}
	if !json.Valid([]byte(s)) {
		return Null, errJSON(s)
	}
	if oid == JSON {
		return NewString(JSON, s), nil
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return Null, errJSON(s)
	}
	out, err := appendJSONB(nil, v)
	if err != nil {
		var e *Error
		if at := strings.Index(s, zeroEscape); at >= 0 && errors.As(err, &e) {
			e.Context = jsonContext(s, at, zeroEscape)
		}
		return Null, err
	}
	return NewBytes(JSONB, out), nil
}

func parseJSONBinary(oid OID, b []byte) (Datum, error) {
	if oid == JSONB {
		if len(b) == 0 {
			return Null, errBinaryLength(oid, 0, 1)
		}
		if b[0] != jsonbVersion {
			return Null, Errorf("XX000", "unsupported jsonb version number %d", b[0])
		}
		b = b[1:]
	}
	return parseJSON(oid, NewBytes(Text, b).Str())
}

func appendJSONB(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		if v {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	case json.Number:
		d, err := parseNumeric(v.String())
		if err != nil {
			return nil, err
		}
		return appendNumeric(dst, d), nil
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return nil, Errorf(CodeUntranslatable, "unsupported Unicode escape sequence").
				WithDetail("\\u0000 cannot be converted to text.")
		}
		return AppendJSONString(dst, v), nil
	case []any:
		return appendJSONBArray(dst, v)
	}
	return appendJSONBObject(dst, v.(map[string]any))
}

func appendJSONBArray(dst []byte, elems []any) ([]byte, error) {
	var err error
	dst = append(dst, '[')
	for i, e := range elems {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if dst, err = appendJSONB(dst, e); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// appendJSONBObject orders keys by length, then by bytes, as jsonb keeps them.
func appendJSONBObject(dst []byte, object map[string]any) ([]byte, error) {
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var err error
		if dst, err = appendJSONB(dst, k); err != nil {
			return nil, err
		}
		dst = append(dst, ": "...)
		if dst, err = appendJSONB(dst, object[k]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// AppendJSONString appends s as a JSON string, escaping what PostgreSQL escapes and nothing more.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			if c < ' ' {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
				continue
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
