package parse

// TokenKind is the sort of a token. Literals sort by what they mean, not by how they are spelled.
type TokenKind uint8

// The kinds of tokens. From TokenString on they are literals, left out of the fingerprint.
const (
	TokenWord    TokenKind = iota + 1 // an identifier or a keyword, unquoted
	TokenQuoted                       // "identifier", U&"identifier"
	TokenParam                        // $1
	TokenOp                           // an operator of one or more characters; also :: .. := =>
	TokenPunct                        // ( ) [ ] , ; . :
	TokenString                       // every form of character string
	TokenBit                          // B'01', X'1F'
	TokenInt4                         // an integer that fits int4
	TokenInt4Min                      // 2147483648, which fits int4 behind a minus only
	TokenInt8                         // an integer that fits int8
	TokenInt8Min                      // 9223372036854775808, likewise for int8
	TokenNumeric                      // every other number
)

func (k TokenKind) isLiteral() bool { return k >= TokenString }

// Token is a piece of the source. Its text is source[Start:End].
type Token struct {
	Start uint32
	End   uint32
	Kind  TokenKind
}

// literalForm says how a literal's value lies in the source.
type literalForm uint8

const (
	formPlain   literalForm = iota // between the quotes, as it is
	formDoubled                    // quotes inside are doubled, or the string continues on a new line
	formEscaped                    // E'' with backslashes
	formUnicode                    // U&'': only the grammar decodes it
	formNumber                     // digits; Int holds the value of an integer
)

// Literal is one entry of a statement's literal vector.
type Literal struct {
	Kind TokenKind
	form literalForm

	start, end uint32 // of a string's body, of a number's digits
	Int        int64  // of TokenInt4 and TokenInt8
}

// span is one statement in the buffers of Tokens.
type span struct {
	token, tokenEnd     int32
	literal, literalEnd int32
	fingerprint         uint64
	uncacheable         bool
}

// Tokens is what one pass over a query gives. It is a buffer: Lex overwrites what an earlier Lex
// left, and everything taken from it (StmtTokens, Literal) dies then. One goroutine uses it.
type Tokens struct {
	sql      string
	tokens   []Token
	literals []Literal
	spans    []span

	guard   guard
	current span // the statement being read
	hash    uint64
}

// MaxRetainedTokens bounds what an idle Tokens keeps for its next use.
const MaxRetainedTokens = 16 << 10

func (t *Tokens) reset(sql string) {
	if cap(t.tokens) > MaxRetainedTokens {
		t.tokens, t.literals = nil, nil
	}
	t.sql = sql
	t.tokens = t.tokens[:0]
	t.literals = t.literals[:0]
	t.spans = t.spans[:0]
	t.guard.reset()
	t.beginStatement()
}

func (t *Tokens) beginStatement() {
	t.current = span{token: int32(len(t.tokens)), literal: int32(len(t.literals))}
	t.hash = fingerprintSeed
}

// endStatement closes the statement being read. One without tokens leaves no trace.
func (t *Tokens) endStatement() {
	if int(t.current.token) < len(t.tokens) {
		t.current.tokenEnd = int32(len(t.tokens))
		t.current.literalEnd = int32(len(t.literals))
		t.current.fingerprint = t.hash
		t.spans = append(t.spans, t.current)
	}
	t.guard.reset()
	t.beginStatement()
}

// Len is the number of statements, empty ones not counted.
func (t *Tokens) Len() int { return len(t.spans) }

// Stmt is the i-th statement.
func (t *Tokens) Stmt(i int) StmtTokens { return StmtTokens{t: t, span: &t.spans[i]} }

// StmtTokens is one statement of a Tokens, valid until the next Lex.
type StmtTokens struct {
	t    *Tokens
	span *span
}

// Len is the number of tokens. The semicolon is not among them.
func (s StmtTokens) Len() int { return int(s.span.tokenEnd - s.span.token) }

// Token is the i-th token.
func (s StmtTokens) Token(i int) Token { return s.tokens()[i] }

// TokenText is the source of the i-th token.
func (s StmtTokens) TokenText(i int) string {
	tok := s.tokens()[i]
	return s.t.sql[tok.Start:tok.End]
}

func (s StmtTokens) tokens() []Token {
	return s.t.tokens[s.span.token:s.span.tokenEnd]
}

func (s StmtTokens) literals() []Literal {
	return s.t.literals[s.span.literal:s.span.literalEnd]
}

// Offset is where the statement's first token starts in the query, in bytes.
func (s StmtTokens) Offset() int { return int(s.t.tokens[s.span.token].Start) }

func (s StmtTokens) end() int { return int(s.t.tokens[s.span.tokenEnd-1].End) }

// Text is the statement from its first token to its last.
func (s StmtTokens) Text() string { return s.t.sql[s.Offset():s.end()] }

// Fingerprint is a hash over the tokens with every literal's value left out.
func (s StmtTokens) Fingerprint() uint64 { return s.span.fingerprint }

// Literals is the number of literals.
func (s StmtTokens) Literals() int { return int(s.span.literalEnd - s.span.literal) }

// MaxTemplateTokens bounds the statements a template is made of. Longer ones are one-off loads,
// whose plans would only push useful ones out.
const MaxTemplateTokens = 2048

// Cacheable tells whether ParseTemplate takes the statement: one that reads or writes rows, of a
// bounded length, in which every literal can be decoded without the grammar.
func (s StmtTokens) Cacheable() bool {
	if s.span.uncacheable || s.Len() > MaxTemplateTokens {
		return false
	}
	switch s.Verb() {
	case "select", "insert", "update", "delete", "values", "with":
		return true
	}
	return false
}

// verbs are the words that begin statements often.
var verbs = [...]string{
	"select", "insert", "update", "delete", "values", "with", "begin", "start", "commit", "end",
	"rollback", "abort", "savepoint", "release", "set", "reset", "show", "prepare", "execute",
	"deallocate", "copy", "create", "drop", "alter", "truncate", "explain", "vacuum", "analyze",
	"declare", "fetch", "move", "close", "listen", "unlisten", "notify", "lock", "discard", "wait",
}

// Verb is the statement's first word, folded, when it is one that begins a statement often; else
// it is empty. It allocates nothing.
func (s StmtTokens) Verb() string {
	first := s.TokenText(0)
	for i := range verbs {
		if equalFold(first, verbs[i]) {
			return verbs[i]
		}
	}
	return ""
}

// equalFold compares a word of the source with a lower-case one, folding as identifiers fold:
// ASCII letters and nothing else.
func equalFold(word, lower string) bool {
	if len(word) != len(lower) {
		return false
	}
	for i := range len(word) {
		if foldTable[word[i]] != lower[i] {
			return false
		}
	}
	return true
}
