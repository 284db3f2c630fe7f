package parse

import (
	"errors"
	"unicode/utf8"
)

// Lex reads a query in one pass, and is the only way into the grammar (P1). It reuses the buffers
// of t and allocates nothing once they have grown.
func (t *Tokens) Lex(sql string) error {
	err := t.scan(sql)
	if err == nil {
		return nil
	}
	return earliest(sql, t.seen(), err)
}

// earliest gives the error Postgres would give where the lexer stopped: the grammar may have
// stumbled before. What the lexer has not read, the guard has not either, so only the part up to
// the end of its last token is shown to the grammar, and only a stumble in it counts.
func earliest(sql string, seen int, err error) error {
	var lexical *SyntaxError
	if !errors.As(err, &lexical) || lexical.SQLSTATE != CodeSyntaxError {
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
	if err := t.boundTokens(); err != nil {
		return nil, err
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

// MaxQueryTokens bounds what is handed to the grammar at once, as its tree takes some hundred
// times the bytes of its text: this many make one of a few hundred MiB at worst. INSERTs of many
// rows, the one sort of text that grows so long for a reason, are read in pieces instead.
const MaxQueryTokens = 1 << 20

func (t *Tokens) boundTokens() error {
	if len(t.tokens) <= MaxQueryTokens {
		return nil
	}
	return &SyntaxError{
		SQLSTATE: CodeTooLarge,
		Message:  "query has too many words",
		Hint: "At most 1048576 words and signs are read as one query; only INSERT ... VALUES may " +
			"have more.",
	}
}
