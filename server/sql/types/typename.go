package types

import (
	"fmt"
	"strconv"
	"strings"
)

// modHeader is what PostgreSQL adds to a length to make it a modifier.
const modHeader = 4

// Bounds of modifiers, PostgreSQL's.
const (
	maxCharLen          = 10485760
	maxNumericPrecision = 1000
	maxTimeDigits       = 6
)

// sqlNames are the spellings of types beyond pg_type's own names and SQLName.
var sqlNames = map[string]OID{
	"int": Int4, "dec": Numeric, "decimal": Numeric, "float": Float8,
	"character": BPChar, "char": BPChar, "nchar": BPChar, "national character": BPChar,
	"char varying": VarChar, "national character varying": VarChar,
	"serial": Int4, "serial4": Int4, "bigserial": Int8, "serial8": Int8, "smallserial": Int2,
	"serial2": Int2, "timestamp": Timestamp, "timestamp with time zone": TimestampTZ,
	"time": Time,
}

// LookupTypeName finds a type by any spelling of its name: internal, SQL, or alias; a trailing []
// names its array. It knows no modifiers. As in SQL, char is the padded type and "char", with the
// quotes, the single byte; LookupName goes by pg_type's names alone.
func LookupTypeName(name string) (*Info, bool) {
	if elem, ok := strings.CutSuffix(name, "[]"); ok {
		info, ok := LookupTypeName(strings.TrimSuffix(elem, "[]"))
		if !ok || info.Array == 0 {
			return nil, false
		}
		return Lookup(info.Array), true
	}
	if oid, ok := sqlNames[name]; ok {
		return Lookup(oid), true
	}
	if info := LookupName(name); info != nil {
		return info, true
	}
	for i := range infos {
		if infos[i].SQLName == name {
			return &infos[i], true
		}
	}
	return nil, false
}

// ParseTypeName reads a type as a user writes it in regtype's input: names of several words,
// pg_catalog in front, a modifier behind, [].
func ParseTypeName(s string) (Type, bool) {
	name := strings.Join(strings.Fields(foldType(s)), " ")
	name = strings.TrimPrefix(name, "pg_catalog.")
	array := ""
	for strings.HasSuffix(name, "[]") {
		name, array = strings.TrimSuffix(name, "[]"), "[]"
	}
	var args []int64
	if open := strings.IndexByte(name, '('); open >= 0 {
		inner, after, ok := strings.Cut(name[open+1:], ")")
		if !ok {
			return Type{}, false
		}
		for _, field := range strings.Split(inner, ",") {
			v, err := strconv.ParseInt(strings.TrimSpace(field), 10, 32)
			if err != nil {
				return Type{}, false
			}
			args = append(args, v)
		}
		name = strings.TrimSpace(name[:open]) + after
	}
	if len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' && name != `"char"` {
		name = name[1 : len(name)-1]
	}
	info, ok := LookupTypeName(strings.TrimSpace(name) + array)
	if !ok {
		return Type{}, false
	}
	mod, err := ModFromArgs(info.OID, args)
	return Type{OID: info.OID, Mod: mod}, err == nil
}

// foldType lowers what is not quoted.
func foldType(s string) string {
	if strings.Contains(s, `"`) {
		return s
	}
	return strings.ToLower(s)
}

// ModFromArgs makes the modifier of a type written with arguments, as in varchar(10) or
// numeric(10,2). Without arguments char means char(1) only where the grammar says so: that default
// is the caller's.
func ModFromArgs(oid OID, args []int64) (int32, error) {
	if len(args) == 0 {
		return NoMod, nil
	}
	if elem := ElemOf(oid); elem != 0 {
		oid = elem
	}
	switch oid {
	case VarChar, BPChar:
		return charMod(oid, args)
	case Numeric:
		return numericMod(args)
	case Timestamp, TimestampTZ, Time, Interval:
		if len(args) != 1 {
			return 0, Errorf(CodeInvalidParameter, "invalid type modifier")
		}
		if args[0] < 0 {
			return 0, Errorf(CodeInvalidParameter, "%s(%d) precision must not be negative",
				modName(oid), args[0])
		}
		digits := int32(min(args[0], maxTimeDigits))
		if oid == Interval {
			return intervalFullRange<<16 | digits, nil
		}
		return digits, nil
	}
	return 0, Errorf(CodeSyntax, "type modifier is not allowed for type \"%s\"", Lookup(oid).Name)
}

// intervalFullRange is the upper half of an interval's modifier when it is not limited to fields.
const intervalFullRange = 0x7fff

func modName(oid OID) string {
	switch oid {
	case TimestampTZ:
		return "TIMESTAMP WITH TIME ZONE"
	case Timestamp:
		return "TIMESTAMP"
	case Time:
		return "TIME"
	}
	return "INTERVAL"
}

func charMod(oid OID, args []int64) (int32, error) {
	name := "varchar"
	if oid == BPChar {
		name = "char"
	}
	switch {
	case len(args) != 1:
		return 0, Errorf(CodeInvalidParameter, "invalid type modifier")
	case args[0] < 1:
		return 0, Errorf(CodeInvalidParameter, "length for type %s must be at least 1", name)
	case args[0] > maxCharLen:
		return 0, Errorf(CodeInvalidParameter, "length for type %s cannot exceed %d", name, maxCharLen)
	}
	return int32(args[0]) + modHeader, nil
}

func numericMod(args []int64) (int32, error) {
	if len(args) > 2 {
		return 0, Errorf(CodeInvalidParameter, "invalid NUMERIC type modifier")
	}
	if args[0] < 1 || args[0] > maxNumericPrecision {
		return 0, Errorf(CodeInvalidParameter, "NUMERIC precision %d must be between 1 and %d",
			args[0], maxNumericPrecision)
	}
	scale := int64(0)
	if len(args) == 2 {
		scale = args[1]
	}
	if scale < -maxNumericPrecision || scale > maxNumericPrecision {
		return 0, Errorf(CodeInvalidParameter, "NUMERIC scale %d must be between %d and %d", scale,
			-maxNumericPrecision, maxNumericPrecision)
	}
	return int32(args[0]<<16|scale&0x7ff) + modHeader, nil
}

// numericPrecision takes a numeric's modifier apart. The scale is a signed number of eleven bits.
func numericPrecision(mod int32) (precision, scale int32) {
	mod -= modHeader
	return mod >> 16 & 0xffff, (mod&0x7ff ^ 1024) - 1024
}

// FormatType names a type as format_type does.
func FormatType(oid OID, mod int32) string {
	info := Lookup(oid)
	if info == nil {
		return "???"
	}
	if elem := ElemOf(oid); elem != 0 && oid != Int2Vector && oid != OidVector {
		return FormatType(elem, mod) + "[]"
	}
	if mod < 0 {
		return info.SQLName
	}
	return formatWithMod(info, mod)
}

func formatWithMod(info *Info, mod int32) string {
	switch info.OID {
	case BPChar:
		return fmt.Sprintf("character(%d)", mod-modHeader)
	case VarChar:
		return fmt.Sprintf("character varying(%d)", mod-modHeader)
	case Numeric:
		precision, scale := numericPrecision(mod)
		return fmt.Sprintf("numeric(%d,%d)", precision, scale)
	case Timestamp:
		return fmt.Sprintf("timestamp(%d) without time zone", mod)
	case TimestampTZ:
		return fmt.Sprintf("timestamp(%d) with time zone", mod)
	case Time:
		return fmt.Sprintf("time(%d) without time zone", mod)
	case Interval:
		if mod&0xffff <= maxTimeDigits {
			return fmt.Sprintf("interval(%d)", mod&0xffff)
		}
	}
	return info.SQLName
}
