package exec_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUniqueDeadlock: two transactions that each want the unique key which the other has written
// would wait for ever. One of them is told so, and the other goes on.
func TestUniqueDeadlock(t *testing.T) {
	n := newNode(t)
	ctx := context.Background()
	n.session().run(ctx, "CREATE TABLE u (id int PRIMARY KEY, k text UNIQUE)")
	a, b := n.session(), n.session()
	require.NotContains(t, a.run(ctx, "BEGIN; INSERT INTO u VALUES (1, 'a')"), "ERROR")
	require.NotContains(t, b.run(ctx, "BEGIN; INSERT INTO u VALUES (2, 'b')"), "ERROR")
	answer := make(chan bool, 2)
	want := func(s *session, sql string) {
		out := s.run(ctx, sql)
		if lost := strings.Contains(out, "deadlock detected"); lost {
			s.run(ctx, "ROLLBACK")
			answer <- false
			return
		}
		answer <- !strings.Contains(out, "ERROR") && !strings.Contains(s.run(ctx, "COMMIT"), "ERROR")
	}
	go want(a, "INSERT INTO u VALUES (3, 'b')")
	go want(b, "INSERT INTO u VALUES (4, 'a')")
	require.NotEqual(t, <-answer, <-answer, "one loses, one goes on")
	require.Contains(t, n.session().run(ctx, "SELECT count(*) FROM u"), "\n2\n")
}
