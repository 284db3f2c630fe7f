package server_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// requireStandbys changes synchronous_standby_names online.
func (s *session) requireStandbys(names string) {
	s.t.Helper()
	s.do("alter system set synchronous_standby_names = '" + names + "'")
	s.do("select pg_reload_conf()")
}

// level is what a commit reported to have reached.
func (s *session) level() string { return s.parameter("ack.commit_level") }

// TestSynchronousLevels: each level is confirmed as itself by the standby, and as local when none is
// required.
func TestSynchronousLevels(t *testing.T) {
	primary := startNode(t)
	p := primary.session("ack.report_commit", "on")
	s := primary.replicaOf("s").catchesUp(primary)
	levels := map[string]string{"local": "flushed", "remote_write": "remote_write",
		"on": "remote_flush", "remote_apply": "remote_apply"}
	for level := range levels {
		p.do("set synchronous_commit = " + level)
		p.do(upsert)
		require.Equal(t, "flushed", p.level(), "%s without standbys", level)
	}
	for _, names := range []string{"s", "*", "FIRST 1 (nobody, s)", `ANY 1 ("s", nobody)`} {
		p.requireStandbys(names)
		for level, reached := range levels {
			p.do("set synchronous_commit = " + level)
			p.do(upsert)
			require.Equal(t, reached, p.level(), "%s with %s", level, names)
		}
	}
	require.Equal(t, "quorum", p.value("select sync_state from pg_stat_replication"))
	p.do("set synchronous_commit = remote_apply")
	p.do("insert into kv values ('applied', '1')")
	require.Equal(t, "1", s.value("select value from kv where key = 'applied'"))

	s.do("select pg_wal_replay_pause()")
	p.do("set synchronous_commit = on")
	p.do(upsert) // replay is not asked
	p.do("set synchronous_commit = remote_apply")
	done := p.commits()
	primary.session().eventually(syncRep)
	s.do("select pg_wal_replay_resume()")
	require.NoError(t, <-done)
	require.Equal(t, "remote_apply", p.level())
}

const syncRep = "select 1 from pg_stat_activity where wait_event_type = 'IPC' and " +
	"wait_event = 'SyncRep'"

// commits commits on a goroutine of its own.
func (s *session) commits() <-chan error {
	done := make(chan error, 1)
	go func() {
		_, _, err := s.try(upsert)
		done <- err
	}()
	return done
}

// TestSynchronousWaits: with the standby gone commits wait, and say so; nothing but an answer, a
// change of the names, a cancel or the server's end ends the wait.
func TestSynchronousWaits(t *testing.T) {
	primary := startNode(t)
	other := primary.session()
	other.requireStandbys("s")
	p := primary.session("ack.report_commit", "on", "synchronous_commit", "on")

	done := p.commits()
	other.eventually(syncRep)
	other.requireStandbys("")
	require.NoError(t, <-done)
	require.Equal(t, "flushed", p.level(), "nobody answered for it")

	other.requireStandbys("s")
	done = p.commits()
	other.eventually(syncRep)
	other.do("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'")
	var e *pgconn.PgError
	require.ErrorAs(t, <-done, &e)
	require.Equal(t, "40003", e.Code)
	require.Equal(t, "canceled waiting for synchronous replication", e.Message)
	token := p.parameter("ack.commit_lsn")
	require.Contains(t, e.Detail, token)
	require.Equal(t, "durable", other.value("select ack_commit_status('"+token+"')"))
	require.Equal(t, "x", other.value("select value from kv where key = 'a'"))

	done = p.commits()
	other.eventually(syncRep)
	standby := primary.replicaOf("s")
	require.NoError(t, <-done)
	require.Equal(t, "remote_flush", p.level())

	standby.stop()
	done = p.commits()
	other.eventually(syncRep)
	primary.stop()
	require.Error(t, <-done)
}

// TestSynchronousStandbyNames: the value is checked in Postgres' words, and a bad one in the file
// changes nothing.
func TestSynchronousStandbyNames(t *testing.T) {
	s := startNode(t).session()
	for names, code := range map[string]string{"ANY 0 (a)": "22023", "FIRST 1 (a": "42601",
		"a b": "42601"} {
		e := s.fails(code, "alter system set synchronous_standby_names = '"+names+"'")
		require.Equal(t, `invalid value for parameter "synchronous_standby_names": "`+names+`"`,
			e.Message)
		require.NotEmpty(t, e.Detail)
	}
	s.requireStandbys("first 2 (a, b, \"C d\")")
	require.Equal(t, `first 2 (a, b, "C d")`, s.value("show synchronous_standby_names"))
	s.fails("55P02", "set synchronous_standby_names = 'a'")
}

// TestReplicaLossWindow: the gauge has a row for each replica.
func TestReplicaLossWindow(t *testing.T) {
	primary := startNode(t)
	primary.replicaOf("s").catchesUp(primary)
	rows := primary.session().rows("select scope, bytes from ack_loss_window order by scope")
	require.Len(t, rows, 2)
	require.True(t, strings.HasPrefix(rows[1][0], "replica s"))
}
