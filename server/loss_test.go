package server_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ackdb/wal/waltest"
)

// TestCommitWait: a deadline commit waits as long as it was told, and then is a success that says
// what it has reached.
func TestCommitWait(t *testing.T) {
	n, disk := startOnTestDisk(t, "ack.max_async_loss=off")
	s := n.session("ack.report_commit", "on", "ack.commit_wait", "5s")
	c := s.wire()
	require.Equal(t, []string{"INSERT 0 1", "lsn", "level=flushed"}, shape(c.simple(upsert)))
	gate := stall(t, disk)
	c.simple("set ack.commit_wait = '2ms'")
	began := time.Now()
	require.Equal(t, []string{"INSERT 0 1", "lsn", "level=written"}, shape(c.simple(upsert)))
	require.GreaterOrEqual(t, time.Since(began), 2*time.Millisecond)
	gate.Open()
	for text, shown := range map[string]string{"2ms": "2ms", "500us": "500us", "0.5": "500us",
		"1.5": "1500us", "0": "0", "2s": "2s"} {
		s.do("set ack.commit_wait = '" + text + "'")
		require.Equal(t, shown, s.value("show ack.commit_wait"))
	}
	s.fails("22023", "set ack.commit_wait = '-1'")
	s.fails("22023", "set ack.commit_wait = '5 parsecs'")
}

// TestLossLimit: over the limit a commit waits, or is refused with the age, and reads never wait.
func TestLossLimit(t *testing.T) {
	n, disk := startOnTestDisk(t, "ack.max_async_loss=30ms, 16MB")
	s, other := n.session("ack.report_commit", "on"), n.session()
	gate := stall(t, disk)
	c := s.wire()
	require.Equal(t, []string{"INSERT 0 1", "lsn", "level=written"}, shape(c.simple(upsert)))
	require.Eventually(t, func() bool { return window(other).age > 30 }, patience, time.Millisecond)

	other.do("set ack.on_loss_limit = reject")
	e := other.fails("53400", upsert)
	require.Regexp(t, `^commit refused: the oldest commit not on disk is \d+ ms old, `+
		`and \d+ bytes would be$`, e.Message)
	require.Contains(t, e.Detail, "30ms, 16MB")
	require.Contains(t, other.value("show ack.loss_window"), " 1 commits")

	done := make(chan []string, 1)
	go func() { done <- shape(c.simple(upsert)) }()
	require.Eventually(t, func() bool {
		return len(other.rows("select 1 from kv where value = 'x'")) == 1
	}, patience, time.Millisecond, "it is visible while it waits, and reads do not")
	select {
	case <-done:
		require.Fail(t, "acknowledged beyond the limit")
	case <-time.After(20 * time.Millisecond):
	}
	gate.Open()
	require.Equal(t, []string{"INSERT 0 1", "lsn", "level=flushed"}, <-done)
	require.Eventually(t, func() bool { return window(other).commits == 0 }, patience,
		time.Millisecond)
	w := window(other)
	require.Equal(t, "NULL", w.oldest)
	require.Greater(t, w.max, 30.0)
	require.Equal(t, "0.000 ms, 0 bytes, 0 commits", other.value("show ack.loss_window"))
	other.do(upsert)
}

// TestGaugeWhileControlStalls: the gauge and the positions are answered while the disk holds up the
// rewrite of control, which a second after any flush is what a stall meets first.
func TestGaugeWhileControlStalls(t *testing.T) {
	n, disk := startOnTestDisk(t)
	gate := disk.Stall(waltest.OpSync, "control")
	t.Cleanup(gate.Open)
	s := n.session()
	s.do(upsert)
	<-gate.Entered()
	require.Zero(t, window(s).bytes)
	require.Contains(t, s.value("show ack.loss_window"), " 0 commits")
	require.Equal(t, "t", s.value("select pg_current_wal_lsn() > '0/0'"))
}

// lossWindow is the row of ack_loss_window.
type lossWindow struct {
	commits, bytes int
	age, max       float64
	oldest         string
}

func window(s *session) (w lossWindow) {
	s.t.Helper()
	rows := s.rows("select scope, commits, bytes, age_ms, oldest_lsn, since_start_max_ms " +
		"from ack_loss_window")
	require.Len(s.t, rows, 1)
	row := rows[0]
	require.Equal(s.t, "local", row[0])
	var err [4]error
	w.commits, err[0] = strconv.Atoi(row[1])
	w.bytes, err[1] = strconv.Atoi(row[2])
	w.age, err[2] = strconv.ParseFloat(row[3], 64)
	w.oldest = row[4]
	w.max, err[3] = strconv.ParseFloat(row[5], 64)
	require.Equal(s.t, [4]error{}, err)
	return w
}

// TestLossLimitSettings: the server's limit changes by reload, a session's is only ever tighter.
func TestLossLimitSettings(t *testing.T) {
	n := startNode(t)
	s := n.session()
	require.Equal(t, "100ms, 16MB", s.value("show ack.max_async_loss"))
	s.do("set ack.max_async_loss = '16MB,50ms'")
	require.Equal(t, "50ms, 16MB", s.value("show ack.max_async_loss"))
	s.do("set ack.max_async_loss = '1.5ms'")
	require.Equal(t, "1500us", s.value("show ack.max_async_loss"))
	for _, looser := range []string{"101ms", "17MB", "100ms, 17MB", "off"} {
		e := s.fails("22023", "set ack.max_async_loss = '"+looser+"'")
		require.Contains(t, e.Message, "which is 100ms, 16MB")
	}
	for _, wrong := range []string{"", "100", "100ms, 50ms", "16MB 5ms", "-1ms", "0ms", "1e300TB",
		"many", "100ms,", "0.1us"} {
		require.Contains(t, s.fails("22023", "set ack.max_async_loss = '"+wrong+"'").Message,
			"invalid value")
	}
	s.do("reset ack.max_async_loss")
	s.do("alter system set ack.max_async_loss = '1s'")
	s.do("select pg_reload_conf()")
	require.Equal(t, "1s", s.value("show ack.max_async_loss"))
	s.do("set ack.max_async_loss = '500ms, 1GB'")
	s.fails("42602", "set ack.max_async_los = '500ms'")
	s.fails("55P02", "set ack.loss_window = 'none'")
}

// TestGauge: the flusher's view, and the figures that are scraped.
func TestGauge(t *testing.T) {
	n := prepareNode(t)
	n.opts.HTTP = "127.0.0.1:0"
	n.start()
	s := n.session()
	s.do("set synchronous_commit = local")
	for range 5 {
		s.do(upsert)
	}
	row := s.rows("select backend, fsync_p50_us <= fsync_p99_us and fsync_p99_us <= fsync_max_us, " +
		"fsync_floor_us > 0, flushes >= 5, group_p50, reason <> '' from ack_flusher")
	require.Equal(t, [][]string{{s.value("show wal_sync_method"), "t", "t", "t", "1", "t"}}, row)
	s.do("set synchronous_commit = off")
	for range 5 {
		s.do(upsert)
	}
	response, err := http.Get("http://" + n.report.HTTPAddr.String() + "/metrics")
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	for _, name := range []string{"ackdb_loss_window_commits ", "ackdb_loss_window_bytes ",
		"ackdb_loss_window_age_seconds ", "ackdb_loss_window_age_max_seconds ",
		"ackdb_loss_limit_age_seconds 0.1", "ackdb_loss_limit_bytes 1.6777216e+07",
		"ackdb_loss_limit_waits_total ", "ackdb_loss_limit_violations_total 0\n",
		"ackdb_time_to_durable_seconds_bucket{le=", "ackdb_wal_fsync_floor_seconds "} {
		require.True(t, strings.Contains(string(body), "\n"+name), name)
	}
}
