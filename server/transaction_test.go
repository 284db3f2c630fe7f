package server_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestBlocks walks through BEGIN, COMMIT and ROLLBACK and the status each leaves.
func TestBlocks(t *testing.T) {
	s := startNode(t).session()
	require.Equal(t, "I", s.status())
	require.Equal(t, "BEGIN", s.do("begin"))
	require.Equal(t, "T", s.status())
	s.do("insert into kv values ('a', '1')")
	require.Equal(t, "COMMIT", s.do("end"))
	require.Equal(t, "I", s.status())
	require.Equal(t, "START TRANSACTION", s.do("start transaction"))
	s.do("insert into kv values ('b', '1')")
	require.Equal(t, "ROLLBACK", s.do("abort"))
	require.Equal(t, "1", s.value("select count(*) from kv"))
}

// TestFailedBlock: S2. Everything but its end is refused, and its end is a rollback.
func TestFailedBlock(t *testing.T) {
	s := startNode(t).session()
	s.do("begin; insert into kv values ('a', '1')")
	s.fails("22012", "select 1/0")
	require.Equal(t, "E", s.status())
	s.fails("25P02", "select 1")
	s.fails("25P02", "begin")
	s.fails("25P02", "savepoint x")
	s.fails("25P02", "set statement_timeout = 1")
	_, err := s.conn.Prepare(s.context(), "p", "select 1")
	require.ErrorContains(t, err, "25P02")
	require.Equal(t, "ROLLBACK", s.do("commit"))
	require.Equal(t, "I", s.status())
	require.Equal(t, "0", s.value("select count(*) from kv"))
}

// TestWarnings: what Postgres lets pass with a warning.
func TestWarnings(t *testing.T) {
	s := startNode(t).session()
	require.Equal(t, "COMMIT", s.do("commit"))
	require.Equal(t, []string{"WARNING 25P01"}, s.warned())
	require.Equal(t, "ROLLBACK", s.do("rollback"))
	require.Equal(t, []string{"WARNING 25P01"}, s.warned())
	s.do("begin")
	s.do("begin")
	require.Equal(t, []string{"WARNING 25001"}, s.warned())
	s.do("rollback")
	s.do("set local work_mem = '1MB'")
	require.Equal(t, []string{"WARNING 25P01"}, s.warned())
	s.do("set transaction read only")
	require.Equal(t, []string{"WARNING 25P01"}, s.warned())
	s.do("set client_min_messages = error")
	s.do("commit")
	require.Empty(t, s.warned())
}

// TestImplicitBlock: the statements of one simple query stand or fall together.
func TestImplicitBlock(t *testing.T) {
	s := startNode(t).session()
	s.fails("22012", "insert into kv values ('a', '1'); select 1/0; insert into kv values ('b', '1')")
	require.Equal(t, "I", s.status())
	require.Equal(t, "0", s.value("select count(*) from kv"))

	// COMMIT in the middle keeps what came before, with a warning.
	s.fails("22012", "insert into kv values ('a', '1'); commit; insert into kv values ('b', '1'); "+
		"select 1/0")
	require.Equal(t, []string{"WARNING 25P01"}, s.warned())
	require.Equal(t, "1", s.value("select count(*) from kv"))

	// BEGIN takes what came before into its block.
	s.do("insert into kv values ('c', '1'); begin; insert into kv values ('d', '1')")
	require.Equal(t, "T", s.status())
	s.do("rollback")
	require.Equal(t, "1", s.value("select count(*) from kv"))

	s.fails("25P01", "select 1; savepoint x")
	s.fails("25001", "select 1; vacuum kv")
}

// TestSavepoints: nested, named alike, undone, released; a failed block is mended by one.
func TestSavepoints(t *testing.T) {
	s := startNode(t).session()
	s.fails("25P01", "savepoint a")
	s.fails("25P01", "release a")
	s.fails("25P01", "rollback to a")
	s.do("begin; insert into kv values ('a', '1')")
	require.Equal(t, "SAVEPOINT", s.do("savepoint s"))
	s.do("insert into kv values ('b', '1')")
	s.do("savepoint s; insert into kv values ('c', '1')")
	require.Equal(t, "ROLLBACK", s.do("rollback to savepoint s"))
	require.Equal(t, "2", s.value("select count(*) from kv"))
	require.Equal(t, "RELEASE", s.do("release savepoint s"))
	s.do("rollback to s")
	require.Equal(t, "1", s.value("select count(*) from kv"))
	s.fails("23505", "insert into kv values ('a', '2')")
	require.Equal(t, "E", s.status())
	s.do("rollback to s")
	require.Equal(t, "T", s.status())
	s.do("insert into kv values ('d', '1')")
	s.fails("3B001", "rollback to nowhere")
	s.do("rollback to s; insert into kv values ('e', '1'); commit")
	require.Equal(t, [][]string{{"a"}, {"e"}}, s.rows("select key from kv order by key"))
}

// TestModes: isolation and access mode, when they may still change and when not.
func TestModes(t *testing.T) {
	s := startNode(t).session()
	require.Equal(t, "read committed", s.value("show transaction_isolation"))
	s.do("begin isolation level serializable, read only")
	require.Equal(t, "serializable", s.value("show transaction isolation level"))
	require.Equal(t, "on", s.value("show transaction_read_only"))
	e := s.fails("25006", "insert into kv values ('a', '1')")
	require.Equal(t, "cannot execute INSERT in a read-only transaction", e.Message)
	s.do("rollback")
	require.Equal(t, "off", s.value("show transaction_read_only"))

	s.do("begin; select * from kv")
	s.fails("25001", "set transaction isolation level repeatable read")
	s.do("rollback; begin; set transaction isolation level repeatable read")
	require.Equal(t, "repeatable read", s.value("select current_setting('transaction_isolation')"))
	s.do("select * from kv; set transaction read only")
	s.fails("25001", "set transaction read write")
	s.do("rollback")

	s.do("set session characteristics as transaction isolation level serializable, read only")
	s.fails("25006", "create table t (a int)")
	s.do("begin read write; insert into kv values ('a', '1'); commit")
	require.Equal(t, "serializable", s.value("show default_transaction_isolation"))
	s.do("set default_transaction_read_only to off")
	s.do("begin; set transaction_isolation = 'read committed'")
	require.Equal(t, "read committed", s.value("show transaction_isolation"))
	s.do("commit and chain")
	require.Equal(t, "read committed", s.value("show transaction_isolation"))
	s.do("rollback")
}

// TestPipeline: in the extended protocol the implicit transaction ends at Sync, and an error takes
// all of it back.
func TestPipeline(t *testing.T) {
	n := startNode(t)
	s := n.session()
	batch := &pgx.Batch{}
	batch.Queue("insert into kv values ($1, $2)", "a", "1")
	batch.Queue("insert into kv values ($1, $2)", "a", "2")
	batch.Queue("insert into kv values ($1, $2)", "c", "3")
	require.ErrorContains(t, s.conn.SendBatch(s.context(), batch).Close(), "23505")
	require.Equal(t, "0", s.value("select count(*) from kv"))

	// BEGIN in a pipeline makes a block of what has run since the last Sync.
	batch = &pgx.Batch{}
	batch.Queue("insert into kv values ($1, $2)", "a", "1")
	batch.Queue("begin")
	batch.Queue("insert into kv values ($1, $2)", "b", "1")
	require.NoError(t, s.conn.SendBatch(s.context(), batch).Close())
	require.Equal(t, "T", s.status())
	s.do("rollback")
	require.Equal(t, "0", s.value("select count(*) from kv"))
}

// TestConflicts: the errors that clients retry on.
func TestConflicts(t *testing.T) {
	n := startNode(t)
	a, b := n.session(), n.session()
	a.do("insert into kv values ('a', '1'), ('b', '1')")
	a.do("begin isolation level repeatable read; select * from kv")
	b.do("update kv set value = '2' where key = 'a'")
	e := a.fails("40001", "update kv set value = '3' where key = 'a'")
	require.Equal(t, "could not serialize access due to concurrent update", e.Message)
	a.do("rollback")

	a.do("begin; update kv set value = 'a' where key = 'a'")
	b.do("begin; update kv set value = 'b' where key = 'b'")
	done := make(chan error, 1)
	go func() {
		_, _, err := a.try("update kv set value = 'a' where key = 'b'")
		done <- err
	}()
	_, _, err := b.try("update kv set value = 'b' where key = 'a'")
	other := <-done
	if err == nil {
		err = other
	} else {
		require.NoError(t, other)
	}
	require.ErrorContains(t, err, "40P01")
	a.do("rollback")
	b.do("rollback")

	a.do("begin; select * from kv where key = 'a' for update")
	b.fails("55P03", "select * from kv where key = 'a' for update nowait")
	b.do("set lock_timeout = '20ms'")
	e = b.fails("55P03", "update kv set value = '4' where key = 'a'")
	require.Equal(t, "canceling statement due to lock timeout", e.Message)
	b.fails("25P01", "lock table kv")
	a.do("lock table kv in access exclusive mode")
	b.fails("55P03", "insert into kv values ('c', '1')")
	// Reads never block.
	require.Equal(t, "2", b.value("select count(*) from kv"))
	a.do("commit")
	require.Equal(t, "2", b.value("select count(*) from kv"))
}

// TestPortalsAndSavepoints: a portal opened after a savepoint is gone once it is rolled back to;
// one opened before goes on.
func TestPortalsAndSavepoints(t *testing.T) {
	s := startNode(t).session()
	s.do("insert into kv select g::text, g::text from generate_series(1, 9) g; begin")
	c := s.wire()
	c.parse("all", "select key from kv order by key")
	c.bind("before", "all")
	require.Equal(t, []string{"Row 1", "Row 2", "Suspended"}, c.execute("before", 2))
	c.simple("savepoint s")
	c.bind("after", "all")
	require.Equal(t, []string{"Row 1", "Suspended"}, c.execute("after", 1))
	c.simple("rollback to s")
	require.Equal(t, []string{"Error 55000"}, c.execute("after", 1))
	c.simple("rollback to s")
	require.Equal(t, []string{"Row 3", "Row 4", "Suspended"}, c.execute("before", 2))
	c.simple("commit")
	require.Equal(t, []string{"Error 34000"}, c.execute("before", 2))
}
