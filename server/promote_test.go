package server_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"ackdb/replica"
	"ackdb/server"
)

// TestPromotion: sessions of a promoted standby keep their connections and are told; a transaction
// under way stays what it was; every receipt of the old primary can be judged.
func TestPromotion(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	p.do("create sequence q")
	standby := primary.replicaOf("s")
	s := standby.catchesUp(primary)
	given := p.value("select nextval('q')")
	p.do("insert into kv values ('kept', '1')")
	kept := p.value("select ack_last_commit()")
	s.do(waitSQL(kept, ""))
	reader, idle, waiter := standby.session(), standby.session(), standby.session()
	reader.do("begin isolation level repeatable read")
	require.Equal(t, "1", reader.value("select count(*) from kv where key = 'kept'"))

	future := make(chan error, 1)
	go func() {
		_, _, err := waiter.try(waitSQL("F/0", ""))
		future <- err
	}()
	s.eventually("select 1 from pg_stat_activity where wait_event = 'WaitForWalReplay'")

	require.Equal(t, "t", s.value("select pg_promote()"))
	require.Equal(t, "off", s.parameter("in_hot_standby"), "told with the answer")
	s.do("insert into kv values ('new', '1')")
	require.Equal(t, "off", s.value("show transaction_read_only"))
	require.Equal(t, "t", s.value("select nextval('q') > "+given), "no value is given twice")
	idle.told("in_hot_standby", "off")

	var e *pgconn.PgError
	require.ErrorAs(t, <-future, &e)
	require.Equal(t, "55000", e.Code)
	require.Contains(t, e.Detail, "Recovery ended before target LSN F/0 was replayed")

	reader.fails("25006", upsert)
	reader.do("rollback")
	reader.do(upsert)
	require.Equal(t, "recovery is not in progress", s.fails("55000", "select pg_promote()").Message)
	require.Equal(t, "2", s.value("select timeline from ack_epochs where current"))

	p.do("insert into kv values ('beyond', '1')")
	beyond := p.value("select ack_last_commit()")
	require.Equal(t, "durable", s.value("select ack_commit_status('"+kept+"')"))
	require.Equal(t, "lost", s.value("select ack_commit_status('"+beyond+"')"))
	s.fails("55L01", waitSQL(beyond, " with (mode 'primary_flush')"))

	standby.opts.ReplicaOf = ""
	standby.restart()
	require.Equal(t, "primary", standby.report.Role.String())
	standby.session().do(upsert)
}

// told waits, without asking, until the server has reported a parameter so.
func (s *session) told(name, value string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_, _ = s.conn.WaitForNotification(ctx)
		return s.parameter(name) == value
	}, patience, time.Millisecond)
	require.False(s.t, s.conn.IsClosed())
}

// TestPromoteWithoutWaiting: the answer is that it has begun; a second call joins it.
func TestPromoteWithoutWaiting(t *testing.T) {
	primary := startNode(t)
	s := primary.replicaOf("s").catchesUp(primary)
	e := s.fails("22003", "select pg_promote(true, 0)")
	require.Contains(t, e.Message, "wait_seconds")
	require.Equal(t, "t", s.value("select pg_promote(false)"))
	s.eventually("select 1 where not pg_is_in_recovery()")
	s.do(upsert)
	primary.session().fails("55000", "select pg_promote()")
}

// TestPromoteResumesReplay: a paused replay does not outlive the promotion, nor does it lose what
// was received.
func TestPromoteResumesReplay(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	s := primary.replicaOf("s").catchesUp(primary)
	s.do("select pg_wal_replay_pause()")
	p.do("insert into kv values ('received', '1')")
	s.do(waitSQL(p.value("select ack_last_commit()"), " with (mode 'standby_flush')"))
	require.Equal(t, "t", s.value("select pg_promote()"))
	require.Equal(t, "1", s.value("select value from kv where key = 'received'"))
}

// TestDiverged: a standby that holds commits beyond the fork of the timeline it is to follow ends,
// says so, and keeps every byte.
func TestDiverged(t *testing.T) {
	primary := startNode(t)
	behind, ahead := primary.replicaOf("behind"), primary.replicaOf("ahead")
	behind.catchesUp(primary)
	behind.stop()
	p := primary.session()
	p.do("insert into kv values ('ours', '1')")
	token := p.value("select ack_last_commit()")
	ahead.catchesUp(primary)
	primary.stop()
	behind.start()
	s := behind.session()
	require.Equal(t, "t", s.value("select pg_promote()"))
	s.do("insert into kv values ('theirs', '1')")
	ahead.opts.ReplicaOf = behind.report.Addr.String()
	ahead.restart()
	select {
	case <-ahead.server.Stopping():
	case <-time.After(patience):
		require.Fail(t, "it does not notice that the histories have parted")
	}
	var diverged *replica.DivergedError
	require.ErrorAs(t, ahead.server.Reason(), &diverged)
	require.Contains(t, token, diverged.Ours.EpochID.String())
	require.Equal(t, "1", ahead.session().value("select value from kv where key = 'ours'"))
	require.Equal(t, 1, server.ExitCode(ahead.server.Reason()))
}

// TestPrimaryBecomesStandby: a primary started with --replica-of gives its role up for an upstream
// that has all of its log and is no older, and for no other.
func TestPrimaryBecomesStandby(t *testing.T) {
	primary := startNode(t)
	standby := primary.replicaOf("s")
	s := standby.catchesUp(primary)
	primary.stop()
	require.Equal(t, "t", s.value("select pg_promote()"))
	s.do(upsert)

	primary.opts.ReplicaOf = standby.report.Addr.String()
	primary.start()
	require.Equal(t, "standby", primary.report.Role.String())
	primary.catchesUp(standby)
}

// TestPrimaryStaysPrimary: one that holds what its upstream has not refuses to start, and is a
// primary still when it is started without the flag.
func TestPrimaryStaysPrimary(t *testing.T) {
	old := startNode(t)
	promoted := old.replicaOf("s")
	s := promoted.catchesUp(old)
	require.Equal(t, "t", s.value("select pg_promote()"))
	s.do("insert into kv values ('promoted', '1')")
	o := old.session()
	o.do("insert into kv values ('old', '1')")
	token := o.value("select ack_last_commit()")

	old.stop()
	var diverged *replica.DivergedError
	require.ErrorAs(t, old.refusesToFollow(promoted), &diverged)
	require.Contains(t, token, diverged.Ours.EpochID.String())
	old.start()
	require.Equal(t, "1", old.session().value("select value from kv where key = 'old'"))

	// As a promoted node whose unit file names the primary that it has replaced.
	promoted.stop()
	require.ErrorIs(t, promoted.refusesToFollow(old), replica.ErrOlderTimeline)
	promoted.opts.ReplicaOf = ""
	promoted.start()
	require.Equal(t, "primary", promoted.report.Role.String())
	require.Equal(t, "1", promoted.session().value("select value from kv where key = 'promoted'"))
}

// refusesToFollow starts the stopped node as another's standby and gives the reason it does not.
func (n *node) refusesToFollow(other *node) error {
	n.t.Helper()
	opts := n.opts
	opts.ReplicaOf = other.report.Addr.String()
	_, _, err := server.Start(n.context(), opts)
	require.Error(n.t, err)
	require.Equal(n.t, 1, server.ExitCode(err))
	return err
}

// TestPrimaryWaitsForUpstream: while its upstream is away a former primary serves nobody, and says
// what it waits for.
func TestPrimaryWaitsForUpstream(t *testing.T) {
	n := startNode(t)
	n.stop()
	said := saying{text: "waits for its upstream", heard: make(chan string, 1)}
	opts := n.opts
	opts.ReplicaOf, opts.Listen = "127.0.0.1:1", n.report.Addr.String()
	opts.Log = slog.New(slog.NewTextHandler(said, nil))
	ctx, cancel := context.WithCancel(n.context())
	ended := make(chan error, 1)
	go func() {
		_, _, err := server.Start(ctx, opts)
		ended <- err
	}()
	require.Contains(t, <-said.heard, "start it without --replica-of")
	_, err := pgconn.Connect(n.context(), n.url())
	require.ErrorContains(t, err, "57P03")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	n.start()
	require.Equal(t, "primary", n.report.Role.String())
}

// saying is a log that hands on the first line with a text.
type saying struct {
	text  string
	heard chan string // capacity 1
}

func (w saying) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.text) {
		select {
		case w.heard <- string(b):
		default:
		}
	}
	return len(b), nil
}

// TestTargetSessionAttrs: multi-host strings of a driver find their node by what it reports, also
// after the roles have changed.
func TestTargetSessionAttrs(t *testing.T) {
	primary := startNode(t)
	standby := primary.replicaOf("s")
	standby.catchesUp(primary)
	p, s := primary.report.Addr.String(), standby.report.Addr.String()
	finds := func(attrs, want string) {
		t.Helper()
		for _, hosts := range []string{p + "," + s, s + "," + p} {
			c, err := pgx.Connect(primary.context(), "postgres://postgres@"+hosts+
				"/postgres?sslmode=disable&target_session_attrs="+attrs)
			require.NoError(t, err, attrs)
			at := c.PgConn().Conn().RemoteAddr().String()
			require.NoError(t, c.Close(context.Background()))
			require.Equal(t, want, at, attrs)
		}
	}
	find := func(primaryAt, standbyAt string) {
		t.Helper()
		for _, attrs := range []string{"read-write", "primary"} {
			finds(attrs, primaryAt)
		}
		for _, attrs := range []string{"read-only", "standby", "prefer-standby"} {
			finds(attrs, standbyAt)
		}
	}
	find(p, s)
	primary.stop()
	require.NoError(t, standby.server.Promote(context.Background(), "test"))
	primary.opts.ReplicaOf, primary.opts.Listen = s, p
	primary.start()
	find(s, p)
}
