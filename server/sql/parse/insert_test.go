package parse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// longInsert is an INSERT of n rows with some multi-byte text in each.
func longInsert(n int, row, tail string) string {
	return "INSERT INTO t (a, b) VALUES " + strings.Repeat(row+", ", n-1) + row + tail
}

// TestLongInsertIsTheSame reads an INSERT in pieces and at once: the trees agree in every value and
// every position.
func TestLongInsertIsTheSame(t *testing.T) {
	const row = "(1, 'é)(''', -2.5, f(ARRAY[1]), DEFAULT)"
	sql := longInsert(10_000, row, " ON CONFLICT (a) DO UPDATE SET b = 'ü' RETURNING a, b")
	require.Greater(t, len(sql), longInsertBytes)
	var toks Tokens
	require.NoError(t, toks.Lex(sql))

	require.Greater(t, len(insertPieces(toks.Stmt(0))), 2)
	inPieces, ok, err := parseLongInsert(toks.Stmt(0))
	require.NoError(t, err)
	require.True(t, ok)

	tree, err := runGrammar(sql)
	require.NoError(t, err)
	atOnce, err := toks.convertAll(tree)
	require.NoError(t, err)
	require.Equal(t, atOnce[0].Tree, inPieces.Tree)
	require.Equal(t, atOnce[0].Text, inPieces.Text)

	// The negative control: the comparison would see a single other value.
	inPieces.Tree.(*InsertStmt).Query.Values[9_000][0].(*Const).Int++
	require.NotEqual(t, atOnce[0].Tree, inPieces.Tree)
}

func TestLongInsertErrors(t *testing.T) {
	row := "(1, 'é')"
	for name, sql := range map[string]string{
		"first piece": longInsert(30_000, row, "")[:30] + "1 é" + longInsert(30_000, row, "")[30:],
		"last piece":  longInsert(30_000, row, ", (1 2)"),
		"tail":        longInsert(30_000, row, " RETURN a"),
		"end":         longInsert(30_000, row, ", "),
	} {
		_, inPieces := Parse(sql)
		require.Error(t, inPieces, name)
		_, atOnce := runGrammar(sql)
		require.Equal(t, atOnce, inPieces, name)
	}
}

// TestLongInsertLeavesOthers has texts that only look like an INSERT of many rows.
func TestLongInsertLeavesOthers(t *testing.T) {
	rows := strings.Repeat("(1, 2), ", 40_000) + "(1, 2)"
	for _, sql := range []string{
		"INSERT INTO t VALUES " + rows + " UNION SELECT 1, 2",
		"INSERT INTO t SELECT * FROM (VALUES " + rows + ") v",
		"INSERT INTO t VALUES (1, ARRAY[" + strings.Repeat("1, ", 100_000) + "1])",
		"SELECT 1 FROM (VALUES " + rows + ") v",
	} {
		stmts, err := Parse(sql)
		require.NoError(t, err, "%.40s", sql)
		require.Len(t, stmts, 1)
	}
}

// TestInsertOfManyMegabytes is what bulk loaders send: it has to pass, in time that grows with its
// length only.
func TestInsertOfManyMegabytes(t *testing.T) {
	const rows = 50_000
	sql := longInsert(rows, "(1234567, '"+strings.Repeat("x", 100)+"')", "")
	require.Greater(t, len(sql), 5<<20)
	stmts, err := Parse(sql)
	require.NoError(t, err)
	require.Len(t, stmts[0].Tree.(*InsertStmt).Query.Values, rows)
}

func BenchmarkParseInsert(b *testing.B) {
	for _, rows := range []int{1, 1_000, 10_000, 100_000} {
		sql := longInsert(rows, "(5015, '68487718')", "")
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			b.SetBytes(int64(len(sql)))
			for b.Loop() {
				if _, err := Parse(sql); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
		})
	}
}
