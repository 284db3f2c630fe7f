package server_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// TestServerMemory: many statements, each within its own bound, meet the one of all together. Each
// comes to its end or gets 53200; commits of others go on, and in the end nothing is taken.
func TestServerMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "off") // this process is more than the server
	n := startNode(t, "ack.server_memory=64MB")
	other := n.session()
	greedy := []string{
		"select count(*) from (select repeat(md5(i::text), 8) s from generate_series(1, 40000) i " +
			"order by s offset 0) t",
		"select length(repeat('x', 20000000)) from generate_series(1, 3)",
		"select length(string_agg(repeat('x', 100000), '')) from generate_series(1, 150)",
		"select count(*) from (select i from generate_series(1, 150000) i group by i) t",
	}
	var all sync.WaitGroup
	results := make(chan error, 4*len(greedy))
	for i := range 4 * len(greedy) {
		s := n.session()
		all.Go(func() {
			_, _, err := s.try(greedy[i%len(greedy)])
			results <- err
		})
	}
	for range 50 {
		other.do(upsert)
	}
	all.Wait()
	close(results)
	refused := 0
	for err := range results {
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, "53200", e.Code, e.Message)
		require.Equal(t, "The statements of the server would hold more than 32 MB together.", e.Detail)
		require.Equal(t, "The bound is a half of ack.server_memory.", e.Hint)
		refused++
	}
	require.Positive(t, refused)
	for _, sql := range greedy { // a large value is given back once it has been collected
		require.Eventually(t, func() bool {
			runtime.GC()
			_, _, err := other.try(sql)
			return err == nil
		}, 30*time.Second, time.Millisecond, sql)
	}
	require.Equal(t, "64MB", other.value("show ack.server_memory"))
}

// TestStatementMemory: the bound of one statement is a setting, which a reload changes.
func TestStatementMemory(t *testing.T) {
	s := startNode(t, "ack.statement_memory=2MB").session()
	const sql = "select count(*) from (select i from generate_series(1, 100000) i order by i offset 0) t"
	e := s.fails("53200", sql)
	require.Equal(t, "The statement would hold more than 2 MB of rows.", e.Detail)
	require.Equal(t, "The bound is ack.statement_memory.", e.Hint)
	s.fails("55P02", "set ack.statement_memory = '1GB'")
}
