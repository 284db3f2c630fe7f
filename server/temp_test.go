package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const tempRelations = "SELECT count(*) FROM pg_class c JOIN pg_namespace n" +
	" ON n.oid = c.relnamespace WHERE nspname LIKE 'pg\\_temp\\_%'"

// Two sessions' temporary tables have one name and nothing to do with one another.
func TestTempTablesAreTheSessionsOwn(t *testing.T) {
	n := startNode(t)
	one, other := n.session(), n.session()
	for i, s := range []*session{one, other} {
		s.do("CREATE TEMP TABLE t (a serial PRIMARY KEY, b int)")
		s.do("INSERT INTO t (b) SELECT generate_series(1, " + []string{"3", "5"}[i] + ")")
	}
	require.Equal(t, "3", one.value("SELECT count(*) FROM t"))
	require.Equal(t, "5", other.value("SELECT count(*) FROM t"))
	theirs := other.value("SELECT pg_my_temp_schema()::regnamespace")
	require.NotEqual(t, theirs, one.value("SELECT pg_my_temp_schema()::regnamespace"))
	require.Equal(t, "t", one.value("SELECT pg_is_other_temp_schema('"+theirs+"'::regnamespace)"))
	require.Equal(t, "1", one.value(
		"SELECT count(*) FROM information_schema.tables WHERE table_type = 'LOCAL TEMPORARY'"))
	err := one.fails("0A000", "SELECT * FROM "+theirs+".t")
	require.Equal(t, "cannot access temporary tables of other sessions", err.Message)
	one.fails("0A000", "INSERT INTO "+theirs+".t (b) VALUES (1)")
	one.fails("42P16", "CREATE TABLE "+theirs+".mine (a int)")
}

// A prepared statement means the temporary table from when there is one.
func TestTempTableUnderAPreparedStatement(t *testing.T) {
	n := startNode(t)
	s := n.session()
	s.do("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
	s.do("PREPARE p AS SELECT a FROM t")
	require.Equal(t, "1", s.value("EXECUTE p"))
	s.do("CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (2)")
	require.Equal(t, "2", s.value("EXECUTE p"))
	s.do("DROP TABLE t")
	require.Equal(t, "1", s.value("EXECUTE p"))
}

// What a session made is gone when it ends, whether or not the server lived to see it.
func TestTempTablesEndWithTheSession(t *testing.T) {
	n := startNode(t)
	s := n.session()
	s.do("CREATE TEMP TABLE t (a serial PRIMARY KEY, b int UNIQUE)")
	s.do("CREATE TEMP VIEW v AS SELECT * FROM t")
	watcher := n.session()
	require.NotEqual(t, "0", watcher.value(tempRelations))
	require.NoError(t, s.conn.Close(n.context()))
	require.Eventually(t, func() bool { return watcher.value(tempRelations) == "0" }, patience,
		time.Millisecond)

	// DISCARD ALL does it too, also where nothing may be written.
	s = n.session("default_transaction_read_only", "on")
	s.do("BEGIN READ WRITE; CREATE TEMP TABLE t (a int); COMMIT")
	s.do("DISCARD ALL")
	require.Equal(t, "0", watcher.value(tempRelations))
}

// Temporary tables reach a standby with the log, as their catalog rows do in Postgres. The session
// they belong to does not, so that a promotion removes them; there are none on a standby itself.
func TestTempTablesOfALostPrimary(t *testing.T) {
	n := startNode(t)
	s := n.session()
	s.do("CREATE TEMP TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)")
	standby := n.startStandby()
	there := standby.session()
	require.Eventually(t, func() bool { return there.value(tempRelations) == "2" }, patience,
		time.Millisecond)
	there.fails("25006", "CREATE TEMP TABLE u (a int)")
	n.promoteAt(standby)
	require.Equal(t, "0", there.value(tempRelations))
	there.do("CREATE TEMP TABLE t (a int)")
	require.Equal(t, "0", there.value("SELECT count(*) FROM t"))
}
