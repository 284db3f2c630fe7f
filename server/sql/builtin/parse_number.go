package builtin

import (
	"strings"

	"ackdb/server/sql/types"
)

// numberReader reads a number by a pattern.
type numberReader struct {
	p        *numberPattern
	rest     string
	digits   []byte
	point    bool
	negative bool
	signed   bool
}

func evalToNumber(_ *Context, a []Datum) (Datum, error) {
	p, err := parseNumberPattern(a[1].Str())
	if err != nil || len(p.marks) == 0 {
		return types.Null, err
	}
	if p.exponent {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"\"EEEE\" not supported for input")
	}
	if p.roman {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"\"RN\" not supported for input")
	}
	r := &numberReader{p: p, rest: a[0].Str()}
	for _, m := range p.marks {
		if r.rest == "" {
			break
		}
		r.mark(m)
	}
	return r.value()
}

func (r *numberReader) value() (Datum, error) {
	text := strings.TrimSuffix(string(r.digits), ".")
	if r.negative {
		text = "-" + text
	}
	d, err := types.ParseText(types.Of(types.Numeric), text, nil)
	if err != nil {
		if text == "" {
			text = " "
		}
		return types.Null, types.Errorf(types.CodeInvalidText,
			"invalid input syntax for type numeric: \"%s\"", text)
	}
	if !r.p.multiply {
		return d, nil
	}
	scale, err := types.PowerNumeric(types.NumericFromInt(10), types.NumericFromInt(-int64(r.p.multi)))
	if err != nil {
		return types.Null, err
	}
	return types.NumericArith(types.NumericMul, d, scale)
}

func (r *numberReader) mark(m numberMark) {
	switch m.keyword {
	case "9", "0", ".", "D":
		r.number(m.keyword)
	case ",", "G":
		if r.rest[0] == ',' {
			r.rest = r.rest[1:]
		}
	case "MI", "PL", "SG", "S", "PR":
		r.trailingSign()
	case "L":
		if c := r.rest[0]; (c < '0' || c > '9') && !strings.ContainsRune("+-.,<", rune(c)) {
			r.rest = r.rest[runeOffset(r.rest, 1):]
		}
	case "TH":
		r.skip()
		r.skip()
	case "":
		r.skip()
	}
}

// skip passes over a character that is no part of a number.
func (r *numberReader) skip() {
	if r.rest == "" {
		return
	}
	if c := r.rest[0]; (c < '0' || c > '9') && !strings.ContainsRune("+-.,", rune(c)) {
		r.rest = r.rest[runeOffset(r.rest, 1):]
	}
}

// number reads a digit or the point, the sign before the first.
func (r *numberReader) number(keyword string) {
	r.rest = strings.TrimLeft(r.rest, " ")
	if len(r.digits) == 0 && !r.signed && r.rest != "" {
		r.leadingSign()
	}
	if r.rest == "" {
		return
	}
	switch c := r.rest[0]; {
	case c >= '0' && c <= '9' && keyword != "." && keyword != "D":
		r.digits = append(r.digits, c)
		r.rest = r.rest[1:]
	case c == '.' && !r.point && r.p.decimal:
		r.point = true
		r.digits = append(r.digits, c)
		r.rest = r.rest[1:]
		if keyword == "9" || keyword == "0" {
			r.number(keyword)
		}
	}
}

func (r *numberReader) leadingSign() {
	switch r.rest[0] {
	case '-':
		r.negative = true
	case '<':
		if !r.p.bracket {
			return
		}
		r.negative = true
	case '+':
	default:
		return
	}
	r.signed = true
	r.rest = r.rest[1:]
}

func (r *numberReader) trailingSign() {
	switch r.rest[0] {
	case '-':
		r.negative, r.signed = true, true
	case '+', '>':
		r.signed = true
	default:
		return
	}
	r.rest = r.rest[1:]
}
