package clients

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	jepsenlite "ackdb/jepsen-lite"

	"github.com/stretchr/testify/require"
)

// dump writes a server's database to a file.
func dump(t *testing.T, n *jepsenlite.Node, args ...string) (file string) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"dump", "--addr", n.Addr}, args...)
	cmd := exec.CommandContext(t.Context(), n.Bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	require.True(t, strings.HasSuffix(out.String(), "\n-- The dump is whole.\n"))
	file = filepath.Join(t.TempDir(), "dump.sql")
	require.NoError(t, os.WriteFile(file, out.Bytes(), 0o600))
	return file
}

// targets are the servers that a dump is loaded into: an ackdb of its own and, where it is
// installed, a database of its own in PostgreSQL 15. They are arguments of psql.
func targets(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{"ackdb": {"-p", port(t, fresh(t))}}
	if postgres != nil {
		name := "dumped_" + strconv.FormatInt(time.Now().UnixNano(), 36)
		own := strconv.Itoa(postgres.Port)
		psql(t, own, "", "-qc", "CREATE DATABASE "+name)
		t.Cleanup(func() { psql(t, own, "", "-qc", "DROP DATABASE "+name) })
		all["postgres"] = []string{"-p", own, "-d", name}
	}
	return all
}

// ask runs psql at a target; errors are part of the answer.
func ask(t *testing.T, target []string, script string) string {
	t.Helper()
	cmd := command(t, "0", "psql", append([]string{"-X", "-q"}, target...)...)
	cmd.Stdin = strings.NewReader(script)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func load(t *testing.T, target []string, file string) {
	t.Helper()
	args := append([]string{"-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", file}, target...)
	out, err := command(t, "0", "psql", append([]string{"-X"}, args...)...).CombinedOutput()
	require.NoError(t, err, string(out))
}

// TestDumpLoadsIntoBoth: what a dump makes of a database, here and in PostgreSQL, has its rows, its
// definitions as \d shows them, and its sequences where they were.
func TestDumpLoadsIntoBoth(t *testing.T) {
	source := fresh(t)
	from := []string{"-p", port(t, source)}
	load(t, from, "testdata/dump/source.sql")
	questions := read(t, "testdata/dump/questions.sql")
	want := ask(t, from, questions)
	require.NotContains(t, want, "ERROR")
	file := dump(t, source)
	for name, target := range targets(t) {
		t.Run(name, func(t *testing.T) {
			load(t, target, file)
			require.Equal(t, want, ask(t, target, questions))
		})
	}
	t.Run("a dump of what was loaded is the same", func(t *testing.T) {
		again := fresh(t)
		load(t, []string{"-p", port(t, again)}, file)
		require.Equal(t, read(t, file), read(t, dump(t, again)))
	})
	t.Run("definitions and rows by themselves", func(t *testing.T) {
		definitions, rows := dump(t, source, "--schema-only"), dump(t, source, "--data-only")
		for name, target := range targets(t) {
			load(t, target, definitions)
			load(t, target, rows)
			require.Equal(t, want, ask(t, target, questions), name)
		}
	})
}

// TestDumpThatWasCutIsNoticed: wherever a dump ends too early, between statements or within, psql
// fails to load it.
func TestDumpThatWasCutIsNoticed(t *testing.T) {
	source := fresh(t)
	load(t, []string{"-p", port(t, source)}, "testdata/dump/source.sql")
	whole := read(t, dump(t, source))
	const head = "\\if true\n"
	begin := strings.Index(whole, head) + len(head)
	end := strings.LastIndex(whole, "\\endif\n") + len("\\endif")
	cuts := []int{begin, strings.Index(whole, "\n\\.\n") - 3, strings.Index(whole, "\n\\.\n") + 4, end - 1}
	for cut := begin + 700; cut < end; cut += (end - begin) / 8 {
		cuts = append(cuts, cut)
	}
	for _, cut := range cuts {
		file := filepath.Join(t.TempDir(), "cut.sql")
		require.NoError(t, os.WriteFile(file, []byte(whole[:cut]), 0o600))
		_, err := command(t, port(t, fresh(t)), "psql", "-X", "-q", "-o", "/dev/null",
			"-v", "ON_ERROR_STOP=1", "-f", file).CombinedOutput()
		require.Error(t, err, "cut at %d of %d", cut, len(whole))
	}
}

// TestDumpIsOneMoment dumps while transactions move money: in each dump the four sums agree, which
// a dump of several moments would break.
func TestDumpIsOneMoment(t *testing.T) {
	source := fresh(t)
	pgbench(t, source, "-i", "-q", "-s", "1")
	bench := command(t, port(t, source), "pgbench", "-n", "-c", "4", "-T", "60")
	require.NoError(t, bench.Start())
	defer func() {
		_ = bench.Process.Kill()
		_ = bench.Wait()
	}()
	require.Eventually(t, func() bool {
		written := "SELECT count(*) > 0 FROM pgbench_history"
		return ask(t, []string{"-p", port(t, source), "-At"}, written) == "t\n"
	}, 30*time.Second, 10*time.Millisecond)
	const sums = `SELECT (SELECT sum(abalance) FROM pgbench_accounts),
		(SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches),
		(SELECT sum(delta) FROM pgbench_history), (SELECT count(*) FROM pgbench_accounts)`
	var last string
	for i := range 3 {
		file := dump(t, source)
		target := []string{"-p", port(t, fresh(t)), "-At"}
		load(t, target[:2], file)
		got := strings.Split(strings.TrimSpace(ask(t, target, sums)), "|")
		require.Equal(t, []string{got[0], got[0], got[0], got[0], "100000"}, got)
		require.NotEqual(t, last, fmt.Sprint(got), "dump %d: nobody wrote meanwhile", i)
		last = fmt.Sprint(got)
	}
}
