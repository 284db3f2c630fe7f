package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

const upsert = "insert into kv values ('a', '1') on conflict (key) do update set value = 'x'"

// receiptOf takes the token out of what a transcript says.
func receiptOf(t *testing.T, got []string) string {
	t.Helper()
	for _, line := range got {
		if token, ok := strings.CutPrefix(line, "ack.commit_lsn="); ok {
			return token
		}
	}
	require.Fail(t, "no token", "%q", got)
	return ""
}

// shape hides the tokens of a transcript.
func shape(got []string) []string {
	out := make([]string, len(got))
	for i, line := range got {
		if strings.HasPrefix(line, "ack.commit_lsn=") {
			line = "lsn"
		}
		out[i] = strings.TrimPrefix(line, "ack.commit_")
	}
	return out
}

func (w *wire) shape(messages ...pgproto3.FrontendMessage) []string {
	w.t.Helper()
	return shape(w.roundTrip(messages...))
}

// TestReportPlaces: an explicit COMMIT's receipt stands directly behind its CommandComplete, an
// implicit one's at the end of the query. The token comes first, then the level.
func TestReportPlaces(t *testing.T) {
	s := startNode(t).session("ack.report_commit", "on", "synchronous_commit", "local")
	c := s.wire()
	for _, x := range []struct {
		sql  string
		want []string
	}{
		{upsert, []string{"INSERT 0 1", "lsn", "level=flushed"}},
		{"select 1", []string{"Columns ?column?:23", "Row 1", "SELECT 1"}},
		{"begin; " + upsert + "; commit; select 1", []string{"BEGIN", "INSERT 0 1", "COMMIT", "lsn",
			"level=flushed", "Columns ?column?:23", "Row 1", "SELECT 1"}},
		{upsert + "; " + upsert, []string{"INSERT 0 1", "INSERT 0 1", "lsn", "level=flushed"}},
		{"begin; " + upsert + "; rollback", []string{"BEGIN", "INSERT 0 1", "ROLLBACK"}},
		{"begin; " + upsert + "; commit; begin; " + upsert + "; commit", []string{"BEGIN",
			"INSERT 0 1", "COMMIT", "lsn", "level=flushed", "BEGIN", "INSERT 0 1", "COMMIT", "lsn",
			"level=flushed"}},
		{upsert + "; select 1/0", []string{"INSERT 0 1", "Columns ?column?:23", "Error 22012"}},
		{"begin; commit", []string{"BEGIN", "COMMIT"}},
		{"begin; savepoint a; " + upsert + "; rollback to a; commit",
			[]string{"BEGIN", "SAVEPOINT", "INSERT 0 1", "ROLLBACK", "COMMIT"}},
		{"set ack.report_commit = off; " + upsert, []string{"SET", "INSERT 0 1"}},
		{"begin; set local ack.report_commit = on; " + upsert + "; commit; " + upsert,
			[]string{"BEGIN", "SET", "INSERT 0 1", "COMMIT", "lsn", "level=flushed", "INSERT 0 1"}},
		{upsert, []string{"INSERT 0 1"}},
	} {
		require.Equal(t, x.want, shape(c.simple(x.sql)), x.sql)
	}
}

// TestReportExtended: at Sync for what is implicit, behind COMMIT's completion for what is not; the
// last before ReadyForQuery is the newest.
func TestReportExtended(t *testing.T) {
	s := startNode(t).session("ack.report_commit", "on")
	c := s.wire()
	c.parse("up", upsert)
	c.parse("begin", "begin")
	c.parse("commit", "commit")
	run := func(names ...string) (list []pgproto3.FrontendMessage) {
		for _, name := range names {
			list = append(list, &pgproto3.Bind{PreparedStatement: name}, &pgproto3.Execute{})
		}
		return list
	}
	written := "level=written"
	require.Equal(t, []string{"INSERT 0 1", "lsn", written}, c.shape(run("up")...))
	require.Equal(t, []string{"INSERT 0 1", "INSERT 0 1", "lsn", written}, c.shape(run("up", "up")...))
	require.Equal(t, []string{"BEGIN", "INSERT 0 1", "COMMIT", "lsn", written, "INSERT 0 1", "lsn",
		written}, c.shape(run("begin", "up", "commit", "up")...))

	// A pipeline of three, each with its Sync.
	for range 3 {
		for _, m := range append(run("up"), &pgproto3.Sync{}) {
			c.front.Send(m)
		}
	}
	require.NoError(t, c.front.Flush())
	last := wal.LSN(0)
	for range 3 {
		token, err := wal.ParseToken(receiptOf(t, c.untilReady()))
		require.NoError(t, err)
		require.Greater(t, token.LSN, last)
		last = token.LSN
	}
	require.Equal(t, s.conn.PgConn().ParameterStatus("ack.commit_lsn"), "",
		"the driver has seen none: the test read the messages itself")
}

// TestReceiptDriver: pgx reads it without a round trip, and it is the end of the commit's record.
func TestReceiptDriver(t *testing.T) {
	n := startNode(t)
	conn, _ := n.connect("ack.report_commit", "on")
	before := ""
	for i := range 5 {
		_, err := conn.Exec(n.context(), "insert into kv values ($1, 'v')", fmt.Sprint(i))
		require.NoError(t, err)
		token := conn.PgConn().ParameterStatus("ack.commit_lsn")
		require.NotEqual(t, before, token)
		before = token
		parsed, err := wal.ParseToken(token)
		require.NoError(t, err)
		require.Equal(t, token, parsed.String())
		require.Contains(t, []string{"written", "flushed"},
			conn.PgConn().ParameterStatus("ack.commit_level"))
	}
	s := n.session()
	require.Equal(t, "t", s.value("select '"+positionOf(before)+"'::pg_lsn = pg_current_wal_lsn()"))
	require.Equal(t, "t", s.value("select pg_current_wal_lsn() - '"+positionOf(before)+
		"'::pg_lsn = 0"))
	batch := &pgx.Batch{}
	batch.Queue(upsert)
	batch.Queue(upsert)
	require.NoError(t, conn.SendBatch(n.context(), batch).Close())
	require.NotEqual(t, before, conn.PgConn().ParameterStatus("ack.commit_lsn"))
}

// positionOf is the bare position of a token.
func positionOf(token string) string {
	_, position, _ := strings.Cut(token, "/")
	return position
}

// TestUnasked: who did not ask sees no parameter but those of Postgres, whatever it does.
func TestUnasked(t *testing.T) {
	known := map[string]bool{}
	for _, name := range []string{"application_name", "client_encoding", "DateStyle",
		"default_transaction_read_only", "in_hot_standby", "integer_datetimes", "IntervalStyle",
		"is_superuser", "server_encoding", "server_version", "session_authorization",
		"standard_conforming_strings", "TimeZone"} {
		known[name] = true
	}
	n := startNode(t)
	s := n.session()
	c := s.wire()
	c.parse("up", upsert)
	got := c.roundTrip(&pgproto3.Bind{PreparedStatement: "up"}, &pgproto3.Execute{})
	for _, sql := range []string{upsert, "begin; " + upsert + "; commit", "listen ack_durable",
		"set ack.commit_wait = '2ms'", upsert, "set ack.read_durability = flushed", upsert,
		"table kv", "set synchronous_commit = local", upsert, "select ack_last_commit()",
		"set timezone = 'UTC'", "set application_name = 'x'"} {
		got = append(got, c.simple(sql)...)
	}
	for _, line := range got {
		name, _, status := strings.Cut(line, "=")
		require.False(t, status && !strings.HasPrefix(line, "Row") &&
			!strings.HasPrefix(line, "Notify") && !known[name], line)
	}
	// Negative control: the same eyes see it in a session that asks.
	c.simple("set ack.report_commit = on")
	require.Contains(t, shape(c.simple(upsert)), "lsn")
	require.False(t, known["ack.commit_lsn"])
}

// TestLastCommit: the pull form, for poolers that eat parameters.
func TestLastCommit(t *testing.T) {
	s := startNode(t).session()
	require.Equal(t, "NULL", s.value("select ack_last_commit()"))
	s.do(upsert)
	first := s.value("select ack_last_commit()")
	_, err := wal.ParseToken(first)
	require.NoError(t, err)
	s.do("begin; delete from kv; rollback; select 1")
	require.Equal(t, first, s.value("select ack_last_commit()"))
	s.do("begin; delete from kv")
	require.Equal(t, first, s.value("select ack_last_commit()"))
	s.do("commit")
	require.NotEqual(t, first, s.value("select ack_last_commit()"))
	s.do("discard all")
	require.Equal(t, "NULL", s.value("select ack_last_commit()"))
}

// TestCommitStatus: truthful across restarts, for tokens with and without a history.
func TestCommitStatus(t *testing.T) {
	n := startNode(t)
	s := n.session("synchronous_commit", "local")
	s.do(upsert)
	token := s.value("select ack_last_commit()")
	status := func(s *session, token string) string {
		return s.value("select ack_commit_status('" + token + "')")
	}
	require.Equal(t, "durable", status(s, token))
	require.Equal(t, "durable", status(s, positionOf(token)))
	require.Equal(t, "unknown", status(s, "FFFFFFFF/0"))
	parsed, err := wal.ParseToken(token)
	require.NoError(t, err)
	parsed.LSN += 1 << 20
	beyond := parsed.String()
	require.Equal(t, "unknown", status(s, beyond))
	s.fails("22P02", "select ack_commit_status('nonsense')")
	s.fails("22P02", "select ack_commit_status('1.zz/0/1')")
	require.Equal(t, "NULL", s.value("select ack_commit_status(null)"))

	n.restart()
	s = n.session("synchronous_commit", "local")
	require.Equal(t, "durable", status(s, token))
	require.Equal(t, "lost", status(s, beyond), "its epoch ended below it")
	for range 64 {
		s.do(upsert)
	}
	require.Equal(t, "lost", status(s, beyond), "however long the log has become")
	require.Equal(t, "lost", s.value("select ack_commit_status('1.1/0/1000100')"))

	epochs := s.rows("select timeline, epoch, begin_lsn, end_lsn, current from ack_epochs")
	require.Len(t, epochs, 2)
	require.Equal(t, []string{"f", "t"}, []string{epochs[0][4], epochs[1][4]})
	require.Equal(t, epochs[0][3], epochs[1][2])
	require.Equal(t, "NULL", epochs[1][3])
	require.True(t, strings.HasPrefix(token, epochs[0][0]+"."+epochs[0][1]+"/"))
}

// TestReceiptLevels: the level says what was reached, not what was asked for.
func TestReceiptLevels(t *testing.T) {
	n := startNode(t, "wal_writer_delay=10s", "ack.max_async_loss=off")
	s := n.session("ack.report_commit", "on")
	c := s.wire()
	require.Equal(t, []string{"INSERT 0 1", "lsn", "level=written"}, shape(c.simple(upsert)))
	require.Equal(t, []string{"SET"}, c.simple("set ack.commit_wait = '10s'"))
	require.Equal(t, []string{"INSERT 0 1", "lsn", "level=flushed"}, shape(c.simple(upsert)))
	require.Equal(t, []string{"RESET"}, c.simple("reset ack.commit_wait"))
	require.Equal(t, []string{"CREATE TABLE", "lsn", "level=flushed"},
		shape(c.simple("create table t (a int)")), "DDL is always flushed")
}
