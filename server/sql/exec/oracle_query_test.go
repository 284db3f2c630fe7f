package exec_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// TestOracleQueries puts random queries to us and to the PostgreSQL that -oracle names: joins of
// every kind, LATERAL, queries in expressions that read the rows around them, groups and set
// operations, nested in one another, over few rows with many NULLs. Both must give the same rows.
func TestOracleQueries(t *testing.T) {
	if *oracle == "" {
		t.Skip("no -oracle given")
	}
	const setup = "DROP TABLE IF EXISTS a, b, c; SET jit = off;" +
		"CREATE TABLE a (id int PRIMARY KEY, x int, y int);" +
		"CREATE TABLE b (id int, x int, y int, PRIMARY KEY (id, x));" +
		"CREATE TABLE c (id int, x int, y int);"
	const rows = "INSERT INTO a VALUES (1,1,2),(2,3,NULL),(3,2,2),(4,NULL,1),(5,5,5);" +
		"INSERT INTO b VALUES (1,1,3),(1,2,NULL),(2,2,2),(3,1,1),(5,0,4);" +
		"INSERT INTO c VALUES (1,NULL,1),(1,NULL,1),(2,2,2),(NULL,3,4),(4,4,4)"
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, *oracle)
	require.NoError(t, err)
	defer conn.Close(ctx)
	require.NotContains(t, askOne(conn, setup+rows, 0), "ERROR")
	s := newNode(t).session()
	_, create, _ := strings.Cut(setup, "off;")
	require.NotContains(t, s.run(ctx, create+rows), "ERROR")
	g := &queryMaker{r: newRand(t)}
	for range 500 {
		query := g.query(2, nil, 2)
		theirs, ours := askOne(conn, query, 0), s.run(ctx, query)
		require.Equal(t, sortedLines(theirs), sortedLines(ours), query)
	}
}

// queryMaker writes random queries. Sources are named q1, q2, ... and have the columns id, x and y;
// depth bounds how far queries stand in one another.
type queryMaker struct {
	r       *rand.Rand
	sources int
}

func (g *queryMaker) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *queryMaker) column(sources []string) string {
	return g.pick(sources...) + "." + g.pick("id", "x", "y")
}

func joined(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// from writes a FROM of one source or two, and names them.
func (g *queryMaker) from(depth int, outer []string) (string, []string) {
	text, first := g.source(depth, outer)
	if g.r.IntN(2) == 0 {
		return text, []string{first}
	}
	if depth > 0 && g.r.IntN(6) == 0 {
		inner, second := g.derived(depth, joined(outer, []string{first}))
		return text + g.pick(", ", " CROSS JOIN ") + "LATERAL " + inner, []string{first, second}
	}
	item, second := g.source(depth, outer)
	names := []string{first, second}
	kind := g.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN")
	if kind == "CROSS JOIN" {
		return text + " CROSS JOIN " + item, names
	}
	on := g.column(names[:1]) + " = " + g.column(names[1:])
	if kind != "FULL JOIN" && g.r.IntN(2) == 0 {
		on += " AND " + g.condition(0, names)
	}
	return text + " " + kind + " " + item + " ON " + on, names
}

func (g *queryMaker) source(depth int, outer []string) (text, name string) {
	if depth > 0 && g.r.IntN(4) == 0 {
		return g.derived(depth, outer)
	}
	g.sources++
	name = fmt.Sprintf("q%d", g.sources)
	return g.pick("a", "b", "c") + " " + name, name
}

func (g *queryMaker) derived(depth int, outer []string) (text, name string) {
	g.sources++
	name = fmt.Sprintf("q%d", g.sources)
	return "(" + g.query(depth-1, outer, 3) + ") " + name + " (id, x, y)", name
}

func (g *queryMaker) expr(depth int, names []string) string {
	switch g.r.IntN(9) {
	case 0:
		return fmt.Sprint(g.r.IntN(6))
	case 1:
		return "(" + g.expr(depth, names) + " + " + g.expr(depth, names) + ")"
	case 2:
		return "coalesce(" + g.column(names) + ", " + fmt.Sprint(g.r.IntN(5)) + ")"
	case 3:
		if depth > 0 {
			return g.scalar(depth-1, names)
		}
	case 4:
		return "CASE WHEN " + g.condition(0, names) + " THEN " + g.column(names) + " ELSE " +
			g.column(names) + " END"
	}
	return g.column(names)
}

// scalar writes a query of one value.
func (g *queryMaker) scalar(depth int, outer []string) string {
	from, names := g.from(depth, outer)
	return fmt.Sprintf("(SELECT %s(%s) FROM %s WHERE %s)::int", g.pick("max", "min", "count", "sum"),
		g.column(names), from, g.condition(depth, joined(names, outer)))
}

func (g *queryMaker) condition(depth int, names []string) string {
	switch g.r.IntN(9) {
	case 0:
		return g.column(names) + " IS " + g.pick("", "NOT ") + "NULL"
	case 1:
		return "(" + g.condition(depth, names) + " OR " + g.condition(depth, names) + ")"
	case 2:
		return "NOT " + g.condition(depth, names)
	case 3:
		if depth > 0 {
			return g.pick("", "NOT ") + "EXISTS (" + g.query(depth-1, names, 1) + ")"
		}
	case 4:
		if depth > 0 {
			outer := names[:len(names)*g.r.IntN(2)]
			return g.expr(0, names) + g.pick(" IN ", " NOT IN ", " > ANY ", " <= ALL ") + "(" +
				g.query(depth-1, outer, 1) + ")"
		}
	case 5:
		return g.column(names) + " IN (1, 2, 3)"
	case 6:
		return g.column(names) + " = " + fmt.Sprint(g.r.IntN(6))
	}
	return g.expr(depth, names) + g.pick(" = ", " = ", " < ", " >= ", " <> ") + g.expr(0, names)
}

// query writes a query of so many columns, all of them integers.
func (g *queryMaker) query(depth int, outer []string, width int) string {
	if depth > 0 && g.r.IntN(6) == 0 {
		op := g.pick("UNION", "INTERSECT", "EXCEPT") + g.pick(" ", " ALL ")
		return g.query(depth-1, outer, width) + " " + op + g.query(depth-1, outer, width)
	}
	from, names := g.from(depth, outer)
	where := " FROM " + from + " WHERE " + g.condition(depth, joined(names, outer))
	outs := make([]string, width)
	if g.r.IntN(4) > 0 {
		for i := range outs {
			outs[i] = g.expr(depth, joined(names, outer))
		}
		return "SELECT " + g.pick("", "", "DISTINCT ") + strings.Join(outs, ", ") + where
	}
	one, two := g.column(names), g.column(names)
	for i := range outs {
		outs[i] = g.pick(one, two, one+" + 1", "count(*)::int", "sum("+g.column(names)+")::int",
			"max("+g.expr(0, names)+")", "count(DISTINCT "+g.column(names)+")::int")
	}
	return "SELECT " + strings.Join(outs, ", ") + where + " GROUP BY " + one + ", " + two +
		g.pick("", " HAVING count(*) > 1", " HAVING "+one+" IS NOT NULL")
}
