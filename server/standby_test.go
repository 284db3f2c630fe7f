package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"ackdb/server"
)

// replicaOf starts a standby of the node, named and with a slot of that name.
func (n *node) replicaOf(name string, settings ...string) *node {
	n.t.Helper()
	standby := prepareNode(n.t, settings...)
	standby.opts.ReplicaOf, standby.opts.Slot = n.report.Addr.String(), name
	standby.start()
	return standby
}

// catchesUp waits until the standby shows all that the primary has committed.
func (n *node) catchesUp(primary *node) *session {
	n.t.Helper()
	p := primary.session()
	p.do("set synchronous_commit = local; " + upsert)
	s := n.session()
	s.do(waitSQL(p.value("select ack_last_commit()"), ""))
	return s
}

// status is a parameter as the server last reported it; nothing is asked.
func (s *session) parameter(name string) string { return s.conn.PgConn().ParameterStatus(name) }

// TestStandbyRefusals: a standby answers whoever writes in Postgres' words, and says what it is.
func TestStandbyRefusals(t *testing.T) {
	primary := startNode(t)
	primary.session().do("create table t (id int primary key); create sequence q; " + upsert)
	s := primary.replicaOf("s").catchesUp(primary)
	require.Equal(t, "on", s.parameter("in_hot_standby"))
	require.Equal(t, "off", s.parameter("default_transaction_read_only"))
	require.Equal(t, "on", s.value("show transaction_read_only"))
	require.Equal(t, "t", s.value("select pg_is_in_recovery()"))
	require.Equal(t, "1", s.value("select count(*) from kv"))
	readOnly := func(what string) string {
		return "cannot execute " + what + " in a read-only transaction"
	}
	during := func(what string) string { return "cannot execute " + what + " during recovery" }
	const walControl, inRecovery = "55000", "recovery is in progress"
	for _, x := range []struct{ sql, code, message string }{
		{upsert, "25006", readOnly("INSERT")},
		{"update kv set value = 'y'", "25006", readOnly("UPDATE")},
		{"delete from kv", "25006", readOnly("DELETE")},
		{"truncate kv", "25006", readOnly("TRUNCATE TABLE")},
		{"copy kv from stdin", "25006", readOnly("COPY FROM")},
		{"create table z (a int)", "25006", readOnly("CREATE TABLE")},
		{"drop table t", "25006", readOnly("DROP TABLE")},
		{"select * from kv for share", "25006", readOnly("SELECT FOR SHARE")},
		{"select nextval('q')", "25006", readOnly("nextval()")},
		{"select setval('q', 5)", "25006", readOnly("setval()")},
		{"begin; lock table kv", "25006", during("LOCK TABLE")},
		{"begin; lock table kv in share mode", "25006", during("LOCK TABLE")},
		{"listen news", "25006", during("LISTEN")},
		{"notify news", "25006", during("NOTIFY")},
		{"select pg_notify('news', 'x')", "25006", during("NOTIFY")},
		{"vacuum", "25006", during("VACUUM")},
		{"analyze kv", "25006", during("ANALYZE")},
		{"reindex table kv", "25006", during("REINDEX")},
		{"begin; set transaction read write", "0A000",
			"cannot set transaction read-write mode during recovery"},
		{"begin read write", "0A000", "cannot set transaction read-write mode during recovery"},
		{"set transaction_read_only = off", "0A000",
			"cannot set transaction read-write mode during recovery"},
		{"begin isolation level serializable", "0A000",
			"cannot use serializable mode in a hot standby"},
		{"select pg_switch_wal()", walControl, inRecovery},
		{"select pg_current_wal_lsn()", walControl, inRecovery},
		{"select pg_current_wal_flush_lsn()", walControl, inRecovery},
		{"select pg_walfile_name('0/1000000')", walControl, inRecovery},
		{"wait for lsn '0/1000000' with (mode 'primary_flush')", walControl, inRecovery},
	} {
		require.Equal(t, x.message, s.fails(x.code, x.sql).Message, x.sql)
		s.do("rollback")
	}
	for _, sql := range []string{"begin; lock table kv in row exclusive mode; commit",
		"begin isolation level repeatable read; select * from kv; commit", "checkpoint",
		"set default_transaction_read_only = off",
		"set ack.read_durability = flushed; select * from kv; reset ack.read_durability",
		"listen ack_durable", "unlisten *",
		"select 'q'::regclass", "alter system set work_mem = '5MB'"} {
		s.do(sql)
	}
	s.do("set default_transaction_isolation = serializable")
	require.Contains(t, s.fails("0A000", "select 1").Detail, "default_transaction_isolation")
}

// TestReadYourWrites: a token of the primary waits on a standby for the mode's position, in
// Postgres 19's words, and a paused replay holds up nothing but what is replayed.
func TestReadYourWrites(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	s := primary.replicaOf("s").catchesUp(primary)
	require.Equal(t, "not paused", s.value("select pg_get_wal_replay_pause_state()"))
	s.do("select pg_wal_replay_pause()")
	require.Equal(t, "t", s.value("select pg_is_wal_replay_paused()"))
	p.do("insert into kv values ('new', '1')")
	token := p.value("select ack_last_commit()")

	for _, mode := range []string{"standby_write", "standby_flush"} {
		require.Equal(t, "success", s.value(waitSQL(token, " with (mode '"+mode+"')")))
	}
	require.Equal(t, "durable", s.value("select ack_commit_status('"+token+"')"))
	require.Empty(t, s.rows("select 1 from kv where key = 'new'"))
	e := s.fails("57014", waitSQL(token, " with (timeout 1)"))
	require.Regexp(t, `^timed out while waiting for target LSN \S+ to be replayed; `+
		`current standby_replay LSN \S+$`, e.Message)
	require.Equal(t, "timeout", s.value(waitSQL(token, " with (timeout 1, no_throw)")))

	done := make(chan string, 1)
	waiter := s.session()
	go func() { done <- waiter.do(waitSQL(token, "")) }()
	s.eventually("select 1 from pg_stat_activity where wait_event_type = 'IPC' and " +
		"wait_event = 'WaitForWalReplay'")
	s.do("select pg_wal_replay_resume()")
	require.Equal(t, "WAIT", <-done)
	require.Equal(t, "1", s.value("select value from kv where key = 'new'"))

	e = s.fails("22023", waitSQL("1.7fffffff00000001/0/1000010", ""))
	require.Contains(t, e.Message, "names an epoch that this server does not know")
	require.Equal(t, "success", p.value(waitSQL(token, " with (mode 'replica_flush:1')")))
	require.Equal(t, "timeout",
		p.value(waitSQL(token, " with (mode 'replica_flush:2', timeout 1, no_throw)")))
}

// eventually waits until the query has rows.
func (s *session) eventually(sql string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return len(s.rows(sql)) > 0 }, patience,
		time.Millisecond, sql)
}

// TestDurableOnStandby: listeners hear of what this node has flushed, in its primary's epoch.
func TestDurableOnStandby(t *testing.T) {
	primary := startNode(t)
	s := primary.replicaOf("s").catchesUp(primary)
	s.do("listen ack_durable")
	p := primary.session()
	p.do(upsert)
	token := p.value("select ack_last_commit()")
	epoch, lsn, _ := strings.Cut(token, "/")
	_, epoch, _ = strings.Cut(epoch, ".")
	for {
		heard, err := s.conn.WaitForNotification(s.context())
		require.NoError(t, err)
		require.Contains(t, heard.Payload, `{"timeline":1,"epoch":"`+epoch+`","flushed":"`)
		if strings.Contains(heard.Payload, `"flushed":"`+lsn+`"`) {
			return
		}
	}
}

// TestReplicatedDDL: the catalog of a standby is of its primary's, plans and prepared statements
// included, as soon as the DDL is applied.
func TestReplicatedDDL(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	p.do("create table t (id int, v text); insert into t values (1, 'one')")
	s := primary.replicaOf("s").catchesUp(primary)
	replicate := func(sql string) {
		p.do(sql)
		p.do(upsert)
		s.do(waitSQL(p.value("select ack_last_commit()"), ""))
	}
	s.do("prepare q as select * from t")
	require.Equal(t, [][]string{{"1", "one"}}, s.rows("execute q"))
	replicate("alter table t add primary key (id)") // its rows move
	require.Equal(t, [][]string{{"1", "one"}}, s.rows("execute q"))
	require.Equal(t, "one", s.value("select v from t where id = 1"))
	replicate("drop table t; create table t (w int primary key); insert into t values (7)")
	require.Equal(t, [][]string{{"7"}}, s.rows("select * from t"))
	s.fails("0A000", "execute q") // cached plan must not change result type
	replicate("create table u (a int primary key); insert into u values (1), (2)")
	require.Equal(t, "2", s.value("select count(*) from u"))
	replicate("truncate u")
	require.Equal(t, "0", s.value("select count(*) from u"))
	replicate("drop table u")
	s.fails("42P01", "select * from u")
}

// TestReplicatedSchema: indexes, constraints, views and sequences reach a standby as rows do, and hold
// on it once it is promoted.
func TestReplicatedSchema(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	standby := primary.replicaOf("s")
	p.do("create table parent (id int primary key); insert into parent values (1)")
	p.do("create table t (id int generated always as identity primary key, v text unique, " +
		"n int default 7 check (n > 0), p int references parent)")
	p.do("insert into t (v, p) select 'v' || i, 1 from generate_series(1, 100) i")
	p.do("create index by_n on t (n desc); alter table t add column late text default 'x'")
	p.do("create view w as select id, v from t where n = 7; comment on table t is 'said'")
	s := standby.catchesUp(primary)
	require.Equal(t, "42", s.value("select id from t where v = 'v42'"))
	require.Contains(t, fmt.Sprint(s.rows("explain select id from t where v = 'v42'")), "t_v_key")
	require.Equal(t, "100", s.value("select count(*) from w"))
	require.Equal(t, "x", s.value("select late from t where id = 3"))
	require.Equal(t, "said", s.value("select obj_description('t'::regclass)"))
	require.Equal(t, "300", s.value("select ack_index_check('t')"), "of three keys")
	require.Equal(t, "t", s.value("select pg_promote()"))
	require.Equal(t, "23505", s.fails("23505", "insert into t (v) values ('v42')").Code)
	s.fails("23514", "insert into t (n) values (0)")
	s.fails("23503", "insert into t (p) values (2)")
	s.fails("23503", "delete from parent")
	s.do("insert into t (v) values ('new')")
	require.Equal(t, "1", s.value("select count(*) from t where v = 'new' and id > 100"))
	require.Equal(t, "303", s.value("select ack_index_check('t')"))
}

// TestReplicatedDDLUnderReads: while tables change on the primary, a reader on the standby never
// sees a row by another table's description.
func TestReplicatedDDLUnderReads(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	s := primary.replicaOf("s").catchesUp(primary)
	const rounds = 30
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range rounds {
			p.do(fmt.Sprintf("create table r (n int primary key, x%d text); "+
				"insert into r values (%d, 'x%d')", i, i, i))
			p.do("drop table r")
		}
	}()
	for seen := 0; ; {
		rows, _, err := s.try("select * from r")
		var e *pgconn.PgError
		switch {
		case err != nil:
			require.ErrorAs(t, err, &e)
			require.Contains(t, []string{"42P01", "0A000"}, e.Code, e.Message)
		case len(rows) > 0:
			require.Equal(t, "x"+rows[0][0], rows[0][1])
			seen++
		}
		select {
		case <-done:
			t.Logf("%d reads of %d tables had rows", seen, rounds)
			return
		default:
		}
	}
}

// TestStaleness: a standby that is older than the session allows is not read.
func TestStaleness(t *testing.T) {
	primary := startNode(t)
	require.Equal(t, "0 ms", primary.session().value("show ack.staleness"))
	s := primary.replicaOf("s").catchesUp(primary)
	s.do("set ack.max_staleness = '1min'")
	require.Eventually(t, func() bool { // the primary has yet to answer its first report
		_, _, err := s.try("select count(*) from kv")
		return err == nil
	}, patience, time.Millisecond)
	require.Regexp(t, `^\d+ ms$`, s.value("show ack.staleness"))
	primary.stop()
	s.do("set ack.max_staleness = '1ms'")
	require.Eventually(t, func() bool {
		_, _, err := s.try("select count(*) from kv")
		return err != nil
	}, patience, time.Millisecond)
	e := s.fails("55000", "select count(*) from kv")
	require.Equal(t, "this standby is older than ack.max_staleness allows", e.Message)
	require.Contains(t, e.Detail, "the limit is 1 ms")
	s.do("set ack.max_staleness = 0")
	require.Equal(t, "1", s.value("select count(*) from kv"))
}

// TestStandbyRestarts: without the flag it stays one, of the same primary, and goes on.
func TestStandbyRestarts(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	standby := primary.replicaOf("s")
	standby.catchesUp(primary)
	standby.stop()
	p.do("insert into kv values ('meanwhile', '1')")
	standby.opts.ReplicaOf, standby.opts.Slot = "", ""
	standby.start()
	require.Equal(t, "standby", standby.report.Role.String())
	s := standby.catchesUp(primary)
	require.Equal(t, "1", s.value("select value from kv where key = 'meanwhile'"))
	require.Equal(t, primary.report.Addr.String(),
		s.value("select sender_host || ':' || sender_port from pg_stat_wal_receiver"))
}

// TestPrimaryConnInfo: a reload makes a standby follow another node, under another slot.
func TestPrimaryConnInfo(t *testing.T) {
	primary := startNode(t)
	first := primary.replicaOf("first")
	first.catchesUp(primary)
	second := primary.replicaOf("second")
	s := second.catchesUp(primary)
	host, port, _ := strings.Cut(first.report.Addr.String(), ":")
	s.do(fmt.Sprintf("alter system set primary_conninfo = 'host=%s port=%s application_name=moved'",
		host, port))
	s.do("alter system set primary_slot_name = 'moved'")
	s.do("select pg_reload_conf()")
	f := first.session()
	f.eventually("select 1 from pg_stat_replication where application_name = 'moved' and " +
		"state = 'streaming'")
	require.Equal(t, "t", f.value("select active from pg_replication_slots where "+
		"slot_name = 'moved'"))
	second.catchesUp(primary)
	s.fails("22023", "alter system set primary_conninfo = 'port=none'")
}

// losesItsLog gives a standby that has noticed that its log is gone from its primary, and the
// primary.
func losesItsLog(t *testing.T) (primary, standby *node) {
	primary = startNode(t, "wal_segment_size=1MB", "wal_keep_size=0", "max_wal_size=8MB")
	p := primary.session()
	standby = primary.replicaOf("s")
	standby.catchesUp(primary).do("alter system set work_mem = '5MB'")
	standby.stop()
	p.do("select pg_drop_replication_slot('s')")
	p.do("alter system set work_mem = '9MB'")
	p.do("create table big (id int primary key, v text)")
	p.do("insert into big select g, repeat(md5(g::text), 100) from generate_series(1, 1500) g")
	p.recycle()
	standby.start()
	select {
	case <-standby.server.Stopping():
	case <-time.After(patience):
		require.Fail(t, "it does not notice that its log is gone")
	}
	require.ErrorIs(t, standby.server.Reason(), server.ErrReseed)
	return primary, standby
}

// TestReseed: a standby whose log is gone from its primary ends, and its next start seeds it.
func TestReseed(t *testing.T) {
	primary, standby := losesItsLog(t)
	ended := standby.server
	standby.stop()
	require.NoError(t, ended.Reseed())
	// As a process that was killed here and started again without its flags.
	standby.opts.ReplicaOf, standby.opts.Slot = "", ""
	standby.start()
	s := standby.catchesUp(primary)
	require.Equal(t, "1500", s.value("select count(*) from big"))
	require.Equal(t, "5MB", s.value("show work_mem"), "a node's settings are its own")
	p := primary.session()
	require.Equal(t, "t", p.value("select active from pg_replication_slots where slot_name = 's'"))
}

// TestReseedSparesAPrimary: a promotion that comes between the end of a standby and its seeding is
// not taken back by that.
func TestReseedSparesAPrimary(t *testing.T) {
	_, standby := losesItsLog(t)
	require.NoError(t, standby.server.Promote(context.Background(), "test"))
	standby.session().do("insert into kv values ('promoted', '1')")
	ended := standby.server
	standby.stop()
	require.ErrorIs(t, ended.Reseed(), server.ErrReseed)
	standby.opts.ReplicaOf, standby.opts.Slot = "", ""
	standby.start()
	require.Equal(t, "primary", standby.report.Role.String())
	require.Equal(t, "1",
		standby.session().value("select value from kv where key = 'promoted'"))
}

// recycle has the primary give up its oldest segments.
func (s *session) recycle() {
	s.t.Helper()
	s.do("select pg_switch_wal()")
	s.do("checkpoint")
	s.do("insert into kv values ('recycle', '1') on conflict (key) do update set value = 'y'")
	s.do("checkpoint")
}

// TestCascade: a standby feeds standbys, and goes on when it is promoted.
func TestCascade(t *testing.T) {
	primary := startNode(t)
	middle := primary.replicaOf("middle")
	last := middle.replicaOf("last")
	last.catchesUp(primary)
	m := middle.session()
	require.Equal(t, "last", m.value("select application_name from pg_stat_replication"))
	require.NoError(t, middle.server.Promote(context.Background(), "test"))
	m.do("insert into kv values ('after', '1')")
	s := last.catchesUp(middle)
	require.Equal(t, "1", s.value("select value from kv where key = 'after'"))
	require.Equal(t, "2", s.value("select timeline from ack_epochs where current"))
	last.restart()
	last.catchesUp(middle)
}

// TestSeedTellsProgress: how far a seed is stands in the log.
func TestSeedTellsProgress(t *testing.T) {
	primary := startNode(t)
	said := saying{text: "msg=seeding ", heard: make(chan string, 1)}
	standby := prepareNode(t)
	standby.opts.Log = slog.New(slog.NewTextHandler(said, nil))
	standby.opts.ReplicaOf = primary.report.Addr.String()
	standby.start()
	require.Regexp(t, `progress="\d+%, [0-9.]+ of [0-9.]+ MB, [0-9.]+ MB/s`, <-said.heard)
}

// TestLagInTime: under writes the primary knows how long each of them takes to get over there.
func TestLagInTime(t *testing.T) {
	primary := startNode(t)
	primary.replicaOf("s").catchesUp(primary)
	p := primary.session()
	p.do("set synchronous_commit = local")
	require.Eventually(t, func() bool {
		p.do(upsert)
		return len(p.rows("select 1 from pg_stat_replication where write_lag > '0' and "+
			"flush_lag >= write_lag and replay_lag >= flush_lag")) == 1
	}, patience, time.Millisecond)
}
