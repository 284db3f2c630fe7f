package parse

import (
	"math"
	"strings"
)

// scanString reads a string whose opening quote is at quote; start is there too, or at the E.
func (t *Tokens) scanString(start, quote int, escapes bool) (int, error) {
	lit := Literal{Kind: TokenString, start: uint32(quote + 1)}
	for part := quote; ; {
		end := t.scanStringPart(part, escapes, &lit)
		if end < 0 {
			return start, t.lexError("unterminated quoted string", start, len(t.sql))
		}
		lit.end = uint32(end - 1)
		next := continuation(t.sql, end)
		if next < 0 {
			return t.emitLiteral(lit, start, end)
		}
		part = next
		lit.form = max(lit.form, formDoubled)
	}
}

// scanStringPart finds the end of one quoted part and notes in lit how it must be decoded.
func (t *Tokens) scanStringPart(quote int, escapes bool, lit *Literal) int {
	if !escapes {
		end, doubled := scanDelimited(t.sql, quote, '\'')
		if doubled {
			lit.form = max(lit.form, formDoubled)
		}
		return end
	}
	sql := t.sql
	for i := quote + 1; i < len(sql); i++ {
		switch sql[i] {
		case '\\':
			lit.form = formEscaped
			i++
			if i < len(sql) && needsGrammar(sql[i]) {
				t.current.uncacheable = true
			}
		case '\'':
			if i+1 >= len(sql) || sql[i+1] != '\'' {
				return i + 1
			}
			lit.form = max(lit.form, formDoubled)
			i++
		}
	}
	return -1
}

// needsGrammar tells the escapes that can be wrong, and so are the grammar's to decode.
func needsGrammar(c byte) bool {
	return c >= '0' && c <= '7' || c == 'x' || c == 'u' || c == 'U'
}

// continuation finds the opening quote of a string's next part: SQL joins strings that only space
// with a line end in it separates. It is negative without one. (Postgres allows comments there too;
// pg_query's scanner does not, and the two lexers we have must not differ: P1.)
func continuation(sql string, i int) int {
	newline := false
	for i < len(sql) && classTable[sql[i]] == classSpace {
		newline = newline || sql[i] == '\n' || sql[i] == '\r'
		i++
	}
	if newline && i < len(sql) && sql[i] == '\'' {
		return i
	}
	return -1
}

// scanUnicodeString reads U&'...'. The grammar decodes it, as the escape character may follow.
func (t *Tokens) scanUnicodeString(i int) (int, error) {
	next, err := t.scanString(i, i+2, false)
	if err == nil {
		t.literals[len(t.literals)-1].form = formUnicode
	}
	return next, err
}

// scanBits reads B'...' or X'...', in which a quote is not doubled. The digits are checked where
// the value is needed.
func (t *Tokens) scanBits(i int) (int, error) {
	t.current.uncacheable = true
	for part := i + 1; ; {
		length := strings.IndexByte(t.sql[part+1:], '\'')
		if length < 0 {
			what := "bit"
			if t.sql[i]|0x20 == 'x' {
				what = "hexadecimal"
			}
			message := "unterminated " + what + " string literal"
			return i, t.lexError(message, i, len(t.sql))
		}
		end := part + length + 2
		next := continuation(t.sql, end)
		if next < 0 {
			lit := Literal{Kind: TokenBit, start: uint32(i + 2), end: uint32(end - 1)}
			return t.emitLiteral(lit, i, end)
		}
		part = next
	}
}

// scanDollar reads $1 or a dollar-quoted string.
func (t *Tokens) scanDollar(i int) (int, error) {
	sql := t.sql
	end := i + 1
	if end < len(sql) && classTable[sql[end]] == classDigit {
		for end < len(sql) && classTable[sql[end]] == classDigit {
			end++
		}
		return t.emit(TokenParam, i, end)
	}
	for end < len(sql) && identTable[sql[end]] && sql[end] != '$' {
		end++
	}
	if end >= len(sql) || sql[end] != '$' {
		return i, t.lexError("syntax error", i, i+1)
	}
	tag := sql[i : end+1]
	length := strings.Index(sql[end+1:], tag)
	if length < 0 {
		return i, t.lexError("unterminated dollar-quoted string", i, len(sql))
	}
	body := end + 1
	lit := Literal{Kind: TokenString, start: uint32(body), end: uint32(body + length)}
	return t.emitLiteral(lit, i, body+length+len(tag))
}

func identEnd(sql string, i int) int {
	for i < len(sql) && identTable[sql[i]] {
		i++
	}
	return i
}

// scanNumber reads a number of any form, which may begin with a dot.
func (t *Tokens) scanNumber(i int) (int, error) {
	sql := t.sql
	if sql[i] == '0' && i+1 < len(sql) && baseDigits(sql[i+1]) != "" {
		return t.scanBasedInteger(i)
	}
	end, integer := decimalEnd(sql, i)
	if hasJunk(sql, i, end) {
		return i, t.lexError("trailing junk after numeric literal", i, junkEnd(sql, i, end))
	}
	lit := Literal{Kind: TokenNumeric, form: formNumber, start: uint32(i), end: uint32(end)}
	if integer {
		lit.Kind, lit.Int = classifyInteger(sql[i:end])
	}
	return t.emitLiteral(lit, i, end)
}

// hasJunk tells whether a word follows the number sql[start:end] without a gap. A dollar sign goes
// on with a word, and 1_0$ and 1e5$ have one in them, which makes junk of it; 10$ has none.
func hasJunk(sql string, start, end int) bool {
	if end >= len(sql) || sql[end] != '$' {
		return end < len(sql) && classTable[sql[end]] == classIdent
	}
	last := end - 1
	for last > start && classTable[sql[last]] == classDigit {
		last--
	}
	return classTable[sql[last]] == classIdent
}

// junkEnd is where Postgres ends the junk after the number sql[start:end]: at the end of the word it
// begins, or behind the sign of an exponent without digits.
func junkEnd(sql string, start, end int) int {
	exponent := sql[end]|0x20 == 'e' && end+1 < len(sql) &&
		(sql[end+1] == '+' || sql[end+1] == '-')
	if exponent && !strings.ContainsAny(sql[start:end], "eE") {
		return end + 2
	}
	return identEnd(sql, end)
}

var baseNames = map[byte]string{'x': "hexadecimal", 'o': "octal", 'b': "binary"}

// scanBasedInteger reads 0x1F, 0o17 or 0b11. All of the word has to be digits of that base.
func (t *Tokens) scanBasedInteger(i int) (int, error) {
	sql := t.sql
	digits := digitsEnd(sql, i+2, baseDigits(sql[i+1]), true)
	end := identEnd(sql, i+1)
	switch {
	case digits == end && end > i+2:
		lit := Literal{form: formNumber, start: uint32(i), end: uint32(end)}
		lit.Kind, lit.Int = classifyInteger(sql[i:end])
		return t.emitLiteral(lit, i, end)
	case end == i+2, end == i+3 && sql[i+2] == '_':
		return i, t.lexError("invalid "+baseNames[sql[i+1]|0x20]+" integer", i, end)
	}
	return i, t.lexError("trailing junk after numeric literal", i, end)
}

// decimalEnd finds where the decimal number at i ends.
func decimalEnd(sql string, i int) (end int, integer bool) {
	end = decimalDigitsEnd(sql, i)
	integer = true
	// 1..10 is a range: the dots are not the number's.
	if end < len(sql) && sql[end] == '.' && (end+1 >= len(sql) || sql[end+1] != '.') {
		integer = false
		end = decimalDigitsEnd(sql, end+1)
	}
	if end < len(sql) && sql[end]|0x20 == 'e' {
		exponent := end + 1
		if exponent < len(sql) && (sql[exponent] == '+' || sql[exponent] == '-') {
			exponent++
		}
		if after := decimalDigitsEnd(sql, exponent); after > exponent {
			return after, false
		}
	}
	return end, integer
}

// decimalDigitsEnd is digitsEnd for the common case.
func decimalDigitsEnd(sql string, i int) int {
	start := i
	for i < len(sql) && classTable[sql[i]] == classDigit {
		i++
	}
	if i > start && i < len(sql) && sql[i] == '_' {
		return digitsEnd(sql, start, "0123456789", false)
	}
	return i
}

func baseDigits(c byte) string {
	switch c | 0x20 {
	case 'x':
		return "0123456789abcdefABCDEF"
	case 'o':
		return "01234567"
	case 'b':
		return "01"
	}
	return ""
}

// digitsEnd passes over digits with single underscores between them; leading allows one before.
func digitsEnd(sql string, i int, digits string, leading bool) int {
	start := i
	for i < len(sql) {
		switch {
		case strings.IndexByte(digits, sql[i]) >= 0:
			i++
		case sql[i] == '_' && (i > start || leading) && i+1 < len(sql) &&
			strings.IndexByte(digits, sql[i+1]) >= 0:
			i += 2
		default:
			return i
		}
	}
	return i
}

// classifyInteger gives the kind and the value of an integer of any base. What fits no int8 is a
// numeric, as in Postgres.
func classifyInteger(text string) (TokenKind, int64) {
	base := uint64(10)
	if len(text) > 2 && text[0] == '0' {
		switch text[1] | 0x20 {
		case 'x':
			base, text = 16, text[2:]
		case 'o':
			base, text = 8, text[2:]
		case 'b':
			base, text = 2, text[2:]
		}
	}
	var v uint64
	for i := range len(text) {
		if text[i] == '_' {
			continue
		}
		d := uint64(digitValue(text[i]))
		if v > (1<<63-d)/base {
			return TokenNumeric, 0
		}
		v = v*base + d
	}
	switch {
	case v <= math.MaxInt32:
		return TokenInt4, int64(v)
	case v == 1<<31:
		return TokenInt4Min, int64(v)
	case v <= math.MaxInt64:
		return TokenInt8, int64(v)
	}
	return TokenInt8Min, 0
}

func digitValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
