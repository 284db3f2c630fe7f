package types

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseText reads the text form of a value of type t, as PostgreSQL's input functions do, and
// applies t's modifier as an insertion would. Values held as bytes alias s (T1).
func ParseText(t Type, s string, env *Env) (Datum, error) {
	d, err := parseText(t.OID, s, env)
	if err != nil || t.Mod == NoMod {
		return d, err
	}
	return ApplyMod(d, t, false)
}

func parseText(oid OID, s string, env *Env) (Datum, error) {
	switch oid {
	case Int4, Int8, Int2:
		return parseInt(oid, s)
	case Text, VarChar, BPChar, Unknown, CString:
		return parseString(oid, s)
	case Name:
		return parseName(s)
	case Bool:
		return parseBool(s)
	case Bytea:
		return parseBytea(s)
	case Char:
		return parseChar(s)
	case Oid, Xid, Cid, Xid8:
		return parseUnsigned(oid, s)
	case Float4, Float8:
		return parseFloat(oid, s)
	case Numeric:
		return parseNumeric(s)
	case Date, Timestamp, TimestampTZ, Time:
		return parseDateTime(oid, s, env)
	case Interval:
		return parseInterval(s)
	case UUID:
		return parseUUID(s)
	case PgLSN:
		return parseLSN(s)
	case JSON, JSONB:
		return parseJSON(oid, s)
	case Inet:
		return parseInet(s)
	case RegClass, RegType, RegProc, RegProcedure, RegNamespace, RegRole:
		return parseReg(oid, s, env)
	case Int2Vector, OidVector:
		return parseVector(oid, s)
	case Void:
		return NewString(Void, ""), nil
	}
	if reprFor(oid) == reprArray {
		return parseArray(oid, s, env)
	}
	return Null, errNoInput(oid)
}

func errNoInput(oid OID) *Error {
	name := FormatType(oid, NoMod)
	if info := Lookup(oid); info != nil && info.Pseudo {
		return Errorf(CodeFeatureNotSupported, "cannot accept a value of type %s", name)
	}
	return Errorf(CodeFeatureNotSupported, "input of type %s is not supported", name)
}

// AppendText appends the text form of a value, as PostgreSQL's output functions do. NULL appends
// nothing: what stands for it is the caller's to write.
func AppendText(dst []byte, d Datum, env *Env) []byte {
	switch d.typ {
	case 0:
		return dst
	case Int4, Int8, Int2:
		return strconv.AppendInt(dst, d.n, 10)
	case Oid, Xid, Cid, Xid8:
		return strconv.AppendUint(dst, uint64(d.n), 10)
	case Text, VarChar, BPChar, Unknown, CString, Name, JSON, JSONB, Inet, AclItem, PgNodeTree:
		return append(dst, d.Bytes()...)
	case Bool:
		if d.n != 0 {
			return append(dst, 't')
		}
		return append(dst, 'f')
	case Bytea:
		return appendBytea(dst, d.Bytes(), env)
	case Char:
		return appendChar(dst, byte(d.n))
	case Float4, Float8:
		return appendFloat(dst, d, env)
	case Numeric:
		return appendNumeric(dst, d)
	case Date, Timestamp, TimestampTZ, Time:
		return appendDateTime(dst, d, env)
	case Interval:
		return appendInterval(dst, d.Span())
	case UUID:
		return appendUUID(dst, d.Str())
	case PgLSN:
		return appendLSN(dst, uint64(d.n))
	case RegClass, RegType, RegProc, RegProcedure, RegNamespace, RegRole:
		return appendReg(dst, d, env)
	case Int2Vector, OidVector:
		return appendVector(dst, d.Array())
	case Record:
		return appendRecord(dst, d.Row(), env)
	}
	if reprFor(d.typ) == reprArray {
		return appendArray(dst, d.Array(), env)
	}
	return dst
}

// parseString checks what every text must hold (T4).
func parseString(oid OID, s string) (Datum, error) {
	if err := CheckText(s); err != nil {
		return Null, err
	}
	return NewString(oid, s), nil
}

// CheckText reports the first byte sequence of s that no text may hold (T4).
func CheckText(s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return errEncoding("0x00")
	}
	if utf8.ValidString(s) {
		return nil
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			return errEncoding(hexSequence(s[i:]))
		}
		i += size
	}
	return nil
}

func errEncoding(sequence string) *Error {
	return Errorf(CodeCharacterNotInRepertoire,
		"invalid byte sequence for encoding \"UTF8\": %s", sequence)
}

// hexSequence shows as many bytes as the first one announces, as PostgreSQL reports them.
func hexSequence(s string) string {
	n := 1
	switch b := s[0]; {
	case b&0xe0 == 0xc0:
		n = 2
	case b&0xf0 == 0xe0:
		n = 3
	case b&0xf8 == 0xf0:
		n = 4
	}
	n = min(n, len(s))
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("0x")
		b.WriteString(hexByte(s[i]))
	}
	return b.String()
}

func hexByte(b byte) string { return string([]byte{hexDigits[b>>4], hexDigits[b&15]}) }

const hexDigits = "0123456789abcdef"

// NameLen is the most bytes of an identifier; longer ones are cut, as PostgreSQL does.
const NameLen = 63

func parseName(s string) (Datum, error) {
	if err := CheckText(s); err != nil {
		return Null, err
	}
	return NewString(Name, TruncateName(s)), nil
}

// TruncateName cuts an identifier to NameLen bytes at a character's edge.
func TruncateName(s string) string {
	if len(s) <= NameLen {
		return s
	}
	end := NameLen
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func parseBool(s string) (Datum, error) {
	v, ok := matchBool(strings.ToLower(trimSpace(s)))
	if !ok {
		return Null, errSyntax("boolean", s)
	}
	return NewBool(v), nil
}

// matchBool takes any unique prefix of the spellings PostgreSQL knows.
func matchBool(s string) (value, ok bool) {
	if s == "" {
		return false, false
	}
	switch {
	case strings.HasPrefix("true", s), strings.HasPrefix("yes", s), s == "on", s == "1":
		return true, true
	case strings.HasPrefix("false", s), strings.HasPrefix("no", s), s == "0":
		return false, true
	case s == "of", s == "off":
		return false, true
	}
	return false, false
}

// trimSpace cuts what C's isspace accepts, on both sides.
func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isSpace(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// parseChar reads "char": one byte, of a longer text the first, or a backslash and three octal
// digits.
func parseChar(s string) (Datum, error) {
	switch {
	case s == "":
		return NewInt(Char, 0), nil
	case len(s) == 4 && s[0] == '\\' && isOctal(s[1], s[2], s[3]):
		v := (s[1]-'0')<<6 | (s[2]-'0')<<3 | (s[3] - '0')
		return NewInt(Char, int64(v)), nil
	}
	return NewInt(Char, int64(s[0])), nil
}

func isOctal(bs ...byte) bool {
	for _, b := range bs {
		if b < '0' || b > '7' {
			return false
		}
	}
	return true
}

func appendChar(dst []byte, b byte) []byte {
	switch {
	case b == 0:
		return dst
	case b >= 0x80:
		return append(dst, '\\', '0'+b>>6, '0'+b>>3&7, '0'+b&7)
	}
	return append(dst, b)
}
