package server_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIndexCheck: it counts what is committed, ends with its statement, and is at nobody's mercy
// while the table changes under it, here or on a standby.
func TestIndexCheck(t *testing.T) {
	primary := startNode(t)
	p := primary.session()
	p.do("create table t (id int primary key, a int, u text unique)")
	p.do("create index t_a on t (a); insert into t select g, g % 7, 'u' || g " +
		"from generate_series(1, 20000) g")
	require.Equal(t, "60000", p.value("select ack_index_check('t')"))
	require.Equal(t, "20000", p.value("select ack_index_check('t_a')"))
	require.Equal(t, "20000", p.value("select ack_index_check('t_pkey')"))
	p.fails("42704", "select ack_index_check('pg_class')")
	p.do("begin; insert into t values (0)")
	require.Equal(t, "20000", p.value("select ack_index_check('t_a')"))
	p.do("rollback; set statement_timeout = '2ms'")
	p.fails("57014", "select ack_index_check('t')")

	s := primary.replicaOf("s").catchesUp(primary)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w := primary.session()
		for i := range 3 {
			w.do(fmt.Sprintf("create index n%d on t (u, a desc); update t set a = a + 1 where id < 9;"+
				"alter table t alter a type bigint; alter table t alter a type int;"+
				"drop index n%d; truncate kv", i, i))
		}
	}()
	for checks := 0; ; checks++ {
		select {
		case <-done:
			t.Logf("%d checks", checks)
			require.NotZero(t, checks)
			return
		default:
		}
		s.value("select ack_index_check('t')")
		primary.session().value("select ack_index_check('t_a')")
	}
}
