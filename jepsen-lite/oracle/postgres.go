// Package oracle starts a real PostgreSQL beside ours: the oracle of the client tests, which run
// the same transcript against both, and the peer of the benchmark.
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

// Postgres is a server on loopback, with a directory and a port that stay its own.
type Postgres struct {
	Port int

	dir      string // holds the cluster; removed by Stop
	settings []string
	cred     *syscall.Credential
	cmd      *exec.Cmd // nil while it does not run
	out      bytes.Buffer
	done     chan error
}

// Start makes a cluster in a directory of its own below dir and runs it with the given settings
// ("name=value"). Stop it.
func Start(ctx context.Context, dir string, settings ...string) (*Postgres, error) {
	p, err := prepare(dir, settings)
	if err != nil {
		return nil, err
	}
	if err := p.tool(ctx, "initdb", "-D", p.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	return p, p.Resume(ctx)
}

// Follow makes a standby of a running server below dir, by base backup and through a slot of the
// given name, which is its application_name, too, and runs it. Stop it.
func Follow(ctx context.Context, dir string, primary *Postgres, slot string,
	settings ...string) (*Postgres, error) {
	p, err := prepare(dir, settings)
	if err != nil {
		return nil, err
	}
	err = p.tool(ctx, "pg_basebackup", "-D", p.data(), "-d", fmt.Sprintf(
		"host=127.0.0.1 port=%d user=postgres application_name=%s", primary.Port, slot),
		"-X", "stream", "-c", "fast", "-R", "-C", "-S", slot)
	if err != nil {
		return nil, err
	}
	return p, p.Resume(ctx)
}

func prepare(dir string, settings []string) (*Postgres, error) {
	if _, err := os.Stat(filepath.Join(binDir, "postgres")); err != nil {
		return nil, ErrMissing
	}
	cluster, err := os.MkdirTemp(dir, "postgres-")
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: cluster, settings: settings}
	if p.cred, err = unprivileged(cluster); err != nil {
		return nil, err
	}
	p.Port, err = freePort()
	return p, err
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// tool runs one of PostgreSQL's programs to its end, as the user the server runs as.
func (p *Postgres) tool(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, program), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.cred}
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("oracle: %s: %w\n%s", program, err, out)
	}
	return nil
}

// Resume runs a server that was made before and does not run.
func (p *Postgres) Resume(ctx context.Context) error {
	args := []string{"-D", p.data(), "-p", strconv.Itoa(p.Port), "-h", "127.0.0.1", "-k", ""}
	for _, s := range p.settings {
		args = append(args, "-c", s)
	}
	p.cmd = exec.Command(filepath.Join(binDir, "postgres"), args...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.cred, Pdeathsig: syscall.SIGINT}
	p.cmd.Dir = p.dir
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	p.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(p.cmd, p.done)
	return p.awaitReady(ctx)
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

// Halt ends the server, by SIGINT (a fast shutdown) or SIGQUIT (at once, as after a crash), and
// keeps its cluster.
func (p *Postgres) Halt(sig syscall.Signal) error {
	if p.cmd == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("oracle: stop: %w", err)
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
	return nil
}

// Stop ends the server (fast shutdown) and removes its cluster.
func (p *Postgres) Stop() error {
	return errors.Join(p.Halt(syscall.SIGINT), os.RemoveAll(p.dir))
}
