package parse

import (
	"math"
	"math/big"
	"strings"
)

// Const gives the constant that stands in this statement where the template has the hole c.
// It allocates only for strings with doubled or escaped characters and negated numerics.
func (s StmtTokens) Const(c *Const) Const {
	lit := s.literals()[c.Lit]
	value := Const{Negated: c.Negated, Lit: c.Lit, Pos: c.Pos}
	switch lit.Kind {
	case TokenString:
		value.Kind, value.Str = ConstString, s.t.stringValue(lit)
	case TokenNumeric, TokenInt8Min:
		setNumeric(&value, s.t.sql[lit.start:lit.end])
	default:
		setInteger(&value, lit.Int)
	}
	return value
}

// LiteralPosition is where the literal of a hole starts, for errors about its value, in characters
// of the whole query.
func (s StmtTokens) LiteralPosition(lit int32) int {
	for _, tok := range s.tokens() {
		if !tok.Kind.isLiteral() {
			continue
		}
		if lit == 0 {
			return charPosition(s.t.sql, int(tok.Start))
		}
		lit--
	}
	return 0
}

// setInteger stores an integer's value, v without its sign, under the type that its size gives it.
func setInteger(c *Const, v int64) {
	if c.Negated {
		v = -v
	}
	c.Kind, c.Int = ConstInt8, v
	if v >= math.MinInt32 && v <= math.MaxInt32 {
		c.Kind = ConstInt4
	}
}

// setNumeric stores a number that fits no int8 before its sign is looked at.
func setNumeric(c *Const, text string) {
	digits := plainNumber(text)
	switch {
	case c.Negated && digits == "9223372036854775808":
		c.Kind, c.Int = ConstInt8, math.MinInt64
	case c.Negated:
		c.Kind, c.Str = ConstNumeric, "-"+digits
	default:
		c.Kind, c.Str = ConstNumeric, digits
	}
}

// plainNumber writes a number without underscores, and one of another base in decimal.
func plainNumber(text string) string {
	if len(text) > 2 && text[0] == '0' && baseDigits(text[1]) != "" {
		if v, ok := new(big.Int).SetString(strings.ReplaceAll(text, "_", ""), 0); ok {
			return v.String()
		}
	}
	if strings.IndexByte(text, '_') >= 0 {
		text = strings.ReplaceAll(text, "_", "")
	}
	for len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		text = text[1:]
	}
	return text
}

// stringValue decodes a string literal of a cacheable statement.
func (t *Tokens) stringValue(lit Literal) string {
	body := t.sql[lit.start:lit.end]
	switch lit.form {
	case formDoubled:
		return joinParts(body)
	case formEscaped:
		return unescape(body)
	}
	return body
}

// joinParts takes doubled quotes and the gaps between continued parts out of a string's body.
func joinParts(body string) string {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] == '\'' {
			i = quoteInside(body, i, &out)
			continue
		}
		out = append(out, body[i])
	}
	return string(out)
}

// quoteInside handles the quote at i: the first of a doubled one, or one that closes a part. It
// gives the position of the last byte it used up.
func quoteInside(body string, i int, out *[]byte) int {
	if i+1 < len(body) && body[i+1] == '\'' {
		*out = append(*out, '\'')
		return i + 1
	}
	return continuation(body, i+1)
}

// unescape decodes the body of an E'x' string whose escapes cannot be wrong (see needsGrammar).
func unescape(body string) string {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == '\'':
			i = quoteInside(body, i, &out)
		case body[i] == '\\' && i+1 < len(body):
			i++
			out = append(out, unescapeByte(body[i]))
		default:
			out = append(out, body[i])
		}
	}
	return string(out)
}

func unescapeByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	}
	return c
}
