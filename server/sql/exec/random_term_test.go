package exec_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// sort of a term: its SQL type, by the name a literal of it is cast to.
type sort string

const (
	sortInt  sort = "int"
	sortNum  sort = "numeric"
	sortText sort = "text"
	sortBool sort = "boolean"
	sortDate sort = "date"
	sortTime sort = "timestamp"
	sortSpan sort = "interval"
	sortList sort = "int[]"
	sortJSON sort = "jsonb"
)

var allSorts = []sort{sortInt, sortNum, sortText, sortBool, sortDate, sortTime, sortSpan, sortList,
	sortJSON}

// plainSorts are those whose equal values are printed alike, so that it does not matter which of
// them DISTINCT, GROUP BY or LIMIT keeps.
var plainSorts = []sort{sortInt, sortText, sortBool, sortDate, sortTime, sortList}

// term is an expression: a text in which each $ stands for an argument, and queryMark for query.
type term struct {
	sort    sort
	text    string
	args    []*term
	query   *query // nil when there is none
	literal string // what a parameter in its place would be sent as
}

func (t *term) String() string {
	var out strings.Builder
	parts := strings.Split(t.text, "$")
	out.WriteString(parts[0])
	for i, part := range parts[1:] {
		out.WriteString(t.args[i].String())
		out.WriteString(part)
	}
	if t.query == nil {
		return out.String()
	}
	return strings.Replace(out.String(), queryMark, t.query.String(), 1)
}

// each calls yield with the place of a term and those of all terms in it.
func each(at **term, yield func(**term)) {
	yield(at)
	for i := range (*at).args {
		each(&(*at).args[i], yield)
	}
	if (*at).query != nil {
		(*at).query.each(yield)
	}
}

// clone copies a term and what it is made of.
func (t *term) clone() *term {
	out := *t
	out.args = make([]*term, len(t.args))
	for i, a := range t.args {
		out.args[i] = a.clone()
	}
	if t.query != nil {
		out.query = t.query.clone()
	}
	return &out
}

// column is a column that a term may name.
type column struct {
	name string
	sort sort
}

// rule makes a term of others. A sort of "?" in args is any, the same everywhere in the rule.
type rule struct {
	text string
	args []sort
}

func r(text string, args ...sort) rule { return rule{text, args} }

const anySort sort = "?"

// rules are the terms of each sort. None of them fails for any values the tables hold: what may
// fail, as a division by zero, is guarded, since the order in which two servers compute terms, and
// so which of them meets an error, is their own.
var rules = map[sort][]rule{
	sortInt: {
		r("($ + $)", sortInt, sortInt), r("($ - $)", sortInt, sortInt), r("(- $)", sortInt),
		r("($ / nullif($, 0))", sortInt, sortInt), r("($ % nullif($, 0))", sortInt, sortInt),
		r("abs($)", sortInt), r("length($)", sortText), r("ascii($)", sortText),
		r("strpos($, $)", sortText, sortText), r("($ & $)", sortInt, sortInt),
		r("($ | $)", sortInt, sortInt), r("($ # $)", sortInt, sortInt), r("($::int)", sortBool),
		r("($ - $)", sortDate, sortDate), r("extract(day from $)::int", sortTime),
		r("cardinality($)", sortList), r("($)[$]", sortList, sortInt),
		r("array_length($, 1)", sortList), r("array_position($, $)", sortList, sortInt),
		r("num_nulls($, $)", sortInt, sortText), r("scale($)", sortNum),
		r("date_part('month', $)::int", sortDate), r("(~ $)", sortInt),
	},
	sortNum: {
		r("($ + $)", sortNum, sortNum), r("($ - $)", sortNum, sortInt),
		r("($ * 0.5)", sortNum), r("($ / nullif($, 0))", sortNum, sortNum),
		r("mod($, nullif($, 0))", sortNum, sortNum), r("round($, 2)", sortNum),
		r("trunc($)", sortNum), r("ceil($)", sortNum), r("floor($)", sortNum), r("abs($)", sortNum),
		r("$::numeric", sortInt), r("sign($)", sortNum), r("trim_scale($)", sortNum),
		r("div($, nullif($, 0))", sortNum, sortNum), r("sqrt(abs($))", sortNum),
		r("($::numeric(20,3))", sortNum), r("extract(epoch from $)", sortSpan),
	},
	sortText: {
		r("($ || $)", sortText, sortText), r("upper($)", sortText), r("lower($)", sortText),
		r("substr($, $, abs($))", sortText, sortInt, sortInt), r("left($, $)", sortText, sortInt),
		r("right($, $)", sortText, sortInt), r("replace($, $, $)", sortText, sortText, sortText),
		r("btrim($, $)", sortText, sortText), r("lpad($, 6, $)", sortText, sortText),
		r("reverse($)", sortText), r("split_part($, ',', 1)", sortText), r("concat($, $)", anySort,
			sortText), r("concat_ws('-', $, $)", anySort, anySort), r("$::text", anySort),
		r("md5($)", sortText), r("translate($, 'ab', 'xy')", sortText), r("initcap($)", sortText),
		r("quote_nullable($)", sortText), r("to_char($, 'YYYY-MM Dy')", sortDate),
		r("regexp_replace($, '[aeiou]+', '#', 'g')", sortText), r("format('%s:%L', $, $)", anySort,
			sortText), r("($::varchar(3))::text", sortText), r("($::char(4))::text", sortText),
		r("overlay($ placing 'ZZ' from 1)", sortText), r("($ ->> 'a')", sortJSON),
		r("($ || $)", sortText, sortInt), r("jsonb_typeof($)", sortJSON),
		r("array_to_string($, ',', '*')", sortList), r("pg_typeof($)::text", anySort),
		r("to_char($, 'FM999.00')", sortNum),
	},
	sortBool: {
		r("($ AND $)", sortBool, sortBool), r("($ OR $)", sortBool, sortBool),
		r("(NOT $)", sortBool),
		r("($ IS TRUE)", sortBool), r("($ IS NOT FALSE)", sortBool), r("($ IS UNKNOWN)", sortBool),
		r("($ IS NULL)", anySort), r("($ IS NOT NULL)", anySort),
		r("($ = $)", anySort, anySort), r("($ <> $)", anySort, anySort),
		r("($ < $)", anySort, anySort),
		r("($ >= $)", anySort, anySort), r("($ IS DISTINCT FROM $)", anySort, anySort),
		r("($ IS NOT DISTINCT FROM $)", anySort, anySort), r("($ = $)", sortInt, sortInt),
		r("($ > $)", sortInt, sortNum), r("($ <= $)", sortDate, sortTime),
		r("($ BETWEEN $ AND $)", anySort, anySort, anySort),
		r("($ NOT BETWEEN SYMMETRIC $ AND $)", sortInt, sortInt, sortInt),
		r("($ IN ($, $, $))", anySort, anySort, anySort, anySort),
		r("($ NOT IN ($, $))", anySort, anySort, anySort), r("($ LIKE 'a%')", sortText),
		r("($ ILIKE '%B%')", sortText), r("($ NOT LIKE $ || '%')", sortText, sortText),
		r("($ ~ '^[a-c]')", sortText), r("($ !~* 'b')", sortText),
		r("($ = ANY (($)::int[]))", sortInt, sortList),
		r("($ < ALL (($)::int[]))", sortInt, sortList), r("($ @> $)", sortList, sortList),
		r("($ && $)", sortList, sortList), r("($ @> $)", sortJSON, sortJSON),
		r("($ ? 'a')", sortJSON), r("starts_with($, $)", sortText, sortText),
		r("(($, $) = ($, $))", sortInt, sortText, sortInt, sortText),
		r("(($, $) < ($, $))", sortInt, sortDate, sortInt, sortDate),
		r("(ROW($, $) IS NULL)", sortInt, sortText), r("($::int::boolean)", sortBool),
	},
	sortDate: {
		r("($ + $ % 1000)", sortDate, sortInt), r("$::date", sortTime),
		r("date_trunc('month', $)::date", sortTime), r("($ - abs($ % 100))", sortDate, sortInt),
	},
	sortTime: {
		r("$::timestamp", sortDate), r("($ + $)", sortTime, sortSpan),
		r("($ - $)", sortTime, sortSpan),
		r("date_trunc('week', $)", sortTime), r("date_bin('1 hour', $, '2001-01-01'::timestamp)",
			sortTime),
	},
	sortSpan: {
		r("($ - $)", sortTime, sortTime), r("($ * ($ % 10))", sortSpan, sortInt),
		r("justify_hours($)", sortSpan), r("age($, $)", sortTime, sortTime), r("(- $)", sortSpan),
		r("make_interval(0, 0, 0, $ % 1000)", sortInt), r("date_trunc('day', $)", sortSpan),
	},
	sortList: {
		r("ARRAY[$, $]", sortInt, sortInt), r("($ || $)", sortList, sortInt),
		r("($ || $)", sortList, sortList), r("array_remove($, $)", sortList, sortInt),
		r("array_replace($, $, $)", sortList, sortInt, sortInt), r("($)[1:2]", sortList),
		r("array_positions($, $)", sortList, sortInt), r("array_prepend($, $)", sortInt, sortList),
	},
	sortJSON: {
		r("to_jsonb($)", anySort), r("jsonb_build_object('a', $, 'b', $)", anySort, sortInt),
		r("jsonb_build_array($, $)", sortText, anySort), r("($ -> 'a')", sortJSON),
		r("($ #> '{b,0}')", sortJSON), r("jsonb_strip_nulls($)", sortJSON), r("($ -> 0)", sortJSON),
	},
}

// choices are the terms of every sort.
var choices = []rule{
	r("coalesce($, $)", anySort, anySort), r("nullif($, $)", anySort, anySort),
	r("CASE WHEN $ THEN $ ELSE $ END", sortBool, anySort, anySort),
	r("CASE $ WHEN $ THEN $ END", sortInt, sortInt, anySort),
	r("greatest($, $)", anySort, anySort), r("least($, $, $)", anySort, anySort, anySort),
	r("(SELECT $)", anySort), r("CASE WHEN $ IS NULL THEN $ WHEN $ THEN $ END", sortText, anySort,
		sortBool, anySort),
}

// literals are the values of each sort, few, so that equal ones meet.
var literals = map[sort][]string{
	sortInt:  {"0", "1", "2", "-1", "3", "7", "100"},
	sortNum:  {"0", "1", "1.50", "-2.25", "3.0", "0.001", "100"},
	sortText: {"", "a", "b", "ab", "Abc", "a,b", "世", " a ", "%", "10"},
	sortBool: {"true", "false"},
	sortDate: {"2000-01-01", "2001-02-28", "1999-12-31", "2024-02-29"},
	sortTime: {"2000-01-01 00:00:00", "2001-02-28 23:59:59.5", "1999-12-31 12:00:00"},
	sortSpan: {"1 day", "-1 mon 2 days", "03:04:05.5", "0", "1 year", "24:00:00"},
	sortList: {"{}", "{1,2,3}", "{NULL,1}", "{2}"},
	sortJSON: {"{}", "{\"a\": 1, \"b\": [1, null]}", "[1, \"a\"]", "null", "\"a\"", "1.0", "1"},
}

// maker writes random terms and queries.
type maker struct {
	*rand.Rand
	aliases int
}

func pickOf[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }

func (m *maker) literal(s sort) *term {
	if m.IntN(8) == 0 {
		return &term{sort: s, text: fmt.Sprintf("NULL::%s", s)}
	}
	v := pickOf(m, literals[s])
	if (s == sortInt || s == sortBool) && v[0] != '-' && m.IntN(2) == 0 {
		return &term{sort: s, text: v, literal: v}
	}
	return &term{sort: s, text: fmt.Sprintf("'%s'::%s", v, s), literal: v}
}

// term makes a term of a sort over columns.
func (m *maker) term(s sort, depth int, columns []column) *term {
	var here []column
	for _, c := range columns {
		if c.sort == s {
			here = append(here, c)
		}
	}
	switch {
	case len(here) > 0 && (depth == 0 || m.IntN(4) == 0):
		return &term{sort: s, text: pickOf(m, here).name}
	case depth == 0 || m.IntN(10) == 0:
		return m.literal(s)
	}
	list := rules[s]
	if m.IntN(4) == 0 {
		list = choices
	}
	chosen := pickOf(m, list)
	any := s
	if list[0].text != choices[0].text {
		any = pickOf(m, allSorts)
	}
	t := &term{sort: s, text: chosen.text}
	for _, arg := range chosen.args {
		if arg == anySort {
			arg = any
		}
		t.args = append(t.args, m.term(arg, depth-1, columns))
	}
	return t
}
