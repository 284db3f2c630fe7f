package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSizes: a table and its indexes have the size they take up in the store's files, and a
// relation that is not there has none.
func TestSizes(t *testing.T) {
	s := startNode(t).session()
	s.do("create table t (id int primary key, pad text); create index t_pad on t (pad)")
	s.do("create table small (id int)")
	s.do("insert into t select g, md5(g::text) from generate_series(1, 5000) g")
	s.do("checkpoint")
	require.Equal(t, "t", s.value("select pg_relation_size('t') > 100000"))
	require.Equal(t, "t", s.value("select pg_relation_size('t_pad') > 100000"))
	require.Equal(t, "t", s.value("select pg_indexes_size('t') = pg_relation_size('t_pad')"))
	require.Equal(t, "t", s.value("select pg_total_relation_size('t') = "+
		"pg_table_size('t') + pg_indexes_size('t')"))
	require.Equal(t, "t", s.value("select pg_database_size('postgres') >= "+
		"pg_total_relation_size('t')"))
	require.Equal(t, "0", s.value("select pg_relation_size('small')"))
	require.Equal(t, "0", s.value("select pg_relation_size('t_pkey')"))
	require.Equal(t, "t", s.value("select pg_relation_size(4000000) is null"))
}
