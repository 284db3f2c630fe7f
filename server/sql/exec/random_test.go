package exec_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// Random queries over small random tables, asked in ways that must agree: see property. A seed is
// one set of tables and queriesPerSeed queries; ACKDB_SEEDS says how many seeds are tried.
const (
	queriesPerSeed = 25
	defaultSeeds   = 3
)

// randomSeeds are the seeds to try: the one that -seed or ACKDB_SEED names, or as many as wanted.
func randomSeeds() []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	if env, err := strconv.ParseUint(os.Getenv("ACKDB_SEED"), 10, 64); err == nil {
		return []uint64{env}
	}
	count, err := strconv.Atoi(os.Getenv("ACKDB_SEEDS"))
	if err != nil {
		count = defaultSeeds
	}
	seeds, first := make([]uint64, count), uint64(time.Now().UnixNano())>>16
	for i := range seeds {
		seeds[i] = first + uint64(i)
	}
	return seeds
}

// answer is what a query gave: its rows in one order, or an error.
type answer struct {
	header string
	rows   []string
	err    string
}

func answerOf(text string) answer {
	if i := strings.Index(text, "ERROR"); i == 0 || i > 0 && text[i-1] == '\n' {
		return answer{err: text[i:]}
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	a := answer{header: lines[0], rows: lines[1 : len(lines)-1]}
	slices.Sort(a.rows)
	return a
}

func (a answer) String() string {
	if a.err != "" {
		return a.err
	}
	return a.header + "\n" + strings.Join(a.rows, "\n")
}

// dataError says that an answer is an error of the values, which one of two ways to ask may meet
// and the other not.
func (a answer) dataError() bool { return strings.HasPrefix(a.err, "ERROR 22") }

// property is one law of queries: two ways to ask that give the same rows.
type property struct {
	name string
	// ask gives both answers, or false for a query the law says nothing of.
	ask func(s *session, q *query) (one, other answer, ok bool)
}

func (s *session) answer(sql string) answer {
	return answerOf(s.run(context.Background(), sql))
}

var properties = []property{
	{"partition", askPartition},
	{"count", askCount},
	{"indexes", func(s *session, q *query) (one, other answer, ok bool) {
		return s.answer(form{}.write(q)), s.answer(form{suffix: indexedSuffix}.write(q)), true
	}},
	{"joins", func(s *session, q *query) (one, other answer, ok bool) {
		return s.answer(form{suffix: indexedSuffix}.write(q)), s.answer(form{blunt: true}.write(q)),
			len(q.sources) > 1
	}},
	{"parameters", askParameters},
	{"subquery", askWrapped("SELECT * FROM (%s) w")},
	{"with", askWrapped("WITH w AS (%s) SELECT * FROM w")},
	{"view", askView},
	{"fingerprint", askSimple},
}

// askPartition: each row passes a condition, or its opposite, or makes it NULL.
func askPartition(s *session, q *query) (one, other answer, ok bool) {
	if q.where == nil || q.groupBy != nil || q.distinct || q.rest != nil || q.limit != "" {
		return answer{}, answer{}, false
	}
	ask := func(format string) answer {
		part := q.clone()
		if part.where = nil; format != "" {
			part.where = &term{sort: sortBool, text: format, args: []*term{q.where}}
		}
		return s.answer(form{}.write(part))
	}
	one = ask("")
	for _, format := range []string{"$", "(NOT $)", "($ IS NULL)"} {
		part := ask(format)
		if part.err != "" {
			return one, part, true
		}
		other.header = part.header
		other.rows = append(other.rows, part.rows...)
	}
	slices.Sort(other.rows)
	return one, other, true
}

// askCount: as many rows pass a condition as there are for which it computes to true.
func askCount(s *session, q *query) (one, other answer, ok bool) {
	if q.where == nil {
		return answer{}, answer{}, false
	}
	ask := func(out, where string) answer {
		var text strings.Builder
		text.WriteString("SELECT " + out)
		q.writeFrom(&text)
		return s.answer(form{}.write(bytes.NewBufferString(text.String() + where)))
	}
	where := q.where.String()
	return ask("count(*)", " WHERE "+where),
		ask("coalesce(sum(CASE WHEN "+where+" THEN 1 ELSE 0 END), 0) AS count", ""), true
}

// askParameters: a parameter means what a literal in its place does.
func askParameters(s *session, q *query) (one, other answer, ok bool) {
	bound := q.clone()
	var params []types.Datum
	bound.each(func(at **term) {
		if t := *at; t.literal != "" {
			d, err := types.ParseText(sqlType(t.sort), t.literal, nil)
			require.NoError(s.n.t, err)
			params = append(params, d)
			*at = &term{sort: t.sort, text: fmt.Sprintf("%s%d::%s", paramMark, len(params), t.sort)}
		}
	})
	stmt, err := parse.ParseOne(form{}.write(bound))
	require.NoError(s.n.t, err)
	var out bytes.Buffer
	if err := s.one(context.Background(), &out, stmt, params); err != nil {
		fmt.Fprintln(&out, describe(err))
	}
	return s.answer(form{}.write(q)), answerOf(out.String()), true
}

func sqlType(s sort) types.Type {
	t, _ := types.ParseTypeName(string(s))
	return t
}

// askWrapped: a query within another gives its rows.
func askWrapped(format string) func(*session, *query) (one, other answer, ok bool) {
	return func(s *session, q *query) (one, other answer, ok bool) {
		text := form{suffix: indexedSuffix}.write(q)
		return s.answer(text), s.answer(fmt.Sprintf(format, text)), true
	}
}

func askView(s *session, q *query) (one, other answer, ok bool) {
	text := form{}.write(q)
	if made := s.run(context.Background(), "CREATE VIEW w AS "+text); made != "CREATE VIEW\n" {
		return s.answer(text), answerOf(made), true
	}
	defer s.run(context.Background(), "DROP VIEW w")
	return s.answer(text), s.answer("SELECT * FROM w"), true
}

// askSimple: a text whose plan is found by its fingerprint gives what it gives when it is planned,
// with its literals and with others.
func askSimple(s *session, q *query) (one, other answer, ok bool) {
	text := form{suffix: indexedSuffix}.write(q)
	s.simple = true
	defer func() { s.simple = false }()
	s.answer(text)
	other = s.answer(text)
	s.simple = false
	return s.answer(text), other, true
}

// violated says how a query breaks a law; "" when it does not.
func (p *property) violated(s *session, q *query) string {
	one, other, ok := p.ask(s, q)
	switch {
	case !ok || one.dataError() || other.dataError():
		return ""
	case one.err == "" && other.err == "" && one.header == other.header &&
		slices.Equal(one.rows, other.rows):
		return ""
	}
	if one.err == "" && other.err == "" && one.header == other.header {
		one.rows, other.rows = unmatched(one.rows, other.rows), unmatched(other.rows, one.rows)
	}
	return fmt.Sprintf("%s:\n- %s\n+ %s", p.name, one, other)
}

// unmatched are the first few rows that another answer has not, or less often.
func unmatched(rows, others []string) (list []string) {
	count := map[string]int{}
	for _, row := range others {
		count[row]++
	}
	for _, row := range rows {
		if count[row]--; count[row] < 0 && len(list) < 5 {
			list = append(list, row)
		}
	}
	return list
}

// errorClass is that of the first error in a violation, "" when rows differ.
func errorClass(violation string) string {
	_, text, _ := strings.Cut(violation, "ERROR ")
	return text[:min(len(text), 2)]
}

// checkSeed tries queries of one seed against laws and returns the first violation, shrunk.
func checkSeed(s *session, seed uint64, count int, laws []property) string {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 2))}
	for _, statement := range append(dropTables(), m.tables()...) {
		require.NotContains(s.n.t, s.run(context.Background(), statement), "ERROR", statement)
	}
	for range count {
		q := m.query(2, nil, []sort{pickOf(m, allSorts), pickOf(m, plainSorts)})
		for i := range laws {
			law := &laws[i]
			first := law.violated(s, q)
			if first == "" {
				continue
			}
			small := shrink(q, func(q *query) bool {
				now := law.violated(s, q)
				// A smaller query that is no query at all is another failure.
				return now != "" && errorClass(now) == errorClass(first)
			})
			return fmt.Sprintf("%s\nquery: %s", law.violated(s, small), form{}.write(small))
		}
	}
	return ""
}

// TestRandomQueries holds random queries to laws that need no other server.
func TestRandomQueries(t *testing.T) {
	for _, seed := range randomSeeds() {
		s := newNode(t).session()
		if violation := checkSeed(s, seed, queriesPerSeed, properties); violation != "" {
			t.Errorf("%s\nreplay: go test ./server/sql/exec -run '^%s$' -seed=%d", violation,
				t.Name(), seed)
		}
	}
}

// TestRandomOracle asks the PostgreSQL that -oracle names, too.
func TestRandomOracle(t *testing.T) {
	if *oracle == "" {
		t.Skip("no -oracle given")
	}
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, *oracle)
	require.NoError(t, err)
	defer conn.Close(ctx)
	law := property{"oracle", func(s *session, q *query) (one, other answer, ok bool) {
		text := form{suffix: indexedSuffix}.write(q)
		return s.answer(text), answerOf(askOne(conn, text, 0)), true
	}}
	for _, seed := range randomSeeds() {
		s := newNode(t).session()
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 2))}
		for _, statement := range append(dropTables(), m.tables()...) {
			require.NotContains(t, askOne(conn, statement, 0), "ERROR", statement)
		}
		if violation := checkSeed(s, seed, queriesPerSeed, []property{law}); violation != "" {
			t.Errorf("%s\nreplay: go test ./server/sql/exec -run '^%s$' -oracle %q -seed=%d",
				violation, t.Name(), *oracle, seed)
		}
	}
}

// TestRandomQueriesFindABrokenFunction breaks a function, which gives NULL at each fifth call of a
// statement, and sees that the laws find it and how small the query is that shows it.
func TestRandomQueriesFindABrokenFunction(t *testing.T) {
	for _, f := range builtin.Functions("lower") {
		whole, calls := f.Eval, 0
		var last *builtin.Context // of the statement at hand
		f.Eval = func(c *builtin.Context, args []types.Datum) (types.Datum, error) {
			if calls++; c != last {
				last, calls = c, 0
			}
			if calls%5 == 4 {
				return types.Null, nil
			}
			return whole(c, args)
		}
		t.Cleanup(func() { f.Eval = whole })
	}
	s := newNode(t).session()
	for seed := range uint64(50) {
		violation := checkSeed(s, seed+1, queriesPerSeed, properties)
		if violation == "" {
			continue
		}
		t.Logf("seed %d:\n%s", seed+1, violation)
		_, text, _ := strings.Cut(violation, "query: ")
		require.Contains(t, text, "lower(")
		return
	}
	t.Fatal("no law has found it")
}
