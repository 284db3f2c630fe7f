package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// hear waits for the next notification.
func (s *session) hear() *pgconn.Notification {
	s.t.Helper()
	n, err := s.conn.WaitForNotification(s.context())
	require.NoError(s.t, err)
	return n
}

func (s *session) hears(channel, payload string) {
	s.t.Helper()
	n := s.hear()
	require.Equal(s.t, channel+":"+payload, n.Channel+":"+n.Payload)
}

// deaf requires that nothing but the marker is on its way.
func (s *session) deaf(by *session) {
	s.t.Helper()
	s.do("listen marker")
	by.do("notify marker")
	s.hears("marker", "")
	s.do("unlisten marker")
}

// TestNotify: to those who listen, with the pid of who notifies, in the order of one session.
func TestNotify(t *testing.T) {
	n := startNode(t)
	a, b, c := n.session(), n.session(), n.session()
	a.do(`listen x; listen "Y"`)
	b.do("listen x")
	c.do("notify x, 'one'")
	c.do("notify x")
	c.do(`select pg_notify('Y', 'two')`)
	heard := a.hear()
	require.Equal(t, c.conn.PgConn().PID(), heard.PID)
	require.Equal(t, "one", heard.Payload)
	a.hears("x", "")
	a.hears("Y", "two")
	b.hears("x", "one")
	b.hears("x", "")
	require.Equal(t, [][]string{{"Y"}, {"x"}}, a.rows("select * from pg_listening_channels()"))
	require.Equal(t, "0", a.value("select pg_notification_queue_usage()"))

	a.do("unlisten x")
	c.do(`notify x; notify "Y", 'three'`)
	a.hears("Y", "three")
	a.do("unlisten *; unlisten *; unlisten never")
	require.Empty(t, a.rows("select * from pg_listening_channels()"))
	b.hears("x", "")
	b.do("listen x; listen x")
	c.do("notify x, 'once'")
	b.hears("x", "once")
	b.do("discard all")
	require.Empty(t, b.rows("select * from pg_listening_channels()"))
	a.deaf(c)
	b.deaf(c)
}

// TestNotifyPlaces: one's own stand before ReadyForQuery, as psql relies on.
func TestNotifyPlaces(t *testing.T) {
	s := startNode(t).session()
	c := s.wire()
	require.Equal(t, []string{"LISTEN"}, c.simple("listen x"))
	require.Equal(t, []string{"NOTIFY", "Notify x a"}, c.simple("notify x, 'a'"))
	require.Equal(t, []string{"BEGIN", "NOTIFY"}, c.simple("begin; notify x, 'b'"))
	require.Equal(t, []string{"Columns ?column?:23", "Row 1", "SELECT 1"}, c.simple("select 1"))
	require.Equal(t, []string{"COMMIT", "Notify x b"}, c.simple("commit"))
	require.Equal(t, []string{"LISTEN", "NOTIFY", "Notify y c"}, c.simple("listen y; notify y, 'c'"))
	c.parse("n", "notify x, 'd'")
	require.Equal(t, []string{"NOTIFY", "NOTIFY", "Notify x d"}, c.roundTrip(
		&pgproto3.Bind{PreparedStatement: "n"}, &pgproto3.Execute{},
		&pgproto3.Bind{PreparedStatement: "n"}, &pgproto3.Execute{}))
	c.parse("f", "select pg_notify($1, $2)")
	c.bind("", "f", "x", "e")
	require.Equal(t, []string{"Notify x after"}, c.roundTrip(&pgproto3.Parse{
		Query: "notify x, 'after'"}, &pgproto3.Bind{}, &pgproto3.Execute{})[1:])
}

// TestNotifyTransactional: at commit and not before, once for equal ones, not at all after a
// rollback; so with LISTEN and UNLISTEN.
func TestNotifyTransactional(t *testing.T) {
	n := startNode(t)
	a, b := n.session(), n.session()
	a.do("listen x")
	b.do("begin; notify x, 'lost'; rollback")
	b.fails("22012", "notify x, 'lost'; select 1/0")
	b.do("begin; notify x, '1'; notify x, '2'; notify x, '1'; savepoint s; notify x, 'undone'; " +
		"notify x, '2'; listen undone; rollback to s; notify x, '3'; commit")
	for _, payload := range []string{"1", "2", "3"} {
		a.hears("x", payload)
	}
	require.Empty(t, b.rows("select * from pg_listening_channels()"))
	b.do("begin; listen y; unlisten y; listen z; commit; begin; unlisten z; rollback")
	require.Equal(t, "z", b.value("select * from pg_listening_channels()"))

	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, "notify x, '%d'; notify x, '%d'; ", i, i/2)
	}
	b.do("begin; " + many.String() + "commit")
	for i := range 100 {
		a.hears("x", fmt.Sprint(i))
	}

	// A listener in a transaction gets them behind its end.
	c := a.wire()
	c.simple("begin")
	b.do("notify x, 'waits'")
	b.do("listen x; notify x, 'flag'")
	require.Equal(t, []string{"SELECT 1"}, c.simple("select 1")[2:])
	require.Eventually(t, func() bool {
		return slices.Contains(c.simple("commit; begin"), "Notify x flag") ||
			slices.Contains(c.simple("rollback"), "Notify x flag")
	}, patience, time.Millisecond)
}

// TestNotifyLimits: in Postgres' words, and the names that are the server's own.
func TestNotifyLimits(t *testing.T) {
	n := startNode(t)
	s := n.session()
	s.do("listen x")
	s.do("notify x, '" + strings.Repeat("a", 7999) + "'")
	require.Len(t, s.hear().Payload, 7999)
	e := s.fails("22023", "notify x, '"+strings.Repeat("a", 8000)+"'")
	require.Equal(t, "payload string too long", e.Message)
	s.fails("22023", "select pg_notify('x', repeat('a', 8000))")
	require.Equal(t, "channel name cannot be empty",
		s.fails("22023", "select pg_notify('', 'a')").Message)
	require.Equal(t, "channel name too long",
		s.fails("22023", "select pg_notify(repeat('c', 64), 'a')").Message)
	for _, sql := range []string{"notify ack_durable", "notify ack_other, 'x'", "listen ack_other",
		"select pg_notify('ack_durable', '{}')"} {
		s.fails("42939", sql)
	}
	s.deaf(s)
}

// TestNotifyLevel: a notification leaves when its commit has reached what it promised: at once for
// off, when the disk has it for local, also when the session has stopped to wait.
func TestNotifyLevel(t *testing.T) {
	n, disk := startOnTestDisk(t, "ack.max_async_loss=off")
	a, b := n.session(), n.session()
	a.do("listen x")
	gate := stall(t, disk)
	b.do("begin; " + upsert + "; notify x, 'off'; commit")
	a.hears("x", "off")
	b.do("set synchronous_commit = local; set statement_timeout = '30ms'")
	b.fails("40003", "begin; "+upsert+"; notify x, 'local'; commit")
	b.do("reset statement_timeout")
	b.do("notify x, 'later'")
	a.hears("x", "later")
	gate.Open()
	a.hears("x", "local")
}

// TestSlowListener: a client that does not read keeps nobody else waiting; when too much has
// gathered for it, its connection ends, so that it knows that it has missed something.
func TestSlowListener(t *testing.T) {
	n := startNode(t)
	slow, b := n.session(), n.session()
	slow.do("listen x")
	slow.do("begin") // in a transaction, notifications wait
	load := strings.Repeat("a", 7000)
	_, err := b.conn.Exec(b.context(), "begin")
	require.NoError(t, err)
	for i := range 3000 {
		_, err := b.conn.Exec(b.context(), "select pg_notify('x', $1)", fmt.Sprint(i, load))
		require.NoError(t, err)
	}
	b.do("commit")
	_, err = slow.conn.WaitForNotification(slow.context())
	var e *pgconn.PgError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "54000", e.Code)
	b.do("listen x; notify x, 'fine'")
	b.hears("x", "fine")
}

type watermark struct {
	Timeline uint32
	Epoch    string
	Flushed  string
}

func parseWatermark(t *testing.T, n *pgconn.Notification) wal.Token {
	t.Helper()
	require.Equal(t, "ack_durable", n.Channel)
	var m watermark
	require.NoError(t, json.Unmarshal([]byte(n.Payload), &m))
	token, err := wal.ParseToken(fmt.Sprintf("%d.%s/%s", m.Timeline, m.Epoch, m.Flushed))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf(`{"timeline":%d,"epoch":"%s","flushed":"%s"}`, m.Timeline, m.Epoch,
		m.Flushed), n.Payload)
	return token
}

// TestDurableWatermark: the present value once at LISTEN, then only upwards, each commit covered
// sooner or later, never more of them than flushes, and never above what is flushed.
func TestDurableWatermark(t *testing.T) {
	n := startNode(t)
	listener, writer := n.session(), n.session()
	c := listener.wire()
	writer.do(upsert)
	require.Equal(t, "success", writer.value(
		waitSQL(writer.value("select ack_last_commit()"), primaryFlush)))
	got := c.simple("listen ack_durable")
	require.Len(t, got, 2, "%q", got)
	require.Equal(t, "LISTEN", got[0])
	require.Equal(t, []string{"LISTEN"}, c.simple("listen ack_durable"), "it listens already")

	seen := 1
	last := wal.LSN(0)
	for i := range 200 {
		if i%50 == 0 {
			writer.do("set synchronous_commit = " + []string{"off", "local"}[i/50%2])
		}
		writer.do(upsert)
		if i%20 != 0 {
			continue
		}
		token, err := wal.ParseToken(writer.value("select ack_last_commit()"))
		require.NoError(t, err)
		for last < token.LSN {
			mark := parseWatermark(t, listener.hear())
			require.Greater(t, mark.LSN, last)
			require.Equal(t, token.EpochID, mark.EpochID)
			require.LessOrEqual(t, mark.LSN, n.flushed(writer))
			last = mark.LSN
			seen++
		}
	}
	require.LessOrEqual(t, seen, n.flushes(writer)+1)
	listener.do("unlisten ack_durable; listen x")
	writer.do(upsert + "; notify x")
	require.Eventually(t, func() bool { return listener.hear().Channel == "x" }, patience, 1)
}

func (n *node) flushed(s *session) wal.LSN {
	lsn, err := wal.ParseLSN(s.value("select pg_current_wal_flush_lsn()"))
	require.NoError(n.t, err)
	return lsn
}

func (n *node) flushes(s *session) (count int) {
	_, err := fmt.Sscan(s.value("select flushes from ack_flusher"), &count)
	require.NoError(n.t, err)
	return count
}

// TestDurableSlowClient: what a client in a transaction misses is told in one word: the newest.
func TestDurableSlowClient(t *testing.T) {
	n := startNode(t)
	listener, writer := n.session(), n.session("synchronous_commit", "local")
	c := listener.wire()
	c.simple("listen ack_durable")
	c.simple("begin")
	for range 50 {
		writer.do(upsert)
	}
	require.Equal(t, []string{"SELECT 1"}, c.simple("select 1")[2:])
	got := c.simple("commit")
	require.Len(t, got, 2, "%q", got)
	require.Contains(t, got[1], `"flushed":"`+n.flushed(writer).String()+`"`)
}

// TestDiskFailure: waiters and listeners are told which range is unresolved, with 58030, before the
// server ends, and the next start decides it.
func TestDiskFailure(t *testing.T) {
	failed := make(chan error, 1)
	n := prepareNode(t, "ack.max_async_loss=off", "wal_writer_delay=10s")
	n.opts.Fatal = func(err error) { failed <- err }
	disk := n.startOnTestDisk()
	waiter, listener, idle := n.session(), n.session(), n.session()
	listener.do("listen ack_durable")
	idle.do(upsert)
	early := idle.value("select ack_last_commit()")
	idle.do("set synchronous_commit = local; update kv set value = 'early'")
	before := listener.hear()
	for parseWatermark(t, before).LSN < n.flushed(idle) {
		before = listener.hear()
	}
	disk.Fail(waltest.Fault{Op: waltest.OpSync, Path: "*", Sticky: true, Err: errors.New("EIO")})
	waiter.do("update kv set value = 'late'")
	token := waiter.value("select ack_last_commit()")
	first, last := parseWatermark(t, before).LSN.String(), positionOf(token)
	_, _, err := waiter.try(waitSQL(token, primaryFlush))
	requireUnresolved(t, err, first, last)
	for _, s := range []*session{listener, idle} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, err := s.conn.WaitForNotification(ctx)
		cancel()
		requireUnresolved(t, err, first, last)
	}
	require.ErrorIs(t, <-failed, wal.ErrPoisoned)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.Error(t, n.server.Shutdown(ctx))
	n.server = nil

	for seed := range uint64(20) {
		requireJudged(t, disk.Crash(seed), n.opts.Dir, early, token)
	}
}

// requireJudged starts the log again after the power has gone with the process: what was on disk
// before is durable, and of the rest the list of epochs says what the log says.
func requireJudged(t *testing.T, disk *waltest.Disk, dir, early, late string) {
	t.Helper()
	d, err := wal.OpenDir(wal.Options{Dir: dir, Disk: disk, Fatal: func(err error) { panic(err) }})
	require.NoError(t, err)
	log, report, err := d.OpenLog(t.Context(), wal.Start{})
	require.NoError(t, err)
	require.NoError(t, log.BeginEpoch(t.Context()))
	for _, text := range []string{early, late} {
		token, err := wal.ParseToken(text)
		require.NoError(t, err)
		want := wal.StatusDurable
		if token.LSN > report.End {
			want = wal.StatusLost
		}
		require.Equal(t, want, log.Epochs().Judge(token, log.Flushed()))
		require.True(t, want == wal.StatusDurable || text != early)
	}
	require.NoError(t, log.Close(true))
}

func requireUnresolved(t *testing.T, err error, first, last string) {
	t.Helper()
	var e *pgconn.PgError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "58030", e.Code)
	require.Contains(t, e.Detail, first+".."+last)
}
