package exec_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestJoinsAgree holds the ways a join can be run against one another: tables with keys, where it
// looks them up; the same rows without keys, where it hashes; and conditions it cannot hash by,
// where it tries every pair.
func TestJoinsAgree(t *testing.T) {
	r := newRand(t)
	s := newNode(t).session()
	ctx := context.Background()
	for _, name := range []string{"l", "r", "o"} {
		s.run(ctx, fmt.Sprintf("CREATE TABLE %s_key (a int, b int, c text, PRIMARY KEY (a, b));"+
			"CREATE TABLE %s_plain (a int, b int, c text)", name, name))
		for range 25 {
			row := fmt.Sprintf("(%d, %d, %s)", r.IntN(6), r.IntN(6),
				[]string{"'x'", "'y'", "NULL"}[r.IntN(3)])
			out := s.run(ctx, fmt.Sprintf("INSERT INTO %s_key VALUES %s ON CONFLICT DO NOTHING",
				name, row))
			require.Contains(t, out, "INSERT 0")
		}
		s.run(ctx, fmt.Sprintf("INSERT INTO %s_plain SELECT * FROM %s_key", name, name))
	}
	for range 250 {
		query := randomJoin(r)
		keyed := s.run(ctx, named(query, "key", "="))
		hashed := s.run(ctx, named(query, "plain", "="))
		paired := s.run(ctx, named(query, "plain", "IS NOT DISTINCT FROM"))
		require.NotContains(t, keyed, "ERROR", query)
		require.Equal(t, sortedLines(keyed), sortedLines(hashed), named(query, "key", "="))
		require.Equal(t, sortedLines(hashed), sortedLines(paired), named(query, "key", "="))
	}
}

// named fills in the kind of tables and the operator of the equalities.
func named(query, kind, equal string) string {
	return strings.NewReplacer("$t", kind, "$e", equal).Replace(query)
}

func randomJoin(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	join := func() string { return pick("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN") }
	on := func(left, right string) string {
		terms := []string{fmt.Sprintf("%s.%s $e %s.%s", left, pick("a", "b"), right, "a")}
		for range r.IntN(3) {
			terms = append(terms, pick(left+".b $e "+right+".b", left+".a < "+right+".b",
				left+".b > 1", right+".b <> 2", right+".a $e 3", left+".c = 'x'"))
		}
		return strings.Join(terms, " AND ")
	}
	where := []string{"true"}
	for range r.IntN(3) {
		where = append(where, pick("l.a > 1", "r.b < 4", "l.c IS NULL", "r.c IS NOT NULL", "l.a $e 2",
			"r.a IN (1, 2, 3)", "l.a + r.a < 8", "EXISTS (SELECT 1 FROM o_$t s WHERE s.a $e l.a)",
			"r.b IN (SELECT b FROM o_$t s WHERE s.a $e r.a)"))
	}
	left := pick("l_$t l", "l_$t l", "(SELECT b, a, c FROM l_$t WHERE b > 1) l",
		"(SELECT a + 0 AS a, b, c FROM l_$t) l")
	right := pick("r_$t r", "r_$t r", "(SELECT c, b, a FROM r_$t WHERE a < 4) r",
		"(SELECT x.a, y.b, y.c FROM r_$t x JOIN o_$t y ON y.a $e x.a AND y.b $e x.b) r",
		"(SELECT x.a, y.b, y.c FROM r_$t x LEFT JOIN o_$t y ON y.a $e x.a WHERE x.b $e 2) r")
	from := fmt.Sprintf("%s %s %s ON %s", left, join(), right, on("l", "r"))
	switch r.IntN(3) {
	case 0:
		from += fmt.Sprintf(" %s o_$t o ON %s", join(), on("r", "o"))
	case 1:
		from += pick(", LATERAL (SELECT q.a FROM o_$t q WHERE q.a $e l.b AND q.b > 2) o",
			", LATERAL (SELECT count(*) AS a FROM o_$t q WHERE q.a $e l.b) o")
	default:
		from += " LEFT JOIN (SELECT 1 AS a) o ON o.a = l.a"
	}
	return fmt.Sprintf("SELECT l.a, l.b, r.a, r.b, o.a FROM %s WHERE %s", from,
		strings.Join(where, " AND "))
}

// TestStatementMemory shows that every step which keeps rows stops at the bound, and that what one
// run of a query inside another held is given back before the next.
func TestStatementMemory(t *testing.T) {
	s := newNode(t).session()
	ctx := context.Background()
	series := "(SELECT repeat('x', 1000000) || n AS t, n FROM generate_series(1, 400) n) s"
	for _, query := range []string{
		"SELECT count(*) FROM (VALUES (1)) v LEFT JOIN " + series + " ON s.n > 0",
		"SELECT count(*) FROM (SELECT s.n FROM " + series + " GROUP BY s.t, s.n) q",
		"SELECT count(*) FROM (SELECT DISTINCT s.t FROM " + series + ") q",
		"SELECT count(*) FROM (SELECT s.t FROM " + series + " EXCEPT SELECT '') q",
		"SELECT count(*) FROM (SELECT 'y' EXCEPT SELECT s.t FROM " + series + ") q",
		"SELECT count(*) FROM (SELECT s.n, row_number() OVER (ORDER BY s.t) FROM " + series + ") q",
		"WITH c AS MATERIALIZED (SELECT * FROM " + series + ") SELECT count(*) FROM c",
		"WITH RECURSIVE t(x) AS (SELECT repeat('x', 1000000) UNION ALL SELECT x || 'y' FROM t)" +
			" SELECT count(*) FROM t",
		"WITH d AS (DELETE FROM kv RETURNING key) SELECT s.t FROM " + series,
		"SELECT count(*) FROM (SELECT s.n FROM " + series + " ORDER BY s.t) q",
		"SELECT length(ARRAY(SELECT s.t FROM " + series + ")::text)",
		"SELECT 'x' IN (SELECT s.t FROM " + series + ")",
		"SELECT array_agg(s.t) IS NULL FROM " + series,
		"SELECT count(DISTINCT s.t) FROM " + series,
	} {
		require.Contains(t, s.run(ctx, query), "ERROR 53200: out of memory", query)
	}
	out := s.run(ctx, "SELECT count(*), max(c) FROM generate_series(1, 40) g, LATERAL (SELECT count(*)"+
		" AS c FROM (SELECT DISTINCT repeat('x', 1000000) || n + g FROM generate_series(1, 10) n) s) l")
	require.Contains(t, out, "40 | 10")
}

// TestCancelInsideLoops stops statements that would run for very long without giving a row.
func TestCancelInsideLoops(t *testing.T) {
	s := newNode(t).session()
	big := "generate_series(1, 1000000000)"
	s.run(context.Background(), "CREATE TABLE m (a int);"+
		"INSERT INTO m SELECT n FROM generate_series(1, 3000) n")
	for _, query := range []string{
		"SELECT 1 FROM m a, m b, m c WHERE a.a + b.a + c.a < 0",
		"SELECT 1 FROM m a JOIN m b ON a.a % 1 = b.a % 1 JOIN m c ON c.a < 0 - b.a",
		"SELECT count(*) FROM " + big,
		"WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n FROM t, " + big + " g) SELECT 1 FROM t",
		"SELECT lag(n) OVER () FROM " + big + " n",
		"WITH d AS (DELETE FROM kv RETURNING key) SELECT count(*) FROM " + big,
		"SELECT max(a) OVER (ORDER BY a ROWS BETWEEN 1000000 PRECEDING AND 1000000 FOLLOWING" +
			" EXCLUDE CURRENT ROW) FROM (SELECT n AS a FROM generate_series(1, 100000) n) s",
		"SELECT n % 2, count(*) FROM " + big + " n GROUP BY 1",
		"SELECT DISTINCT n % 2 FROM " + big + " n",
		"SELECT n % 2 FROM " + big + " n INTERSECT SELECT 5",
		"SELECT 1 WHERE 0 = ALL (SELECT n * 0 FROM " + big + " n)",
		"SELECT (SELECT count(*) FROM m b, m c WHERE b.a + c.a + a.a = 0) FROM m a",
		"SELECT 1 FROM m a WHERE 0 NOT IN (SELECT a.a + b.a FROM m b, m c)",
		"UPDATE m SET a = 0 FROM m b, m c WHERE m.a + b.a + c.a = 0",
		"SELECT generate_series(1, 1000000000) OFFSET 999999999",
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		start := time.Now()
		out := s.run(ctx, query)
		cancel()
		require.Contains(t, out, "deadline", query)
		require.Less(t, time.Since(start), 5*time.Second, query)
	}
}
