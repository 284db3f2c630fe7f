package jepsenlite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Archive is pg_receivewal: PostgreSQL's own program, which copies a server's log file by file and
// understands none of it.
type Archive struct {
	Dir  string
	Slot string

	cmd    *exec.Cmd
	output strings.Builder
	done   chan error
}

// ArchiveMissing says why there is no Archive here, "" when there is.
func ArchiveMissing() string {
	for _, program := range []string{"pg_receivewal", "pg_basebackup"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is missing: apt-get install postgresql-client-15"
		}
	}
	return ""
}

// clientArgs are what every program of libpq is told of the server at addr.
func clientArgs(addr string) ([]string, error) {
	host, port, err := net.SplitHostPort(addr)
	return []string{"-h", host, "-p", port, "-U", "postgres", "-w"}, err
}

// CreateSlot has pg_receivewal make its slot.
func (a *Archive) CreateSlot(ctx context.Context, addr string) error {
	args, err := clientArgs(addr)
	if err != nil {
		return err
	}
	args = append(args, "--slot", a.Slot, "--create-slot", "--if-not-exists")
	out, err := exec.CommandContext(ctx, "pg_receivewal", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("archive: create slot: %w\n%s", err, out)
	}
	return nil
}

// Start begins to copy from the server at addr.
func (a *Archive) Start(addr string) error {
	args, err := clientArgs(addr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	args = append(args, "-D", a.Dir, "--slot", a.Slot, "--synchronous", "-v", "--no-loop")
	a.cmd = exec.Command("pg_receivewal", args...)
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	a.output.Reset()
	a.cmd.Stderr, a.cmd.Stdout = &a.output, &a.output
	if err := a.cmd.Start(); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	a.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(a.cmd, a.done)
	return nil
}

// End ends it by the signal and returns what it printed. It may have ended before.
func (a *Archive) End(sig syscall.Signal) (output string, err error) {
	if a.cmd == nil {
		return "", nil
	}
	if err := a.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return "", fmt.Errorf("archive: %w", err)
	}
	<-a.done
	a.cmd = nil
	return a.output.String(), nil
}

// Await returns once the archive has told the server that it holds the log up to lsn.
func (a *Archive) Await(ctx context.Context, node *Node, lsn string) error {
	err := poll(ctx, "archived up to "+lsn, func(ctx context.Context) (bool, error) {
		at, err := Ask(ctx, node.DSN(), "SELECT max(flush_lsn)::text FROM pg_stat_replication"+
			" WHERE application_name = 'pg_receivewal'")
		if err != nil || at == "" {
			return false, err
		}
		return reached(at, lsn)
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, node.Output())
	}
	return nil
}

// Same compares the archive with the server's log up to lsn.
func (a *Archive) Same(node *Node, lsn string) (compared uint64, err error) {
	return SameLog(a.Dir, filepath.Join(node.Dir, "wal"), lsn)
}
