package parse

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// dump writes a tree for the golden files: zero fields are left out, positions follow an @, and a
// node that fits stays on one line.
func dump(v any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(v), 0)
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value, indent int) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dumpValue(b, v.Elem(), indent)
	case reflect.Struct:
		dumpStruct(b, v, indent)
	case reflect.Slice:
		dumpList(b, v, indent)
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprintf(b, "%v", v)
	}
}

func dumpStruct(b *strings.Builder, v reflect.Value, indent int) {
	if name, ok := v.Interface().(QName); ok {
		b.WriteString(name.String())
		return
	}
	if c, ok := v.Interface().(Const); ok {
		b.WriteString(dumpConst(c))
		return
	}
	b.WriteString(v.Type().Name())
	var parts []string
	for i := range v.NumField() {
		field, f := v.Type().Field(i), v.Field(i)
		switch {
		case field.Type == reflect.TypeFor[Pos]():
			if f.Int() >= 0 {
				fmt.Fprintf(b, "@%d", f.Int())
			}
		case field.Name == "Lit", f.IsZero():
		default:
			var part strings.Builder
			dumpValue(&part, f, indent+1)
			parts = append(parts, field.Name+":"+part.String())
		}
	}
	dumpParts(b, parts, indent, "{", "}")
}

func dumpConst(c Const) string {
	value := strconv.Quote(c.Str)
	switch c.Kind {
	case ConstNull:
		value = ""
	case ConstBool, ConstInt4, ConstInt8:
		value = strconv.FormatInt(c.Int, 10)
	}
	kind := [...]string{"null", "bool", "int4", "int8", "numeric", "string", "bit"}[c.Kind]
	if c.Pos >= 0 {
		kind += "@" + strconv.Itoa(int(c.Pos))
	}
	return kind + "(" + value + ")"
}

func dumpList(b *strings.Builder, v reflect.Value, indent int) {
	var parts []string
	for i := range v.Len() {
		var part strings.Builder
		dumpValue(&part, v.Index(i), indent+1)
		parts = append(parts, part.String())
	}
	dumpParts(b, parts, indent, "[", "]")
}

func dumpParts(b *strings.Builder, parts []string, indent int, open, close string) {
	if len(parts) == 0 {
		if open == "[" {
			b.WriteString("[]")
		}
		return
	}
	line := strings.Join(parts, " ")
	if len(line) < 90 && !strings.Contains(line, "\n") {
		b.WriteString(open + line + close)
		return
	}
	margin := "\n" + strings.Repeat("  ", indent+1)
	b.WriteString(open + margin + strings.Join(parts, margin) + close)
}
