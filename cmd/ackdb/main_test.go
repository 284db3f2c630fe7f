package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The test binary is the command itself when this is set: so what is tested is a process, with its
// signals and exit codes, and nothing has to be built for it.
const beTheCommand = "ACKDB_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beTheCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), beTheCommand+"=1")
	return cmd
}

// run runs a command to its end.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// process is a running server.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *bufio.Reader
	ready  string
	addr   string
}

var readyAddr = regexp.MustCompile(`listening on (\S+?),`)

func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{t: t}
	p.cmd = command(t, append([]string{"start", "--data", dir, "--listen", "127.0.0.1:0"}, args...)...)
	pipe, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	p.stderr = bufio.NewReader(pipe)
	for p.ready == "" {
		line, err := p.stderr.ReadString('\n')
		require.NoError(t, err, "the server ended: %s", line)
		if strings.Contains(line, " ready: ") {
			p.ready = line
		}
	}
	p.addr = readyAddr.FindStringSubmatch(p.ready)[1]
	return p
}

// stop sends the signal and returns the exit code and what was logged meanwhile.
func (p *process) stop(s syscall.Signal) (code int, log string) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
	rest, err := io.ReadAll(p.stderr)
	require.NoError(p.t, err)
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode(), string(rest)
}

// TestStart: a new directory, the ready line, the commands that ask a server, an orderly stop by
// either signal, and what the next start then says.
func TestStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	p := start(t, dir, "-c", "work_mem=1MB", "-c", "search_path=public, pg_catalog")
	require.Contains(t, p.ready, "data directory "+dir)
	require.Contains(t, p.ready, "wal_sync_method ")

	out, _, code := run(t, "status", "--addr", p.addr)
	require.Zero(t, code)
	require.Regexp(t, `synchronous_commit +off\n`, out)
	out, _, code = run(t, "status", "--addr", p.addr, "--json")
	require.Zero(t, code)
	require.Contains(t, out, `"data_directory": "`+dir+`"`)
	out, _, code = run(t, "checkpoint", "--addr", p.addr)
	require.Zero(t, code)
	require.Equal(t, "CHECKPOINT\n", out)

	_, errs, code := run(t, "start", "--data", dir, "--listen", "127.0.0.1:0")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "in use by another process")

	code, log := p.stop(syscall.SIGTERM)
	require.Zero(t, code, log)
	p = start(t, dir)
	require.Contains(t, p.ready, "log clean to")
	code, log = p.stop(syscall.SIGINT)
	require.Zero(t, code, log)

	_, errs, code = run(t, "status", "--addr", p.addr)
	require.Equal(t, 1, code)
	require.Contains(t, errs, "connection refused")
}

// TestKill: after kill -9 the next start recovers, and says so.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	code, _ := p.stop(syscall.SIGKILL)
	require.Equal(t, -1, code)
	p = start(t, dir)
	require.Contains(t, p.ready, "recovered to")
	code, _ = p.stop(syscall.SIGTERM)
	require.Zero(t, code)
}

// TestReloadSignal: SIGHUP takes up what the file says; a broken file is told and changes nothing.
func TestReloadSignal(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	for _, step := range []struct{ config, log string }{
		{"synchronous_commit = local\n", "configuration reloaded"},
		{"synchronous_commit = perhaps\n", "configuration not reloaded"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "ackdb.conf"), []byte(step.config), 0o600))
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
		line, err := p.stderr.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, step.log)
		out, _, _ := run(t, "status", "--addr", p.addr)
		require.Regexp(t, `synchronous_commit +local\n`, out)
	}
	code, _ := p.stop(syscall.SIGTERM)
	require.Zero(t, code)
}

// TestWAL: the log can be read with and without a server, and damage has an exit code of its own.
func TestWAL(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	out, errs, code := run(t, "wal", "dump", dir)
	require.Zero(t, code, errs)
	require.Contains(t, out, "epoch-begin")
	code, _ = p.stop(syscall.SIGTERM)
	require.Zero(t, code)

	out, errs, code = run(t, "wal", "verify", dir)
	require.Zero(t, code, errs)
	require.Regexp(t, `verdict\s+ok`, out)
	out, _, code = run(t, "wal", "dump", dir, "--json", "--ops")
	require.Zero(t, code)
	require.True(t, strings.HasPrefix(out, "{"))

	segments, err := filepath.Glob(filepath.Join(dir, "wal", "0*"))
	require.NoError(t, err)
	f, err := os.OpenFile(segments[0], os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{0xff, 0xff}, 70)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, errs, code = run(t, "wal", "verify", dir)
	require.Equal(t, 2, code, errs)
	_, errs, code = run(t, "start", "--data", dir, "--listen", "127.0.0.1:0")
	require.Equal(t, 1, code, "damaged durable data must not be served: %s", errs)

	_, errs, code = run(t, "wal", "dump", dir, "--from", "nonsense")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "nonsense")
}

// TestRefusals: command lines and settings that cannot be taken.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"start"}, 80, "--data"},
		{[]string{"start", "--data", t.TempDir(), "--log-format", "xml"}, 80, "log-format"},
		{[]string{"nonsense"}, 80, "nonsense"},
		{[]string{"start", "--data", t.TempDir(), "--listen", "0.0.0.0:0"}, 1, "--insecure"},
		{[]string{"start", "--data", t.TempDir(), "--http", "0.0.0.0:0"}, 1, "--insecure"},
		{[]string{"start", "--data", t.TempDir(), "-c", "fsync=off"}, 1, "fsync = off"},
		{[]string{"start", "--data", t.TempDir(), "-c", "no_such=1"}, 1, "no_such"},
		{[]string{"start", "--data", t.TempDir(), "-c", "work_mem"}, 1, "name=value"},
	} {
		_, errs, code := run(t, test.args...)
		require.Equal(t, test.code, code, "%v: %s", test.args, errs)
		require.Contains(t, errs, test.says)
	}
}

// TestVersionAndHelp: the version names the sync backend, the help every command and exit code.
func TestVersionAndHelp(t *testing.T) {
	out, _, code := run(t, "version")
	require.Zero(t, code)
	require.Regexp(t, `wal_sync_method here: (io_uring|fdatasync) \(.+\)`, out)
	out, _, code = run(t, "--help")
	require.Zero(t, code)
	for _, word := range []string{"start", "status", "checkpoint", "wal dump", "wal verify", "version",
		"70", "80"} {
		require.Contains(t, out, word)
	}
	for _, sub := range [][]string{{"start"}, {"status"}, {"wal", "dump"}, {"wal", "verify"}} {
		out, _, code := run(t, append(sub, "--help")...)
		require.Zero(t, code)
		require.NotEmpty(t, out, fmt.Sprint(sub))
	}
}

func TestWithHost(t *testing.T) {
	for given, want := range map[string]string{"": "", "5433": "127.0.0.1:5433",
		":5433": "127.0.0.1:5433", "localhost:1": "localhost:1", "[::1]:1": "[::1]:1"} {
		require.Equal(t, want, withHost(given))
	}
}
