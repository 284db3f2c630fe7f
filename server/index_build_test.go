package server_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReplicatedIndexBuild: the entries of a large index reach a standby before the index does. There
// it is whole once it can be seen; of one that was being made when the standby is promoted nothing is.
func TestReplicatedIndexBuild(t *testing.T) {
	primary := startNode(t, "max_transaction_size = 1MB")
	p := primary.session()
	p.do("create table big (id int primary key, a int, u int)")
	for i := range 6 {
		p.do(fmt.Sprintf("insert into big select i, i %% 1000, i from generate_series(%d, %d) i",
			i*5000+1, i*5000+5000))
	}
	p.do("create index big_a on big (a)")
	p.do("alter table big add unique (u)")
	standby := primary.replicaOf("s")
	s := standby.catchesUp(primary)
	require.Equal(t, "30", s.value("select count(*) from big where a = 7"))
	require.Contains(t, s.value("select string_agg(line, ' ') from "+
		"(select indexdef from pg_indexes where tablename = 'big' order by 1) x (line)"),
		"CREATE UNIQUE INDEX big_u_key")
	require.Equal(t, "77", s.value("select id from big where u = 77"))

	p.do("begin")
	p.do("create index unfinished on big (u, a)")
	require.Equal(t, "1", p.value("select count(*) from big where u = 5 and a = 5"))
	s = standby.catchesUp(primary)
	require.Equal(t, "0", s.value("select count(*) from pg_class where relname = 'unfinished'"))
	require.Equal(t, "t", s.value("select pg_promote()"))
	require.Equal(t, "0", s.value("select count(*) from pg_class where relname = 'unfinished'"))
	s.do("create index unfinished on big (u, a)")
	require.Equal(t, "1", s.value("select count(*) from big where u = 5 and a = 5"))
	p.do("rollback")
	primary.restart()
	require.Equal(t, "30", primary.session().value("select count(*) from big where a = 7"))
}
