// Package oracle starts a real PostgreSQL beside ours: the oracle of the client tests, which run the
// same transcript against both, and the peer of the benchmark.
package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	binDir       = "/usr/lib/postgresql/15/bin"
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
)

// ErrMissing says that PostgreSQL 15's server is not installed here.
var ErrMissing = errors.New("PostgreSQL 15's server is not installed: apt-get install postgresql-15")

// Postgres is a running server on loopback.
type Postgres struct {
	Port int

	dir  string
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan error
}

// Start makes a cluster in a directory of its own below dir and runs it with the given settings
// ("name=value"). Stop it.
func Start(ctx context.Context, dir string, settings ...string) (*Postgres, error) {
	if _, err := os.Stat(filepath.Join(binDir, "postgres")); err != nil {
		return nil, ErrMissing
	}
	cluster, err := os.MkdirTemp(dir, "postgres-")
	if err != nil {
		return nil, err
	}
	cred, err := unprivileged(cluster)
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: cluster, done: make(chan error, 1)}
	data := filepath.Join(cluster, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(binDir, "initdb"), "-D", data, "-U", "postgres",
		"-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	initdb.Dir = cluster
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("oracle: initdb: %w\n%s", err, out)
	}
	if p.Port, err = freePort(); err != nil {
		return nil, err
	}
	args := []string{"-D", data, "-p", strconv.Itoa(p.Port), "-h", "127.0.0.1", "-k", ""}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	p.cmd = exec.Command(filepath.Join(binDir, "postgres"), args...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Pdeathsig: syscall.SIGINT}
	p.cmd.Dir = cluster
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	return p, p.awaitReady(ctx)
}

// unprivileged hands dir to the user postgres when we are root, as whom the server refuses to run.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	// The way down to it must be open to that user as well; test directories are private.
	for up := filepath.Dir(dir); up != "/" && up != os.TempDir(); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			return nil, fmt.Errorf("oracle: %w", err)
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("oracle: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitReady asks as an operator would, with pg_isready.
func (p *Postgres) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		ready := exec.CommandContext(ctx, filepath.Join(binDir, "pg_isready"), "-q", "-h", "127.0.0.1",
			"-p", strconv.Itoa(p.Port))
		if ready.Run() == nil {
			return nil
		}
		select {
		case err := <-p.done:
			return fmt.Errorf("oracle: postgres ended: %v\n%s", err, p.out.String())
		case <-ctx.Done():
			_ = p.Stop()
			return fmt.Errorf("oracle: postgres not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Pid is the process id of the postmaster.
func (p *Postgres) Pid() int { return p.cmd.Process.Pid }

// Stop ends the server (fast shutdown) and removes its cluster.
func (p *Postgres) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("oracle: stop: %w", err)
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return os.RemoveAll(p.dir)
}
