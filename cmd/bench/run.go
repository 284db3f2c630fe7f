package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	jepsenlite "ackdb/jepsen-lite"
	"ackdb/jepsen-lite/oracle"
)

// measured is one row of the table: the same script on three servers.
type measured struct {
	name    string
	script  string // file
	options [3]string
	clients int
	samples [3][]sample // ackdb, PostgreSQL, canned
}

const (
	ackdb = iota
	postgres
	ceiling
)

// Run starts the three servers, measures in interleaved rounds and prints the tables.
func (c *runCmd) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "ackdb-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{runCmd: c, dir: dir}
	defer b.stop()
	if err := b.start(ctx); err != nil {
		return err
	}
	rows, err := b.rows()
	if err != nil {
		return err
	}
	for round := range c.Rounds {
		for i := range rows {
			if err := b.measure(ctx, &rows[i]); err != nil {
				return fmt.Errorf("%s, %d clients: %w", rows[i].name, rows[i].clients, err)
			}
			fmt.Fprintf(os.Stderr, "\rround %d/%d, %d/%d ", round+1, c.Rounds, i+1, len(rows))
		}
	}
	fmt.Fprintln(os.Stderr)
	b.print(rows)
	if c.Receipts {
		if err := b.receipts(ctx); err != nil {
			return err
		}
	}
	if c.Greedy {
		if err := b.greedy(ctx); err != nil {
			return err
		}
	}
	if c.Memory {
		return b.memory(ctx)
	}
	return nil
}

type bench struct {
	*runCmd
	dir    string
	node   *jepsenlite.Node
	pg     *oracle.Postgres
	canned *exec.Cmd
	ports  [3]string
}

func (b *bench) start(ctx context.Context) (err error) {
	bin, err := filepath.Abs(b.Bin)
	if err != nil {
		return err
	}
	b.node = &jepsenlite.Node{Bin: bin, Dir: filepath.Join(b.dir, "ackdb")}
	if err := b.node.Start(ctx); err != nil {
		return err
	}
	if _, b.ports[ackdb], err = net.SplitHostPort(b.node.Addr); err != nil {
		return err
	}
	b.pg, err = oracle.Start(ctx, b.dir, "shared_buffers=1GB", "max_wal_size=8GB", "fsync=on")
	if err != nil {
		return err
	}
	b.ports[postgres] = strconv.Itoa(b.pg.Port)
	if err := b.startCanned(); err != nil {
		return err
	}
	for _, server := range []int{ackdb, postgres} {
		if err := load(ctx, b.ports[server], b.Rows); err != nil {
			return err
		}
	}
	return nil
}

var cannedReady = regexp.MustCompile(`ready on 127\.0\.0\.1:(\d+)`)

// startCanned runs this program again: a process of its own, as the others are.
func (b *bench) startCanned() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.canned = exec.Command(self, "canned")
	b.canned.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := b.canned.StderrPipe()
	if err != nil {
		return err
	}
	if err := b.canned.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		return fmt.Errorf("canned: %w", err)
	}
	m := cannedReady.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("canned: %q", line)
	}
	b.ports[ceiling] = m[1]
	return nil
}

func (b *bench) stop() {
	if b.node != nil {
		_ = b.node.Kill()
	}
	if b.pg != nil {
		_ = b.pg.Stop()
	}
	if b.canned != nil && b.canned.Process != nil {
		_ = b.canned.Process.Kill()
		_ = b.canned.Wait()
	}
}

func (b *bench) rows() ([]measured, error) {
	upsert, err := writeScript(b.dir, "upsert.sql", upsertScript, b.Rows)
	if err != nil {
		return nil, err
	}
	point, err := writeScript(b.dir, "select.sql", selectScript, b.Rows)
	if err != nil {
		return nil, err
	}
	const off, local, on = "-c synchronous_commit=off", "-c synchronous_commit=local",
		"-c synchronous_commit=on"
	var rows []measured
	for _, clients := range b.Clients {
		rows = append(rows,
			measured{name: "upsert, off", script: upsert, options: [3]string{off, off, ""}, clients: clients},
			measured{name: "upsert, local / on", script: upsert, options: [3]string{local, on, ""},
				clients: clients},
			measured{name: "point select", script: point, options: [3]string{off, off, ""}, clients: clients})
	}
	slices.SortStableFunc(rows, func(a, b measured) int { return strings.Compare(a.name, b.name) })
	return rows, nil
}

func (b *bench) measure(ctx context.Context, m *measured) error {
	for server, port := range b.ports {
		s, err := pgbench(ctx, port, m.options[server], m.script, m.clients, b.Time)
		if err != nil {
			return err
		}
		m.samples[server] = append(m.samples[server], s)
	}
	return nil
}

// memory loads a million rows of 100 bytes into ackdb and prints what its process then holds.
func (b *bench) memory(ctx context.Context) error {
	const rows = 1_000_000
	if err := load(ctx, b.ports[ackdb], rows); err != nil {
		return err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.node.Pid()))
	if err != nil {
		return err
	}
	fmt.Printf("\nServer memory after loading %d rows of 100 bytes:", rows)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "VmRSS" || name == "VmHWM" {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				return err
			}
			fmt.Printf(" %s %d MiB", name, kb>>10)
		}
	}
	fmt.Println(" (aim: under 600 MiB)")
	return nil
}
