package server_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// endless are statements that run far longer than any test, each in another loop of the server.
var endless = map[string]string{
	"series":       "select count(*) from generate_series(1, 1000000000000)",
	"cross join":   "select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b",
	"filter":       "select 1 from generate_series(1, 1000000000000) i where i < 0",
	"set function": "select count(*) from (select generate_series(1, 1000000000000)) t",
	"top rows":     "select i from generate_series(1, 1000000000000) i order by i desc limit 3",
	"distinct":     "select distinct i % 3 from generate_series(1, 1000000000000) i",
	"group by":     "select i % 3, count(*) from generate_series(1, 1000000000000) i group by 1",
	"lateral": "select count(*) from generate_series(1, 1000000) a, " +
		"lateral (select a from generate_series(1, 1000000) b where b < 0) t",
	"subquery": "select count(*) from generate_series(1, 1000000) a " +
		"where exists (select 1 from generate_series(1, 1000000) b where b + a < 0)",
	"hash join": "select count(*) from generate_series(1, 1000000000000) a " +
		"join (values (1), (2)) v (b) on a % 4 = b + 10",
	"recursion": "with recursive r as (select 1 i union select (i + 1) % 3 i from r, " +
		"generate_series(1, 1000000000000)) select count(*) from r",
	"set operation": "select 1 except select i from generate_series(2, 1000000000000) i",
	"union":         "select i % 5 from generate_series(1, 1000000000000) i union select 1",
	"numeric":       "select count(*) from generate_series(1::numeric, 1e30)",
	"sleep":         "select pg_sleep(1000)",
	"many sleeps":   "select count(pg_sleep(0.001)) from generate_series(1, 1000000000)",
	"advisory lock": "select pg_advisory_lock(77)",
	"row lock":      "update kv set value = 'y' where key = 'a'",
	"insert": "insert into kv select 'z' || i, '' from generate_series(1, 1000000000000) i " +
		"where i < 0",
	"copy": "copy (select 1 from generate_series(1, 1000000000000) i where i < 0) to stdout",
	"texts": "select sum(length(replace(repeat('ab', 100000), 'a', 'cc'))) " +
		"from generate_series(1, 1000000000)",
	"patterns": "select count(*) from generate_series(1, 1000000000) " +
		"where regexp_replace(repeat('ab', 10000), 'a', 'cc', 'g') = ''",
}

// TestCancelEverywhere: whatever a statement does, a cancel request ends it with 57014, and its
// session goes on.
func TestCancelEverywhere(t *testing.T) {
	n := startNode(t)
	blocker, watcher := n.session(), n.session()
	blocker.do(upsert)
	blocker.do("begin; select pg_advisory_lock(77); select 1 from kv for update")
	const active = "select pid from pg_stat_activity where state = 'active' and query like "
	for name, sql := range endless {
		t.Run(name, func(t *testing.T) {
			s := n.session()
			pid := s.value("select pg_backend_pid()")
			done := make(chan error, 1)
			go func() {
				_, _, err := s.try("/* endless */ " + sql)
				done <- err
			}()
			require.Eventually(t, func() bool {
				rows := watcher.rows(active + "'/* endless%'")
				return len(rows) == 1 && rows[0][0] == pid
			}, patience, 1e6)
			require.Equal(t, "t", watcher.value("select pg_cancel_backend("+pid+")"))
			require.ErrorContains(t, <-done, "SQLSTATE 57014")
			require.Equal(t, "2", s.value("select 1 + 1"))
			require.NoError(t, s.conn.Close(n.context()))
		})
	}
	for name, sql := range endless {
		t.Run("timeout, "+name, func(t *testing.T) {
			s := n.session("statement_timeout", strconv.Itoa(20))
			e := s.fails("57014", sql)
			require.Equal(t, "canceling statement due to statement timeout", e.Message)
			require.NoError(t, s.conn.Close(n.context()))
		})
	}
}
