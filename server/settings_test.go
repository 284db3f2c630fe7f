package server_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"ackdb/server"
)

// TestSetScopes: S3. SET is undone with its transaction, SET LOCAL in any case, and both by a
// rollback to a savepoint.
func TestSetScopes(t *testing.T) {
	s := startNode(t).session()
	show := func() string { return s.value("show work_mem") }
	require.Equal(t, "4MB", show())
	s.do("set work_mem = '5MB'")
	s.do("begin; set work_mem = '6MB'; rollback")
	require.Equal(t, "5MB", show())
	s.do("begin; set work_mem = '6MB'; set local work_mem = '7MB'")
	require.Equal(t, "7MB", show())
	s.do("commit")
	require.Equal(t, "6MB", show())
	s.do("begin; set local work_mem = '8MB'; set work_mem = '9MB'; commit")
	require.Equal(t, "9MB", show())
	s.do("begin; savepoint a; set work_mem = '10MB'; rollback to a")
	require.Equal(t, "9MB", show())
	s.do("set work_mem = '11MB'; commit")
	require.Equal(t, "11MB", show())
	s.fails("22012", "set work_mem = '12MB'; select 1/0")
	require.Equal(t, "11MB", show())
	s.do("reset work_mem")
	require.Equal(t, "4MB", show())
	s.do("set work_mem to '5MB'; begin; set local work_mem to default")
	require.Equal(t, "4MB", show())
	s.do("commit")
	require.Equal(t, "5MB", show())
	s.do("discard all")
	require.Equal(t, "4MB", show())
	require.Equal(t, "1MB", s.value("select set_config('work_mem', '1MB', false)"))
	require.Equal(t, "1MB", s.value("select current_setting('work_mem')"))
}

// TestSetForms: the ways to write SET, and who is refused what.
func TestSetForms(t *testing.T) {
	s := startNode(t).session()
	s.do("set search_path to public, \"My Schema\", pg_catalog")
	require.Equal(t, `public, "My Schema", pg_catalog`, s.value("show search_path"))
	s.do("set time zone -7")
	require.Equal(t, "<-07>+07", s.value("show timezone"))
	s.do("set time zone 'Europe/Berlin'")
	require.Equal(t, "2026-07-01 12:00:00+02",
		s.value("select timestamptz '2026-07-01 10:00:00+00'"))
	s.do("set time zone default; set names 'utf8'; set jit = 1; set extra_float_digits to 3")
	s.do("set my.setting = 'x'")
	require.Equal(t, "x", s.value("show my.setting"))
	require.Equal(t, "x", s.value("select current_setting('my.setting')"))
	s.do("reset my.setting")
	s.fails("42704", "show my.setting")
	s.fails("42704", "set no_such = 1")
	s.fails("42602", "set ack.no_such = 1")
	s.fails("55P02", "set max_connections = 3")
	s.fails("55P02", "set server_version = '16'")
	s.fails("55P02", "set max_wal_size = '2GB'")
	e := s.fails("0A000", "set fsync = off")
	require.NotEmpty(t, e.Detail)
	s.fails("22023", "set work_mem = 1, 2")
	require.Equal(t, "postgres", s.value("show session_authorization"))
	s.do("reset session authorization; set role none")
	require.Greater(t, len(s.rows("show all")), 80)
	require.Equal(t, "SET", s.do("set statement_timeout = 0"))
	require.Equal(t, "RESET", s.do("reset all"))
	require.Equal(t, "SHOW", s.do("show work_mem"))
}

// TestParameterStatus: what drivers rely on is sent at the start and again when it changes, by SET
// and by the rollback of one.
func TestParameterStatus(t *testing.T) {
	s := startNode(t).session("application_name", "app", "options", "-c DateStyle=ISO,YMD")
	pg := s.conn.PgConn()
	for name, want := range map[string]string{
		"application_name": "app", "client_encoding": "UTF8", "DateStyle": "ISO, YMD",
		"default_transaction_read_only": "off", "in_hot_standby": "off", "integer_datetimes": "on",
		"IntervalStyle": "postgres", "is_superuser": "on", "server_encoding": "UTF8",
		"server_version": "15.18 (ackdb " + server.Version + ")", "session_authorization": "postgres",
		"standard_conforming_strings": "on", "TimeZone": "Etc/UTC",
	} {
		require.Equal(t, want, pg.ParameterStatus(name), name)
	}
	s.do("set application_name = 'b'")
	require.Equal(t, "b", pg.ParameterStatus("application_name"))
	s.do("begin; set application_name = 'c'")
	require.Equal(t, "c", pg.ParameterStatus("application_name"))
	s.do("rollback")
	require.Equal(t, "b", pg.ParameterStatus("application_name"))
	s.do("reset application_name")
	require.Equal(t, "app", pg.ParameterStatus("application_name"))
}

// TestStartup: who gets in, and with what.
func TestStartup(t *testing.T) {
	n := startNode(t)
	refused := func(code string, params ...string) {
		t.Helper()
		config, err := pgconn.ParseConfig(n.url())
		require.NoError(t, err)
		for i := 0; i < len(params); i += 2 {
			switch params[i] {
			case "user":
				config.User = params[i+1]
			case "database":
				config.Database = params[i+1]
			default:
				config.RuntimeParams[params[i]] = params[i+1]
			}
		}
		_, err = pgconn.ConnectConfig(n.context(), config)
		var e *pgconn.PgError
		require.ErrorAs(t, err, &e)
		require.Equal(t, code, e.Code)
		require.Equal(t, "FATAL", e.Severity)
	}
	refused("28000", "user", "nobody")
	refused("3D000", "database", "nowhere")
	refused("22023", "replication", "perhaps")
	refused("22023", "synchronous_commit", "perhaps")
	refused("55P02", "options", "-c max_connections=3")
	refused("42704", "options", "-c no_such=3")
	refused("42704", "no_such", "3")
	s := n.session("options", "-c synchronous_commit=local --statement-timeout=3s -c application_name=x",
		"application_name", "by itself")
	require.Equal(t, "by itself", s.value("show application_name"))
	require.Equal(t, "local", s.value("show synchronous_commit"))
	require.Equal(t, "3s", s.value("show statement_timeout"))
	s.do("set statement_timeout = 0; reset statement_timeout")
	require.Equal(t, "3s", s.value("show statement_timeout"), "RESET goes back to the start-up's")
}

// TestAlterSystem: checked at once, on disk when answered, in effect after a reload, and every
// session that has not set the same follows.
func TestAlterSystem(t *testing.T) {
	n := startNode(t)
	s, other := n.session(), n.session()
	require.Equal(t, "ALTER SYSTEM", s.do("alter system set synchronous_commit = 'local'"))
	require.Equal(t, "off", s.value("show synchronous_commit"))
	auto := filepath.Join(n.opts.Dir, "ackdb.auto.conf")
	text, err := os.ReadFile(auto)
	require.NoError(t, err)
	require.Contains(t, string(text), "synchronous_commit = 'local'")
	other.do("set synchronous_commit = 'off'")
	require.Equal(t, "t", s.value("select pg_reload_conf()"))
	require.Equal(t, "local", s.value("show synchronous_commit"))
	require.Equal(t, "off", other.value("show synchronous_commit"))
	require.Equal(t, [][]string{{"local", "configuration file"}},
		s.rows("select setting, source from pg_settings where name = 'synchronous_commit'"))

	s.fails("22023", "alter system set synchronous_commit = 'perhaps'")
	s.fails("0A000", "alter system set fsync = off")
	s.fails("42704", "alter system set no_such = 1")
	s.fails("55P02", "alter system set server_version = '1'")
	s.fails("25001", "begin; alter system set work_mem = '1MB'")
	s.do("rollback")

	n.restart()
	s = n.session()
	require.Equal(t, "local", s.value("show synchronous_commit"))
	s.do("alter system reset synchronous_commit")
	require.NoError(t, n.server.Reload())
	require.Equal(t, "off", s.value("show synchronous_commit"))
	s.do("alter system set max_connections = 7")
	require.NoError(t, n.server.Reload())
	require.Equal(t, "500", s.value("show max_connections"), "needs a restart")
	s.do("alter system reset all")

	require.NoError(t, os.WriteFile(filepath.Join(n.opts.Dir, "ackdb.conf"),
		[]byte("work_mem = broken\n"), 0o600))
	require.ErrorContains(t, n.server.Reload(), "line 1")
	require.Equal(t, "4MB", s.value("show work_mem"), "a file that cannot be taken changes nothing")
	require.Len(t, s.rows("select * from pg_file_settings where error is not null"), 1)
	require.NoError(t, os.WriteFile(filepath.Join(n.opts.Dir, "ackdb.conf"), nil, 0o600))
}

// TestReloadReachesIdleSessions: what a client was told is told again, without it asking.
func TestReloadReachesIdleSessions(t *testing.T) {
	n := startNode(t)
	s := n.session()
	require.NoError(t, os.WriteFile(filepath.Join(n.opts.Dir, "ackdb.conf"),
		[]byte("timezone = 'Europe/Berlin'\n"), 0o600))
	require.NoError(t, n.server.Reload())
	require.Eventually(t, func() bool {
		s.do("")
		return s.conn.PgConn().ParameterStatus("TimeZone") == "Europe/Berlin"
	}, patience, 5*time.Millisecond)
}

// TestFlagsWin: -c over the file.
func TestFlagsWin(t *testing.T) {
	n := startNode(t, "work_mem=2MB", "wal_sync_method=fdatasync", "max_connections=2")
	require.NoError(t, os.WriteFile(filepath.Join(n.opts.Dir, "ackdb.conf"),
		[]byte("work_mem = 3MB\n"), 0o600))
	require.NoError(t, n.server.Reload())
	s := n.session()
	require.Equal(t, "2MB", s.value("show work_mem"))
	require.Equal(t, "fdatasync", s.value("show wal_sync_method"))
	require.Contains(t, n.report.ReadyLine(), "wal_sync_method fdatasync")

	n.session()
	config, err := pgconn.ParseConfig(n.url())
	require.NoError(t, err)
	_, err = pgconn.ConnectConfig(n.context(), config)
	require.ErrorContains(t, err, "53300")
}
