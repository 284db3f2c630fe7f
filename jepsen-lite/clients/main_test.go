// Package clients runs real, unmodified clients against the built binary: psql, pgbench, pgx and
// database/sql. Transcripts run against PostgreSQL 15 as well, where it is installed, and both must
// print the same.
package clients

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	jepsenlite "ackdb/jepsen-lite"
	"ackdb/jepsen-lite/oracle"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the expected transcripts from PostgreSQL 15")

// Set by TestMain, then constant.
var (
	node     *jepsenlite.Node
	postgres *oracle.Postgres // nil when PostgreSQL 15 is not installed
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "ackdb-clients-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	bin, err := jepsenlite.Binary(dir)
	if err != nil {
		return 0, err
	}
	node = &jepsenlite.Node{Bin: bin, Dir: filepath.Join(dir, "data")}
	if err := node.Start(context.Background()); err != nil {
		return 0, err
	}
	defer node.Kill()
	postgres, err = oracle.Start(context.Background(), dir, "fsync=off")
	if errors.Is(err, oracle.ErrMissing) {
		postgres = nil
		fmt.Fprintln(os.Stderr, "SKIPPED, in part: transcripts are compared with the stored ones only:", err)
	} else if err != nil {
		return 0, err
	} else {
		defer postgres.Stop()
	}
	return m.Run(), nil
}

// fresh starts a server of its own for a test that changes more than its own tables.
func fresh(t *testing.T, args ...string) *jepsenlite.Node {
	t.Helper()
	n := &jepsenlite.Node{Bin: node.Bin, Dir: filepath.Join(t.TempDir(), "data"), Args: args}
	require.NoError(t, n.Start(context.Background()))
	t.Cleanup(func() { n.Kill() })
	return n
}

// command is a client program, with the environment that points it at a server. It skips loudly
// where the program is missing.
func command(t *testing.T, port, program string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("SKIPPED: %s is not installed: apt-get install postgresql-client-15", program)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "PGHOST=127.0.0.1", "PGPORT="+port, "PGUSER=postgres",
		"PGDATABASE=postgres", "PGCONNECT_TIMEOUT=10", "PGTZ=UTC", "LC_ALL=C.UTF-8",
		"PGCLIENTENCODING=UTF8", "PSQLRC=/dev/null", "PSQL_HISTORY=/dev/null")
	return cmd
}

func port(t *testing.T, n *jepsenlite.Node) string {
	t.Helper()
	_, p, err := net.SplitHostPort(n.Addr)
	require.NoError(t, err)
	return p
}
