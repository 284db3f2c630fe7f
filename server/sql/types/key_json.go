package types

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// The rank of a part of a jsonb in its key. PostgreSQL orders documents by kind first, then arrays
// and objects by their number of parts, then part by part. An empty array that is the whole
// document is below every other; within a document it is an array like others.
const (
	keyJSONEmpty  = 0x01
	keyJSONNull   = 0x02
	keyJSONString = 0x03
	keyJSONNumber = 0x04
	keyJSONFalse  = 0x05
	keyJSONTrue   = 0x06
	keyJSONArray  = 0x07
	keyJSONObject = 0x08
)

// compareJSONB orders two documents as PostgreSQL does.
func compareJSONB(a, b string) int {
	if a == b {
		return 0
	}
	return strings.Compare(string(appendKeyJSONB(nil, a)), string(appendKeyJSONB(nil, b)))
}

// appendKeyJSONB writes the key of a document as jsonb holds it: keys sorted, and nothing but one
// space after each comma and colon.
func appendKeyJSONB(dst []byte, doc string) []byte {
	dst = append(dst, keyJSONB)
	if doc == "[]" {
		return append(dst, keyJSONEmpty)
	}
	dst, _ = appendKeyJSONPart(dst, doc)
	return dst
}

// appendKeyJSONPart writes the part that doc begins with and returns what follows it.
func appendKeyJSONPart(dst []byte, doc string) (_ []byte, rest string) {
	switch doc[0] {
	case 'n':
		return append(dst, keyJSONNull), doc[len("null"):]
	case 't':
		return append(dst, keyJSONTrue), doc[len("true"):]
	case 'f':
		return append(dst, keyJSONFalse), doc[len("false"):]
	case '"':
		text, rest := cutJSONString(doc)
		return appendKeyBytes(append(dst, keyJSONString), []byte(text)), rest
	case '[':
		return appendKeyJSONList(append(dst, keyJSONArray), doc, appendKeyJSONPart)
	case '{':
		return appendKeyJSONList(append(dst, keyJSONObject), doc, appendKeyJSONMember)
	}
	end := strings.IndexAny(doc, ",]}")
	if end < 0 {
		end = len(doc)
	}
	number, err := parseNumeric(doc[:end])
	if err != nil {
		panic("types: jsonb holds " + doc[:end]) // it was read as a numeric
	}
	return appendKeyNumeric(append(dst, keyJSONNumber), number), doc[end:]
}

// appendKeyJSONList writes the number of an array's or object's parts before the parts.
func appendKeyJSONList(
	dst []byte, doc string, part func([]byte, string) ([]byte, string),
) (_ []byte, rest string) {
	at, count := len(dst), uint32(0)
	dst = append(dst, 0, 0, 0, 0)
	doc = doc[1:]
	for doc[0] != ']' && doc[0] != '}' {
		dst, doc = part(dst, strings.TrimPrefix(doc, ", "))
		count++
	}
	binary.BigEndian.PutUint32(dst[at:], count)
	return dst, doc[1:]
}

func appendKeyJSONMember(dst []byte, doc string) (_ []byte, rest string) {
	key, doc := cutJSONString(doc)
	return appendKeyJSONPart(appendKeyBytes(dst, []byte(key)), doc[len(": "):])
}

// cutJSONString reads the string that a document begins with, of the escapes that AppendJSONString
// writes.
func cutJSONString(doc string) (text, rest string) {
	end := 1
	for doc[end] != '"' {
		if doc[end] == '\\' {
			end++
		}
		end++
	}
	raw, rest := doc[1:end], doc[end+1:]
	if strings.IndexByte(raw, '\\') < 0 {
		return raw, rest
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		if raw[i] == 'u' {
			v, _ := strconv.ParseUint(raw[i+1:i+5], 16, 8)
			out = append(out, byte(v))
			i += 4
			continue
		}
		if at := strings.IndexByte("nrtbf", raw[i]); at >= 0 {
			out = append(out, "\n\r\t\b\f"[at])
			continue
		}
		out = append(out, raw[i])
	}
	return string(out), rest
}

// decodeKeyJSONB reads a document back, of numbers that compare equal to those it had.
func decodeKeyJSONB(src []byte) (Datum, []byte, error) {
	if len(src) < 2 || src[0] != keyJSONB {
		return Null, nil, errKey(JSONB, "no document")
	}
	if src[1] == keyJSONEmpty {
		return NewString(JSONB, "[]"), src[2:], nil
	}
	doc, rest, err := decodeKeyJSONPart(nil, src[1:], 0)
	if err != nil {
		return Null, nil, err
	}
	// Keys out of order, or an empty array written as another, would be two keys of one document.
	d, err := parseJSON(JSONB, string(doc))
	if err != nil || d.Str() != string(doc) || d.Str() == "[]" {
		return Null, nil, errKey(JSONB, "a second form of one document")
	}
	return d, rest, nil
}

func decodeKeyJSONPart(doc, src []byte, depth int) (_, rest []byte, err error) {
	if len(src) == 0 || depth > maxJSONDepth {
		return nil, nil, errKey(JSONB, "document without end")
	}
	switch src[0] {
	case keyJSONNull:
		return append(doc, "null"...), src[1:], nil
	case keyJSONTrue:
		return append(doc, "true"...), src[1:], nil
	case keyJSONFalse:
		return append(doc, "false"...), src[1:], nil
	case keyJSONString:
		return decodeKeyJSONString(doc, src[1:])
	case keyJSONNumber:
		if len(src) < 2 {
			return nil, nil, errKey(JSONB, "missing number")
		}
		number, rest, err := decodeKeyNumeric(src[1:])
		if err != nil {
			return nil, nil, err
		}
		if number.Decimal(&apd.Decimal{}).Form != apd.Finite {
			return nil, nil, errKey(JSONB, "no number")
		}
		return appendNumeric(doc, number), rest, nil
	case keyJSONArray, keyJSONObject:
		return decodeKeyJSONList(doc, src, depth)
	}
	return nil, nil, errKey(JSONB, "unknown part")
}

func decodeKeyJSONString(doc, src []byte) (_, rest []byte, err error) {
	if len(src) == 0 {
		return nil, nil, errKey(JSONB, "missing string")
	}
	text, rest, err := decodeKeyBytes(src, Text)
	if err != nil {
		return nil, nil, err
	}
	if CheckText(text.Str()) != nil {
		return nil, nil, errKey(JSONB, "no text")
	}
	return AppendJSONString(doc, text.Str()), rest, nil
}

func decodeKeyJSONList(doc, src []byte, depth int) (_, rest []byte, err error) {
	if len(src) < 5 {
		return nil, nil, errKey(JSONB, "list without length")
	}
	isObject := src[0] == keyJSONObject
	count, rest := binary.BigEndian.Uint32(src[1:]), src[5:]
	brackets := "[]"
	if isObject {
		brackets = "{}"
	}
	doc = append(doc, brackets[0])
	for i := range count {
		if i > 0 {
			doc = append(doc, ", "...)
		}
		if isObject {
			if doc, rest, err = decodeKeyJSONString(doc, rest); err != nil {
				return nil, nil, err
			}
			doc = append(doc, ": "...)
		}
		if doc, rest, err = decodeKeyJSONPart(doc, rest, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return append(doc, brackets[1]), rest, nil
}
