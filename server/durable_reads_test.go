package server_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"ackdb/wal/waltest"
)

// durableBench is a row on disk, a newer version of it that is not, and a reader of what is.
type durableBench struct {
	*node
	disk           *waltest.Disk
	writer, reader *session
	gate           *waltest.Gate
}

func newDurableBench(t *testing.T) *durableBench {
	t.Helper()
	b := &durableBench{}
	b.node, b.disk = startOnTestDisk(t, "ack.max_async_loss=off")
	b.writer, b.reader = b.session(), b.session("ack.read_durability", "flushed")
	b.writer.do("set synchronous_commit = local; insert into kv values ('a', 'old'), ('d', 'old')")
	b.writer.do("set synchronous_commit = off")
	b.reader.do("select * from kv") // from now on the engine keeps views for it
	b.gate = stall(t, b.disk)
	b.writer.do("update kv set value = 'new' where key = 'a'; " +
		"insert into kv values ('b', 'new'); delete from kv where key = 'd'")
	return b
}

// held runs a query that must not be answered before the disk goes on, and returns its answer.
func (b *durableBench) held(run func() []string) []string {
	b.t.Helper()
	answer := make(chan []string, 1)
	go func() { answer <- run() }()
	b.waits()
	select {
	case early := <-answer:
		require.Fail(b.t, "answered from what is not on disk", "%q", early)
	case <-time.After(20 * time.Millisecond):
	}
	b.gate.Open()
	return <-answer
}

// waits until the reader is at work.
func (b *durableBench) waits() {
	active := fmt.Sprintf("select 1 from pg_stat_activity where state = 'active' and pid = %d",
		b.reader.conn.PgConn().PID())
	require.Eventually(b.t, func() bool { return len(b.writer.rows(active)) == 1 }, patience,
		time.Millisecond)
}

// TestDurableReadPlain: a plain read shows what is on disk, at once; the default shows it all.
func TestDurableReadPlain(t *testing.T) {
	b := newDurableBench(t)
	old := [][]string{{"a", "old"}, {"d", "old"}}
	require.Equal(t, old, b.reader.rows("select * from kv order by key"))
	require.Equal(t, "old", b.reader.value("select value from kv where key = 'a'"))
	require.Empty(t, b.reader.rows("select * from kv where key = 'b'"))
	for _, level := range []string{"read committed", "repeatable read"} {
		b.reader.do("begin isolation level " + level)
		require.Equal(t, old, b.reader.rows("select * from kv order by key"))
		b.reader.do("commit")
	}
	require.Equal(t, [][]string{{"a", "new"}, {"b", "new"}},
		b.writer.rows("select * from kv order by key"))
	b.gate.Open()
	b.writer.do("set synchronous_commit = local; " + upsert)
	require.Equal(t, "2", b.reader.value("select count(*) from kv"))
}

// TestDurableReadHeld: rows, counts and errors of statements that look at the newest rows wait for
// the disk.
func TestDurableReadHeld(t *testing.T) {
	for sql, want := range map[string][]string{
		"update kv set value = value || '!' where key = 'a' returning value": {
			"Columns value:25", "Row new!", "UPDATE 1"},
		"update kv set value = 'x' where key = 'd'": {"UPDATE 0"},
		"delete from kv where key = 'b'":            {"DELETE 1"},
		"select value from kv where key = 'a' for update": {
			"Columns value:25", "Row new", "SELECT 1"},
		"insert into kv values ('b', 'x')":                       {"Error 23505"},
		"insert into kv values ('b', '') on conflict do nothing": {"INSERT 0 0"},
		"begin; update kv set value = 'x' where key = 'b'; rollback": {
			"BEGIN", "UPDATE 1", "ROLLBACK"},
	} {
		t.Run(sql, func(t *testing.T) {
			b := newDurableBench(t)
			c := b.reader.wire()
			require.Equal(t, want, b.held(func() []string { return c.simple(sql) }))
		})
	}
}

// TestDurableReadPipeline: a pipeline waits once, at its Sync.
func TestDurableReadPipeline(t *testing.T) {
	b := newDurableBench(t)
	c := b.reader.wire()
	c.parse("u", "update kv set value = 'x' where key = 'b'")
	run := []pgproto3.FrontendMessage{&pgproto3.Bind{PreparedStatement: "u"}, &pgproto3.Execute{}}
	require.Equal(t, []string{"UPDATE 1", "UPDATE 1"}, b.held(func() []string {
		return c.roundTrip(append(run, run...)...)
	}))
}

// TestDurableReadOwn: a session sees its own commits, once they are on disk, and its open writes.
func TestDurableReadOwn(t *testing.T) {
	b := newDurableBench(t)
	b.reader.do("set ack.read_durability = visible; insert into kv values ('z', 'mine')")
	b.reader.do("set ack.read_durability = flushed")
	require.Equal(t, []string{"Columns value:25", "Row mine", "SELECT 1"}, b.held(func() []string {
		return b.reader.wire().simple("select value from kv where key = 'z'")
	}))
	b.reader.do("begin; update kv set value = 'open' where key = 'z'")
	require.Equal(t, "open", b.reader.value("select value from kv where key = 'z'"))
	b.reader.do("rollback")
}

// TestDurableReadConflict: a 40001 against a commit that is not on disk waits for it.
func TestDurableReadConflict(t *testing.T) {
	b := newDurableBench(t)
	b.reader.do("begin isolation level repeatable read; select * from kv")
	c := b.reader.wire()
	require.Equal(t, []string{"Error 40001"}, b.held(func() []string {
		return c.simple("update kv set value = 'x' where key = 'a'")
	}))
	b.reader.do("rollback")
	b.reader.do("update kv set value = 'x' where key = 'a'")
}

// TestDurableReadConflictAtCommit: SERIALIZABLE is judged by COMMIT, and that 40001 waits as well.
func TestDurableReadConflictAtCommit(t *testing.T) {
	b := &durableBench{}
	b.node, b.disk = startOnTestDisk(t, "ack.max_async_loss=off")
	b.writer, b.reader = b.session(), b.session("ack.read_durability", "flushed")
	b.writer.do("set synchronous_commit = local; insert into kv values ('a', 'old')")
	b.reader.do("begin isolation level serializable")
	require.Equal(t, "old", b.reader.value("select value from kv where key = 'a'"))
	b.gate = stall(t, b.disk)
	b.writer.do("set synchronous_commit = off; update kv set value = 'new' where key = 'a'")
	c := b.reader.wire()
	require.Equal(t, []string{"INSERT 0 1", "Error 40001"}, b.held(func() []string {
		return c.simple("insert into kv values ('q', 'x'); commit")
	}))
	require.Empty(t, b.writer.rows("select * from kv where key = 'q'"))
}

// TestDurableReadCopy: COPY TO shows what is on disk, at once; what COPY FROM says of a row that is
// not waits.
func TestDurableReadCopy(t *testing.T) {
	b := newDurableBench(t)
	var out strings.Builder
	_, err := b.reader.conn.PgConn().CopyTo(t.Context(), &out,
		"copy (select * from kv order by key) to stdout")
	require.NoError(t, err)
	require.Equal(t, "a\told\nd\told\n", out.String())
	require.Equal(t, []string{"23505"}, b.held(func() []string {
		_, err := b.reader.conn.PgConn().CopyFrom(t.Context(), strings.NewReader("b\tx\n"),
			"copy kv from stdin")
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			return []string{fmt.Sprint(err)}
		}
		return []string{e.Code}
	}))
}

// TestDurableReadLong: more rows than the output takes wait in their middle; none has left before.
func TestDurableReadLong(t *testing.T) {
	b := newDurableBench(t)
	b.writer.do("insert into kv select 'l' || i, repeat('v', 100) from generate_series(1, 2000) i")
	c := b.reader.wire()
	got := b.held(func() []string {
		return c.simple("select value from kv where key like 'l%' for update")
	})
	require.Len(t, got, 2002)
}

// TestDurableReadCancelled: the results are dropped, not shown. Where a commit was made meanwhile
// the error says so.
func TestDurableReadCancelled(t *testing.T) {
	b := newDurableBench(t)
	b.reader.do("set ack.report_commit = on; set statement_timeout = '30ms'")
	c := b.reader.wire()
	require.Equal(t, []string{"Error 57014"}, c.simple("select * from kv where key = 'a' for update"))
	got := shape(c.simple("update kv set value = 'x' where key = 'b'"))
	require.Equal(t, []string{"Error 40003", "lsn", "level=written"}, got)
	require.Equal(t, "x", b.writer.value("select value from kv where key = 'b'"))
	_, _, err := b.reader.try("begin; update kv set value = 'y' where key = 'b' returning *")
	var e *pgconn.PgError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "57014", e.Code)
	require.Equal(t, "E", b.reader.status())
}

// TestDurableReadMode: the mode is a transaction's, from its beginning to its end.
func TestDurableReadMode(t *testing.T) {
	b := newDurableBench(t)
	b.reader.do("begin; select 1; set ack.read_durability = visible")
	require.Equal(t, "old", b.reader.value("select value from kv where key = 'a'"))
	b.reader.do("commit")
	require.Equal(t, "new", b.reader.value("select value from kv where key = 'a'"))
	b.reader.do("begin; set local ack.read_durability = flushed")
	c := b.reader.wire()
	require.Equal(t, []string{"Columns value:25", "Row new", "SELECT 1"}, b.held(func() []string {
		return c.simple("select value from kv where key = 'a'")
	}))
	b.reader.do("commit")
	b.reader.fails("22023", "set ack.read_durability = 'sometimes'")
}
