package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	jepsenlite "ackdb/jepsen-lite"

	"github.com/stretchr/testify/require"
)

func pgbench(t *testing.T, n *jepsenlite.Node, args ...string) string {
	t.Helper()
	out, err := command(t, port(t, n), "pgbench", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// TestPgbenchBuiltins initialises in both forms and runs the three built-in scripts in the three
// protocols: no failed transaction, and afterwards the four balances agree, which a lost update or
// a commit applied by half would break.
func TestPgbenchBuiltins(t *testing.T) {
	for _, steps := range []string{"dtgvp", "dtGvpf"} {
		t.Run(steps, func(t *testing.T) {
			n := fresh(t)
			out := pgbench(t, n, "-i", "-I", steps, "-s", "1")
			require.Contains(t, out, "done in")
			for _, script := range []string{"tpcb-like", "simple-update", "select-only"} {
				for _, protocol := range []string{"simple", "extended", "prepared"} {
					// -n: without it pgbench truncates the history that is summed up below.
					out := pgbench(t, n, "-n", "-b", script, "-M", protocol, "-c", "4", "-t", "150")
					requireNoFailure(t, out, "600/600")
				}
			}
			balances := psql(t, port(t, n), "", "-At",
				"-c", "SELECT sum(abalance) FROM pgbench_accounts",
				"-c", "SELECT sum(tbalance) FROM pgbench_tellers",
				"-c", "SELECT sum(bbalance) FROM pgbench_branches",
				"-c", "SELECT sum(delta) FROM pgbench_history")
			// simple-update touches accounts and history only, so the pairs are equal, not all four.
			sums := strings.Fields(balances)
			require.Len(t, sums, 4)
			require.Equal(t, sums[0], sums[3], "accounts and history")
			require.Equal(t, sums[1], sums[2], "tellers and branches")
		})
	}
}

// With tpcb-like alone all four balances agree.
func TestPgbenchFourBalancesAgree(t *testing.T) {
	n := fresh(t)
	pgbench(t, n, "-i", "-q", "-s", "1")
	for _, protocol := range []string{"simple", "extended", "prepared"} {
		requireNoFailure(t, pgbench(t, n, "-n", "-M", protocol, "-c", "8", "-t", "100"), "800/800")
	}
	out := psql(t, port(t, n), "", "-At",
		"-c", "SELECT sum(abalance) FROM pgbench_accounts", "-c", "SELECT sum(tbalance) FROM pgbench_tellers",
		"-c", "SELECT sum(bbalance) FROM pgbench_branches", "-c", "SELECT sum(delta) FROM pgbench_history")
	sums := strings.Fields(out)
	require.Equal(t, []string{sums[0], sums[0], sums[0], sums[0]}, sums)
	require.Equal(t, "2400\n", psql(t, port(t, n), "", "-At", "-c", "SELECT count(*) FROM pgbench_history"))
}

func TestPgbenchPipeline(t *testing.T) {
	n := fresh(t)
	pgbench(t, n, "-i", "-q", "-s", "1")
	for name, script := range map[string]string{
		"implicit": "\\startpipeline\nUPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;\n" +
			"SELECT bbalance FROM pgbench_branches WHERE bid = 1;\n\\endpipeline\n",
		"explicit": "\\startpipeline\nBEGIN;\n" +
			"UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;\n" +
			"INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, 1, 1, CURRENT_TIMESTAMP);\n" +
			"END;\n\\endpipeline\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pipeline.sql")
			require.NoError(t, os.WriteFile(file, []byte(script), 0o644))
			for _, protocol := range []string{"extended", "prepared"} {
				out := pgbench(t, n, "-n", "-f", file, "-M", protocol, "-c", "4", "-t", "100")
				requireNoFailure(t, out, "400/400")
			}
		})
	}
	require.Equal(t, "1600\n", psql(t, port(t, n), "", "-At", "-c", "SELECT bbalance FROM pgbench_branches"))
}

// SERIALIZABLE refuses some transactions with 40001; --max-tries runs them again, and then none
// has failed and nothing is counted twice.
func TestPgbenchMaxTries(t *testing.T) {
	n := fresh(t, "-c", "default_transaction_isolation=serializable")
	pgbench(t, n, "-i", "-q", "-s", "1")
	out := pgbench(t, n, "-n", "-c", "4", "-t", "100", "--max-tries=10000", "--failures-detailed")
	requireNoFailure(t, out, "400/400")
	require.Contains(t, out, "number of transactions retried:")
	require.Equal(t, "400\n", psql(t, port(t, n), "", "-At", "-c", "SELECT count(*) FROM pgbench_history"))
}

// Custom scripts: variables, expressions, \if, \gset, weights, and an index that is not the key's.
func TestPgbenchCustomScripts(t *testing.T) {
	n := fresh(t)
	psql(t, port(t, n), "", "-qc", "CREATE TABLE items (id serial PRIMARY KEY, owner int, v int)",
		"-qc", "CREATE INDEX ON items (owner)", "-qc", "CREATE TABLE total (v bigint)",
		"-qc", "INSERT INTO total VALUES (0)")
	add := `\set owner random(1, 20)
\set v random_gaussian(1, 100, 5)
BEGIN;
INSERT INTO items (owner, v) VALUES (:owner, :v) RETURNING id AS id \gset
\if :id % 2 = 0
UPDATE total SET v = v + :v;
\else
UPDATE total SET v = v + (SELECT i.v FROM items i WHERE i.id = :id);
\endif
COMMIT;
`
	look := `\set owner random(1, 20)
SELECT count(*) AS n, coalesce(sum(v), 0) AS s FROM items WHERE owner = :owner \aset
SELECT owner, max(v) FROM items GROUP BY owner ORDER BY 2 DESC LIMIT 3;
`
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "add"), []byte(add), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "look"), []byte(look), 0o644))
	for _, protocol := range []string{"simple", "extended", "prepared"} {
		out := pgbench(t, n, "-n", "-f", filepath.Join(dir, "add")+"@3", "-f",
			filepath.Join(dir, "look")+"@1", "-M", protocol, "-c", "4", "-t", "50", "--max-tries=100")
		requireNoFailure(t, out, "200/200")
	}
	require.Equal(t, "t\n", psql(t, port(t, n), "", "-Atc",
		"SELECT (SELECT sum(v) FROM items) = (SELECT v FROM total)"))
}

func requireNoFailure(t *testing.T, out, processed string) {
	t.Helper()
	require.Contains(t, out, "number of transactions actually processed: "+processed, out)
	require.Contains(t, out, "number of failed transactions: 0 (0.000%)", out)
	require.NotContains(t, out, "ERROR", out)
}
