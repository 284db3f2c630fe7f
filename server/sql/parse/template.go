package parse

// Template is a statement parsed once for all texts that differ only in literals.
//
// Its tree has holes: constants whose Lit is the index of a literal, read with StmtTokens.Const.
// Not every literal is a hole. One that the meaning of the statement hangs on is pinned, and the
// template matches only texts that have the same: LIMIT and OFFSET, type modifiers, whatever the
// grammar used other than as a value; and all of them when one stands in GROUP BY, ORDER BY,
// DISTINCT ON or an ON CONFLICT target, where expressions are matched to others by being equal.
type Template struct {
	Stmt  *Stmt
	Holes int // how many literals are holes

	tokens []Token // offsets into Stmt.Text
	pinned []bool  // by literal
}

// ParseTemplate parses one cacheable statement.
func ParseTemplate(s StmtTokens) (*Template, error) {
	text := s.Text()
	tree, err := runGrammar(text)
	if err != nil {
		// The whole query tells better where: what follows a statement can be part of the error.
		if _, whole := runGrammar(s.t.sql); whole != nil {
			err = whole
		}
		return nil, err
	}
	c := newConverter(text, s)
	stmt, err := c.convertTemplate(tree, s)
	if err != nil {
		return nil, shift(err, s)
	}
	t := &Template{Stmt: stmt, pinned: c.pins(), tokens: make([]Token, s.Len())}
	base := uint32(s.Offset())
	for i, tok := range s.tokens() {
		t.tokens[i] = Token{Start: tok.Start - base, End: tok.End - base, Kind: tok.Kind}
	}
	for _, pinned := range t.pinned {
		if !pinned {
			t.Holes++
		}
	}
	return t, nil
}

// shift moves an error's position from the statement to the query around it.
func shift(err error, s StmtTokens) error {
	before := charPosition(s.t.sql, s.Offset()) - 1
	switch e := err.(type) {
	case *SyntaxError:
		if e.Position > 0 {
			e.Position += before
		}
	case *FeatureError:
		if e.Position > 0 {
			e.Position += before
		}
	}
	return err
}

// Matches tells whether the template stands for the statement (P3).
func (t *Template) Matches(s StmtTokens) bool {
	tokens := s.tokens()
	if len(tokens) != len(t.tokens) {
		return false
	}
	literal := 0
	for i, tok := range tokens {
		own := t.tokens[i]
		if tok.Kind != own.Kind {
			return false
		}
		if tok.Kind.isLiteral() {
			literal++
			if !t.pinned[literal-1] {
				continue
			}
		}
		if !sameText(tok.Kind, t.Stmt.Text[own.Start:own.End], s.t.sql[tok.Start:tok.End]) {
			return false
		}
	}
	return true
}

// sameText compares two tokens of one kind. Words compare as identifiers fold.
func sameText(kind TokenKind, a, b string) bool {
	if a == b {
		return true
	}
	if kind != TokenWord || len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if foldTable[a[i]] != foldTable[b[i]] {
			return false
		}
	}
	return true
}

// OfItsLiterals gives the template of the same statement with just these literals.
func (t *Template) OfItsLiterals() *Template {
	pinned := make([]bool, len(t.pinned))
	for i := range pinned {
		pinned[i] = true
	}
	return &Template{Stmt: t.Stmt, tokens: t.tokens, pinned: pinned}
}

// Pinned tells whether a literal's value is part of the template.
func (t *Template) Pinned(lit int) bool { return t.pinned[lit] }
