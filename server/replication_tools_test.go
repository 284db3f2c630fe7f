package server_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tool finds a client program of PostgreSQL 15.
func tool(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("/usr/lib/postgresql/15/bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	return path
}

// runTool runs it against the node and returns what it said.
func (n *node) runTool(name string, args ...string) string {
	n.t.Helper()
	host, port, err := net.SplitHostPort(n.report.Addr.String())
	require.NoError(n.t, err)
	command := exec.CommandContext(n.context(), tool(n.t, name),
		append([]string{"-h", host, "-p", port, "-U", "postgres", "--no-password"}, args...)...)
	said, err := command.CombinedOutput()
	require.NoError(n.t, err, "%s %s: %s", name, strings.Join(args, " "), said)
	return string(said)
}

// TestReplicationBaseBackupTool: pg_basebackup in each of its ways, without a word of complaint;
// its own check of the manifest; and a directory that starts and has what was committed.
func TestReplicationBaseBackupTool(t *testing.T) {
	tool(t, "pg_basebackup")
	n := startNode(t)
	n.session().do("insert into kv select 'k' || g, repeat('v', 1000) from generate_series(1, 2000) g")
	for _, args := range []string{
		"-X none --no-manifest", "-X fetch", "-X stream", "-X stream --no-slot -R -r 100M",
		"-Ft -X none", "-Ft -X fetch -c fast", "-Ft -X stream -z --no-manifest",
	} {
		t.Run(args, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "backup")
			require.Empty(t, n.runTool("pg_basebackup", append(strings.Fields(args), "-D", dir)...))
			if strings.Contains(args, "-Ft") {
				require.NotEmpty(t, globs(t, dir, "base.tar*"))
				return
			}
			if !strings.Contains(args, "--no-manifest") {
				verify := exec.Command(tool(t, "pg_verifybackup"), "-n", dir)
				said, err := verify.CombinedOutput()
				require.NoError(t, err, string(said))
			}
			if strings.Contains(args, "-X stream") {
				require.NotEmpty(t, globs(t, dir, "pg_wal/0*"))
			}
			copied := prepareNode(t)
			copied.opts.Dir = dir
			copied.start()
			require.Equal(t, "2000", copied.session().value("select count(*) from kv"))
			system := copied.session("replication", "true").rows("IDENTIFY_SYSTEM")
			require.Equal(t, "2", system[0][1], "it shares no timeline with us")
		})
	}
	requireNoSlots(n)
}

func globs(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	return found
}

// TestReplicationBackupOfIdleServer: with nothing behind the snapshot in the log, pg_basebackup
// must still be given a stream: 15.18 crashes on one without a byte.
func TestReplicationBackupOfIdleServer(t *testing.T) {
	tool(t, "pg_basebackup")
	n := startNode(t)
	s := n.session()
	s.do("insert into kv values ('a', 'b')")
	s.do("select pg_switch_wal()")
	n.runTool("pg_basebackup", "-Ft", "-z", "-X", "stream", "-D", filepath.Join(t.TempDir(), "b"))
}
