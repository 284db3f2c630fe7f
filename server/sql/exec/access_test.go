package exec_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the randomized tests; 0 draws one (env ACKDB_SEED)")

// newRand gives a generator whose seed stands in the failure as the command that replays it.
func newRand(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if env := os.Getenv("ACKDB_SEED"); env != "" && seed == 0 {
		parsed, err := strconv.ParseUint(env, 10, 64)
		require.NoError(t, err)
		seed = parsed
	}
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./server/sql/exec -run '^%s$' -seed %d", t.Name(), seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

// TestAccessEqualsFullScan holds every way of visiting keys against a table with the same rows and
// no key, where the WHERE has to be checked on each (P3).
func TestAccessEqualsFullScan(t *testing.T) {
	r := newRand(t)
	s := newNode(t).session()
	ctx := context.Background()
	load := func(table string) {
		s.run(ctx, fmt.Sprintf("INSERT INTO %s SELECT 'k' || n %% 7, n %% 50, n %% 13,"+
			" CASE WHEN n %% 5 = 0 THEN NULL ELSE 'v' || n %% 3 END"+
			" FROM generate_series(0, 349) n", table))
	}
	columns := "(a text, b int, c numeric, d text"
	s.run(ctx, "CREATE TABLE keyed "+columns+", PRIMARY KEY (a, b, c))")
	s.run(ctx, "CREATE TABLE plain "+columns+")")
	load("keyed")
	load("plain")
	for range 400 {
		where := randomWhere(r)
		query := "SELECT a, b, c, d FROM %s WHERE " + where
		keyed := s.run(ctx, fmt.Sprintf(query, "keyed"))
		plain := s.run(ctx, fmt.Sprintf(query, "plain"))
		require.Equal(t, sortedLines(plain), sortedLines(keyed), where)

		order := randomOrder(r)
		query += " ORDER BY " + order + fmt.Sprintf(" LIMIT %d OFFSET %d", r.IntN(20), r.IntN(5))
		keyed = s.run(ctx, fmt.Sprintf(query, "keyed"))
		plain = s.run(ctx, fmt.Sprintf(query, "plain"))
		require.Equal(t, plain, keyed, query)
	}
}

// randomOrder names all key columns, so that the order is whole, in any order and direction.
func randomOrder(r *rand.Rand) string {
	items := []string{"a", "b", "c"}
	if r.IntN(2) == 0 {
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	same := r.IntN(3)
	for i := range items {
		if same == 1 || same == 2 && r.IntN(2) == 0 {
			items[i] += " DESC"
		}
	}
	return strings.Join(items, ", ")
}

func randomWhere(r *rand.Rand) string {
	terms := make([]string, 1+r.IntN(4))
	for i := range terms {
		terms[i] = randomTerm(r)
	}
	return strings.Join(terms, " AND ")
}

func randomTerm(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	text := func() string { return pick("'k0'", "'k1'", "'k3'", "'k6'", "'k'", "'x'", "NULL") }
	number := func() string {
		return pick("0", "1", "7", "12", "12.0", "49", "-1", "1.00", "3000000000", "NULL")
	}
	op := pick("=", "=", "<", "<=", ">", ">=", "<>")
	switch r.IntN(9) {
	case 0, 1:
		return "a " + op + " " + text()
	case 2:
		return pick("b", "c") + " " + op + " " + number()
	case 3:
		return number() + " " + op + " " + pick("b", "c")
	case 4:
		return fmt.Sprintf("%s IN (%s, %s, %s)", pick("b", "c"), number(), number(), number())
	case 5:
		return fmt.Sprintf("a = ANY (ARRAY[%s, %s, %s])", text(), text(), text())
	case 6:
		return "a LIKE " + pick("'k%'", "'k1%'", "'k_'", "'%1'", "'k3'", `'k\%'`, "'%'", "''")
	case 7:
		return fmt.Sprintf("b BETWEEN %s AND %s", number(), number())
	}
	return pick("d IS NULL", "d = 'v1'", "(b = 7 OR b = 12)", "NOT b = 7", "b % 2 = 0")
}

func sortedLines(s string) []string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return lines
}
