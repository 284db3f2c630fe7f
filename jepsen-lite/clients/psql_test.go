package clients

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPsqlTranscripts runs every script of testdata/psql through psql, against ackdb and, where it
// is installed, PostgreSQL 15: both must print what stands in the .out file, to the byte.
//
// Regenerate the .out files, from PostgreSQL and never from ackdb:
//
//	go test ./jepsen-lite/clients -run Transcripts -update
func TestPsqlTranscripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/psql/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".sql")
		t.Run(name, func(t *testing.T) {
			out := strings.TrimSuffix(script, ".sql") + ".out"
			if postgres != nil {
				theirs := psqlFile(t, strconv.Itoa(postgres.Port), script)
				if *update {
					require.NoError(t, os.WriteFile(out, []byte(theirs), 0o644))
				}
				require.Equal(t, read(t, out), theirs, "PostgreSQL differs from the stored transcript")
			}
			require.Equal(t, read(t, out), psqlFile(t, port(t, node), script))
		})
	}
}

// TestPsqlDifferences runs what answers differently for a reason that docs/SQL.md gives. Both
// transcripts are stored, so that a difference neither grows nor goes away unseen; what agrees
// belongs beside the others.
//
//	go test ./jepsen-lite/clients -run Differences -update
func TestPsqlDifferences(t *testing.T) {
	scripts, err := filepath.Glob("testdata/psql/differences/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		base := strings.TrimSuffix(script, ".sql")
		t.Run(filepath.Base(base), func(t *testing.T) {
			compareStored(t, base+".ackdb.out", psqlFile(t, port(t, node), script))
			if postgres != nil {
				theirs := psqlFile(t, strconv.Itoa(postgres.Port), script)
				compareStored(t, base+".postgres.out", theirs)
			}
			require.NotEqual(t, read(t, base+".ackdb.out"), read(t, base+".postgres.out"))
		})
	}
}

// compareStored holds text against the stored one, after -update has stored it.
func compareStored(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	require.Equal(t, read(t, path), text, path)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// psqlFile echoes every statement with what the server said to it; errors with their SQLSTATE,
// position, detail and hint. Left out is what is nobody's promise: the source location in the server,
// and which schema of temporary tables the session was given.
func psqlFile(t *testing.T, port, script string) string {
	t.Helper()
	cmd := command(t, port, "psql", "-X", "-a", "-v", "VERBOSITY=verbose", "-f", script)
	out, _ := cmd.CombinedOutput()
	text := location.ReplaceAllString(string(out), "")
	return temporary.ReplaceAllString(text, "pg_temp_N")
}

var (
	location  = regexp.MustCompile(`(?m)^LOCATION: .*\n`)
	temporary = regexp.MustCompile(`pg_temp_[0-9]+`)
)

func psql(t *testing.T, port string, stdin string, args ...string) string {
	t.Helper()
	cmd := command(t, port, "psql", append([]string{"-X", "-v", "ON_ERROR_STOP=1"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestPsqlConninfoTimingGsetWatch(t *testing.T) {
	p := port(t, node)
	require.Contains(t, psql(t, p, "\\conninfo\n"), `You are connected to database "postgres" as user `+
		`"postgres" on host "127.0.0.1" at port "`+p+`"`)
	require.Regexp(t, `Time: \d+\.\d+ ms`, psql(t, p, "\\timing on\nSELECT 1;\n"))
	require.Contains(t, psql(t, p, "SELECT 41 + 1 AS answer \\gset\n\\echo got :answer\n"), "got 42")
	require.Contains(t, psql(t, p, "", "-At", "-c", "SHOW server_version"), "15.")

	// \watch runs until it is interrupted (15 has no count) or, here, until its statement fails.
	cmd := command(t, p, "psql", "-X", "-At", "-c", "CREATE SEQUENCE IF NOT EXISTS watched")
	require.NoError(t, cmd.Run())
	cmd = command(t, p, "psql", "-X", "-At", "-v", "ON_ERROR_STOP=1")
	cmd.Stdin = strings.NewReader("SELECT 1 / (3 - nextval('watched')) \\watch 0.01\n")
	out, _ := cmd.CombinedOutput()
	require.Contains(t, string(out), "division by zero")
}

func TestPsqlCopyThroughTheClient(t *testing.T) {
	p := port(t, node)
	psql(t, p, "", "-c", "DROP TABLE IF EXISTS copied",
		"-c", "CREATE TABLE copied (k text PRIMARY KEY, v text, n int)")
	file := filepath.Join(t.TempDir(), "rows.txt")
	require.NoError(t, os.WriteFile(file, []byte("a\tx\\ty\t1\nb\t\\N\t2\nc\té\\\\\t\\N\n"), 0o644))
	require.Contains(t, psql(t, p, "\\copy copied from '"+file+"'\n"), "COPY 3")
	back := filepath.Join(t.TempDir(), "back.txt")
	require.Contains(t, psql(t, p, "\\copy copied to '"+back+"'\n"), "COPY 3")
	require.Equal(t, read(t, file), read(t, back))
	require.Equal(t, "x\ty|1\n|2\n",
		psql(t, p, "", "-At", "-c", "SELECT v, n FROM copied WHERE n IS NOT NULL"))

	// In-line data ends at the \. line, which psql forwards.
	psql(t, p, "COPY copied FROM STDIN;\nd\tz\t4\n\\.\nSELECT 1;\n")
	require.Equal(t, "4\n", psql(t, p, "", "-At", "-c", "SELECT count(*) FROM copied"))
}

func TestPsqlManyStatementsInOneQueryAreOneTransaction(t *testing.T) {
	p := port(t, node)
	psql(t, p, "", "-c", "DROP TABLE IF EXISTS multi; CREATE TABLE multi (a int PRIMARY KEY)")
	cmd := command(t, p, "psql", "-X", "-c", "INSERT INTO multi VALUES (1); SELECT 1/0")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "division by zero")
	require.Equal(t, "0\n", psql(t, p, "", "-At", "-c", "SELECT count(*) FROM multi"))
}
