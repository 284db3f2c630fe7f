package parse

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Lex reads a query in one pass, and is the only way into the grammar (P1). It reuses the buffers
// of t and allocates nothing once they have grown.
func (t *Tokens) Lex(sql string) error {
	err := t.scan(sql)
	if err == nil {
		return nil
	}
	return t.earliest(err)
}

// earliest gives the error Postgres would give where the lexer stopped: the grammar may have
// stumbled before. What the lexer has not read, the guard has not either, so only the part up to
// the end of its last token is shown to the grammar, and only a stumble in it counts.
func (t *Tokens) earliest(err error) error {
	sql, seen := t.sql, t.seen()
	var lexical *SyntaxError
	if !errors.As(err, &lexical) || lexical.SQLSTATE != CodeSyntaxError || t.hasWaitFor() {
		return err
	}
	_, grammarErr := runGrammar(sql[:seen])
	var syntax *SyntaxError
	if errors.As(grammarErr, &syntax) && syntax.Position > 0 &&
		syntax.Position <= utf8.RuneCountInString(sql[:seen]) {
		return syntax
	}
	return err
}

// seen is where the last token ends that the lexer took.
func (t *Tokens) seen() int {
	if len(t.tokens) == 0 {
		return 0
	}
	return int(t.tokens[len(t.tokens)-1].End)
}

// Parse parses a query of any number of statements. A syntax error anywhere is the error of the
// whole. A statement that only our tree cannot hold becomes an UnsupportedStmt, since what stands
// before it has its effect first. Text without statements gives none.
func Parse(sql string) ([]Stmt, error) {
	var t Tokens
	if err := t.Lex(sql); err != nil {
		return nil, err
	}
	return t.Parse()
}

// Parse is the function Parse for a query that t has read.
func (t *Tokens) Parse() ([]Stmt, error) {
	if t.Len() == 0 {
		return nil, nil
	}
	if t.Len() == 1 {
		if stmt, ok, err := parseLongInsert(t.Stmt(0)); ok || err != nil {
			return []Stmt{stmt}, err
		}
	}
	if err := t.boundWidth(); err != nil {
		return nil, err
	}
	if t.hasWaitFor() {
		return t.parseMixed()
	}
	tree, err := runGrammar(t.sql)
	if err != nil {
		return nil, err
	}
	return t.convertAll(tree)
}

// ParseOne parses the text of a prepared statement: one statement, or nil for an empty text.
func ParseOne(sql string) (*Stmt, error) {
	stmts, err := Parse(sql)
	switch {
	case err != nil:
		return nil, err
	case len(stmts) == 0:
		return nil, nil
	case len(stmts) > 1:
		return nil, &SyntaxError{
			SQLSTATE: CodeSyntaxError,
			Message:  "cannot insert multiple commands into a prepared statement",
		}
	}
	if u, ok := stmts[0].Tree.(*UnsupportedStmt); ok {
		return nil, u.Err
	}
	return &stmts[0], nil
}

// What is handed to the grammar at once is bounded in width too, as its tree takes some hundred
// times the bytes of its text: each bound keeps a query under some 500 MiB at worst.
// docs/decisions/0011-parser-guard.md has the measurements.
const (
	// MaxTokens bounds the tokens of any query.
	MaxTokens = 4 << 20

	// MaxQueryTokens bounds those of a query that the grammar has to see at once. That is any but
	// an INSERT of many rows, which is the one text that grows so long for a reason.
	MaxQueryTokens = 512 << 10

	// MaxStatements bounds the statements of a query.
	MaxStatements = 64 << 10
)

func (t *Tokens) boundWidth() error {
	switch {
	case len(t.tokens) > MaxQueryTokens:
		return tooMany("words and signs", MaxQueryTokens)
	case t.Len() > MaxStatements:
		return tooMany("statements", MaxStatements)
	}
	return nil
}

func tooMany(what string, limit int) error {
	return &SyntaxError{
		SQLSTATE: CodeTooLarge,
		Message:  "query has too many " + what,
		Hint:     fmt.Sprintf("At most %d are read as one query.", limit),
	}
}
