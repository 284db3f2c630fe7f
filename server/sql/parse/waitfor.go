package parse

import (
	"errors"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// WaitForStmt is WAIT FOR LSN, which the grammar of pg_query does not know yet. Whether LSN is a
// position, and what the options mean, is looked at when it runs.
type WaitForStmt struct {
	LSN     string
	Pos     Pos // of LSN
	Options []DefElem
}

func (*WaitForStmt) statement() {}

// isWaitFor tells a statement that is read here: the grammar has none that begins with this word.
func (s StmtTokens) isWaitFor() bool {
	return s.Token(0).Kind == TokenWord && equalFold(s.TokenText(0), "wait")
}

// hasWaitFor looks at the statement being read too, for who asks about a text that Lex refused.
func (t *Tokens) hasWaitFor() bool {
	for i := range t.Len() {
		if t.Stmt(i).isWaitFor() {
			return true
		}
	}
	open := t.current
	open.tokenEnd = int32(len(t.tokens))
	return open.token < open.tokenEnd && StmtTokens{t: t, span: &open}.isWaitFor()
}

// parseMixed parses a query of which some statements are read here. The grammar gets the query with
// those blanked out, so that what it finds stands where it stood.
func (t *Tokens) parseMixed() ([]Stmt, error) {
	masked := []byte(t.sql)
	waits, waitErr := t.parseWaits(masked)
	if waitErr == nil && len(waits) == t.Len() {
		return waits, nil
	}
	tree, err := runGrammar(string(masked))
	if err != nil {
		err = t.unmasked(string(masked), err)
	}
	if err := firstError(waitErr, err); err != nil {
		return nil, err
	}
	return t.merge(waits, tree)
}

// parseWaits reads the statements that are ours and blanks them out of masked.
func (t *Tokens) parseWaits(masked []byte) (waits []Stmt, err error) {
	chars, counted := 0, 0
	for i := range t.Len() {
		s := t.Stmt(i)
		if !s.isWaitFor() {
			continue
		}
		chars += utf8.RuneCountInString(t.sql[counted:s.Offset()])
		counted = s.Offset()
		r := waitReader{s: s}
		stmt := r.statement()
		if err == nil {
			err = r.err
		}
		waits = append(waits, Stmt{
			Tree: stmt, Text: s.Text(), Offset: s.Offset(), charOffset: chars})
		for at := s.Offset(); at < s.end(); at++ {
			masked[at] = ' '
		}
	}
	return waits, err
}

// unmasked moves the position of an error found in the masked text: blanks are bytes, and what
// stood there may have been fewer characters.
func (t *Tokens) unmasked(masked string, err error) error {
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Position == 0 {
		return err
	}
	at := 0
	for range syntax.Position - 1 {
		_, size := utf8.DecodeRuneInString(masked[at:])
		at += size
	}
	moved := *syntax
	moved.Position = charPosition(t.sql, at)
	return &moved
}

// firstError is the error that stands first in the text, as one grammar for all would have it.
func firstError(wait, other error) error {
	var a, b *SyntaxError
	if errors.As(wait, &a) && errors.As(other, &b) && b.Position > 0 && b.Position < a.Position {
		return other
	}
	if wait != nil {
		return wait
	}
	return other
}

// merge puts what was read here and what the grammar read in the order of the text.
func (t *Tokens) merge(waits []Stmt, tree *pg.ParseResult) ([]Stmt, error) {
	rest := Tokens{sql: t.sql, tokens: t.tokens, literals: t.literals}
	for i := range t.Len() {
		if !t.Stmt(i).isWaitFor() {
			rest.spans = append(rest.spans, t.spans[i])
		}
	}
	others, err := rest.convertAll(tree)
	if err != nil {
		return nil, err
	}
	stmts := make([]Stmt, 0, len(waits)+len(others))
	for len(waits) > 0 && len(others) > 0 {
		if waits[0].Offset < others[0].Offset {
			stmts, waits = append(stmts, waits[0]), waits[1:]
		} else {
			stmts, others = append(stmts, others[0]), others[1:]
		}
	}
	return append(append(stmts, waits...), others...), nil
}

// waitReader reads one statement from its tokens. After the first error it reads no more.
type waitReader struct {
	s       StmtTokens
	at      int // token
	literal int // literals before it
	err     error
}

// statement reads
//
//	WAIT FOR LSN 'position' [ WITH ( option [, ...] ) ]
func (r *waitReader) statement() *WaitForStmt {
	r.word("wait")
	r.word("for")
	r.word("lsn")
	stmt := &WaitForStmt{Pos: r.pos()}
	stmt.LSN = r.text()
	if r.atWord("with") {
		r.next()
		stmt.Options = r.options()
	}
	if r.err == nil && r.at < r.s.Len() {
		r.unexpected()
	}
	return stmt
}

func (r *waitReader) options() (list []DefElem) {
	r.sign("(")
	for r.err == nil {
		list = append(list, r.option())
		if !r.atSign(",") {
			break
		}
		r.next()
	}
	r.sign(")")
	return list
}

// option reads a name and, unless the option ends there, its argument.
func (r *waitReader) option() DefElem {
	d := DefElem{Pos: r.pos(), Name: r.name()}
	if r.err == nil && !r.atSign(",") && !r.atSign(")") {
		d.Arg = r.argument()
	}
	return d
}

func (r *waitReader) argument() DefArg {
	sign := ""
	if r.atSign("-") || r.atSign("+") {
		sign = strings.TrimPrefix(r.s.TokenText(r.at), "+")
		r.next()
	}
	value := &Const{Lit: NoLit, Pos: r.pos()}
	switch kind := r.kind(); {
	case kind >= TokenInt4:
		text := r.s.TokenText(r.at)
		r.next()
		setNumber(value, sign+plainNumber(text))
	case sign != "":
		r.unexpected()
	case kind == TokenString:
		value.Kind, value.Str = ConstString, r.text()
	default:
		value.Kind, value.Str = ConstString, r.name()
	}
	return value
}

// kind is the kind of the token to come; 0 at the end.
func (r *waitReader) kind() TokenKind {
	if r.err != nil || r.at >= r.s.Len() {
		return 0
	}
	return r.s.Token(r.at).Kind
}

func (r *waitReader) next() {
	if r.kind().isLiteral() {
		r.literal++
	}
	r.at++
}

func (r *waitReader) pos() Pos {
	if r.kind() == 0 {
		return NoPos
	}
	return Pos(int(r.s.Token(r.at).Start) - r.s.Offset())
}

func (r *waitReader) atWord(word string) bool {
	return r.kind() == TokenWord && equalFold(r.s.TokenText(r.at), word)
}

func (r *waitReader) atSign(sign string) bool {
	kind := r.kind()
	return (kind == TokenPunct || kind == TokenOp) && r.s.TokenText(r.at) == sign
}

func (r *waitReader) word(word string) {
	if !r.atWord(word) {
		r.unexpected()
		return
	}
	r.next()
}

func (r *waitReader) sign(sign string) {
	if !r.atSign(sign) {
		r.unexpected()
		return
	}
	r.next()
}

// name reads an identifier or a word, folded as identifiers are.
func (r *waitReader) name() string {
	text := ""
	switch r.kind() {
	case TokenWord:
		text = foldName(r.s.TokenText(r.at))
	case TokenQuoted:
		text = strings.ReplaceAll(strings.Trim(r.s.TokenText(r.at), `"`), `""`, `"`)
	default:
		r.unexpected()
	}
	r.next()
	return text
}

// foldName folds ASCII letters and nothing else.
func foldName(word string) string {
	folded := []byte(word)
	for i, c := range folded {
		folded[i] = foldTable[c]
	}
	return string(folded)
}

// text reads a string.
func (r *waitReader) text() string {
	if r.kind() != TokenString {
		r.unexpected()
		return ""
	}
	lit := r.s.literals()[r.literal]
	if r.s.span.uncacheable {
		return r.decode()
	}
	r.next()
	return r.s.t.stringValue(lit)
}

// decode has the grammar read a string of which the lexer says that only the grammar can.
func (r *waitReader) decode() string {
	const before = "SELECT "
	tree, err := runGrammar(before + r.s.TokenText(r.at))
	if err != nil {
		var syntax *SyntaxError
		if errors.As(err, &syntax) && syntax.Position > 0 {
			start := int(r.s.Token(r.at).Start)
			syntax.Position += charPosition(r.s.t.sql, start) - 1 - len(before)
		}
		r.err = err
		return ""
	}
	r.next()
	target := tree.Stmts[0].Stmt.GetSelectStmt().TargetList[0].GetResTarget()
	return target.Val.GetAConst().GetSval().GetSval()
}

// unexpected is the syntax error at the token to come.
func (r *waitReader) unexpected() {
	if r.err != nil {
		return
	}
	sql := r.s.t.sql
	if r.at < r.s.Len() {
		tok := r.s.Token(r.at)
		r.err = syntaxErrorNear("syntax error", sql, int(tok.Start), sql[tok.Start:tok.End])
		return
	}
	// A semicolon is what the grammar would stumble over, if there is one.
	if end := r.s.end(); strings.HasPrefix(strings.TrimLeft(sql[end:], " \t\r\n\f\v"), ";") {
		at := end + strings.IndexByte(sql[end:], ';')
		r.err = syntaxErrorNear("syntax error", sql, at, ";")
		return
	}
	r.err = syntaxErrorNear("syntax error", sql, len(sql), "")
}
