package exec_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"ackdb/server/sql/types"

	"github.com/stretchr/testify/require"
)

// TestMemoryBound: what a statement may hold has an end, and the session lives on (X1).
func TestMemoryBound(t *testing.T) {
	if testing.Short() {
		t.Skip("sorts a quarter of a gigabyte")
	}
	s := newNode(t).session()
	ctx := context.Background()
	out := s.run(ctx, "SELECT n FROM generate_series(1, 100000000) n ORDER BY n DESC")
	require.Contains(t, out, "ERROR 53200: out of memory")
	// Under a LIMIT the same sort needs next to nothing.
	out = s.run(ctx, "SELECT n FROM generate_series(1, 3000000) n ORDER BY n DESC LIMIT 2")
	require.Contains(t, out, "3000000\n2999999\nSELECT 2")
}

// TestCancel: a statement stops in the middle of its loop and gives the reason it was given.
func TestCancel(t *testing.T) {
	reason := types.Errorf("57014", "canceling statement due to user request")
	for _, sql := range []string{
		"SELECT count(*) FROM generate_series(1, 10000000000) n",
		"SELECT n FROM generate_series(1, 10000000000) n WHERE n < 0",
		"INSERT INTO kv SELECT n::text, '' FROM generate_series(1, 10000000000) n",
	} {
		t.Run(sql, func(t *testing.T) {
			s := newNode(t).session()
			ctx, cancel := context.WithCancelCause(context.Background())
			done := make(chan string, 1)
			go func() { done <- s.run(ctx, sql) }()
			cancel(reason)
			require.Contains(t, <-done, "57014")
			require.Contains(t, s.run(context.Background(), "SELECT count(*) FROM kv"), "\n0\n")
		})
	}
}

// TestLongInsert: a statement of many thousand rows is one statement.
func TestLongInsert(t *testing.T) {
	s := newNode(t).session()
	ctx := context.Background()
	const rows = 20000
	var sql strings.Builder
	sql.WriteString("INSERT INTO kv VALUES ")
	for i := range rows {
		if i > 0 {
			sql.WriteString(", ")
		}
		fmt.Fprintf(&sql, "('key%d', 'a value of some length %d')", i, i)
	}
	require.Equal(t, fmt.Sprintf("INSERT 0 %d\n", rows), s.run(ctx, sql.String()))
	require.Contains(t, s.run(ctx, "SELECT count(*) FROM kv"), fmt.Sprintf("\n%d\n", rows))
	require.Contains(t, s.run(ctx, sql.String()), "23505")
}

// TestPortal: a cursor gives some rows, waits while the session runs other statements of the same
// transaction, and goes on in what it saw at its start.
func TestPortal(t *testing.T) {
	s := newNode(t).session()
	ctx := context.Background()
	s.run(ctx, "INSERT INTO kv SELECT n::text, 'v' FROM generate_series(1, 5) n")
	s.run(ctx, "BEGIN")
	p := s.prepared(t, "SELECT key FROM kv ORDER BY key")
	c, err := s.n.exec.Open(ctx, p, s.env(nil))
	require.NoError(t, err)
	next := func() string {
		row, err := c.Next(ctx)
		require.NoError(t, err)
		if row == nil {
			return c.Tag()
		}
		return row[0].String()
	}
	require.Equal(t, "1", next())
	require.Equal(t, "2", next())
	s.run(ctx, "DELETE FROM kv WHERE key = '3'")
	s.run(ctx, "INSERT INTO kv VALUES ('35', 'new')")
	for _, want := range []string{"3", "4", "5", "SELECT 5", "SELECT 5"} {
		require.Equal(t, want, next())
	}
	s.run(ctx, "ROLLBACK")
	c.Close()
}

// TestReturningRunsToItsEnd: a client that reads one row of RETURNING has changed them all (X4).
func TestReturningRunsToItsEnd(t *testing.T) {
	s := newNode(t).session()
	ctx := context.Background()
	s.run(ctx, "INSERT INTO kv SELECT n::text, 'v' FROM generate_series(1, 5) n")
	p := s.prepared(t, "UPDATE kv SET value = 'new' RETURNING key")
	c, err := s.n.exec.Open(ctx, p, s.env(nil))
	require.NoError(t, err)
	_, err = c.Next(ctx)
	require.NoError(t, err)
	c.Close()
	require.NoError(t, s.end(true))
	require.Contains(t, s.run(ctx, "SELECT count(*) FROM kv WHERE value = 'new'"), "\n5\n")
}

// TestSequencesAreUnique: many sessions, with rollbacks and a restart in between, never get one
// value twice.
func TestSequencesAreUnique(t *testing.T) {
	n := newNode(t)
	ctx := context.Background()
	n.session().run(ctx, "CREATE SEQUENCE q")
	var mu sync.Mutex
	seen := map[string]bool{}
	round := func() {
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				s := n.session()
				for i := range 50 {
					s.run(ctx, "BEGIN")
					value := strings.Split(s.run(ctx, "SELECT nextval('q')"), "\n")[1]
					if (i+worker)%3 == 0 {
						s.run(ctx, "ROLLBACK")
					} else {
						s.run(ctx, "COMMIT")
					}
					mu.Lock()
					if seen[value] {
						t.Errorf("value %s twice", value)
					}
					seen[value] = true
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
	}
	round()
	n.restart()
	round()
	require.Len(t, seen, 2*8*50)
}

// TestRekeyLosesNothing: rows that are inserted while the table gets its primary key are all there
// afterwards, under the key. The writers queue on the table lock and must go on with the new
// descriptor (C3, X2).
func TestRekeyLosesNothing(t *testing.T) {
	n := newNode(t)
	ctx := context.Background()
	n.session().run(ctx, "CREATE TABLE r (id int, v text)")
	const workers, each = 6, 60
	var wg sync.WaitGroup
	start := make(chan struct{})
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := n.session()
			s.simple = w%2 == 0
			<-start
			for i := range each {
				sql := fmt.Sprintf("INSERT INTO r VALUES (%d, 'x')", w*each+i)
				if out := s.run(ctx, sql); out != "INSERT 0 1\n" {
					t.Errorf("%s: %s", sql, out)
				}
			}
		}()
	}
	close(start)
	require.Equal(t, "ALTER TABLE\n", n.session().run(ctx, "ALTER TABLE r ADD PRIMARY KEY (id)"))
	wg.Wait()
	out := n.session().run(ctx, "SELECT count(*), min(id), max(id) FROM r")
	require.Contains(t, out, fmt.Sprintf("\n%d | 0 | %d\n", workers*each, workers*each-1))
	out = n.session().run(ctx, "INSERT INTO r VALUES (7, 'again')")
	require.Contains(t, out, "23505")
}

// TestChangesUnderPreparedPlans: tables that come, go and change under other sessions' statements
// give either rows or Postgres' errors, never rows of another table.
func TestChangesUnderPreparedPlans(t *testing.T) {
	n := newNode(t)
	ctx := context.Background()
	define := n.session()
	define.run(ctx, "CREATE TABLE x (a int PRIMARY KEY, b text)")
	define.run(ctx, "INSERT INTO x VALUES (1, 'x')")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := n.session()
			s.simple = true
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch out := s.run(ctx, "SELECT b FROM x WHERE a = 1"); {
				case strings.HasPrefix(out, "-- b text\nx\n"), out == "-- b text\nSELECT 0\n",
					strings.HasPrefix(out, "ERROR 42P01"),
					strings.HasPrefix(out, "ERROR 0A000: cached plan must not change result type"):
				case strings.HasPrefix(out, "-- b integer\n8\n"), out == "-- b integer\nSELECT 0\n":
				default:
					t.Errorf("unexpected: %s", out)
					return
				}
			}
		}()
	}
	for range 25 {
		for _, sql := range []string{"DROP TABLE x", "CREATE TABLE x (a int, b int)",
			"INSERT INTO x VALUES (1, 8)", "ALTER TABLE x ADD PRIMARY KEY (a)", "TRUNCATE x",
			"DROP TABLE x", "CREATE TABLE x (b text, a int PRIMARY KEY)",
			"INSERT INTO x VALUES ('x', 1)"} {
			require.NotContains(t, define.run(ctx, sql), "ERROR", sql)
		}
	}
	close(stop)
	wg.Wait()
}

// TestErrorsAreTyped: whatever a statement fails with has a SQLSTATE, or is an error of the engine.
func TestErrorsAreTyped(t *testing.T) {
	s := newNode(t).session()
	_, err := s.copyIn("COPY kv FROM STDIN", []byte("a\n"), 1)
	var e *types.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, types.Code("22P04"), e.Code)
	require.Equal(t, "COPY kv, line 1: \"a\"", e.Context)
}
