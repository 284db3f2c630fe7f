package exec_test

import (
	"fmt"
	"strings"
)

// query is a random SELECT, taken apart so that it can be shrunk and asked in other ways.
type query struct {
	outs     []*term
	sources  []source
	where    *term // nil when there is none
	groupBy  []*term
	having   *term
	distinct bool
	setOp    string // with rest
	rest     *query
	limit    string // with an ORDER BY of everything
}

// What String writes where a form decides what stands there.
const (
	tableMark = "\x01" // behind the name of a table
	openMark  = "\x02" // around the condition of a join
	closeMark = "\x03"
	paramMark = "\x04" // the $ of a parameter
	queryMark = "\x05" // in a term that has a query
)

// form is one way to write a query.
type form struct {
	suffix string // of the tables' names
	blunt  bool   // conditions of joins are wrapped, so that none is taken for a key
}

func (f form) write(q fmt.Stringer) string {
	open, end := "", ""
	if f.blunt {
		open, end = "(", ") IS TRUE"
	}
	return strings.NewReplacer(tableMark, f.suffix, openMark, open, closeMark, end, paramMark, "$").
		Replace(q.String())
}

// source is an item of FROM; the first has no join.
type source struct {
	table, alias, join string
	on                 *term
	derived            *query
}

func (q *query) String() string {
	var out strings.Builder
	q.write(&out)
	if q.rest != nil {
		out.WriteString(" " + q.setOp + " ")
		q.rest.write(&out)
	}
	if q.limit != "" {
		out.WriteString(" ORDER BY " + strings.Join(ordinals(len(q.outs)), ", ") + q.limit)
	}
	return out.String()
}

func ordinals(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i + 1)
	}
	return list
}

func (q *query) write(out *strings.Builder) {
	out.WriteString("SELECT ")
	if q.distinct {
		out.WriteString("DISTINCT ")
	}
	for i, t := range q.outs {
		if i > 0 {
			out.WriteString(", ")
		}
		fmt.Fprintf(out, "%s AS c%d", t, i+1)
	}
	q.writeFrom(out)
	if q.where != nil {
		fmt.Fprintf(out, " WHERE %s", q.where)
	}
	for i, t := range q.groupBy {
		out.WriteString([]string{" GROUP BY ", ", "}[min(i, 1)] + t.String())
	}
	if q.having != nil {
		fmt.Fprintf(out, " HAVING %s", q.having)
	}
}

func (q *query) writeFrom(out *strings.Builder) {
	for i, s := range q.sources {
		out.WriteString([]string{" FROM ", s.join}[min(i, 1)])
		if s.derived != nil {
			fmt.Fprintf(out, "(%s) %s", s.derived, s.alias)
		} else {
			out.WriteString(s.table + tableMark + " " + s.alias)
		}
		if s.on != nil {
			out.WriteString(" ON " + openMark + s.on.String() + closeMark)
		}
	}
}

// clone copies a query and all of its terms.
func (q *query) clone() *query {
	out := *q
	out.outs, out.groupBy = cloneTerms(q.outs), cloneTerms(q.groupBy)
	out.where, out.having = cloneTerm(q.where), cloneTerm(q.having)
	out.sources = append([]source(nil), q.sources...)
	for i := range out.sources {
		s := &out.sources[i]
		s.on = cloneTerm(s.on)
		if s.derived != nil {
			s.derived = s.derived.clone()
		}
	}
	if q.rest != nil {
		out.rest = q.rest.clone()
	}
	return &out
}

func cloneTerm(t *term) *term {
	if t == nil {
		return nil
	}
	return t.clone()
}

func cloneTerms(list []*term) []*term {
	out := make([]*term, len(list))
	for i, t := range list {
		out[i] = t.clone()
	}
	return out
}

// each calls yield with the place of every term of a query. What its groups are is left out.
func (q *query) each(yield func(**term)) {
	for i := range q.outs {
		each(&q.outs[i], yield)
	}
	for _, at := range []**term{&q.where, &q.having} {
		if *at != nil {
			each(at, yield)
		}
	}
	for i := range q.sources {
		if s := &q.sources[i]; s.on != nil {
			each(&s.on, yield)
		}
		if s := &q.sources[i]; s.derived != nil {
			s.derived.each(yield)
		}
	}
	if q.rest != nil {
		q.rest.each(yield)
	}
}

// query makes a query whose columns are of the given sorts.
func (m *maker) query(depth int, outer []column, sorts []sort) *query {
	q := &query{}
	columns := m.from(q, depth, outer)
	scope := append(columns, outer...)
	if m.IntN(3) > 0 {
		q.where = m.condition(depth, scope)
	}
	plain := isPlain(sorts)
	switch choice := m.IntN(5); {
	case choice == 0 && plain:
		m.grouped(q, columns, sorts)
	case choice == 1 && plain:
		q.distinct = true
	}
	if q.groupBy == nil {
		for _, s := range sorts {
			q.outs = append(q.outs, m.term(s, depth+1, scope))
		}
	}
	if depth > 1 && plain && m.IntN(6) == 0 {
		q.setOp = pickOf(m, []string{"UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT",
			"EXCEPT ALL"})
		q.rest = m.query(0, outer, sorts)
		q.rest.limit, q.rest.rest = "", nil
	}
	if plain && m.IntN(6) == 0 {
		q.limit = fmt.Sprintf(" LIMIT %d OFFSET %d", m.IntN(5), m.IntN(3))
	}
	return q
}

func isPlain(sorts []sort) bool {
	for _, s := range sorts {
		found := false
		for _, p := range plainSorts {
			found = found || p == s
		}
		if !found {
			return false
		}
	}
	return true
}

// from gives a query its sources and returns their columns.
func (m *maker) from(q *query, depth int, outer []column) []column {
	var columns []column
	for i := range 1 + m.IntN(3) {
		m.aliases++
		s := source{alias: fmt.Sprintf("t%d", m.aliases), table: pickOf(m, tableNames)}
		own := tableColumns
		if depth > 0 && m.IntN(5) == 0 {
			sorts := []sort{pickOf(m, plainSorts), sortInt}
			s.derived = m.query(depth-1, nil, sorts)
			own = []column{{"c1", sorts[0]}, {"c2", sortInt}}
		}
		var named []column
		for _, c := range own {
			named = append(named, column{s.alias + "." + c.name, c.sort})
		}
		if i > 0 {
			s.join = pickOf(m, []string{" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ",
				" CROSS JOIN "})
			if s.join != " CROSS JOIN " {
				s.on = m.joinCondition(s.join, columns, named)
			}
		}
		columns = append(columns, named...)
		q.sources = append(q.sources, s)
	}
	return columns
}

// joinCondition compares a column of either side, as most joins do. A FULL JOIN has nothing more:
// PostgreSQL takes only what it can hash or merge.
func (m *maker) joinCondition(join string, left, right []column) *term {
	var pairs []*term
	for _, l := range left {
		for _, r := range right {
			if l.sort == r.sort {
				pairs = append(pairs, &term{sort: sortBool, text: "($ = $)",
					args: []*term{{sort: l.sort, text: l.name}, {sort: r.sort, text: r.name}}})
			}
		}
	}
	on := pickOf(m, pairs)
	if join != " FULL JOIN " && m.IntN(3) == 0 {
		both := append(append([]column(nil), left...), right...)
		on = &term{sort: sortBool, text: pickOf(m, []string{"($ AND $)", "($ OR $)"}),
			args: []*term{on, m.term(sortBool, 1, both)}}
	}
	return on
}

// condition makes a predicate, now and then of a query.
func (m *maker) condition(depth int, columns []column) *term {
	if depth == 0 || m.IntN(4) > 0 {
		return m.term(sortBool, depth+1, columns)
	}
	s := pickOf(m, plainSorts)
	t := &term{sort: sortBool, query: m.query(depth-1, columns, []sort{s})}
	text := pickOf(m, []string{"EXISTS (%s)", "(NOT EXISTS (%s))", "($ IN (%s))", "($ NOT IN (%s))",
		"($ > ANY (%s))", "($ <= ALL (%s))", "($ = (SELECT max(c1::text) FROM (%s) s))"})
	arg := s
	if strings.Contains(text, "max") {
		arg = sortText
	}
	if t.text = fmt.Sprintf(text, queryMark); strings.Contains(text, "$") {
		t.args = []*term{m.term(arg, depth, columns)}
	}
	return t
}

// aggregates are the aggregates of each sort that do not depend on the order of rows.
var aggregates = map[sort][]rule{
	sortInt: {r("count(*)::int"), r("count($)::int", sortText), r("max($)", sortInt),
		r("count(DISTINCT $)::int", sortText), r("sum($)::int", sortInt), r("min($)", sortInt),
		r("(count(*) FILTER (WHERE $))::int", sortBool), r("round(avg($))::int", sortNum)},
	sortText: {r("max($)", sortText), r("min($)", sortText), r("sum($)::text", sortNum),
		r("string_agg($, ',' ORDER BY $)", sortText), r("avg($)::text", sortInt)},
	sortBool: {r("bool_and($)", sortBool), r("bool_or($)", sortBool), r("every($)", sortBool)},
	sortDate: {r("max($)", sortDate), r("min($)", sortDate)},
	sortTime: {r("max($)", sortTime), r("min($)", sortTime)},
	sortList: {r("array_agg($ ORDER BY $)", sortInt), r("max($)", sortList)},
}

// grouped makes a query of groups: its columns are keys and aggregates. An aggregate of what
// stands outside of the query alone would be the outer query's.
func (m *maker) grouped(q *query, columns []column, sorts []sort) {
	for range 1 + m.IntN(2) {
		c := pickOf(m, columns)
		q.groupBy = append(q.groupBy, &term{sort: c.sort, text: c.name})
	}
	for _, s := range sorts {
		out := m.aggregate(s, columns)
		if key := q.groupBy[0]; key.sort == s && m.IntN(2) == 0 {
			out = key.clone()
		}
		q.outs = append(q.outs, out)
	}
	if m.IntN(3) == 0 {
		q.having = &term{sort: sortBool, text: "($ > $)",
			args: []*term{m.aggregate(sortInt, columns), m.literal(sortInt)}}
	}
}

func (m *maker) aggregate(s sort, columns []column) *term {
	chosen := pickOf(m, aggregates[s])
	t := &term{sort: s, text: chosen.text}
	for range strings.Count(chosen.text, "$") {
		// An ORDER BY within the aggregate is of what is aggregated.
		if len(t.args) == 0 {
			t.args = append(t.args, m.term(chosen.args[0], 1, columns))
		} else {
			t.args = append(t.args, t.args[0].clone())
		}
	}
	return t
}
