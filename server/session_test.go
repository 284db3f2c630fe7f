package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"ackdb/server"
	"ackdb/wal"
)

// TestTimeouts: each ends what it measures, with its own words, and nothing else.
func TestTimeouts(t *testing.T) {
	n := startNode(t)
	s := n.session()
	s.do("set statement_timeout = '30ms'")
	e := s.fails("57014", "select pg_sleep(30)")
	require.Equal(t, "canceling statement due to statement timeout", e.Message)
	s.do("select pg_sleep(0.001)")
	_, err := s.conn.Exec(s.context(), "select pg_sleep($1)", 30.0)
	require.ErrorContains(t, err, "statement timeout")
	e = s.fails("57014", "select pg_sleep(0.02); select pg_sleep(0.001); select pg_sleep(30)")
	require.Equal(t, "canceling statement due to statement timeout", e.Message)
	s.do("set statement_timeout = 0")

	idle := n.session()
	idle.do("set idle_in_transaction_session_timeout = '30ms'; begin")
	idle.gone("25P03")
	idle = n.session()
	idle.do("set idle_session_timeout = '30ms'")
	idle.gone("57P05")
	long := n.session()
	long.do("set transaction_timeout = '30ms'; begin")
	_, _, err = long.try("select pg_sleep(30)")
	require.ErrorContains(t, err, "25P04")
	long = n.session()
	long.do("set transaction_timeout = '200ms'; begin; commit")
	time.Sleep(250 * time.Millisecond)
	long.do("select 1")
}

// TestCancelAndTerminate: by request, by context, by function.
func TestCancelAndTerminate(t *testing.T) {
	n := startNode(t)
	s, other := n.session(), n.session()
	pid := s.conn.PgConn().PID()
	done := make(chan error, 1)
	sleep := func() {
		_, _, err := s.try("select pg_sleep(30)")
		done <- err
	}
	active := fmt.Sprintf("select 1 from pg_stat_activity where pid = %d and state = 'active'", pid)
	for _, cancel := range []func(){
		func() { require.NoError(t, s.conn.PgConn().CancelRequest(n.context())) },
		func() { other.do(fmt.Sprintf("select pg_cancel_backend(%d)", pid)) },
	} {
		go sleep()
		require.Eventually(t, func() bool { return len(other.rows(active)) == 1 }, patience,
			time.Millisecond)
		cancel()
		require.ErrorContains(t, <-done, "canceling statement due to user request")
		require.Equal(t, "1", s.value("select 1"))
	}
	own := s.fails("57014", "select pg_cancel_backend(pg_backend_pid())")
	require.Equal(t, "canceling statement due to user request", own.Message)
	itself := n.session()
	rows, _, fatal := itself.try("select pg_terminate_backend(pg_backend_pid())")
	require.Empty(t, rows, "the session is over before it can answer")
	require.ErrorContains(t, fatal, "57P01")
	require.Equal(t, "f", other.value("select pg_cancel_backend(1)"))
	require.Equal(t, []string{"WARNING 01000"}, other.warned())

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	third := n.session()
	_, err := third.conn.Exec(ctx, "select pg_sleep(30)")
	require.ErrorIs(t, err, context.DeadlineExceeded)

	s.do("begin; insert into kv values ('a', '1')")
	other.do(fmt.Sprintf("select pg_terminate_backend(%d)", pid))
	s.gone("57P01")
	require.Equal(t, "0", other.value("select count(*) from kv"))
}

// TestPrepared: PREPARE, EXECUTE, DEALLOCATE, and their sharing of names with the protocol.
func TestPrepared(t *testing.T) {
	s := startNode(t).session()
	require.Equal(t, "PREPARE", s.do("prepare ins (text, text) as insert into kv values ($1, $2)"))
	require.Equal(t, "INSERT 0 1", s.do("execute ins ('a', 1 + 1)"))
	s.do("prepare sel as select value from kv where key = $1")
	require.Equal(t, "2", s.value("execute sel('a')"))
	s.fails("42P05", "prepare sel as select 1")
	s.fails("42601", "execute sel")
	s.fails("26000", "execute nothing")
	require.Equal(t, [][]string{{"ins", "{text,text}", "t"}, {"sel", "{text}", "t"}},
		s.rows("select name, parameter_types, from_sql from pg_prepared_statements"))
	c := s.wire()
	require.Equal(t, []string{"Params [25]", "Columns value:25"}, c.describe("sel"))
	c.bind("", "sel", "a")
	c.parse("wired", "select 1")
	require.Equal(t, "1", s.value("execute wired"))
	require.Equal(t, "DEALLOCATE", s.do("deallocate sel"))
	require.Equal(t, "DEALLOCATE ALL", s.do("deallocate all"))
	require.Equal(t, []string{"Error 26000"}, c.describe("wired"))
	s.do("prepare p as select 1")
	s.do("discard all")
	s.fails("26000", "execute p")
}

// TestStalePlan: DDL between preparing and running. Same columns: planned again without a word.
// Others: 0A000, which drivers know how to answer.
func TestStalePlan(t *testing.T) {
	n := startNode(t)
	s, ddl := n.session(), n.session()
	ddl.do("create table t (a int primary key, b text); insert into t values (1, 'x')")
	s.do("prepare p as select * from t where a = $1")
	s.do("prepare q as select a from t where a = $1")
	ddl.do("drop table t; create table t (a int primary key, b text, c int); " +
		"insert into t values (1, 'y', 2)")
	require.Equal(t, "1", s.value("execute q(1)"))
	e := s.fails("0A000", "execute p(1)")
	require.Equal(t, "cached plan must not change result type", e.Message)
	var a int
	require.NoError(t, s.conn.QueryRow(s.context(), "select a from t where a = $1", 1).Scan(&a))
	ddl.do("drop table t")
	s.fails("42P01", "execute q(1)")
}

// TestDescribeIsExact: what Describe says is what Execute sends, in both formats.
func TestDescribeIsExact(t *testing.T) {
	s := startNode(t).session()
	s.do("create table t (i int primary key, b bigint, s smallint, v varchar(5), f float8, " +
		"n numeric(10,2), y bytea, o bool, d date, z timestamptz, u uuid, l text[], j jsonb)")
	s.do(`insert into t values (1, 2, 3, 'vier', 5.5, 6.25, '\x07', true, '2026-08-09', ` +
		`'2026-10-11 12:13:14+00', '00000000-0000-0000-0000-000000000015', '{a,NULL}', '{"a":1}')`)
	for _, format := range []int16{pgx.TextFormatCode, pgx.BinaryFormatCode} {
		var (
			i    int32
			b    int64
			s16  int16
			v    string
			f    float64
			n    string
			y    []byte
			o    bool
			d, z time.Time
			u    [16]byte
			l    []*string
			j    map[string]int
		)
		row := s.conn.QueryRow(s.context(), "select i, b, s, v, f, n::text, y, o, d, z, u, l, j "+
			"from t where i = $1", pgx.QueryResultFormats{format}, 1)
		require.NoError(t, row.Scan(&i, &b, &s16, &v, &f, &n, &y, &o, &d, &z, &u, &l, &j))
		require.Equal(t, int32(1), i)
		require.Equal(t, int64(2), b)
		require.Equal(t, int16(3), s16)
		require.Equal(t, "vier", v)
		require.InEpsilon(t, 5.5, f, 1e-9)
		require.Equal(t, "6.25", n)
		require.Equal(t, []byte{7}, y)
		require.True(t, o)
		require.Equal(t, "2026-08-09", d.Format(time.DateOnly))
		require.Equal(t, "2026-10-11T12:13:14Z", z.UTC().Format(time.RFC3339))
		require.Equal(t, byte(0x15), u[15])
		require.Len(t, l, 2)
		require.Nil(t, l[1])
		require.Equal(t, map[string]int{"a": 1}, j)
	}
}

// TestRowLimits: portals in portions through a driver's door, and what a limit means to statements
// that return nothing.
func TestRowLimits(t *testing.T) {
	s := startNode(t).session()
	s.do("insert into kv select g::text, g::text from generate_series(1, 5) g; begin")
	c := s.wire()
	c.parse("", "select key from kv order by key")
	c.bind("", "")
	require.Equal(t, []string{"Row 1", "Row 2", "Suspended"}, c.execute("", 2))
	require.Equal(t, []string{"Row 3", "Row 4", "Row 5", "Suspended"}, c.execute("", 3))
	require.Equal(t, []string{"SELECT 0"}, c.execute("", 3))
	require.Equal(t, []string{"SELECT 0"}, c.execute("", 3))
	c.parse("", "insert into kv values ('a', '1'), ('b', '1')")
	c.bind("", "")
	require.Equal(t, []string{"INSERT 0 2"}, c.execute("", 1))
	require.Equal(t, []string{"Error 55000"}, c.execute("", 1))
	s.do("rollback")
	c.parse("", "")
	require.Equal(t, []string{"Params []", "NoData"}, c.describe(""))
	c.parse("", "-- nothing")
	require.Equal(t, []string{"Empty"}, c.simple("/* nothing */ ;"))
}

// TestUnsupported: what is left to later versions says so by name.
func TestUnsupported(t *testing.T) {
	s := startNode(t).session()
	for sql, feature := range map[string]string{
		"create role r":                "CREATE ROLE",
		"grant select on kv to public": "GRANT",
		"prepare transaction 'x'":      "two-phase commit",
		"set constraints all deferred": "SET CONSTRAINTS",
		"create database d":            "CREATE DATABASE",
		"set transaction snapshot 'x'": "SET TRANSACTION SNAPSHOT",
	} {
		e := s.fails("0A000", sql)
		require.Equal(t, feature+" is not supported", e.Message)
	}
}

// TestAccepted: commands that clients send and that have nothing to do here.
func TestAccepted(t *testing.T) {
	s := startNode(t).session()
	for sql, tag := range map[string]string{
		"vacuum": "VACUUM", "vacuum analyze kv": "VACUUM", "analyze": "ANALYZE",
		"analyze kv": "ANALYZE", "checkpoint": "CHECKPOINT", "reindex table kv": "REINDEX",
		"unlisten *": "UNLISTEN", "close all": "CLOSE CURSOR ALL", "discard plans": "DISCARD PLANS",
		"discard temp": "DISCARD TEMP", "discard sequences": "DISCARD SEQUENCES",
	} {
		require.Equal(t, tag, s.do(sql), sql)
	}
	s.fails("42P01", "vacuum nothing")
	s.fails("34000", "close c")
	s.fails("25001", "begin; vacuum")
}

// TestLogFunctions: positions, names of files, and a switch that moves on.
func TestLogFunctions(t *testing.T) {
	s := startNode(t).session()
	s.do("set synchronous_commit = local; insert into kv values ('a', '1')")
	require.Equal(t, "t", s.value("select pg_current_wal_flush_lsn() <= pg_current_wal_lsn() and "+
		"pg_current_wal_lsn() <= pg_current_wal_insert_lsn()"))
	require.Equal(t, "0", s.value("select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), "+
		"pg_current_wal_insert_lsn())"))
	before := s.value("select pg_walfile_name(pg_current_wal_lsn())")
	require.Len(t, before, 24)
	s.do("select pg_switch_wal(); insert into kv values ('b', '1')")
	require.NotEqual(t, before, s.value("select pg_walfile_name(pg_current_wal_lsn())"))
	require.Equal(t, "f", s.value("select pg_is_in_recovery()"))
}

// TestViews: every view has as many values as columns, and says something true.
func TestViews(t *testing.T) {
	n := startNode(t)
	s, holder := n.session("application_name", "viewer"), n.session()
	for _, view := range []string{"pg_settings", "pg_stat_activity", "pg_locks", "pg_stat_wal",
		"pg_stat_database", "pg_prepared_statements", "pg_prepared_xacts", "pg_file_settings"} {
		s.do("select * from " + view)
		s.do("select * from pg_catalog." + view + " limit 0")
	}
	require.Equal(t, "viewer", s.value("select application_name from pg_stat_activity "+
		"where pid = pg_backend_pid()"))
	holder.do("begin; insert into kv values ('a', '1')")
	require.Equal(t, "idle in transaction", s.value("select state from pg_stat_activity "+
		"where pid <> pg_backend_pid()"))
	require.Equal(t, "RowExclusiveLock", s.value("select distinct mode from pg_locks "+
		"where locktype = 'relation' and granted and relation = 'kv'::regclass and mode like 'RowEx%'"))
	require.Equal(t, "{local,remote_write,remote_apply,on,off}",
		s.value("select enumvals from pg_settings where name = 'synchronous_commit'"))
}

// TestCopy: both ways, in text, and binary in through pgx; errors leave the session in order.
func TestCopy(t *testing.T) {
	s := startNode(t).session()
	pg := s.conn.PgConn()
	tag, err := pg.CopyFrom(s.context(), strings.NewReader("a\t1\nb\t\\N\n"),
		"copy kv from stdin")
	require.NoError(t, err)
	require.Equal(t, "COPY 2", tag.String())
	var out strings.Builder
	tag, err = pg.CopyTo(s.context(), &out, "copy kv to stdout")
	require.NoError(t, err)
	require.Equal(t, "COPY 2", tag.String())
	require.Equal(t, "a\t1\nb\t\\N\n", out.String())

	_, err = pg.CopyFrom(s.context(), strings.NewReader("c\t1\na\t1\n"), "copy kv from stdin")
	require.ErrorContains(t, err, "23505")
	_, err = pg.CopyFrom(s.context(), strings.NewReader("c\t1\t2\n"), "copy kv from stdin")
	require.ErrorContains(t, err, "22P04")
	var at *pgconn.PgError
	require.ErrorAs(t, err, &at)
	require.Equal(t, "COPY kv, line 1: \"c\t1\t2\"", at.Where)
	_, err = pg.CopyFrom(s.context(), io.MultiReader(strings.NewReader("c\t1\n"),
		brokenReader{}), "copy kv from stdin")
	require.ErrorContains(t, err, "COPY from stdin failed")
	require.Equal(t, "2", s.value("select count(*) from kv"))

	rows := make([][]any, 1000)
	for i := range rows {
		rows[i] = []any{fmt.Sprintf("k%04d", i), "v"}
	}
	copied, err := s.conn.CopyFrom(s.context(), pgx.Identifier{"kv"}, []string{"key", "value"},
		pgx.CopyFromRows(rows))
	require.NoError(t, err)
	require.Equal(t, int64(1000), copied)
	require.Equal(t, "1002", s.value("select count(*) from kv"))
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("boom") }

// TestQueryModes: a driver's five ways to run the same statements.
func TestQueryModes(t *testing.T) {
	n := startNode(t)
	n.session().do("create table t (id int primary key, v text, b bytea)")
	for i, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement,
		pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec,
		pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			s := n.session()
			ctx := s.context()
			for j := range 3 {
				id := 10*i + j
				_, err := s.conn.Exec(ctx, "insert into t values ($1, $2, $3)", mode, id, "v",
					[]byte{0, byte(j)})
				require.NoError(t, err)
				var v string
				var b []byte
				require.NoError(t, s.conn.QueryRow(ctx, "select v, b from t where id = $1", mode,
					id).Scan(&v, &b))
				require.Equal(t, "v", v)
				require.Equal(t, []byte{0, byte(j)}, b)
			}
			require.NoError(t, s.conn.Ping(ctx))
		})
	}
}

// TestRestart: what was committed is there after an orderly stop, and the log says it was one.
func TestRestart(t *testing.T) {
	n := startNode(t)
	s := n.session()
	s.do("create table t (id serial primary key, v text); insert into t (v) values ('a'), ('b')")
	n.restart()
	require.Contains(t, n.report.ReadyLine(), "log clean to")
	s = n.session()
	require.Equal(t, [][]string{{"1", "a"}, {"2", "b"}}, s.rows("select * from t order by id"))
	require.NotEmpty(t, s.value("insert into t (v) values ('c') returning id"))
}

// TestStopEndsSessions: 57P01 for those idle, in a transaction, and at work.
func TestStopEndsSessions(t *testing.T) {
	n := startNode(t)
	idle, open, busy := n.session(), n.session(), n.session()
	open.do("begin; insert into kv values ('a', '1')")
	done := make(chan error, 1)
	go func() {
		_, _, err := busy.try("select pg_sleep(30)")
		done <- err
	}()
	require.Eventually(t, func() bool {
		return len(idle.rows("select 1 from pg_stat_activity where query like '%pg_sleep(30)' "+
			"and state = 'active'")) == 1
	}, patience, time.Millisecond)
	n.stop()
	require.ErrorContains(t, <-done, "57P01")
	idle.gone("57P01")
	open.gone("57P01")
	n.start()
	require.Equal(t, "0", n.session().value("select count(*) from kv"))
}

// TestRefusesToStart: a directory in use, an address others can reach, settings that make no sense.
func TestRefusesToStart(t *testing.T) {
	n := startNode(t)
	try := func(change func(*server.Options)) error {
		opts := n.opts
		opts.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		change(&opts)
		srv, _, err := server.Start(t.Context(), opts)
		if err == nil {
			require.NoError(t, srv.Shutdown(t.Context()))
		}
		return err
	}
	require.ErrorIs(t, try(func(*server.Options) {}), wal.ErrLocked)
	err := try(func(o *server.Options) { o.Dir, o.Listen = t.TempDir(), "0.0.0.0:0" })
	require.ErrorContains(t, err, "--insecure")
	err = try(func(o *server.Options) { o.Dir, o.HTTP = t.TempDir(), ":0" })
	require.ErrorContains(t, err, "--insecure")
	require.NoError(t, try(func(o *server.Options) {
		o.Dir, o.Listen, o.Insecure = t.TempDir(), "0.0.0.0:0", true
	}))
	err = try(func(o *server.Options) { o.Dir, o.Settings = t.TempDir(), []string{"fsync=off"} })
	require.ErrorContains(t, err, "fsync = off is not supported")
	err = try(func(o *server.Options) {
		o.Dir, o.Settings = t.TempDir(), []string{"wal_segment_size=17MB"}
	})
	require.ErrorContains(t, err, "power of two")
}

// TestMetrics: the page is there, and counts.
func TestMetrics(t *testing.T) {
	n := startNode(t)
	n.stop()
	n.opts.HTTP = "127.0.0.1:0"
	n.start()
	s := n.session()
	s.do("insert into kv values ('a', '1')")
	s.do("set synchronous_commit = on")
	s.do("insert into kv values ('b', '1')")
	response, err := http.Get("http://" + n.report.HTTPAddr.String() + "/metrics")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for _, line := range []string{`ackdb_commit_seconds_count{mode="off"} 1`,
		`ackdb_commit_seconds_count{mode="on"} 1`, "ackdb_sessions 1", "ackdb_wal_flushed_lsn ",
		"ackdb_wal_fsync_seconds_count ", "ackdb_wal_group_records_count ",
		"ackdb_store_memtable_bytes ", "ackdb_wal_sync_method_info{", "go_goroutines "} {
		require.True(t, strings.Contains(string(page), line), "no %s", line)
	}
}

// TestMain refuses to run where a variable of libpq would change what pgx connects to.
func TestMain(m *testing.M) {
	for _, name := range []string{"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"} {
		_ = os.Unsetenv(name)
	}
	os.Exit(m.Run())
}
