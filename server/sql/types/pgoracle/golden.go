package pgoracle

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/server/sql/types"
)

var update = flag.Bool("update", false, "ask a PostgreSQL 15 for the expected results")

// Result is what an expression gives.
type Result struct {
	Type   string // as format_type names it
	Null   bool
	Text   string
	Binary []byte
	Err    error
}

// Eval computes an expression under the settings in force.
type Eval func(expr string, settings map[string]string) Result

// entry is one line of a file and, of an expression, the expected result.
type entry struct {
	line     int
	text     string
	isExpr   bool
	expected string
}

// Golden checks files against one evaluator and, with -update, one PostgreSQL.
type Golden struct {
	eval   Eval
	oracle *Oracle
}

// New makes a Golden for the test and its subtests; with -update it starts PostgreSQL.
func New(t *testing.T, eval Eval) *Golden {
	t.Helper()
	g := &Golden{eval: eval}
	if *update {
		g.oracle = Start(t)
	}
	return g
}

// Run checks every expression of a golden file, or with -update writes the file anew.
func (g *Golden) Run(t *testing.T, path string) {
	t.Helper()
	entries := read(t, path)
	if g.oracle != nil {
		g.rewrite(t, path, entries)
		return
	}
	settings := map[string]string{}
	count := 0
	for _, e := range entries {
		if name, value, ok := setting(e); ok {
			settings[name] = value
		}
		if !e.isExpr {
			continue
		}
		count++
		got := g.eval(e.text, settings).String()
		if got != e.expected {
			t.Errorf("%s:%d: %s\n got %s\nwant %s", path, e.line, e.text, got, e.expected)
		}
	}
	require.NotZero(t, count, "%s holds no expression", path)
}

func read(t *testing.T, path string) []entry {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var entries []entry
	for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		if strings.HasPrefix(line, "=> ") {
			require.NotEmpty(t, entries, "%s:%d: a result without expression", path, i+1)
			entries[len(entries)-1].expected = line[len("=> "):]
			continue
		}
		entries = append(entries, entry{
			line: i + 1, text: line,
			isExpr: line != "" && line[0] != '#' && !isSetting(line),
		})
	}
	return entries
}

func setting(e entry) (name, value string, ok bool) {
	if !isSetting(e.text) {
		return "", "", false
	}
	name, value, _ = strings.Cut(e.text[1:], " ")
	return name, value, true
}

// isSetting tells @name from the prefix operator @.
func isSetting(line string) bool {
	return len(line) > 1 && line[0] == '@' && line[1] >= 'a' && line[1] <= 'z'
}

func (g *Golden) rewrite(t *testing.T, path string, entries []entry) {
	t.Helper()
	g.oracle.reset(t)
	var b strings.Builder
	for _, e := range entries {
		if name, value, ok := setting(e); ok {
			g.oracle.Set(t, name, value)
		}
		b.WriteString(e.text + "\n")
		if e.isExpr {
			b.WriteString("=> " + g.oracle.Eval(t, e.text).String() + "\n")
		}
	}
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
}

// String is the form of a result in a golden file.
func (r Result) String() string {
	if r.Err != nil {
		return errorLine(r.Err)
	}
	if r.Null {
		return r.Type + " | NULL"
	}
	return fmt.Sprintf("%s | %q | %s", r.Type, r.Text, hex.EncodeToString(r.Binary))
}

func errorLine(err error) string {
	var e *types.Error
	if !errors.As(err, &e) {
		return "ERROR without SQLSTATE | " + err.Error()
	}
	line := fmt.Sprintf("ERROR %s | %s", e.Code, e.Message)
	if e.Detail != "" {
		line += " | DETAIL " + e.Detail
	}
	if e.Hint != "" {
		line += " | HINT " + e.Hint
	}
	if e.Context != "" {
		line += " | CONTEXT " + e.Context
	}
	return strings.ReplaceAll(line, "\n", `\n`)
}

// StartForUpdate starts a PostgreSQL when the test runs with -update, and skips it otherwise.
func StartForUpdate(t *testing.T) *Oracle {
	t.Helper()
	if !*update {
		t.Skip("SKIPPED: compares with a PostgreSQL 15 only with -update")
	}
	return Start(t)
}
