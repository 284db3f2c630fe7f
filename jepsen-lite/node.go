package jepsenlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bounds of waiting for a process. A server that needs longer is broken, not slow: the logs the
// tests make are small.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
	tailLinesMax = 400
)

var readyLine = regexp.MustCompile(`ready: .*?listening on ([^\s,]+)`)

// Node is one ackdb server: a binary, a data directory and, between Start and Kill or Stop, a
// process. It is not safe for concurrent use; Addr may be read by anyone while it runs.
type Node struct {
	Bin  string   // path of the ackdb binary
	Dir  string   // data directory
	Args []string // further arguments of `ackdb start`
	Addr string   // host:port; when Listen is not set, from Start on
	// Listen is host:port to listen on; when empty the server picks a free port at each start.
	Listen string
	Within []string // command that runs the server somewhere else, such as ip netns exec NAME

	cmd   *exec.Cmd
	tail  *tail
	ready chan string
	done  chan error
}

// Start runs the server and returns once it has printed its ready line.
func (n *Node) Start(ctx context.Context) error {
	if err := n.Launch(); err != nil {
		return err
	}
	return n.AwaitReady(ctx)
}

// Launch runs the server and waits for nothing: a replica may be seeding for long.
func (n *Node) Launch() error {
	if n.cmd != nil {
		return errors.New("node: already started")
	}
	listen := n.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	start := []string{n.Bin, "start", "--data", n.Dir, "--listen", listen}
	line := slices.Concat(n.Within, start, n.Args)
	cmd := exec.Command(line[0], line[1:]...)
	// A server must not outlive the test that started it, however that test ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("node: start %s: %w", n.Bin, err)
	}
	n.cmd, n.tail, n.done = cmd, newTail(), make(chan error, 1)
	n.ready = make(chan string, 1)
	go n.watch(stderr, n.ready)
	return nil
}

// watch reads the server's stderr to its end and then reaps the process: Wait closes the pipe, so
// it must not run before the last line was read.
func (n *Node) watch(stderr io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		n.tail.add(lines.Text())
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			select {
			case ready <- m[1]:
			default:
			}
		}
	}
	n.done <- n.cmd.Wait()
}

// AwaitReady returns once the launched server has printed its ready line.
func (n *Node) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case addr := <-n.ready:
		if n.Listen == "" {
			n.Addr = addr
		}
		return nil
	case err := <-n.done:
		n.cmd = nil
		return &ExitError{Err: err, Output: n.tail.String()}
	case <-ctx.Done():
		_ = n.Kill()
		return fmt.Errorf("node: not ready: %w\n%s", ctx.Err(), n.tail)
	}
}

// ExitError says that the server ended by itself, with the last lines it printed.
type ExitError struct {
	Err    error // nil for exit 0
	Output string
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("node: the server ended: %v\n%s", e.Err, e.Output)
}

// Code is the exit code of the process, -1 when a signal ended it.
func (e *ExitError) Code() int {
	var exit *exec.ExitError
	if errors.As(e.Err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// Kill ends the server by SIGKILL, by its pid, and reaps it.
func (n *Node) Kill() error {
	if n.cmd == nil {
		return nil
	}
	if err := n.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("node: kill: %w", err)
	}
	<-n.done
	n.cmd = nil
	return nil
}

// Stop ends the server by SIGTERM and returns what it exited with: nil for exit 0.
func (n *Node) Stop() error {
	if n.cmd == nil {
		return nil
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("node: stop: %w", err)
	}
	return n.Wait()
}

// Wait awaits the end of the process and returns what it exited with: nil for exit 0.
func (n *Node) Wait() error {
	select {
	case err := <-n.done:
		n.cmd = nil
		if err != nil {
			return &ExitError{Err: err, Output: n.tail.String()}
		}
		return nil
	case <-time.After(stopTimeout):
		_ = n.Kill()
		return fmt.Errorf("node: still running after %v\n%s", stopTimeout, n.tail)
	}
}

// Ended says whether the launched process has ended by itself; Wait says how.
func (n *Node) Ended() bool { return n.cmd != nil && len(n.done) > 0 }

// AwaitLine returns the first line that matches, of those the server has printed since its start
// (the last tailLinesMax of them) and of those it is still to print.
func (n *Node) AwaitLine(ctx context.Context, match *regexp.Regexp) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		line, more := n.tail.find(match)
		if line != "" {
			return line, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", fmt.Errorf("node: no line %v: %w\n%s", match, ctx.Err(), n.tail)
		}
	}
}

// Signal sends a signal to the running server.
func (n *Node) Signal(sig syscall.Signal) error { return n.cmd.Process.Signal(sig) }

// Pid is the process id of the running server.
func (n *Node) Pid() int { return n.cmd.Process.Pid }

// Output is the last lines the server printed on stderr.
func (n *Node) Output() string { return n.tail.String() }

// DSN is a connection string of the running server with the given further parameters.
func (n *Node) DSN(params ...string) string {
	dsn := "postgres://postgres@" + n.Addr + "/postgres?sslmode=disable"
	for _, p := range params {
		dsn += "&" + p
	}
	return dsn
}

// tail keeps the last lines of a server's output; bounded, since a server may run for hours.
type tail struct {
	mu    sync.Mutex
	lines []string      // guarded by mu
	more  chan struct{} // guarded by mu; closed when a line comes, and replaced
}

func newTail() *tail { return &tail{more: make(chan struct{})} }

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	if len(t.lines) > tailLinesMax {
		t.lines = t.lines[1:]
	}
	close(t.more)
	t.more = make(chan struct{})
}

// find returns the first line that matches, and what is closed when there are more.
func (t *tail) find(match *regexp.Regexp) (line string, more <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.lines {
		if match.MatchString(line) {
			return line, nil
		}
	}
	return "", t.more
}

func (t *tail) String() string {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

// Binary is the ackdb binary under test: ACKDB_BIN, or one built here, once, into dir.
func Binary(dir string) (string, error) {
	if bin := os.Getenv("ACKDB_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	bin := filepath.Join(dir, "ackdb")
	build := exec.Command("go", "build", "-tags", "iouring", "-ldflags=-checklinkname=0",
		"-o", bin, "ackdb/cmd/ackdb")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ackdb: %w\n%s", err, out)
	}
	return bin, nil
}
