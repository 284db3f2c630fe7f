package server_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// What one session sees of SQL cursors is held against PostgreSQL in jepsen-lite/clients
// (testdata/psql/cursors.sql). Here is what takes several sessions, messages or a stalled disk.

const sixRows = "insert into kv select i::text, 'v' || i from generate_series(1, 6) i"

// TestCursorSnapshot: what others commit and what the transaction itself writes between two FETCHes
// does not show, however the rows are come by. A new cursor shows it.
func TestCursorSnapshot(t *testing.T) {
	queries := map[string]string{
		"scan":    "select key, value from kv where key > '0' order by key",
		"keys":    "select key, value from kv where key in ('1', '2', '3', '4', '5', '6') order by key",
		"join":    "select a.key, b.value from kv a join kv b on a.key = b.key order by a.key",
		"lateral": "select a.key, b.value from kv a, lateral (select * from kv c where c.key = a.key) b",
		"subquery": "select key, (select value from kv b where b.key = a.key) from kv a" +
			" order by key",
		"index":  "select key, value from kv where value >= 'v1' and value <= 'v6' order by value",
		"lookup": "select a.key, b.value from kv a join kv b on b.value = 'v' || a.key order by a.key",
		"union":  "select key, value from kv where key < '3' union all select * from kv where key > '2'",
		"with":   "with x as (select * from kv) select key, value from x order by key",
		"exists": "select key, value from kv a where exists (select 1 from kv b where b.key = a.key)" +
			" order by key",
	}
	for _, level := range []string{"read committed", "repeatable read", "serializable"} {
		n := startNode(t)
		s, other := n.session(), n.session()
		s.do(sixRows + "; create index on kv (value)")
		want := s.rows("select key, value from kv order by key")
		s.do("begin isolation level " + level)
		for name, query := range queries {
			s.do("declare c_" + name + " no scroll cursor for " + query)
			require.Equal(t, want[:2], s.rows("fetch 2 from c_"+name), name)
		}
		other.do("update kv set value = 'theirs'; delete from kv where key = '4'; " +
			"insert into kv values ('7', 'new')")
		if level == "read committed" {
			s.do("update kv set value = 'ours' where key = '5'; delete from kv where key = '6'; ")
		}
		s.do("insert into kv values ('8', 'ours'); select value from kv where key = '8'")
		for name := range queries {
			require.Equal(t, want[2:], s.rows("fetch all from c_"+name), "%s %s", level, name)
		}
		if level == "read committed" {
			s.do("declare anew cursor for select key from kv order by key")
			require.Len(t, s.rows("fetch all from anew"), 6)
		}
		s.do("rollback")
	}
}

// TestCursorForUpdate: rows are locked as they are fetched, and as they are then.
func TestCursorForUpdate(t *testing.T) {
	n := startNode(t)
	s, other := n.session(), n.session()
	s.do(sixRows)
	s.do("begin; declare c cursor for select key, value from kv where value <> 'out' for update")
	require.Equal(t, [][]string{{"1", "v1"}}, s.rows("fetch c"))
	other.do("update kv set value = 'in' where key = '2'; " +
		"update kv set value = 'out' where key = '3'; delete from kv where key = '4'; " +
		"set lock_timeout = '20ms'")
	other.fails("55P03", "update kv set value = 'x' where key = '1'")
	require.Equal(t, [][]string{{"2", "in"}, {"5", "v5"}}, s.rows("fetch 2 from c"))
	other.fails("55P03", "update kv set value = 'x' where key = '5'")
	other.do("update kv set value = 'free' where key = '6'")
	s.do("close c")
	other.fails("55P03", "update kv set value = 'x' where key = '5'")
	s.do("commit")
	other.do("update kv set value = 'x' where key = '5'")
}

// TestCursorMemory: a cursor that scrolls keeps what it has read, and not without bound; one that
// does not keeps nothing. What was kept is free again.
func TestCursorMemory(t *testing.T) {
	s := startNode(t).session()
	const large = " cursor for select repeat('x', 16000000) from generate_series(1, 20)"
	s.do("begin; savepoint a")
	s.do("declare n no scroll" + large + "; declare s scroll" + large)
	require.Equal(t, "MOVE 20", s.do("move all from n"))
	require.Equal(t, "MOVE 10", s.do("move 10 from s"))
	e := s.fails("53200", "move all from s")
	require.Equal(t, "The cursors of this session would hold more than 256 MB of rows.", e.Detail)
	s.do("rollback to a; declare s scroll" + large)
	require.Equal(t, "MOVE 10", s.do("move 10 from s"))
	s.fails("53200", "declare o scroll"+large+"; move 10 from o")
	s.do("rollback")
	s.fails("53200", "declare h no scroll cursor with hold for "+
		"select repeat('x', 16000000) from generate_series(1, 20)")
	s.fails("34000", "fetch h")
	s.do("begin; declare s scroll" + large)
	require.Equal(t, "MOVE 16", s.do("move 16 from s"))
}

// TestCursorTimeout: a FETCH is a statement, with a timeout of its own.
func TestCursorTimeout(t *testing.T) {
	s := startNode(t).session()
	s.do("begin; declare c cursor for select pg_sleep(0.002 * i) from generate_series(1, 100000) i")
	s.do("fetch 2 from c; set local statement_timeout = '50ms'")
	s.fails("57014", "move all from c")
	s.do("rollback")
}

// TestCursorMessages: the extended protocol's part. FETCH is described by its cursor, DECLARE has
// parameters, and portals and cursors are found under one another's names.
func TestCursorMessages(t *testing.T) {
	s := startNode(t).session()
	s.do(sixRows)
	c := s.wire()
	c.simple("begin")
	c.parse("d", "declare c scroll cursor for select key, value from kv where key > $1 order by key")
	require.Equal(t, []string{"Params [25]", "NoData"}, c.describe("d"))
	c.bind("", "d", "2")
	require.Equal(t, []string{"DECLARE CURSOR"}, c.execute("", 0))
	c.simple("select 'over what the parameters lay in'")
	c.parse("f", "fetch 2 from c")
	require.Equal(t, []string{"Params []", "Columns key:25 value:25"}, c.describe("f"))
	c.bind("", "f")
	require.Equal(t, []string{"Row 3|v3", "Row 4|v4", "FETCH 2"}, c.execute("", 0))
	c.parse("m", "move prior from c")
	require.Equal(t, []string{"Params []", "NoData"}, c.describe("m"))

	// The protocol goes on with what SQL has declared, and SQL with what the protocol has bound.
	require.Equal(t, []string{"Columns key:25 value:25"},
		c.roundTrip(&pgproto3.Describe{ObjectType: 'P', Name: "c"}))
	require.Equal(t, []string{"Row 5|v5", "Suspended"}, c.execute("c", 1))
	require.Equal(t, []string{"Row 6|v6", "SELECT 1"}, c.execute("c", 5))
	require.Equal(t, []string{"Columns key:25 value:25", "Row 6|v6", "FETCH 1"},
		c.simple("fetch prior from c"))
	c.parse("q", "select key from kv order by key")
	c.bind("bound", "q")
	require.Equal(t, []string{"Row 1", "Suspended"}, c.execute("bound", 1))
	c.simple("update kv set key = 'moved' where key = '2'")
	require.Equal(t, []string{"Columns key:25", "Row 2", "Row 3", "FETCH 2"},
		c.simple("fetch 2 from bound"))
	require.Equal(t, []string{"Row 4", "Suspended"}, c.execute("bound", 1))
	require.Equal(t, []string{"Columns name:25", "Row bound", "Row c"},
		c.simple("select name from pg_cursors order by name")[:3])
	c.simple("savepoint s")
	require.Equal(t, []string{"Error 42P03"}, c.simple("declare bound cursor for select 1"))
	c.simple("rollback to s")
	require.Equal(t, []string{"Error 42P03"},
		c.roundTrip(&pgproto3.Bind{DestinationPortal: "c", PreparedStatement: "q"}))
	c.simple("rollback to s")
	require.Equal(t, []string{"CLOSE CURSOR"}, c.simple("close bound"))
	require.Equal(t, []string{"Error 34000"}, c.execute("bound", 1))
	c.simple("rollback to s")
	require.Empty(t, c.roundTrip(&pgproto3.Close{ObjectType: 'P', Name: "c"}))
	require.Equal(t, []string{"Error 34000"}, c.simple("fetch c"))
	c.simple("rollback to s")
	c.parse("k", "close self")
	c.bind("self", "k")
	require.Equal(t, []string{"Error 24000"}, c.execute("self", 0))
	c.simple("rollback")

	// A pipeline is no block, unless the cursor is held.
	require.Equal(t, []string{"Error 25P01"}, c.roundTrip(
		&pgproto3.Parse{Query: "declare p cursor for select 1"}, &pgproto3.Bind{},
		&pgproto3.Execute{}))
	require.Equal(t, []string{"DECLARE CURSOR", "Row 1", "Suspended"}, c.roundTrip(
		&pgproto3.Parse{Query: "declare p cursor with hold for select i from generate_series(1, 3) i"},
		&pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Execute{Portal: "p", MaxRows: 1}))
	require.Equal(t, []string{"Row 2", "Row 3", "SELECT 2"}, c.execute("p", 0))
}

// TestCursorBinary: BINARY is the simple protocol's; in the other, Bind says.
func TestCursorBinary(t *testing.T) {
	s := startNode(t).session()
	c := s.wire()
	c.simple("begin; declare b binary cursor for select 258")
	require.Equal(t, []string{"Columns ?column?:23", "Row \x00\x00\x01\x02", "FETCH 1"},
		c.simple("fetch b"))
	c.simple("close b; declare b binary cursor for select 258")
	c.parse("f", "fetch b")
	c.bind("", "f")
	require.Equal(t, []string{"Row 258", "FETCH 1"}, c.execute("", 0))
}

// TestCursorDropped: a cursor stands in nobody's way, and reads on what was there.
func TestCursorDropped(t *testing.T) {
	n := startNode(t)
	s, other := n.session(), n.session()
	s.do(sixRows)
	s.do("begin; declare c cursor for select key from kv order by key; fetch 1 from c")
	other.do("truncate kv")
	require.Len(t, s.rows("fetch all from c"), 5)
	require.Equal(t, "0", s.value("select count(*) from kv"))
	s.do("commit")
}

// TestDurableReadCursor: a cursor shows what was on disk when it was declared, at once; the rows of
// one that locks, or that was held by a session which then wanted more, wait for the disk.
func TestDurableReadCursor(t *testing.T) {
	b := newDurableBench(t)
	b.reader.do("begin; declare c cursor for select * from kv order by key")
	require.Equal(t, [][]string{{"a", "old"}, {"d", "old"}}, b.reader.rows("fetch all from c"))
	b.reader.do("commit")
	b.gate.Open()

	b = newDurableBench(t)
	c := b.reader.wire()
	c.simple("begin")
	require.Equal(t, []string{"Columns value:25", "Row new", "FETCH 1"}, b.held(func() []string {
		return c.simple("declare c cursor for select value from kv where key = 'a' for update; " +
			"fetch c")[1:]
	}))

	b = newDurableBench(t)
	c = b.reader.wire()
	c.simple("set ack.read_durability = visible")
	c.simple("declare c cursor with hold for select value from kv where key = 'a'")
	c.simple("set ack.read_durability = flushed")
	require.Equal(t, []string{"Columns value:25", "Row new", "FETCH 1"},
		b.held(func() []string { return c.simple("fetch c") }))
}

// TestStandbyCursor: a standby reads by cursors, locks nothing, and replay goes on below them.
func TestStandbyCursor(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	p.do(sixRows)
	standby := primary.replicaOf("s")
	s := standby.catchesUp(primary)
	s.do("begin; declare c scroll cursor for select value from kv where key < '9' order by key")
	require.Equal(t, [][]string{{"v1"}}, s.rows("fetch c"))
	p.do("update kv set value = 'later'")
	standby.catchesUp(primary)
	require.Equal(t, [][]string{{"v2"}, {"v3"}}, s.rows("fetch 2 from c"))
	require.Equal(t, "later", s.value("select value from kv where key = '1'"))
	e := s.fails("25006", "declare u cursor for select * from kv for update")
	require.Equal(t, "cannot execute SELECT FOR UPDATE in a read-only transaction", e.Message)
	s.do("rollback; declare h cursor with hold for select value from kv where key = '1'")
	require.Equal(t, "later", s.value("fetch h"))
}
