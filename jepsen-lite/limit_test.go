package jepsenlite

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const (
	stall      = 5 * time.Second
	limitBytes = 64 << 10
)

// While an fsync takes five seconds, sessions in mode off commit as fast as they may. No
// acknowledgement leaves more than the limit unflushed, the server counts no violation, and reads
// are answered meanwhile.
func TestLossLimitHoldsWhileTheDiskStalls(t *testing.T) {
	over, acks, reads, node := stalledLoad(t, "10min, 64kB")
	require.Positive(t, acks)
	require.Positive(t, reads, "reads never wait")
	require.LessOrEqual(t, over, int64(limitBytes), "acknowledged and unflushed")
	metrics := scrape(t, node)
	require.Zero(t, metric(t, metrics, "ackdb_loss_limit_violations_total"))
	require.Positive(t, metric(t, metrics, "ackdb_loss_limit_waits_total"), "no commit met the limit")
}

// The negative control: without a limit to speak of the same load goes far beyond it.
func TestWithoutALimitTheStallGoesUnbounded(t *testing.T) {
	over, _, _, _ := stalledLoad(t, "1h, 1GB")
	require.Greater(t, over, int64(limitBytes))
}

// stalledLoad returns the most that any acknowledgement is proven to have left unflushed: its
// receipt, less what the log was flushed to at some later moment.
func stalledLoad(t *testing.T, limit string) (over int64, acks, reads int, node *Node) {
	d := stallDisk(t)
	node = &Node{Bin: binary(t), Dir: filepath.Join(d.Dir, "data"), Args: append([]string{
		"-c", "ack.max_async_loss=" + limit, "--http", "127.0.0.1:0"}, smallArgs...)}
	require.NoError(t, node.Start(t.Context()))
	t.Cleanup(func() { node.Kill() })
	require.NoError(t, CreateSchema(t.Context(), node.DSN()))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d.Set(DiskFault{SyncDelay: stall})
	var acked atomic.Uint64 // the greatest receipt
	var count atomic.Int64
	var load sync.WaitGroup
	errs := &errorList{}
	for id := range 4 {
		load.Go(func() { errs.add(commitOff(ctx, node.DSN(), id, &acked, &count)) })
	}
	asker := dial(t, node)
	flushes := d.Flushes()
	for d.Flushes() < flushes+2 { // until two stalled flushes of the device have ended
		top := acked.Load() // before asking: the log is flushed at least as far when it is answered
		var flushed string
		require.NoError(t, asker.QueryRow(t.Context(), "SELECT pg_current_wal_flush_lsn()::text").Scan(&flushed))
		at, err := parseLSN(flushed)
		require.NoError(t, err)
		over = max(over, int64(top-min(top, at)))
		reads++
		pause(t.Context())
	}
	d.Set(DiskFault{})
	cancel()
	load.Wait()
	require.NoError(t, errs.join())
	return over, int(count.Load()), reads, node
}

func stallDisk(t *testing.T) *StallDisk {
	t.Helper()
	if missing := StallMissing(); missing != "" {
		t.Skip("SKIPPED, no disk that stalls: ", missing)
	}
	d, err := NewStallDisk(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// commitOff commits rows in mode off until ctx ends.
func commitOff(ctx context.Context, dsn string, id int, acked *atomic.Uint64, count *atomic.Int64) error {
	conn, err := pgx.Connect(ctx, dsn+"&ack.report_commit=on")
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	body := strings.Repeat("x", 500)
	for n := 1; ctx.Err() == nil; n++ {
		if _, err := conn.Exec(ctx, "INSERT INTO entry VALUES ($1, $2, 1, $3)", id, n, body); err != nil {
			return serverGone(err)
		}
		_, text, _ := strings.Cut(conn.PgConn().ParameterStatus("ack.commit_lsn"), "/")
		lsn, err := parseLSN(text)
		if err != nil {
			return err
		}
		for top := acked.Load(); lsn > top && !acked.CompareAndSwap(top, lsn); top = acked.Load() {
		}
		count.Add(1)
	}
	return nil
}

var httpLine = regexp.MustCompile(`http[^\n]*?(127\.0\.0\.1:\d+)`)

func scrape(t *testing.T, node *Node) string {
	t.Helper()
	m := httpLine.FindStringSubmatch(node.Output())
	require.NotNil(t, m, node.Output())
	resp, err := http.Get(fmt.Sprintf("http://%s/metrics", m[1]))
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}

func metric(t *testing.T, text, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
	require.NotNil(t, m, "no metric %s", name)
	v, err := strconv.ParseFloat(m[1], 64)
	require.NoError(t, err)
	return v
}
