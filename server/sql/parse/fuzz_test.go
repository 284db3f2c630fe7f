package parse

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func seed(f *testing.F) {
	f.Helper()
	for _, sql := range append(corpus(f), oddities...) {
		f.Add(sql)
	}
}

// FuzzLexer holds the lexer to P1 and P2: whatever it takes, the grammar's scanner takes the same
// way, and the tokens rejoin to the source. Were the two to differ, text could hide from the guard.
func FuzzLexer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, sql string) {
		var toks Tokens
		if toks.scan(sql) != nil && (!utf8.ValidString(sql) || strings.Contains(sql, "\x00")) {
			return
		}
		requireRejoin(t, sql)
		requireSameTokens(t, sql)
	})
}

// FuzzParse expects nothing but that the process lives, and that a template made of a statement
// matches it and reads the same constants out of it that the grammar saw.
func FuzzParse(f *testing.F) {
	seed(f)
	for _, n := range nests {
		f.Add(n.text(50))
	}
	f.Fuzz(func(t *testing.T, sql string) {
		stmts, err := Parse(sql)
		if err != nil {
			return
		}
		for i := range stmts {
			require.NotNil(t, stmts[i].Tree)
		}
		var toks Tokens
		require.NoError(t, toks.Lex(sql))
		for i := range toks.Len() {
			if s := toks.Stmt(i); s.Cacheable() {
				requireTemplateAgrees(t, s)
			}
		}
	})
}
