package exec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ackdb/engine"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"

	"github.com/stretchr/testify/require"
)

// answerColumns are columns of every kind of key, each with values that lie close together or at the
// ends of their type.
var answerColumns = []struct {
	name, kind string
	values     []string
	like       bool
}{
	{"a", "int", []string{"0", "1", "2", "-1", "2147483647", "'-2147483648'"}, false},
	{"b", "text", []string{"''", "'a'", "'ab'", "'ab '", "'b'", "'é'", "'a%'", "E'a\\\\'"}, true},
	{"c", "numeric", []string{"0", "1.0", "1.00", "-1.5", "'NaN'", "1e20", "-1e-20"}, false},
	{"d", "timestamptz", []string{"'infinity'", "'-infinity'", "'2024-01-01'", "'2024-01-02'"}, false},
	{"e", "bool", []string{"true", "false"}, false},
	{"f", "float8", []string{"0", "'-0'", "'NaN'", "'infinity'", "'-infinity'", "1.5"}, false},
	{"g", "char(4)", []string{"''", "'a'", "'a   '", "'ab'", "'b'"}, false},
	{"h", "bytea", []string{`'\x'`, `'\x00'`, `'\x0001'`, `'\xff'`, `'\xffff'`}, false},
	{"i", "bigint", []string{"0", "5", "'-9223372036854775808'", "9223372036854775807"}, false},
}

// answerIndexes are what the one table has and the other has not.
var answerIndexes = []string{
	"(a)", "(a DESC)", "(b)", "(b DESC NULLS LAST, a)", "(c NULLS FIRST)", "(c, d DESC)", "(d)",
	"(e, a, b)", "(f)", "(f DESC)", "(g, c)", "(h)", "(h DESC, i)", "(i, b)", "(a, i DESC NULLS LAST)",
}

// answerTerm makes up a condition on one column.
func answerTerm(r *rand.Rand) string {
	c := answerColumns[r.IntN(len(answerColumns))]
	v := func() string { return c.values[r.IntN(len(c.values))] + "::" + c.kind }
	ops := []string{"=", "=", "=", "<", "<=", ">", ">=", "<>"}
	switch n := r.IntN(10); {
	case n < 5:
		return fmt.Sprintf("%s %s %s", c.name, ops[r.IntN(len(ops))], v())
	case n == 5:
		return fmt.Sprintf("%s IN (%s, %s, NULL)", c.name, v(), v())
	case n == 6:
		return fmt.Sprintf("%s BETWEEN %s AND %s", c.name, v(), v())
	case n == 7 && c.like:
		return c.name + " LIKE " + []string{"'a%'", "'%'", "'ab'", "'a_'", `'a\%'`, "''"}[r.IntN(6)]
	case n == 7:
		return fmt.Sprintf("%s IS NULL", c.name)
	case n == 8:
		return fmt.Sprintf("%s = ANY (ARRAY[%s, %s])", c.name, v(), v())
	}
	return fmt.Sprintf("%s > %s AND %[1]s < %s", c.name, v(), v())
}

// answerQuery makes up a query over $t whose answer is the same set of rows, or the same list where
// it is ordered, however they are found.
func answerQuery(r *rand.Rand) (sql string, ordered bool) {
	var terms []string
	for range r.IntN(4) {
		terms = append(terms, answerTerm(r))
	}
	sql = "SELECT id FROM $t AS t"
	if len(terms) > 0 {
		sql += " WHERE " + strings.Join(terms, []string{" AND ", " AND ", " OR "}[r.IntN(3)])
	}
	if r.IntN(3) > 0 {
		return sql, false
	}
	var order []string
	for range 1 + r.IntN(2) {
		order = append(order, answerColumns[r.IntN(len(answerColumns))].name+
			[]string{"", " DESC", " NULLS FIRST", " DESC NULLS LAST"}[r.IntN(4)])
	}
	sql += " ORDER BY " + strings.Join(order, ", ") + ", id" + []string{"", " DESC"}[r.IntN(2)]
	if r.IntN(2) == 0 {
		sql += fmt.Sprintf(" LIMIT %d OFFSET %d", 1+r.IntN(20), r.IntN(5))
	}
	return sql, true
}

// answers runs a query and gives its rows; sorted, unless they are a list.
func answers(t *testing.T, x *Executor, txn *Txn, sql string, ordered bool) []string {
	ctx := context.Background()
	stmt, err := parse.ParseOne(sql)
	require.NoError(t, err)
	env := &Env{Txn: txn, Session: x.NewSession(nil), SearchPath: []string{catalog.Public}}
	p, err := x.planner.Prepare(env.Plan(), stmt, nil)
	require.NoError(t, err, sql)
	c, err := x.Open(ctx, p, env)
	require.NoError(t, err, sql)
	defer c.Close()
	var list []string
	for {
		row, err := c.Next(ctx)
		require.NoError(t, err, sql)
		if row == nil {
			break
		}
		list = append(list, row[0].String())
	}
	if !ordered {
		slices.Sort(list)
	}
	return list
}

// TestIndexesAnswerAlike: a table full of indexes and one without a key give the same rows to
// queries at random, committed ones and the transaction's own.
func TestIndexesAnswerAlike(t *testing.T) {
	const rows, changes, queries, seeds = 150, 60, 300, 2
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			x := openExecutor(t)
			columns := "id int"
			for _, c := range answerColumns {
				columns += ", " + c.name + " " + c.kind
			}
			runOne(t, x, "CREATE TABLE plain ("+columns+")")
			runOne(t, x, "CREATE TABLE full_of ("+columns+", PRIMARY KEY (id))")
			for _, index := range answerIndexes {
				runOne(t, x, "CREATE INDEX ON full_of "+index)
			}
			row := func(id int) string {
				list := fmt.Sprint(id)
				for _, c := range answerColumns {
					if r.IntN(6) == 0 {
						list += ", NULL"
					} else {
						list += ", " + c.values[r.IntN(len(c.values))]
					}
				}
				return "(" + list + ")"
			}
			both := func(txn *Txn, sql string) {
				executeIn(t, x, txn, strings.Replace(sql, "$t", "plain", 1))
				executeIn(t, x, txn, strings.Replace(sql, "$t", "full_of", 1))
			}
			txn := x.Begin(engine.TxnOptions{})
			for id := range rows {
				both(txn, "INSERT INTO $t VALUES "+row(id))
			}
			_, err := txn.Commit(context.Background(), engine.CommitOptions{})
			require.NoError(t, err)
			txn = x.Begin(engine.TxnOptions{})
			defer txn.Rollback()
			for id := range changes {
				switch set := answerColumns[r.IntN(len(answerColumns))]; r.IntN(3) {
				case 0:
					both(txn, "INSERT INTO $t VALUES "+row(rows+id))
				case 1:
					both(txn, "DELETE FROM $t WHERE id = "+fmt.Sprint(r.IntN(rows)))
				case 2:
					both(txn, fmt.Sprintf("UPDATE $t AS t SET %s = %s WHERE %s AND id %% 5 = 0", set.name,
						set.values[r.IntN(len(set.values))], answerTerm(r)))
				}
			}
			some := 0
			for range queries {
				sql, ordered := answerQuery(r)
				ask := func(table string) []string {
					return answers(t, x, txn, strings.Replace(sql, "$t", table, 1), ordered)
				}
				want := ask("plain")
				require.Equal(t, want, ask("full_of"), sql)
				some += len(want)
			}
			require.Greater(t, some, queries, "empty answers show nothing")
		})
	}
}
