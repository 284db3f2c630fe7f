package exec_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIndexAnswers: a table with indexes of every kind gives the rows that one without any gives.
func TestIndexAnswers(t *testing.T) {
	const rows, queries = 150, 300
	n := newNode(t)
	ctx := context.Background()
	s := n.session()
	do := func(sql string) { require.NotContains(t, s.run(ctx, sql), "ERROR", sql) }
	r := rand.New(rand.NewPCG(9, 7))
	for _, name := range []string{"bare", "keyed"} {
		do("CREATE TABLE " + name + " (id int, a int, b text, c numeric, d float8, e timestamp, f bool)")
	}
	var values []string
	for id := range rows {
		values = append(values, fmt.Sprintf("(%d, %s, %s, %s, %s, %s, %s)", id, nullOr(r, r.IntN(12)),
			nullOr(r, fmt.Sprintf("'%c%d'", 'a'+r.IntN(3), r.IntN(9))),
			nullOr(r, []string{"12", "0", "-1.5", "1.5", "'NaN'", "'Infinity'", "-7", "100"}[r.IntN(8)]),
			nullOr(r, []string{"-1e300", "0", "'NaN'", "'-Infinity'", "2.5", "-2.5"}[r.IntN(6)]),
			nullOr(r, fmt.Sprintf("timestamp '2024-01-%02d'", 1+r.IntN(20))),
			nullOr(r, r.IntN(2) == 0)))
	}
	for _, name := range []string{"bare", "keyed"} {
		do("INSERT INTO " + name + " VALUES " + strings.Join(values, ","))
	}
	for _, sql := range []string{"ALTER TABLE keyed ADD PRIMARY KEY (id)", "CREATE INDEX ON keyed (a)",
		"CREATE INDEX ON keyed (b DESC, a)", "CREATE INDEX ON keyed (c NULLS FIRST, d)",
		"CREATE INDEX ON keyed (d DESC NULLS LAST)", "CREATE INDEX ON keyed (e) WHERE a > 3",
		"CREATE INDEX ON keyed (upper(b), a) WHERE f", "CREATE INDEX ON keyed ((a % 4), c DESC)",
		"CREATE INDEX ON keyed (a, id DESC) WHERE b IS NOT NULL",
		"CREATE UNIQUE INDEX ON keyed (f, a, id)"} {
		do(sql)
	}
	for range queries {
		sql := randomQuery(r)
		of := func(table string) string { return strings.ReplaceAll(sql, "TABLE", table) }
		bare, keyed := s.run(ctx, of("bare")), s.run(ctx, of("keyed"))
		if !strings.Contains(sql, "ORDER") {
			bare, keyed = sorted(bare), sorted(keyed)
		}
		require.NotContains(t, bare, "ERROR", sql)
		require.Equal(t, bare, keyed, "%s\n%s", sql, s.run(ctx, "EXPLAIN "+of("keyed")))
	}
}

func nullOr(r *rand.Rand, v any) string {
	if r.IntN(6) == 0 {
		return "NULL"
	}
	return fmt.Sprint(v)
}

// randomQuery makes a query over TABLE.
func randomQuery(r *rand.Rand) string {
	where := randomCondition(r)
	for range r.IntN(3) {
		where += " AND " + randomCondition(r)
	}
	by := []string{"a", "b", "c", "d", "e", "a % 4", "upper(b)", "id"}[r.IntN(8)]
	dir := []string{"", " DESC", " NULLS FIRST", " DESC NULLS LAST"}[r.IntN(4)]
	switch r.IntN(6) {
	case 0:
		return "SELECT min(" + by + "), max(" + by + ") FROM TABLE WHERE " + where
	case 1:
		return "SELECT max(" + by + ") FROM TABLE"
	case 2:
		return "SELECT " + by + " FROM TABLE WHERE " + where + " ORDER BY " + by + dir + ", id LIMIT 7"
	case 3:
		return "SELECT id FROM TABLE WHERE " + where + " ORDER BY " + by + dir + ", id"
	case 4:
		return "SELECT count(*) FROM TABLE WHERE " + where
	}
	return "SELECT * FROM TABLE WHERE " + where
}

func randomCondition(r *rand.Rand) string {
	column := []string{"a", "b", "c", "d", "e", "a % 4", "upper(b)", "id"}[r.IntN(8)]
	value := func() string {
		switch column {
		case "b":
			return fmt.Sprintf("'%c%d'", 'a'+r.IntN(3), r.IntN(9))
		case "upper(b)":
			return fmt.Sprintf("'%c%d'", 'A'+r.IntN(3), r.IntN(9))
		case "c", "d":
			return []string{"'NaN'", "'Infinity'", "0", "1.5", "-7", "2.5", "'-0'"}[r.IntN(7)]
		case "e":
			return fmt.Sprintf("timestamp '2024-01-%02d'", 1+r.IntN(20))
		case "id":
			return fmt.Sprint(r.IntN(150))
		}
		return fmt.Sprint(r.IntN(12))
	}
	op := []string{"=", "<", ">", "<=", ">=", "<>"}[r.IntN(6)]
	switch r.IntN(10) {
	case 0:
		return "(" + column + ") IS NULL"
	case 1:
		return "(" + column + ") IS NOT NULL"
	case 2:
		return fmt.Sprintf("(%s = %s OR %s = %s)", column, value(), column, value())
	case 3:
		return fmt.Sprintf("%s IN (%s, %s, %s)", column, value(), value(), nullOr(r, value()))
	case 4:
		return fmt.Sprintf("(%s, id) %s (%s, %d)", column, op, value(), r.IntN(150))
	case 5:
		return []string{"f", "NOT f", "f = true", "f IS FALSE", "a > 5", "a = 4", "b > 'b'"}[r.IntN(7)]
	case 6:
		return fmt.Sprintf("b LIKE '%c%%'", 'a'+r.IntN(3))
	case 7:
		name := []string{"a", "b", "c", "d", "e"}[r.IntN(5)]
		return fmt.Sprintf("%sEXISTS (SELECT 1 FROM TABLE x WHERE x.%s = TABLE.%s AND x.id %s %d)",
			[]string{"", "NOT "}[r.IntN(2)], name, name, op, r.IntN(150))
	case 8:
		return fmt.Sprintf("a %sIN (SELECT x.a FROM TABLE x WHERE x.b = TABLE.b AND x.id %s %d)",
			[]string{"", "NOT "}[r.IntN(2)], op, r.IntN(150))
	}
	return fmt.Sprintf("%s %s %s", column, op, value())
}

func sorted(out string) string {
	lines := strings.Split(out, "\n")
	for i := range lines {
		for j := i; j > 0 && lines[j] < lines[j-1]; j-- {
			lines[j], lines[j-1] = lines[j-1], lines[j]
		}
	}
	return strings.Join(lines, "\n")
}
