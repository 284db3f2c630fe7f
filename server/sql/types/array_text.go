package types

import (
	"strconv"
	"strings"
)

// maxArrayElems is the most elements an array may have; PostgreSQL's bound by memory.
const maxArrayElems = 1 << 27

// arrayParser reads {a,"b",NULL,{...}} with optional bounds [l:u]= in front.
type arrayParser struct {
	input string
	rest  string
	elem  OID
	env   *Env
	array Array
	depth int // of braces, seen at the first element
	lens  [MaxArrayDims]int32
}

func parseArray(oid OID, s string, env *Env) (Datum, error) {
	p := &arrayParser{input: s, rest: trimSpace(s), elem: ElemOf(oid), env: env}
	p.array.Elem = p.elem
	bounds, err := p.bounds()
	if err != nil {
		return Null, err
	}
	if !strings.HasPrefix(p.rest, "{") {
		if bounds != nil {
			return Null, p.fail("Array contents must start with \"{\".")
		}
		return Null, p.fail("Array value must start with \"{\" or dimension information.")
	}
	if err := p.level(0); err != nil {
		return Null, err
	}
	if p.rest = trimSpace(p.rest); p.rest != "" {
		return Null, p.fail("Junk after closing right brace.")
	}
	if err := p.shape(bounds); err != nil {
		return Null, err
	}
	return NewArrayDatum(oid, &p.array), nil
}

func (p *arrayParser) fail(format string, args ...any) *Error {
	return Errorf(CodeInvalidText, "malformed array literal: \"%s\"", p.input).
		WithDetail(format, args...)
}

func (p *arrayParser) bounds() ([]Dim, error) {
	var dims []Dim
	for strings.HasPrefix(p.rest, "[") {
		inner, after, ok := strings.Cut(p.rest[1:], "]")
		if !ok {
			return nil, p.fail("Missing \"%s\" after array dimensions.", "]")
		}
		if len(dims) == MaxArrayDims {
			return nil, errDimensions(len(dims) + 1)
		}
		low, high, ranged := strings.Cut(inner, ":")
		if !ranged {
			low, high = "1", inner
		}
		l, errLow := strconv.ParseInt(low, 10, 32)
		u, errHigh := strconv.ParseInt(high, 10, 32)
		if errLow != nil || errHigh != nil {
			return nil, p.fail("Missing array dimension value.")
		}
		if u < l {
			return nil, Errorf(CodeArraySubscript, "upper bound cannot be less than lower bound")
		}
		dims = append(dims, Dim{Len: int32(u - l + 1), Lower: int32(l)})
		p.rest = strings.TrimLeft(after, " \t\n\r\v\f")
	}
	if dims == nil {
		return nil, nil
	}
	if !strings.HasPrefix(p.rest, "=") {
		return nil, p.fail("Missing \"%s\" after array dimensions.", "=")
	}
	p.rest = trimSpace(p.rest[1:])
	return dims, nil
}

func errDimensions(n int) *Error {
	return Errorf(CodeProgramLimit,
		"number of array dimensions (%d) exceeds the maximum allowed (%d)", n, MaxArrayDims)
}

// level reads one brace and what it holds.
func (p *arrayParser) level(depth int) error {
	if depth >= MaxArrayDims {
		return errDimensions(depth + 1)
	}
	p.rest = p.rest[1:]
	p.skipSpace()
	if strings.HasPrefix(p.rest, "}") {
		p.rest = p.rest[1:]
		if depth > 0 {
			return p.fail("Unexpected \"}\" character.")
		}
		return nil
	}
	for count := int32(1); ; count++ {
		if err := p.item(depth); err != nil {
			return err
		}
		p.skipSpace()
		switch {
		case strings.HasPrefix(p.rest, ","):
			p.rest = p.rest[1:]
			p.skipSpace()
		case strings.HasPrefix(p.rest, "}"):
			p.rest = p.rest[1:]
			return p.closed(depth, count)
		case p.rest == "":
			return p.fail("Unexpected end of input.")
		default:
			return p.fail("Unexpected array element.")
		}
	}
}

func (p *arrayParser) closed(depth int, count int32) error {
	if p.lens[depth] != 0 && p.lens[depth] != count {
		return p.fail("Multidimensional arrays must have sub-arrays with matching dimensions.")
	}
	p.lens[depth] = count
	return nil
}

func (p *arrayParser) item(depth int) error {
	if strings.HasPrefix(p.rest, "{") {
		if p.depth != 0 && depth+1 >= p.depth {
			return p.fail("Unexpected \"{\" character.")
		}
		return p.level(depth + 1)
	}
	if p.depth == 0 {
		p.depth = depth + 1
	}
	if p.depth != depth+1 {
		return p.fail("Unexpected array element.")
	}
	text, quoted, err := p.token()
	if err != nil {
		return err
	}
	if !quoted && strings.EqualFold(text, "null") {
		p.array.Elems = append(p.array.Elems, Null)
		return nil
	}
	d, err := parseText(p.elem, text, p.env)
	if err != nil {
		return err
	}
	p.array.Elems = append(p.array.Elems, d)
	return nil
}

func (p *arrayParser) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t\n\r\v\f") }

// token reads one element. An element without a backslash aliases the input.
func (p *arrayParser) token() (text string, quoted bool, err error) {
	s := p.rest
	if strings.HasPrefix(s, `"`) {
		text, p.rest, err = p.quotedToken(s[1:])
		return text, true, err
	}
	end := strings.IndexAny(s, `,{}"\`)
	if end < 0 {
		return "", false, p.fail("Unexpected end of input.")
	}
	switch s[end] {
	case '"':
		return "", false, p.fail("Unexpected array element.")
	case '{':
		return "", false, p.fail("Unexpected \"{\" character.")
	case '\\':
		return p.escapedToken(s)
	}
	text = trimSpace(s[:end])
	if text == "" {
		return "", false, p.fail("Unexpected \"%c\" character.", s[end])
	}
	p.rest = s[end:]
	return text, false, nil
}

func (p *arrayParser) quotedToken(s string) (text, rest string, err error) {
	if end := strings.IndexAny(s, `"\`); end >= 0 && s[end] == '"' {
		return s[:end], s[end+1:], nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", p.fail("Unexpected end of input.")
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", p.fail("Unexpected end of input.")
}

// escapedToken reads an unquoted element with backslashes; one of them makes it no NULL and keeps
// the blanks before it.
func (p *arrayParser) escapedToken(s string) (text string, quoted bool, err error) {
	var b strings.Builder
	kept := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',', '}':
			p.rest = s[i:]
			text = b.String()
			return text[:kept] + strings.TrimRight(text[kept:], " \t\n\r\v\f"), true, nil
		case '{', '"':
			return "", false, p.fail("Unexpected array element.")
		case '\\':
			if i++; i == len(s) {
				return "", false, p.fail("Unexpected end of input.")
			}
			b.WriteByte(s[i])
			kept = b.Len()
			continue
		}
		b.WriteByte(s[i])
	}
	return "", false, p.fail("Unexpected end of input.")
}

// shape sets the dimensions and checks them against the bounds given.
func (p *arrayParser) shape(bounds []Dim) error {
	if len(p.array.Elems) == 0 {
		if bounds != nil {
			return p.fail("Specified array dimensions do not match array contents.")
		}
		return nil
	}
	for i := range p.depth {
		p.array.Dims = append(p.array.Dims, Dim{Len: p.lens[i], Lower: 1})
	}
	if bounds == nil {
		return nil
	}
	if len(bounds) != len(p.array.Dims) {
		return p.fail("Specified array dimensions do not match array contents.")
	}
	for i, dim := range p.array.Dims {
		if bounds[i].Len != dim.Len {
			return p.fail("Specified array dimensions do not match array contents.")
		}
	}
	p.array.Dims = bounds
	return nil
}

// shapeFits reports whether the dimensions agree with the number of elements and the subscripts
// stay within an int4.
func (a *Array) shapeFits() bool {
	if len(a.Dims) == 0 {
		return len(a.Elems) == 0
	}
	total := int64(1)
	for _, dim := range a.Dims {
		if dim.Len <= 0 || !fitsInt(Int4, int64(dim.Lower)+int64(dim.Len)-1) {
			return false
		}
		if total *= int64(dim.Len); total > maxArrayElems {
			return false
		}
	}
	return total == int64(len(a.Elems))
}

func appendArray(dst []byte, a *Array, env *Env) []byte {
	if len(a.Elems) == 0 {
		return append(dst, "{}"...)
	}
	if a.lowerSet() {
		for _, dim := range a.Dims {
			dst = append(dst, '[')
			dst = strconv.AppendInt(dst, int64(dim.Lower), 10)
			dst = append(dst, ':')
			dst = strconv.AppendInt(dst, int64(dim.Lower)+int64(dim.Len)-1, 10)
			dst = append(dst, ']')
		}
		dst = append(dst, '=')
	}
	dst, _ = appendLevel(dst, a, 0, a.Elems, env)
	return dst
}

func (a *Array) lowerSet() bool {
	for _, dim := range a.Dims {
		if dim.Lower != 1 {
			return true
		}
	}
	return false
}

func appendLevel(dst []byte, a *Array, depth int, elems []Datum, env *Env) ([]byte, []Datum) {
	dst = append(dst, '{')
	for i := range a.Dims[depth].Len {
		if i > 0 {
			dst = append(dst, ',')
		}
		if depth+1 < len(a.Dims) {
			dst, elems = appendLevel(dst, a, depth+1, elems, env)
			continue
		}
		dst = appendElem(dst, elems[0], env)
		elems = elems[1:]
	}
	return append(dst, '}'), elems
}

func appendElem(dst []byte, d Datum, env *Env) []byte {
	if d.IsNull() {
		return append(dst, "NULL"...)
	}
	start := len(dst)
	dst = AppendText(dst, d, env)
	if !needsQuotes(dst[start:]) {
		return dst
	}
	text := string(dst[start:])
	dst = append(dst[:start], '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

func needsQuotes(text []byte) bool {
	if len(text) == 0 || len(text) == 4 && strings.EqualFold(string(text), "null") {
		return true
	}
	for _, c := range text {
		switch {
		case isSpace(c), c == '{', c == '}', c == ',', c == '"', c == '\\':
			return true
		}
	}
	return false
}
