package parse

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	pg "github.com/pganalyze/pg_query_go/v6"
	"github.com/stretchr/testify/require"
)

// nest is a way to make the grammar's tree deep. Its text has n levels.
type nest struct {
	name string
	text func(n int) string
}

// around puts n times open before the core, and n times close after it.
func around(head, open, core, close, tail string) func(int) string {
	return func(n int) string {
		return head + strings.Repeat(open, n) + core + strings.Repeat(close, n) + tail
	}
}

var nests = []nest{
	{"plus", around("SELECT 1", "", "", "+1", "")},
	{"minus", around("SELECT ", "- ", "a", "", "")},
	{"prefix operator", around("SELECT ", "@ ", "a", "", "")},
	{"not", around("SELECT ", "NOT ", "a", "", "")},
	{"parentheses", around("SELECT ", "(", "1", ")", "")},
	{"left-deep parentheses", around("SELECT ", "(", "1", "+1)", "")},
	{"right-deep parentheses", around("SELECT ", "(1+", "1", ")", "")},
	{"cast", around("SELECT 1", "", "", "::int", "")},
	{"CAST", around("SELECT ", "CAST(", "1", " AS int)", "")},
	{"call", around("SELECT ", "f(", "1", ")", "")},
	{"row", around("SELECT ", "ROW(", "1", ")", "")},
	{"implicit row", around("SELECT ", "(", "1", ",2)", "")},
	{"array", around("SELECT ARRAY", "[", "1", "]", "")},
	{"ARRAY", around("SELECT ", "ARRAY[", "1", "]", "")},
	{"subscript", around("SELECT a", "", "", "[1]", "")},
	{"subscript inside", around("SELECT ", "a[", "1", "]", "")},
	{"field", around("SELECT ", "(", "a", ").b", "")},
	{"case", around("SELECT ", "CASE WHEN ", "a", " THEN 1 END", "")},
	{"case else", around("SELECT ", "CASE WHEN a THEN 1 ELSE ", "1", " END", "")},
	{"coalesce", around("SELECT ", "COALESCE(1,", "1", ")", "")},
	{"and", around("SELECT a", "", "", " AND a", "")},
	{"or in not", around("SELECT ", "NOT (a OR ", "a", ")", "")},
	{"collate", around("SELECT a", "", "", ` COLLATE "C"`, "")},
	{"at time zone", around("SELECT a", "", "", " AT TIME ZONE 'UTC'", "")},
	{"at local", around("SELECT a", "", "", " AT LOCAL", "")},
	{"in", around("SELECT ", "a IN (", "1", ")", "")},
	{"is null", around("SELECT ", "(", "a", " IS NULL)", "")},
	{"like", around("SELECT ", "(a LIKE ", "a", ")", "")},
	{"between", around("SELECT ", "(a BETWEEN 1 AND ", "a", ")", "")},
	{"union", around("SELECT", "", "", " UNION SELECT", "")},
	{"union of lists", around("SELECT 1,1", "", "", " UNION SELECT 1,1", "")},
	{"union of values", around("VALUES (1),(2)", "", "", " UNION VALUES (1),(2)", "")},
	{"except in parentheses", around("", "(", "SELECT 1", " EXCEPT SELECT 1)", "")},
	{"scalar subquery", around("SELECT ", "(SELECT ", "1", ")", "")},
	{"exists", around("SELECT ", "EXISTS(SELECT ", "1", ")", "")},
	{"exists where", around("SELECT 1 WHERE ", "EXISTS(SELECT WHERE ", "a", ")", "")},
	{"subquery in from", around("SELECT * FROM ", "(SELECT * FROM ", "t", ") s", "")},
	{"with", around("", "WITH a AS (", "SELECT 1", ") SELECT 1", "")},
	{"join", around("SELECT * FROM t", "", "", " JOIN t ON a", "")},
	{"natural join", around("SELECT * FROM t", "", "", " NATURAL JOIN t", "")},
	{"cross join", around("SELECT 1,1 FROM a,t", "", "", " CROSS JOIN t", "")},
	{"nested join", around("SELECT * FROM ", "(", "t", " JOIN t ON a)", "")},
	{"right join tree", around("SELECT * FROM t", " JOIN t", "", " ON a", "")},
	{"window", around("SELECT ", "f(1) OVER (ORDER BY ", "1", ")", "")},
	{"filter", around("SELECT ", "f(1) FILTER (WHERE ", "a", ")", "")},
	{"default", around("CREATE TABLE t (a int DEFAULT ", "(1+", "1", ")", ")")},
	{"explain of plus", around("EXPLAIN SELECT 1", "", "", "+1", "")},
}

const (
	childEnv   = "ACKDB_PARSE_CHILD"
	childRaw   = "raw"     // straight into the grammar
	childGuard = "guarded" // as a server does
)

// TestMain lets this binary be the child process of the tests below: it parses what stands on its
// standard input and dies of it, or says how it went.
func TestMain(m *testing.M) {
	mode := os.Getenv(childEnv)
	if mode == "" {
		os.Exit(m.Run())
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(os.Stdin); err != nil {
		panic(err)
	}
	err := childParse(mode, text.String())
	fmt.Println("alive:", err)
	os.Exit(0)
}

func childParse(mode, text string) error {
	if mode == childRaw {
		_, err := pg.Parse(text)
		return err
	}
	_, err := Parse(text)
	return err
}

// runChild parses text in a process of its own with the given stack limit in KiB (0: as it is).
func runChild(t testing.TB, mode, text string, stackKiB int) (alive bool, output string) {
	t.Helper()
	limit := ""
	if stackKiB > 0 {
		limit = "ulimit -s " + strconv.Itoa(stackKiB) + " && "
	}
	cmd := exec.Command("sh", "-c", limit+`exec "$0"`, os.Args[0])
	// Under the race detector a process sleeps a second before it ends, unless it is told not to.
	cmd.Env = append(os.Environ(), childEnv+"="+mode, "GORACE=atexit_sleep_ms=0")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	output = string(out)
	return err == nil && strings.HasPrefix(output, "alive:"), output
}

// admitted is the deepest n that the guard lets through.
func admitted(n nest) int {
	var toks Tokens
	low, high := 0, 2*MaxNesting
	for high-low > 1 {
		if middle := (low + high) / 2; toks.Lex(n.text(middle)) == nil {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

const smallStackKiB = 2048

// TestGuardKeepsProcessAlive parses every nest at three depths, with the stack as it is and with a
// small one. Whether the answer is a tree, a refusal or a syntax error does not matter: a process
// that dies takes all sessions with it.
func TestGuardKeepsProcessAlive(t *testing.T) {
	for _, n := range nests {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []struct{ depth, stackKiB int }{
				{1_000, smallStackKiB}, {10_000, smallStackKiB}, {100_000, smallStackKiB},
				{100_000, 0}, {admitted(n), smallStackKiB / 4},
			} {
				alive, output := runChild(t, childGuard, n.text(c.depth), c.stackKiB)
				require.True(t, alive, "depth %d, stack %d KiB: %s", c.depth, c.stackKiB, output)
			}
		})
	}
}

// TestGuardMargin shows that what the guard admits at its limit leaves room on a small stack, for
// which the real limit is lower still.
func TestGuardMargin(t *testing.T) {
	for _, n := range nests {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			depth := admitted(n)
			require.Positive(t, depth)
			for _, factor := range []float64{1, 1.4} {
				text := n.text(int(float64(depth) * factor))
				alive, output := runChild(t, childRaw, text, smallStackKiB)
				require.True(t, alive, "%d levels, %.1f times what is admitted: %s",
					depth, factor, output)
			}
		})
	}
}

// TestGuardIsNeeded is the negative control of the two tests above: without the guard, the child
// does die.
func TestGuardIsNeeded(t *testing.T) {
	alive, output := runChild(t, childRaw, "SELECT 1"+strings.Repeat("+1", 100_000), smallStackKiB)
	require.False(t, alive)
	require.Contains(t, output, "SIGSEGV")
}

func TestGuardAnswers(t *testing.T) {
	for _, n := range nests {
		var toks Tokens
		require.NoError(t, toks.Lex(n.text(100)), n.name)
		err := toks.Lex(n.text(100_000))
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax, n.name)
		require.Equal(t, CodeTooComplex, syntax.SQLSTATE, n.name)
		require.Positive(t, syntax.Position, n.name)
	}
}

// TestGuardLetsWidthThrough has the long texts that clients do send.
func TestGuardLetsWidthThrough(t *testing.T) {
	list := strings.Repeat("1,", 100_000) + "1"
	rows := strings.Repeat("(1,'abc',NULL),", 30_000) + "(1,'abc',NULL)"
	for name, text := range map[string]string{
		"in":     "SELECT * FROM t WHERE a IN (" + list + ") AND b = 1",
		"array":  "SELECT ARRAY[" + list + "]",
		"select": "SELECT " + list,
		"values": "SELECT * FROM (VALUES " + rows + ") AS v(a, b, c)",
		"insert": "INSERT INTO t (a, b, c) VALUES " + rows + " ON CONFLICT DO NOTHING",
		"many":   strings.Repeat("INSERT INTO t VALUES (1, 2); ", 10_000),
		"or":     "SELECT 1 WHERE a = 1" + strings.Repeat(" OR a = 1", 900),
	} {
		var toks Tokens
		require.NoError(t, toks.Lex(text), name)
	}
}

func TestTooLarge(t *testing.T) {
	for name, sql := range map[string]string{
		"bytes":      "SELECT '" + strings.Repeat("x", MaxStatementBytes) + "'",
		"words":      "SELECT " + strings.Repeat("1,", MaxQueryTokens/2) + "1",
		"rows":       "INSERT INTO t VALUES " + strings.Repeat("(1),", MaxTokens/4) + "(1)",
		"statements": strings.Repeat("SELECT;", MaxStatements+1),
	} {
		_, err := Parse(sql)
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax, name)
		require.Equal(t, CodeTooLarge, syntax.SQLSTATE, name)
	}
}

// TestMeasureStack prints how deep each nest may be before an unguarded child with a small stack
// dies, next to what the guard admits: the table of the decision page. It runs on demand.
func TestMeasureStack(t *testing.T) {
	if os.Getenv("ACKDB_MEASURE") == "" {
		t.Skip("set ACKDB_MEASURE=1 to measure")
	}
	for _, n := range nests {
		low, high := 1, 2
		for ; high < 1<<17; high *= 2 {
			if alive, _ := runChild(t, childRaw, n.text(high), smallStackKiB); !alive {
				break
			}
			low = high
		}
		for high-low > low/50+1 && high < 1<<17 {
			middle := (low + high) / 2
			if alive, _ := runChild(t, childRaw, n.text(middle), smallStackKiB); alive {
				low = middle
			} else {
				high = middle
			}
		}
		t.Logf("%-24s survives %6d levels, guard admits %5d", n.name, low, admitted(n))
	}
}
