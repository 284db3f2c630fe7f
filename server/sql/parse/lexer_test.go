package parse

import (
	"os"
	"strings"
	"testing"

	pg "github.com/pganalyze/pg_query_go/v6"
	"github.com/stretchr/testify/require"
)

// corpus gives the statements of testdata/corpus.sql.
func corpus(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/corpus.sql")
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "-- S") {
			out = append(out, line)
		}
	}
	require.Greater(t, len(out), 200)
	return out
}

// oddities are texts on which lexers differ.
var oddities = []string{
	"WAIT FOR LSN '0/1' WITH (mode 'é', timeout -1.5, no_throw); SELECT 'é' FROM t",
	"SELECT 1; wait for lsn E'\\x30/1'; BEGIN ATOMIC; wait; END", "WAIT FOR LSN U&'\\0030/1' 'x'",
	"a+-1", "a*-1", "a@-1", "a<>-1", "a->-1", "a-- comment\n+1", "a/* x /* y */ z */+1",
	"1+/**/2", "B'", "x'1", "B'0''", "B'0''1'", "B'0'\n'1'", "B'0'\n'1", "a=>b", "a=>-1", "a:=1",
	"a::b", "a..b", "1..10", "1.", ".5", "1.5e5", "1e-5", "1.e5", "a.1", "$1::int", "$1$2",
	"$a$ x $a$", "$$ x $$", "$a$ $b$ $a$", "a$b$c", "a$1", "'a''b'", "''", "''''", "'a'\n'b'",
	"'a' 'b'", "'a' -- x\n 'b'", "'a' --x\n--y\n'b'", "'a'\n/* x */'b'", "'a'\n--x 'b'",
	"'a'\v\n'b'", "E'\\''", `E'a\\'`, `e'\n\t'`, "E'a''b'", "E'a'\n'\\'b'", "U&'\\0061'",
	`U&"a"`, "u&'x' uescape '!'", "U & 'x'", "b'01'", "X'1f'", "n'x'", "N 'x'", "nchar 'x'",
	`"a""b"`, `"a`, "'a", "E'a\\", "$a$ x", "/* x", "/* /* */", "0x1F", "0X1f", "0b101", "0o17",
	"0x", "0b2", "0x1g", "1_000", "1__0", "1_", "1_000.5_0", "1a", "1.5a", "$1a", "0x_1", "0_1",
	"00012", "0b12", "1e", "1e+", "1.5e", "a[1:2]", "a[1::int]", ";;", "a;b;", "(a;b)", "é",
	"日本", "a\u00a0b", "\f\v\t", "~~*", "!~~*", "<=>", "||/", "|/ 4", "@@@", "?|", "#>>", "a<-1",
	"a<--1\n1", "a</*x*/1", "+-+-1", "!=-1", "a!=-1", "a<=+b", "a%+1", "&-1", "`", "{", "}",
	"\\", "a\\b", "1;2", "- 1", "--", "--\r1", "$", "$ 1", `$"`, "$0",
	"2147483647 2147483648 9223372036854775807 9223372036854775808 18446744073709551616",
	"9999999999999999999999999", "0xFFFFFFFF", "0x8000000000000000", "0x80000000", "1.0 1e3",
	"0_0$0", "0e0e+", "1e5$", "1e+5$", "1_0.5$", "10$", "1.5e3$a", "0x1$",
	strings.Repeat("+", 63), strings.Repeat("+", 64), strings.Repeat("a", 100),
	strings.Repeat("<", 70),
}

// requireSameTokens compares the lexer with the scanner of the grammar.
func requireSameTokens(t *testing.T, sql string) {
	t.Helper()
	scan, scanErr := pg.Scan(sql)
	var toks Tokens
	err := toks.scan(sql)
	if err != nil && strings.HasPrefix(err.Error(), "syntax error") {
		return // a character that is no token: the scanner hands it on, and the grammar refuses it
	}
	if scanErr != nil {
		if !isDecodingError(scanErr) {
			require.Error(t, err, "%q: the grammar says %v", sql, scanErr)
		}
		return
	}
	require.NoError(t, err, "%q", sql)
	require.Equal(t, scannedTokens(sql, scan), lexedTokens(&toks), "%q", sql)
}

// isDecodingError tells errors about a string's value, which our lexer leaves to the grammar.
func isDecodingError(err error) bool {
	return strings.HasPrefix(err.Error(), "invalid") && !strings.Contains(err.Error(), "integer") ||
		strings.HasPrefix(err.Error(), "unsafe")
}

// scannedTokens lists the grammar's tokens, without comments and statement ends.
func scannedTokens(sql string, scan *pg.ScanResult) []string {
	out := []string{}
	for _, tok := range scan.Tokens {
		switch tok.Token {
		case pg.Token_SQL_COMMENT, pg.Token_C_COMMENT, pg.Token_ASCII_59:
			continue
		}
		out = append(out, sql[tok.Start:tok.End])
	}
	return out
}

func lexedTokens(toks *Tokens) []string {
	out := []string{}
	for _, tok := range toks.tokens {
		if text := toks.sql[tok.Start:tok.End]; text != ";" {
			out = append(out, text)
		}
	}
	return out
}

func TestLexerAgreesWithGrammar(t *testing.T) {
	for _, sql := range append(corpus(t), oddities...) {
		requireSameTokens(t, sql)
		var toks Tokens
		_, want := pg.Scan(sql)
		got := toks.scan(sql)
		if want != nil && !isDecodingError(want) && !strings.HasPrefix(got.Error(), "syntax error") {
			require.Equal(t, want.Error(), got.Error(), "%q", sql)
		}
	}
}

// TestTokensRejoin is P2: between tokens there is nothing but space, comments and semicolons.
func TestTokensRejoin(t *testing.T) {
	for _, sql := range append(corpus(t), oddities...) {
		requireRejoin(t, sql)
	}
}

func requireRejoin(t *testing.T, sql string) {
	t.Helper()
	var toks Tokens
	if toks.scan(sql) != nil {
		return
	}
	end := 0
	for _, tok := range toks.tokens {
		require.LessOrEqual(t, end, int(tok.Start), "%q", sql)
		require.Less(t, tok.Start, tok.End, "%q", sql)
		requireNoToken(t, sql[end:tok.Start])
		end = int(tok.End)
	}
	requireNoToken(t, sql[end:])
}

func requireNoToken(t *testing.T, gap string) {
	t.Helper()
	var toks Tokens
	require.NoError(t, toks.scan(gap))
	require.Empty(t, toks.tokens, "%q", gap)
}

func TestSplit(t *testing.T) {
	var toks Tokens
	require.NoError(t, toks.Lex(" ;; select 1 ; -- x;y\n insert into a values (';') /* ; */;;commit"))
	require.Equal(t, 3, toks.Len())
	require.Equal(t, "select 1", toks.Stmt(0).Text())
	require.Equal(t, "insert into a values (';')", toks.Stmt(1).Text())
	require.Equal(t, 1, toks.Stmt(1).Literals())
	require.Equal(t, "commit", toks.Stmt(2).Text())
	require.Equal(t, "commit", toks.Stmt(2).Verb())
}

func TestEmptyQueries(t *testing.T) {
	for _, sql := range []string{"", ";", " ; ;\n", "-- ping", "/* a /* b */ */", "--\n;--"} {
		stmts, err := Parse(sql)
		require.NoError(t, err)
		require.Empty(t, stmts)
		stmt, err := ParseOne(sql)
		require.NoError(t, err)
		require.Nil(t, stmt)
	}
}

func TestBadEncoding(t *testing.T) {
	for sql, message := range map[string]string{
		"select '\xff'":    `invalid byte sequence for encoding "UTF8": 0xff`,
		"select '\xc3('":   `invalid byte sequence for encoding "UTF8": 0xc3 0x28`,
		"select '\x00'":    `invalid byte sequence for encoding "UTF8": 0x00`,
		"select '\xe2\x82": `invalid byte sequence for encoding "UTF8": 0xe2 0x82`,
	} {
		_, err := Parse(sql)
		var e *SyntaxError
		require.ErrorAs(t, err, &e)
		require.Equal(t, CodeInvalidEncoding, e.SQLSTATE)
		require.Equal(t, message, e.Message)
	}
	_, err := Parse(`select E'\xff'`)
	var e *SyntaxError
	require.ErrorAs(t, err, &e)
	require.Equal(t, CodeInvalidEncoding, e.SQLSTATE)
}

func TestVerb(t *testing.T) {
	var toks Tokens
	for sql, verb := range map[string]string{
		"SeLeCt 1": "select", "/* x */ UPDATE t": "update", "(select 1)": "", `"select" 1`: "",
		"selects": "",
	} {
		require.NoError(t, toks.Lex(sql))
		require.Equal(t, verb, toks.Stmt(0).Verb(), sql)
	}
}
