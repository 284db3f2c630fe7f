package exec_test

import "slices"

// maxShrinks bounds how many smaller queries are tried.
const maxShrinks = 2000

// shrink makes a query that fails smaller as long as it goes on to fail. A smaller query that does
// not even run does not fail in the sense of fails.
func shrink(q *query, fails func(*query) bool) *query {
	for tried := 0; tried < maxShrinks; {
		var smaller *query
		for _, candidate := range reductions(q) {
			if tried++; len(candidate.String()) < len(q.String()) && fails(candidate) {
				smaller = candidate
				break
			}
		}
		if smaller == nil {
			return q
		}
		q = smaller
	}
	return q
}

// reductions are the queries with one part less, the largest parts first.
func reductions(q *query) []*query {
	var list []*query
	try := func(change func(*query)) {
		c := q.clone()
		change(c)
		list = append(list, c)
	}
	if q.rest != nil {
		list = append(list, q.rest.clone())
		try(func(c *query) { c.rest, c.setOp = nil, "" })
	}
	for i := range q.sources {
		if len(q.sources) > 1 {
			try(func(c *query) {
				c.sources = slices.Delete(c.sources, i, i+1)
				c.sources[0].on, c.sources[0].join = nil, ""
			})
		}
		if q.sources[i].derived != nil {
			try(func(c *query) { c.sources[i].derived = nil })
			for _, inner := range reductions(q.sources[i].derived) {
				try(func(c *query) { c.sources[i].derived = inner })
			}
		}
	}
	try(func(c *query) { c.where = nil })
	try(func(c *query) { c.having = nil })
	try(func(c *query) { c.distinct = false })
	try(func(c *query) { c.limit = "" })
	for i := range q.outs {
		if len(q.outs) > 1 && q.rest == nil {
			try(func(c *query) { c.outs = slices.Delete(c.outs, i, i+1) })
		}
	}
	return append(list, smallerTerms(q)...)
}

// smallerTerms are the queries with one term replaced by a part of it or by a literal.
func smallerTerms(q *query) []*query {
	var list []*query
	count := 0
	q.each(func(**term) { count++ })
	for n := range count {
		for _, replace := range []func(*term) []*term{sameSort, simplest} {
			options := len(replace(nth(q, n)))
			for k := range options {
				c := q.clone()
				at := place(c, n)
				*at = replace(*at)[k]
				list = append(list, c)
			}
		}
		if t := nth(q, n); t.query != nil {
			for _, inner := range reductions(t.query) {
				c := q.clone()
				(*place(c, n)).query = inner
				list = append(list, c)
			}
		}
	}
	return list
}

func place(q *query, n int) (found **term) {
	q.each(func(at **term) {
		if n == 0 {
			found = at
		}
		n--
	})
	return found
}

func nth(q *query, n int) *term { return *place(q, n) }

func sameSort(t *term) (list []*term) {
	for _, a := range t.args {
		if a.sort == t.sort {
			list = append(list, a)
		}
	}
	return list
}

func simplest(t *term) []*term {
	if len(t.args) == 0 && t.query == nil {
		return nil
	}
	first := literals[t.sort][0]
	return []*term{
		{sort: t.sort, text: "NULL::" + string(t.sort)},
		{sort: t.sort, text: "'" + first + "'::" + string(t.sort), literal: first},
	}
}
