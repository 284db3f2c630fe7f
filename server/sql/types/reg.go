package types

import (
	"strconv"
	"strings"
)

// parseReg reads regclass and its kin: a number, "-" for none, or a name.
func parseReg(oid OID, s string, env *Env) (Datum, error) {
	t := trimSpace(s)
	if t == "-" {
		return NewInt(oid, 0), nil
	}
	if t != "" && allDigits(t) {
		v, err := strconv.ParseUint(t, 10, 32)
		if err != nil {
			return Null, errRange("oid", s)
		}
		return NewInt(oid, int64(v)), nil
	}
	if oid == RegType {
		return parseRegType(t)
	}
	name := t
	if oid == RegProcedure {
		name, _, _ = strings.Cut(t, "(")
	}
	parts, err := SplitName(name)
	if err != nil {
		return Null, err
	}
	if found, ok := env.objectNamed(oid, parts); ok {
		return NewInt(oid, int64(found)), nil
	}
	if _, ok := env.objectNamed(RegNamespace, parts[:1]); oid == RegClass && len(parts) == 2 && !ok {
		return Null, errNoObject(RegNamespace, parts[:1])
	}
	return Null, errNoObject(oid, parts)
}

func (e *Env) objectNamed(kind OID, parts []string) (OID, bool) {
	if e == nil || e.Names == nil {
		return 0, false
	}
	return e.Names.OIDOf(kind, parts)
}

func errNoObject(kind OID, parts []string) *Error {
	name := strings.Join(parts, ".")
	switch kind {
	case RegClass:
		return Errorf(CodeUndefinedTable, "relation \"%s\" does not exist", name)
	case RegNamespace:
		return Errorf(CodeInvalidSchemaName, "schema \"%s\" does not exist", name)
	case RegRole:
		return Errorf(CodeUndefinedObject, "role \"%s\" does not exist", name)
	}
	return Errorf(CodeUndefinedFunction, "function \"%s\" does not exist", name)
}

func parseRegType(s string) (Datum, error) {
	t, ok := ParseTypeName(s)
	if !ok {
		return Null, Errorf(CodeUndefinedObject, "type \"%s\" does not exist", s)
	}
	return NewInt(RegType, int64(t.OID)), nil
}

// SplitName takes apart a possibly qualified identifier, unquoting and folding its parts.
func SplitName(s string) ([]string, error) {
	var parts []string
	rest := trimSpace(s)
	for {
		var part string
		if strings.HasPrefix(rest, `"`) {
			end := closingQuote(rest)
			if end < 0 {
				return nil, errName()
			}
			part = strings.ReplaceAll(rest[1:end], `""`, `"`)
			rest = rest[end+1:]
		} else {
			end := strings.IndexAny(rest, ". \t\n\"")
			if end < 0 {
				end = len(rest)
			}
			part = strings.ToLower(rest[:end])
			rest = rest[end:]
		}
		if part == "" {
			return nil, errName()
		}
		parts = append(parts, TruncateName(part))
		rest = strings.TrimLeft(rest, " \t\n")
		if rest == "" {
			return parts, nil
		}
		if rest[0] != '.' {
			return nil, errName()
		}
		rest = strings.TrimLeft(rest[1:], " \t\n")
	}
}

// closingQuote finds the end of the quoted identifier that s begins with.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 == len(s) || s[i+1] != '"' {
			return i
		}
		i++
	}
	return -1
}

func errName() *Error { return Errorf(CodeInvalidName, "invalid name syntax") }

// appendReg prints the object's name, its number when it has none.
func appendReg(dst []byte, d Datum, env *Env) []byte {
	if d.n == 0 {
		return append(dst, '-')
	}
	if d.typ == RegType && Lookup(OID(d.n)) != nil {
		return append(dst, FormatType(OID(d.n), NoMod)...)
	}
	if env != nil && env.Names != nil {
		if name, ok := env.Names.NameOf(d.typ, OID(d.n)); ok {
			return append(dst, name...)
		}
	}
	return strconv.AppendInt(dst, d.n, 10)
}

// parseVector reads int2vector and oidvector: numbers with blanks between them.
func parseVector(oid OID, s string) (Datum, error) {
	elem := ElemOf(oid)
	a := &Array{Elem: elem}
	for _, field := range strings.Fields(s) {
		d, err := parseText(elem, field, nil)
		if err != nil {
			return Null, err
		}
		a.Elems = append(a.Elems, d)
	}
	return newVector(oid, a), nil
}

// NewVector makes an int2vector or oidvector; unlike arrays they are subscripted from zero.
func NewVector(oid OID, elems []Datum) Datum {
	return newVector(oid, &Array{Elem: ElemOf(oid), Elems: elems})
}

func newVector(oid OID, a *Array) Datum {
	a.Dims = []Dim{{Len: int32(len(a.Elems))}} // an empty one too, unlike arrays
	return NewArrayDatum(oid, a)
}

func appendVector(dst []byte, a *Array) []byte {
	for i, e := range a.Elems {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, e.n, 10)
	}
	return dst
}
