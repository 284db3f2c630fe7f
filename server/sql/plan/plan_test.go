package plan_test

import (
	"context"
	"fmt"
	"testing"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
	"ackdb/wal"

	"github.com/stretchr/testify/require"
)

// newPlanner gives a planner over a fresh store, whose one table is kv.
func newPlanner(t *testing.T, opt plan.Options) (*plan.Planner, plan.Env) {
	ctx := context.Background()
	db, _, err := engine.Open(ctx, engine.Options{Dir: t.TempDir(),
		Log: wal.Options{SegmentSize: 1 << 20, SyncMethod: "fdatasync"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(ctx)) })
	c, err := catalog.Open(ctx, db)
	require.NoError(t, err)
	return plan.New(c, opt), plan.Env{Catalog: c.Snapshot(), SearchPath: []string{catalog.Public}}
}

func prepare(t *testing.T, pl *plan.Planner, env plan.Env, sql string) *plan.Prepared {
	stmt, err := parse.ParseOne(sql)
	require.NoError(t, err)
	p, err := pl.Prepare(env, stmt, nil)
	require.NoError(t, err, sql)
	return p
}

// TestPrintReadsBack: what is printed of an expression, and kept as a column's default, means the
// same when it is read again: it prints the same once more.
func TestPrintReadsBack(t *testing.T) {
	pl, env := newPlanner(t, plan.Options{})
	for _, text := range []string{
		"1", "-1", "1.50", "-2.5", "3000000000", "-9223372036854775808", "true", "NULL",
		"'x'", `'it''s'`, `E'back\\slash'`, "NULL::int", "'2026-01-02'::date", "'x'::varchar(3)",
		"1 + 2 * 3", "- (1 + 2)", "'a' || 'b' || 1", "upper('x' || 'y')", "now()",
		"CURRENT_TIMESTAMP", "CURRENT_DATE", "1 = 2 AND 3 < 4 OR NOT true", "1 IS NULL",
		"(1 > 0) IS NOT TRUE", "1 IS DISTINCT FROM 2", "CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END",
		"coalesce(NULL, 1)", "nullif(1, 2)", "greatest(1, 2)", "1 IN (1, 2)", "1 NOT IN (1, 2)",
		"2 = ANY (ARRAY[1, 2])", "ARRAY['a', 'b']", "ARRAY[]::int[]", "(ARRAY[1, 2])[1]",
		"'a' LIKE 'b%'", "3 BETWEEN 1 AND 5", "1::text", "'1'::int + 1", "1.5::int", "nextval('kv')",
		`'\x00ff'::bytea`, "'{1,2}'::int[]", "'1 day'::interval", "1::bigint", "1::float8",
	} {
		printed := printOutput(t, pl, env, text)
		require.Equal(t, printed, printOutput(t, pl, env, printed), text)
	}
}

func printOutput(t *testing.T, pl *plan.Planner, env plan.Env, text string) string {
	project, ok := prepare(t, pl, env, "SELECT "+text).Root.(*plan.Project)
	require.True(t, ok, text)
	return plan.Print(project.Exprs[0])
}

// TestCacheIsBounded: a fingerprint cache that is full forgets, and still answers.
func TestCacheIsBounded(t *testing.T) {
	pl, env := newPlanner(t, plan.Options{CacheEntries: 8})
	var tokens parse.Tokens
	for round := range 3 {
		for i := range 50 {
			sql := fmt.Sprintf("SELECT key AS c%d FROM kv WHERE key = 'a%d'", i, round)
			require.NoError(t, tokens.Lex(sql))
			p, args, ok := pl.Simple(env, tokens.Stmt(0), nil)
			require.True(t, ok)
			require.Equal(t, fmt.Sprintf("c%d", i), p.Columns[0].Name)
			require.Equal(t, fmt.Sprintf("a%d", round), args[0].Str())
		}
	}
	require.LessOrEqual(t, pl.CacheLen(), 8)
}

// TestOneTextOnePlan: texts that differ in literals alone share a plan, and kinds of literals do not.
func TestOneTextOnePlan(t *testing.T) {
	pl, env := newPlanner(t, plan.Options{})
	var tokens parse.Tokens
	find := func(sql string) *plan.Prepared {
		require.NoError(t, tokens.Lex(sql))
		p, _, ok := pl.Simple(env, tokens.Stmt(0), nil)
		require.True(t, ok, sql)
		return p
	}
	a := find("SELECT value FROM kv WHERE key = 'a' LIMIT 1")
	require.Same(t, a, find("SELECT  value FROM kv WHERE key='b' LIMIT 1"))
	require.Same(t, a, find("select value from KV where key = 'it''s' limit 1"))
	require.NotSame(t, a, find("SELECT value FROM kv WHERE key = 'a' LIMIT 2"))
	require.NotSame(t, find("SELECT 1"), find("SELECT 1.5"))
	require.Equal(t, types.Int8, find("SELECT 3000000000").Columns[0].Type.OID)
	require.Equal(t, types.Int4, find("SELECT 3").Columns[0].Type.OID)
}

// TestRefresh: a plan is good as long as its names mean what they meant, whatever else changes.
func TestRefresh(t *testing.T) {
	pl, env := newPlanner(t, plan.Options{})
	p := prepare(t, pl, env, "SELECT * FROM kv")
	same, err := pl.Refresh(env, p)
	require.NoError(t, err)
	require.Same(t, p, same)

	env.SearchPath = []string{"nowhere", catalog.Public}
	other, err := pl.Refresh(env, p)
	require.NoError(t, err)
	require.Equal(t, p.Columns, other.Columns)

	env.SearchPath = []string{"nowhere"}
	_, err = pl.Refresh(env, p)
	require.ErrorContains(t, err, `relation "kv" does not exist`)
}

// TestPointPlans: the plans that run on the newest state of one key, without a snapshot, are those
// that touch one key.
func TestPointPlans(t *testing.T) {
	pl, env := newPlanner(t, plan.Options{})
	for sql, want := range map[string]bool{
		"SELECT value FROM kv WHERE key = $1":                    true,
		"SELECT value FROM kv WHERE key = $1 FOR UPDATE":         true,
		"UPDATE kv SET value = $1 WHERE key = $2":                true,
		"UPDATE kv SET key = $1 WHERE key = $2":                  false,
		"DELETE FROM kv WHERE key = $1":                          true,
		"INSERT INTO kv VALUES ($1, $2)":                         true,
		"INSERT INTO kv VALUES ($1, $2), ($3, $4)":               false,
		"INSERT INTO kv SELECT $1, $2":                           false,
		"SELECT value FROM kv WHERE key IN ($1, $2)":             false,
		"SELECT count(*) FROM kv WHERE key = $1":                 false,
		"SELECT value FROM kv WHERE key > $1":                    false,
		"SELECT value FROM kv WHERE key = $1 AND value = $2":     true,
		"SELECT value FROM kv WHERE key = $1 ORDER BY 1 LIMIT 1": true,
	} {
		require.Equal(t, want, prepare(t, pl, env, sql).Point, sql)
	}
}
