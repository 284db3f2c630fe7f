package parse

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestConversions runs the golden files of testdata/golden: what each statement becomes.
func TestConversions(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		if *update {
			require.NoError(t, flag.Set("rewrite", "true"))
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return goldenAnswer(d.Input)
		})
	})
}

func goldenAnswer(sql string) string {
	stmts, err := Parse(sql)
	if err != nil {
		return goldenError(err)
	}
	var b strings.Builder
	for _, s := range stmts {
		if u, ok := s.Tree.(*UnsupportedStmt); ok {
			b.WriteString(goldenError(u.Err))
			continue
		}
		b.WriteString(dump(s.Tree) + "\n")
	}
	return b.String()
}

func goldenError(err error) string {
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("ERROR %s at %d: %s\n", syntax.SQLSTATE, syntax.Position, syntax.Message)
	}
	var feature *FeatureError
	if errors.As(err, &feature) {
		return fmt.Sprintf("ERROR %s at %d: %s\n", feature.SQLSTATE(), feature.Position, feature)
	}
	return "ERROR " + err.Error() + "\n"
}

// unsupported begins the statements of the corpus that are refused by name.
var unsupported = map[string]string{
	"MERGE": "MERGE", "CREATE FUNCTION": "CREATE FUNCTION", "DO $$": "DO",
	"CREATE TRIGGER": "CREATE TRIGGER", "CREATE TYPE": "CREATE TYPE",
	"CREATE PUBLICATION": "CREATE PUBLICATION", "SELECT * FROM t TABLESAMPLE": "TABLESAMPLE",
	"SELECT xmlelement": "XML", "SECURITY LABEL": "SECURITY LABEL",
}

// TestCorpus parses what clients send.
func TestCorpus(t *testing.T) {
	for _, sql := range corpus(t) {
		stmts, err := Parse(sql)
		require.NoError(t, err, sql)
		feature := ""
		for start, name := range unsupported {
			if strings.HasPrefix(sql, start) {
				feature = name
			}
		}
		for _, s := range stmts {
			u, refused := s.Tree.(*UnsupportedStmt)
			require.Equal(t, feature != "", refused, "%s: %+v", sql, u)
			if refused {
				require.Equal(t, feature, u.Err.Feature, sql)
			}
		}
	}
}

func TestErrorPositions(t *testing.T) {
	for _, c := range []struct {
		sql, message string
		position     int
	}{
		{"selec 1", `syntax error at or near "selec"`, 1},
		{"select 'é日本', from", `syntax error at or near "from"`, 15},
		{"select (1", "syntax error at end of input", 10},
		{"select 1;\n selct 2", `syntax error at or near "selct"`, 12},
		{"/* é */ select 'a", `unterminated quoted string at or near "'a"`, 16},
		{"selec 'a", `syntax error at or near "selec"`, 1},
		{"select $$a", `unterminated dollar-quoted string at or near "$$a"`, 8},
		{"select 12ab", `trailing junk after numeric literal at or near "12ab"`, 8},
		{`select ""`, `zero-length delimited identifier at or near """"`, 8},
		{"select /* x", `unterminated /* comment at or near "/* x"`, 8},
		{`select 1 \g`, `syntax error at or near "\"`, 10},
		{"insert into t values (1", "syntax error at end of input", 24},
	} {
		_, err := Parse(c.sql)
		var e *SyntaxError
		require.ErrorAs(t, err, &e, c.sql)
		require.Equal(t, CodeSyntaxError, e.SQLSTATE, c.sql)
		require.Equal(t, c.message, e.Message)
		require.Equal(t, c.position, e.Position, c.sql)
	}
}

// TestPositionsInCharacters follows a node's position through multi-byte text and a second
// statement to what the client is told.
func TestPositionsInCharacters(t *testing.T) {
	const sql = "select 'é'; -- ü\n select '日本', missing from t"
	stmts, err := Parse(sql)
	require.NoError(t, err)
	require.Len(t, stmts, 2)
	sel := stmts[1].Tree.(*SelectStmt)
	require.Equal(t, "select '日本', missing from t", stmts[1].Text)
	require.Equal(t, sql[stmts[1].Offset:], stmts[1].Text)
	column := sel.Targets[1].Val.Position()
	require.Equal(t, "missing", stmts[1].Text[column:column+7])
	require.Equal(t, len([]rune(sql[:strings.Index(sql, "missing")]))+1, stmts[1].Position(column))
	require.Zero(t, stmts[1].Position(NoPos))
}

func TestParseOne(t *testing.T) {
	_, err := ParseOne("select 1; select 2")
	var e *SyntaxError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "cannot insert multiple commands into a prepared statement", e.Message)
	stmt, err := ParseOne(" select 1 ; ")
	require.NoError(t, err)
	require.Equal(t, "select 1", stmt.Text)
	_, err = ParseOne("do $$ x $$")
	var f *FeatureError
	require.ErrorAs(t, err, &f)
}

// TestParseAtOnce has more callers than there are threads for the grammar.
func TestParseAtOnce(t *testing.T) {
	statements := corpus(t)
	var wg sync.WaitGroup
	for i := range 4 * maxGrammarThreads {
		wg.Go(func() {
			for j := range statements {
				_, err := Parse(statements[(i*31+j)%len(statements)])
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestGrammarLeavesStderr guards against a build of the C parser that points the process's standard
// error elsewhere while it parses, as pg_query does when built without its DEBUG.
func TestGrammarLeavesStderr(t *testing.T) {
	before, err := os.Stderr.Stat()
	require.NoError(t, err)
	_, err = Parse("selec")
	require.Error(t, err)
	after, err := os.Stderr.Stat()
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))
}
