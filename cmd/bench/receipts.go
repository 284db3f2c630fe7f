package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	jepsenlite "ackdb/jepsen-lite"
)

const receiptClients = 16

// receipts prints what a session pays for receipts, and everybody for one session that listens.
func (b *bench) receipts(ctx context.Context) error {
	script, err := writeScript(b.dir, "upsert.sql", upsertScript, b.Rows)
	if err != nil {
		return err
	}
	const off = "-c synchronous_commit=off"
	var plain, receipts, listened []sample
	marks := 0
	for range b.Rounds {
		s, err := pgbench(ctx, b.ports[ackdb], off, script, receiptClients, b.Time)
		if err != nil {
			return err
		}
		plain = append(plain, s)
		s, err = pgbench(ctx, b.ports[ackdb], off+" -c ack.report_commit=on", script, receiptClients, b.Time)
		if err != nil {
			return err
		}
		receipts = append(receipts, s)
		s, n, err := b.listened(ctx, off, script)
		if err != nil {
			return err
		}
		listened, marks = append(listened, s), marks+n
	}
	fmt.Printf("\nUpsert, off, %d clients, medians of %d interleaved runs:\n\n", receiptClients, b.Rounds)
	fmt.Println("| | tps | cost | aim |\n|---|--:|--:|--:|")
	fmt.Printf("| plain | %s | | |\n", spread(tps(plain)))
	fmt.Printf("| ack.report_commit = on | %s | %s | 5 %% |\n", spread(tps(receipts)), cost(plain, receipts))
	fmt.Printf("| one LISTEN ack_durable (%d watermarks) | %s | %s | 3 %% |\n", marks, spread(tps(listened)),
		cost(plain, listened))
	return b.stalledReads(ctx)
}

// cost is the median over the rounds of what a run lost against the plain one of its round.
func cost(plain, other []sample) string {
	var loss []float64
	for i := range plain {
		loss = append(loss, 100*(1-other[i].tps/plain[i].tps))
	}
	return fmt.Sprintf("%.1f %%", median(loss))
}

// listened measures while one session listens.
func (b *bench) listened(ctx context.Context, options, script string) (sample, int, error) {
	listen, cancel := context.WithCancel(ctx)
	defer cancel()
	marks, done := 0, make(chan error, 1)
	go func() {
		done <- jepsenlite.Listen(listen, b.node.DSN(), func(string) error { marks++; return nil })
	}()
	s, err := pgbench(ctx, b.ports[ackdb], options, script, receiptClients, b.Time)
	cancel()
	if listenErr := <-done; err == nil {
		err = listenErr
	}
	return s, marks, err
}

// stalledReads prints the p99 of point reads while upserts run, on a sound disk and on one whose
// fsync takes a second.
func (b *bench) stalledReads(ctx context.Context) error {
	if missing := jepsenlite.StallMissing(); missing != "" {
		fmt.Println("\nPoint reads while fsync stalls: SKIPPED:", missing)
		return nil
	}
	disk, err := jepsenlite.NewStallDisk(filepath.Join(b.dir, "stall"))
	if err != nil {
		return err
	}
	defer disk.Close()
	node := &jepsenlite.Node{Bin: b.node.Bin, Dir: filepath.Join(disk.Dir, "data")}
	if err := node.Start(ctx); err != nil {
		return err
	}
	defer node.Kill()
	_, port, err := net.SplitHostPort(node.Addr)
	if err != nil {
		return err
	}
	if err := load(ctx, port, b.Rows); err != nil {
		return err
	}
	fmt.Printf("\nPoint reads of 4 clients while 4 others upsert in mode off, ext4 on a device of ours:\n\n")
	fmt.Println("| flush of the device | reads p50 | reads p99 | upserts |\n|---|--:|--:|--:|")
	for _, stall := range []time.Duration{0, time.Second} {
		disk.Set(jepsenlite.DiskFault{SyncDelay: stall})
		if err := b.readsBeside(ctx, port, stall); err != nil {
			return err
		}
	}
	disk.Set(jepsenlite.DiskFault{})
	return nil
}

func (b *bench) readsBeside(ctx context.Context, port string, stall time.Duration) error {
	upsert, err := writeScript(b.dir, "upsert.sql", upsertScript, b.Rows)
	if err != nil {
		return err
	}
	point, err := writeScript(b.dir, "select.sql", selectScript, b.Rows)
	if err != nil {
		return err
	}
	const off = "-c synchronous_commit=off"
	type result struct {
		sample
		err error
	}
	beside := make(chan result, 1)
	go func() {
		s, err := pgbench(ctx, port, off, upsert, 4, b.Time)
		beside <- result{s, err}
	}()
	prefix := filepath.Join(b.dir, fmt.Sprintf("reads-%d", stall))
	_, err = pgbench(ctx, port, off, point, 4, b.Time, "-l", "--log-prefix="+prefix)
	upserts := <-beside
	if err == nil {
		err = upserts.err
	}
	if err != nil {
		return err
	}
	latencies, err := transactionLog(prefix)
	if err != nil {
		return err
	}
	fmt.Printf("| %v slower | %d us | %d us | %.1f k/s |\n", stall, quantile(latencies, 0.5),
		quantile(latencies, 0.99), upserts.tps/1000)
	return nil
}

// transactionLog reads the latencies, in microseconds, of pgbench's per-transaction logs.
func transactionLog(prefix string) (us []int, err error) {
	names, err := filepath.Glob(prefix + ".*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			v, err := strconv.Atoi(fields[2])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			us = append(us, v)
		}
	}
	slices.Sort(us)
	return us, nil
}

func quantile(sorted []int, q float64) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
