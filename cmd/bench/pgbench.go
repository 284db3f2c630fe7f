package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The two scripts every server runs, prepared. The value is 100 bytes.
const (
	upsertScript = `\set k random(1, %d)
INSERT INTO bench (key, value) VALUES (:k, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
`
	selectScript = `\set k random(1, %d)
SELECT value FROM bench WHERE key = :k;
`
)

var (
	tpsLine     = regexp.MustCompile(`tps = ([0-9.]+) \(without`)
	latencyLine = regexp.MustCompile(`latency average = ([0-9.]+) ms`)
	failedLine  = regexp.MustCompile(`number of failed transactions: (\d+)`)
)

// sample is one run of pgbench.
type sample struct {
	tps       float64
	latencyUS float64
}

func clientEnv(port, options string) []string {
	return append(os.Environ(), "PGHOST=127.0.0.1", "PGPORT="+port, "PGUSER=postgres",
		"PGDATABASE=postgres", "PGOPTIONS="+options, "PGSSLMODE=disable", "PSQLRC=/dev/null")
}

// pgbench runs one measurement; script is a file. The one thread is the machine's other core.
func pgbench(ctx context.Context, port, options, script string, clients int, length time.Duration,
	more ...string) (sample, error) {
	args := append([]string{"-n", "-M", "prepared", "-f", script, "-c", strconv.Itoa(clients),
		"-j", "1", "-T", strconv.Itoa(int(length.Seconds()))}, more...)
	cmd := exec.CommandContext(ctx, "pgbench", args...)
	cmd.Env = clientEnv(port, options)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	if m := failedLine.FindSubmatch(out); m == nil || string(m[1]) != "0" {
		return sample{}, fmt.Errorf("pgbench: transactions failed:\n%s", out)
	}
	var s sample
	for _, f := range []struct {
		line *regexp.Regexp
		to   *float64
		unit float64
	}{{tpsLine, &s.tps, 1}, {latencyLine, &s.latencyUS, 1000}} {
		m := f.line.FindSubmatch(out)
		if m == nil {
			return sample{}, fmt.Errorf("pgbench: no %v in:\n%s", f.line, out)
		}
		v, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return sample{}, fmt.Errorf("pgbench: %w", err)
		}
		*f.to = v * f.unit
	}
	return s, nil
}

func psql(ctx context.Context, port, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "psql", append([]string{"-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"},
		args...)...)
	cmd.Env = clientEnv(port, "")
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w\n%s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// load makes the table of the scripts with the given rows, by COPY.
func load(ctx context.Context, port string, rows int) error {
	var data strings.Builder
	data.WriteString("DROP TABLE IF EXISTS bench;\n" +
		"CREATE TABLE bench (key int PRIMARY KEY, value text);\nCOPY bench FROM STDIN;\n")
	value := strings.Repeat("y", 100)
	for k := 1; k <= rows; k++ {
		data.WriteString(strconv.Itoa(k))
		data.WriteByte('\t')
		data.WriteString(value)
		data.WriteByte('\n')
	}
	data.WriteString("\\.\nCHECKPOINT;\n")
	_, err := psql(ctx, port, data.String())
	return err
}

func writeScript(dir, name, text string, rows int) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, fmt.Appendf(nil, text, rows), 0o644)
}
