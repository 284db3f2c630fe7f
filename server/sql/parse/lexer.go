package parse

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// class sorts bytes by the token they can begin.
type class uint8

const (
	classOther class = iota
	classSpace
	classIdent
	classDigit
	classOp
	classPunct
	classQuote
	classDoubleQuote
	classDollar
	classDot
	classColon
)

// classTable, identTable and foldTable follow PostgreSQL's scan.l. Bytes above ASCII are letters
// there, whatever they encode.
var (
	classTable = buildClassTable()
	identTable = buildIdentTable()
	foldTable  = buildFoldTable()
)

func buildClassTable() (table [256]class) {
	set := func(chars string, c class) {
		for i := range len(chars) {
			table[chars[i]] = c
		}
	}
	for c := range table {
		if c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' {
			table[c] = classIdent
		}
	}
	set(" \t\n\r\f\v", classSpace)
	set("0123456789", classDigit)
	set("~!@#^&|`?+-*/%<>=", classOp)
	set("()[],;", classPunct)
	table['\''] = classQuote
	table['"'] = classDoubleQuote
	table['$'] = classDollar
	table['.'] = classDot
	table[':'] = classColon
	return table
}

func buildIdentTable() (table [256]bool) {
	for c := range table {
		k := classTable[c]
		table[c] = k == classIdent || k == classDigit || c == '$'
	}
	return table
}

func buildFoldTable() (table [256]byte) {
	for c := range table {
		table[c] = byte(c)
		if c >= 'A' && c <= 'Z' {
			table[c] = byte(c) | 0x20
		}
	}
	return table
}

// scan fills t from sql. Its errors are the lexical ones and the guard's.
func (t *Tokens) scan(sql string) error {
	if len(sql) > MaxStatementBytes {
		t.reset("")
		return tooLarge(len(sql))
	}
	if at := firstBadByte(sql); at >= 0 {
		t.reset("")
		return badEncoding(sql, at)
	}
	t.reset(sql)
	for i := 0; i < len(sql); {
		next, err := t.scanToken(i)
		if err != nil {
			return err
		}
		i = next
	}
	t.endStatement()
	return nil
}

// scanToken reads what starts at i, a token or something between tokens, and gives where it ends.
func (t *Tokens) scanToken(i int) (int, error) {
	switch c := t.sql[i]; classTable[c] {
	case classSpace:
		return i + 1, nil
	case classIdent:
		return t.scanWord(i)
	case classDigit:
		return t.scanNumber(i)
	case classPunct:
		return t.scanPunct(i, c)
	case classOp:
		return t.scanOperator(i)
	case classQuote:
		return t.scanString(i, i, false)
	case classDoubleQuote:
		return t.scanQuoted(i, i)
	case classDollar:
		return t.scanDollar(i)
	case classDot:
		return t.scanDot(i)
	case classColon:
		return t.scanColon(i)
	}
	return i, t.lexError("syntax error", i, i+1)
}

// emit appends a token that counts with its text.
func (t *Tokens) emit(kind TokenKind, start, end int) (int, error) {
	t.tokens = append(t.tokens, Token{Start: uint32(start), End: uint32(end), Kind: kind})
	t.hash = mixText(t.hash^uint64(kind), t.sql[start:end], 0)
	return end, t.bound(start)
}

// emitLiteral appends a token that counts with its kind alone.
func (t *Tokens) emitLiteral(lit Literal, start, end int) (int, error) {
	t.tokens = append(t.tokens, Token{Start: uint32(start), End: uint32(end), Kind: lit.Kind})
	t.literals = append(t.literals, lit)
	t.hash = mix(t.hash, uint64(lit.Kind))
	return end, t.bound(start)
}

// bound counts the token just appended and refuses it when it is one too many.
func (t *Tokens) bound(start int) error {
	if !t.guard.token() {
		return t.tooDeep(start)
	}
	if len(t.tokens) > MaxTokens {
		return tooMany("words and signs", MaxTokens)
	}
	return nil
}

// scanWord reads an identifier, a keyword, or a string or identifier that has a prefix (E'x').
func (t *Tokens) scanWord(i int) (int, error) {
	sql := t.sql
	end := i + 1
	for end < len(sql) && identTable[sql[end]] {
		end++
	}
	if end == i+1 && end < len(sql) {
		if next, found, err := t.scanPrefixed(i); found {
			return next, err
		}
	}
	t.tokens = append(t.tokens, Token{Start: uint32(i), End: uint32(end), Kind: TokenWord})
	t.hash = mixText(t.hash^uint64(TokenWord), sql[i:end], foldMask)
	if isSetOperation(sql[i:end]) && !t.guard.setOperation() {
		return end, t.tooDeep(i)
	}
	return end, t.bound(i)
}

func isSetOperation(word string) bool {
	switch len(word) {
	case 5:
		return equalFold(word, "union")
	case 6:
		return equalFold(word, "except")
	case 9:
		return equalFold(word, "intersect")
	}
	return false
}

// scanPrefixed reads a string or identifier whose one-letter prefix is at i, if there is one.
func (t *Tokens) scanPrefixed(i int) (next int, found bool, err error) {
	sql := t.sql
	second := sql[i+1]
	switch sql[i] | 0x20 {
	case 'e':
		if second == '\'' {
			next, err = t.scanString(i, i+1, true)
			return next, true, err
		}
	case 'b', 'x':
		if second == '\'' {
			next, err = t.scanBits(i)
			return next, true, err
		}
	case 'u':
		if second == '&' && i+2 < len(sql) && (sql[i+2] == '\'' || sql[i+2] == '"') {
			t.current.uncacheable = true
			if sql[i+2] == '"' {
				next, err = t.scanQuoted(i, i+2)
			} else {
				next, err = t.scanUnicodeString(i)
			}
			return next, true, err
		}
	}
	// N'' is the word NCHAR and then a plain string: the loop gives exactly that, with N for NCHAR.
	return i, false, nil
}

// scanPunct reads a character that stands for itself.
func (t *Tokens) scanPunct(i int, c byte) (int, error) {
	if c == ';' && len(t.guard.stack) == 0 {
		t.endStatement()
		return i + 1, nil
	}
	next, err := t.emit(TokenPunct, i, i+1)
	if err != nil {
		return next, err
	}
	switch c {
	case '(', '[':
		t.guard.open()
	case ')', ']':
		if !t.guard.close() {
			return next, t.tooDeep(i)
		}
	case ',':
		t.guard.comma()
	}
	return next, nil
}

func (t *Tokens) scanDot(i int) (int, error) {
	if i+1 < len(t.sql) {
		if c := t.sql[i+1]; classTable[c] == classDigit {
			return t.scanNumber(i)
		} else if c == '.' {
			return t.emit(TokenOp, i, i+2)
		}
	}
	return t.emit(TokenPunct, i, i+1)
}

func (t *Tokens) scanColon(i int) (int, error) {
	if i+1 < len(t.sql) && (t.sql[i+1] == ':' || t.sql[i+1] == '=') {
		return t.emit(TokenOp, i, i+2)
	}
	return t.emit(TokenPunct, i, i+1)
}

// scanQuoted reads "identifier", whose opening quote is at quote.
func (t *Tokens) scanQuoted(start, quote int) (int, error) {
	end, _ := scanDelimited(t.sql, quote, '"')
	if end < 0 {
		return start, t.lexError("unterminated quoted identifier", start, len(t.sql))
	}
	if end == quote+2 {
		return start, t.lexError("zero-length delimited identifier", start, end)
	}
	return t.emit(TokenQuoted, start, end)
}

// scanDelimited finds the end of a quoted text in which the quote is written twice, and says
// whether that happened. The end is negative when there is none.
func scanDelimited(sql string, quote int, q byte) (end int, doubled bool) {
	for i := quote + 1; i < len(sql); i++ {
		if sql[i] != q {
			continue
		}
		if i+1 < len(sql) && sql[i+1] == q {
			doubled = true
			i++
			continue
		}
		return i + 1, doubled
	}
	return -1, doubled
}

func (t *Tokens) lexError(message string, start, end int) error {
	return syntaxErrorNear(message, t.sql, start, t.sql[start:end])
}

// firstBadByte finds what Postgres takes in no text: bytes that are not UTF-8, and zero, at which
// the C parser would stop reading. It is negative when all is well.
func firstBadByte(sql string) int {
	if utf8.ValidString(sql) {
		return strings.IndexByte(sql, 0)
	}
	for i, r := range sql {
		if r != utf8.RuneError && r != 0 {
			continue
		}
		if _, size := utf8.DecodeRuneInString(sql[i:]); size == 1 {
			return i
		}
	}
	return -1
}

// badEncoding is the message of a query that is not UTF-8. Postgres shows the bytes that the first
// one announced.
func badEncoding(sql string, at int) error {
	size := 1
	switch c := sql[at]; {
	case c >= 0xf0 && c < 0xf8:
		size = 4
	case c >= 0xe0 && c < 0xf0:
		size = 3
	case c >= 0xc0 && c < 0xe0:
		size = 2
	}
	message := `invalid byte sequence for encoding "UTF8":`
	for _, b := range []byte(sql[at:min(at+size, len(sql))]) {
		message += fmt.Sprintf(" 0x%02x", b)
	}
	return &SyntaxError{SQLSTATE: CodeInvalidEncoding, Message: message}
}
