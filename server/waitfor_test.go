package server_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"ackdb/wal"
	"ackdb/wal/waltest"
)

// startOnTestDisk starts a server on a log whose disk can be made to stall, fail and lose power.
func startOnTestDisk(t *testing.T, settings ...string) (*node, *waltest.Disk) {
	t.Helper()
	n := prepareNode(t, settings...)
	return n, n.startOnTestDisk()
}

func (n *node) startOnTestDisk() *waltest.Disk {
	t := n.t
	t.Helper()
	disk := waltest.New()
	n.opts.Disk = disk
	require.NoError(t, disk.MkdirAll(n.opts.Dir))
	for dir := n.opts.Dir; dir != "/"; {
		dir = filepath.Dir(dir)
		require.NoError(t, disk.SyncDir(dir))
	}
	n.start()
	return disk
}

// stall makes every fsync of the log wait until the gate is opened, at the latest when the test
// ends.
func stall(t *testing.T, disk *waltest.Disk) *waltest.Gate {
	t.Helper()
	gate := disk.Stall(waltest.OpSync, "*")
	t.Cleanup(gate.Open)
	return gate
}

const primaryFlush = " with (mode 'primary_flush')"

func waitSQL(token, options string) string {
	return "wait for lsn '" + token + "'" + options
}

// TestWaitFor: the statement in all three ways to run it, and its words.
func TestWaitFor(t *testing.T) {
	n := startNode(t, "wal_writer_delay=10s", "ack.max_async_loss=off")
	s := n.session()
	s.do(upsert)
	token := s.value("select ack_last_commit()")
	c := s.wire()
	want := []string{"Row success", "WAIT"}
	require.Equal(t, append([]string{"Columns status:25"}, want...),
		c.simple(waitSQL(token, primaryFlush)))
	require.Equal(t, "durable", s.value("select ack_commit_status('"+token+"')"))
	s.do(upsert)
	require.Equal(t, []string{"Row success", "WAIT"}, c.roundTrip(
		&pgproto3.Parse{Query: waitSQL(s.value("select ack_last_commit()"), primaryFlush)},
		&pgproto3.Bind{}, &pgproto3.Execute{}))
	c.parse("w", waitSQL(token, primaryFlush))
	require.Equal(t, []string{"Params []", "Columns status:25"}, c.describe("w"))
	require.Equal(t, []string{"INSERT 0 1", "Columns status:25", "Row success", "WAIT"},
		c.simple(upsert+"; "+waitSQL(positionOf(token), primaryFlush)))

	for _, options := range []string{"", " with (mode 'standby_replay')",
		" with (mode 'standby_write')", " with (mode 'STANDBY_FLUSH', timeout 5)"} {
		e := s.fails("55000", waitSQL(token, options))
		require.Equal(t, "recovery is not in progress", e.Message)
	}
	require.Equal(t, "not in recovery", s.value(waitSQL(token, " with (no_throw)")))
	require.Equal(t, "not in recovery",
		s.value(waitSQL(token, " with (mode 'standby_flush', no_throw true)")))
	e := s.fails("57014", waitSQL(token, " with (mode 'replica_flush:2', timeout 1)"))
	require.Contains(t, e.Message, "to be flushed by 2 replicas; 0 have")
	require.Equal(t, "timeout",
		s.value(waitSQL(token, " with (mode 'replica_flush:1', timeout 1, no_throw)")))
}

// TestWaitForRefusals: what is wrong with the statement is said at once, in Postgres 19's words.
func TestWaitForRefusals(t *testing.T) {
	s := startNode(t).session()
	s.do(upsert)
	token := s.value("select ack_last_commit()")
	for _, x := range []struct{ lsn, options, code, message string }{
		{"nonsense", "", "22P02", `invalid input syntax for type pg_lsn: "nonsense"`},
		{"1.x/0/1", "", "22P02", `invalid commit token: "1.x/0/1"`},
		{token, "(mode 'later')", "22023", `unrecognized value for WAIT option "mode": "later"`},
		{token, "(mode 'replica_flush:0')", "22023",
			`unrecognized value for WAIT option "mode": "replica_flush:0"`},
		{token, "(mode)", "42601", "mode requires a parameter"},
		{token, "(timeout '-1000ms')", "22023", "timeout cannot be negative"},
		{token, "(timeout '5 parsecs')", "22023", `invalid timeout value: "5 parsecs"`},
		{token, "(timeout '1e300')", "22003", "timeout value is out of range"},
		{token, "(no_throw perhaps)", "42601", "no_throw requires a Boolean value"},
		{token, "(patience 5)", "42601", `option "patience" not recognized`},
		{token, "(timeout 1, timeout 2)", "42601", "conflicting or redundant options"},
	} {
		sql := waitSQL(x.lsn, "")
		if x.options != "" {
			sql += " with " + x.options
		}
		require.Equal(t, x.message, s.fails(x.code, sql).Message, sql)
	}
	sql := waitSQL(token, " with (mode 'primary_flush', timeout 'x')")
	e := s.fails("22023", sql)
	require.EqualValues(t, strings.Index(sql, "timeout")+1, e.Position)

	e = s.fails("22023", waitSQL("FFFFFFFF/0", primaryFlush))
	require.Equal(t, "LSN FFFFFFFF/0 is beyond the end of the log", e.Message)
	parsed, err := wal.ParseToken(token)
	require.NoError(t, err)
	beyond := parsed
	beyond.LSN += 8
	s.fails("22023", waitSQL(beyond.String(), primaryFlush+"; select 1"))
	unknown := parsed
	unknown.Epoch += 1 << 32
	s.fails("22023", waitSQL(unknown.String(), primaryFlush))

	s.do("begin isolation level repeatable read")
	require.Equal(t, "success", s.value(waitSQL(token, primaryFlush)), "no snapshot yet")
	s.do("select 1")
	e = s.fails("55000", waitSQL(token, primaryFlush))
	require.Equal(t, "WAIT FOR must be called without an active or registered snapshot", e.Message)
	s.do("rollback; begin")
	s.do(upsert)
	require.Equal(t, "success", s.value(waitSQL(token, primaryFlush)))
	s.do("rollback")
}

// TestWaitForEnded: a token of an epoch that ended below it fails at once, in every mode; one that
// survived does not.
func TestWaitForEnded(t *testing.T) {
	n := startNode(t)
	s := n.session()
	s.do(upsert)
	token := s.value("select ack_last_commit()")
	parsed, err := wal.ParseToken(token)
	require.NoError(t, err)
	n.restart()
	s = n.session()
	require.Equal(t, "success", s.value(waitSQL(token, primaryFlush)))
	parsed.LSN += 1 << 20
	for _, options := range []string{"", primaryFlush, " with (mode 'primary_flush', no_throw)",
		" with (mode 'replica_flush:1')"} {
		e := s.fails("55L01", waitSQL(parsed.String(), options))
		require.Equal(t, "commit "+parsed.String()+" is lost", e.Message)
	}
	require.Equal(t, "lost", s.value("select ack_commit_status('"+parsed.String()+"')"))
}

// TestWaitForEnds: a wait on a disk that has stalled ends by its timeout, the statement's, a cancel
// request, and the end of the session, each with its SQLSTATE, and the session lives on.
func TestWaitForEnds(t *testing.T) {
	n, disk := startOnTestDisk(t, "ack.max_async_loss=off")
	s, other := n.session(), n.session()
	gate := stall(t, disk)
	s.do(upsert)
	token := s.value("select ack_last_commit()")
	wait := waitSQL(token, primaryFlush)
	timed := waitSQL(token, " with (mode 'primary_flush', timeout '20ms')")
	e := s.fails("57014", timed)
	require.Regexp(t, "^timed out while waiting for target LSN 0/[0-9A-F]+ to be flushed; "+
		"current primary_flush LSN 0/[0-9A-F]+$", e.Message)
	require.Equal(t, "timeout",
		s.value(waitSQL(token, " with (timeout 20, mode 'primary_flush', no_throw)")))
	require.Equal(t, "unknown", s.value("select ack_commit_status('"+token+"')"))

	s.do("set statement_timeout = '20ms'")
	require.Contains(t, s.fails("57014", wait).Message, "statement timeout")
	s.do("set statement_timeout = 0")
	s.do("begin")
	s.fails("57014", timed)
	require.Equal(t, "E", s.status())
	s.do("rollback")

	pid := s.conn.PgConn().PID()
	done := make(chan error, 1)
	start := func(s *session) {
		go func() {
			_, _, err := s.try(wait)
			done <- err
		}()
		active := fmt.Sprintf("select 1 from pg_stat_activity where state = 'active' and "+
			"wait_event = 'WaitForWalFlush' and pid = %d", s.conn.PgConn().PID())
		require.Eventually(t, func() bool { return len(other.rows(active)) == 1 }, patience,
			time.Millisecond)
	}
	start(s)
	require.NoError(t, s.conn.PgConn().CancelRequest(n.context()))
	require.ErrorContains(t, <-done, "canceling statement due to user request")
	start(s)
	other.do(fmt.Sprintf("select pg_terminate_backend(%d)", pid))
	require.ErrorContains(t, <-done, "57P01")

	s = n.session()
	start(s)
	shut := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		shut <- n.server.Shutdown(ctx)
	}()
	require.ErrorContains(t, <-done, "57P01")
	gate.Open()
	require.NoError(t, <-shut)
	n.server = nil
}

// TestPowerCut: commits of equal size, acknowledged while the disk stalls and lost with the power,
// are judged lost for ever although others stand at the very same positions now; those flushed
// before are judged durable. Nothing that was notified or waited for is missing.
func TestPowerCut(t *testing.T) {
	n, disk := startOnTestDisk(t, "ack.max_async_loss=off", "wal_writer_delay=10s")
	s := n.session("ack.report_commit", "on")
	commit := func(i int) string {
		s.do(fmt.Sprintf("insert into kv values ('%04d', 'v')", i))
		return s.conn.PgConn().ParameterStatus("ack.commit_lsn")
	}
	// Of the five commits at risk this cut leaves some and takes some.
	const cutSeed = 1
	var safe, risked []string
	for i := range 5 {
		safe = append(safe, commit(i))
	}
	require.Equal(t, "success", s.value(waitSQL(safe[4], primaryFlush)))
	gate := stall(t, disk)
	for i := range 5 {
		risked = append(risked, commit(10+i))
	}
	after := disk.Crash(cutSeed)
	store := copyTree(t, filepath.Join(n.opts.Dir, "store"))
	gate.Open()
	n.stop()

	require.NoError(t, os.RemoveAll(filepath.Join(n.opts.Dir, "store")))
	require.NoError(t, os.Rename(store, filepath.Join(n.opts.Dir, "store")))
	n.opts.Disk = after
	n.start()
	s = n.session("synchronous_commit", "local")
	survived := 0
	for i := range risked {
		survived += len(s.rows(fmt.Sprintf("select 1 from kv where key = '%04d'", 10+i)))
	}
	require.Less(t, survived, len(risked), "choose another seed: this one took nothing")
	for round := range 2 {
		for _, token := range append(safe, risked[:survived]...) {
			require.Equal(t, "durable", s.value("select ack_commit_status('"+token+"')"))
			require.Equal(t, "success", s.value(waitSQL(token, primaryFlush)))
		}
		for _, token := range risked[survived:] {
			require.Equal(t, "lost", s.value("select ack_commit_status('"+token+"')"))
			s.fails("55L01", waitSQL(token, primaryFlush))
		}
		require.Equal(t, fmt.Sprint(len(safe)+survived),
			s.value("select count(*) from kv where value = 'v'"))
		for i := range 20 {
			s.do(fmt.Sprintf("insert into kv values ('w%d%03d', 'w')", round, i))
		}
	}
	require.Equal(t, "durable", s.value("select ack_commit_status('"+positionOf(risked[4])+"')"),
		"a bare position is compared by number only, and lies")
}

func copyTree(t *testing.T, dir string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(target, os.DirFS(dir)))
	return target
}

// TestReplicaFlushOfALostCommit: replicas that reach the position of a commit on another timeline do
// not have the commit.
func TestReplicaFlushOfALostCommit(t *testing.T) {
	primary := startNode(t)
	middle := primary.replicaOf("middle")
	last := middle.replicaOf("last")
	last.catchesUp(primary)
	m := middle.session()
	m.do("alter system set primary_conninfo = 'host=127.0.0.1 port=1'")
	m.do("select pg_reload_conf()")
	m.eventually("select 1 where not exists " +
		"(select from pg_stat_wal_receiver where status = 'streaming')")
	p := primary.session()
	p.do(upsert)
	token := p.value("select ack_last_commit()")
	require.Equal(t, "unknown", m.value("select ack_commit_status('"+token+"')"))

	ended := make(chan error, 1)
	waiter := middle.session()
	go func() {
		_, _, err := waiter.try(waitSQL(token, " with (mode 'replica_flush:1')"))
		ended <- err
	}()
	m.eventually("select 1 from pg_stat_activity where wait_event = 'WaitForReplicaFlush'")
	require.Equal(t, "t", m.value("select pg_promote()"))
	m.do("insert into kv values ('far', repeat('x', 10000))")
	var told *pgconn.PgError
	require.ErrorAs(t, <-ended, &told)
	require.Equal(t, "55L01", told.Code)
}
