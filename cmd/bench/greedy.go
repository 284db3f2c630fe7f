package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	jepsenlite "ackdb/jepsen-lite"
)

const greedyClients = 4 // that commit meanwhile

// greedyStatements are what one session runs over and over while others commit. Nobody reads their
// rows: what they cost is the server's.
var greedyStatements = []struct{ name, sql string }{
	{"nothing", ""},
	{"cross join of a million rows",
		`SELECT count(*)::text FROM generate_series(1, 1000) a, generate_series(1, 1000) b`},
	{"sort of 100 MB", `SELECT max(s) FROM (SELECT repeat(md5(i::text), 32) AS s
		FROM generate_series(1, 100000) i ORDER BY s OFFSET 0) t`},
}

// greedy prints how long commits take while one session is greedy, on ackdb and on PostgreSQL.
func (b *bench) greedy(ctx context.Context) error {
	script, err := writeScript(b.dir, "upsert.sql", upsertScript, b.Rows)
	if err != nil {
		return err
	}
	fmt.Printf("\nCommits (off) of %d clients while one session runs a greedy statement, %v each:\n\n",
		greedyClients, b.Time)
	fmt.Println("| beside | server | statements run | commits p50 | p99 | commits |")
	fmt.Println("|---|---|--:|--:|--:|--:|")
	for i, g := range greedyStatements {
		for server, name := range []string{ackdb: "ackdb", postgres: "PostgreSQL 15"} {
			prefix := filepath.Join(b.dir, fmt.Sprintf("greedy-%d-%d", i, server))
			if err := b.besideGreedy(ctx, g.name, g.sql, name, b.ports[server], script, prefix); err != nil {
				return fmt.Errorf("%s, %s: %w", name, g.name, err)
			}
		}
	}
	return nil
}

func (b *bench) besideGreedy(
	ctx context.Context, name, sql, server, port, script, prefix string,
) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	ran, done := 0, make(chan error, 1)
	go func() { done <- runGreedily(running, dsnOf(port), sql, &ran) }()
	s, err := pgbench(ctx, port, "-c synchronous_commit=off", script, greedyClients, b.Time,
		"-l", "--log-prefix="+prefix)
	stop()
	if greedyErr := <-done; err == nil {
		err = greedyErr
	}
	if err != nil {
		return err
	}
	latencies, err := transactionLog(prefix)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %s | %d | %d us | %d us | %.1f k/s |\n", name, server, ran,
		quantile(latencies, 0.5), quantile(latencies, 0.99), s.tps/1000)
	return nil
}

// runGreedily runs the statement until ctx ends and counts how often it came to its end.
func runGreedily(ctx context.Context, dsn, sql string, ran *int) error {
	for sql != "" && ctx.Err() == nil {
		if _, err := jepsenlite.Ask(ctx, dsn, strings.Join(strings.Fields(sql), " ")); err != nil {
			if ctx.Err() != nil {
				return nil // in its middle when the time was up
			}
			return err
		}
		*ran++
	}
	return nil
}
