package plan

import (
	"slices"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// RecursiveUnion yields the rows of First, and then those of Next, which is run over and over: each
// time a WorkTableScan in it reads the rows that came last, until no more come. Without All a row
// that came before is passed over.
type RecursiveUnion struct {
	First, Next Node
	All         bool
}

// WorkTableScan yields the rows that a RecursiveUnion around it got last.
type WorkTableScan struct {
	Union  *RecursiveUnion
	Name   string
	Alias  string
	Filter Expr
}

// codeInvalidRecursion is the SQLSTATE of a recursive query of a form that has no meaning.
const codeInvalidRecursion types.Code = "42P19"

// recursiveItem is an item of WITH RECURSIVE and which of the others it reads.
type recursiveItem struct {
	*parse.CTE
	reads []string
	self  bool
}

// recursiveItems puts the items of WITH RECURSIVE in an order in which each reads those before it,
// and checks the form of those that read themselves.
func (a *analyzer) recursiveItems(n *parse.WithClause) ([]recursiveItem, error) {
	var rest []recursiveItem
	for _, cte := range n.CTEs {
		item := recursiveItem{CTE: cte}
		readers := readers{found: func(r *parse.RangeVar, _ string) {
			if item.self = item.self || r.Name.Name == cte.Name; r.Name.Name != cte.Name {
				item.reads = append(item.reads, r.Name.Name)
			}
		}}
		readers.walk(cte.Query, nil, "")
		rest = append(rest, item)
	}
	var sorted []recursiveItem
	for len(rest) > 0 {
		free := slices.IndexFunc(rest, func(item recursiveItem) bool {
			return !slices.ContainsFunc(rest, func(other recursiveItem) bool {
				return slices.Contains(item.reads, other.Name)
			})
		})
		if free < 0 {
			return nil, a.errorf(rest[0].Pos, types.CodeFeatureNotSupported,
				"mutual recursion between WITH items is not implemented")
		}
		sorted = append(sorted, rest[free])
		rest = slices.Delete(rest, free, free+1)
	}
	for _, item := range sorted {
		if item.self {
			if err := a.checkRecursion(item.CTE); err != nil {
				return nil, err
			}
		}
	}
	return sorted, nil
}

// readers finds where a query reads tables without a schema, which may be items of WITH.
type readers struct {
	found func(r *parse.RangeVar, place string)
}

// walk looks through a tree. hidden are names that a WITH further in gives another meaning; place
// is where in the query the tree stands, if a recursive reference may not stand there.
func (w *readers) walk(n any, hidden []string, place string) {
	if n == nil {
		return
	}
	parse.Walk(n, func(n any) bool {
		switch n := n.(type) {
		case *parse.RangeVar:
			if n.Name.Schema == "" && !slices.Contains(hidden, n.Name.Name) {
				w.found(n, place)
			}
		case *parse.SubLink:
			w.walk(n.Test, hidden, place)
			w.walk(n.Query, hidden, "a subquery")
			return false
		case *parse.JoinExpr:
			w.join(n, hidden, place)
			return false
		case *parse.SelectStmt:
			return w.selectStmt(n, hidden, place)
		}
		return true
	})
}

func (w *readers) join(n *parse.JoinExpr, hidden []string, place string) {
	left, right := place, place
	if n.Kind == parse.JoinRight || n.Kind == parse.JoinFull {
		left = "an outer join"
	}
	if n.Kind == parse.JoinLeft || n.Kind == parse.JoinFull {
		right = "an outer join"
	}
	w.walk(n.Left, hidden, left)
	w.walk(n.Right, hidden, right)
	if n.On != nil {
		w.walk(n.On, hidden, place)
	}
}

// selectStmt says whether the parts of a query are still to be looked through.
func (w *readers) selectStmt(n *parse.SelectStmt, hidden []string, place string) bool {
	if n.With != nil {
		hidden = slices.Clip(hidden)
		for _, cte := range n.With.CTEs {
			hidden = append(hidden, cte.Name)
		}
	}
	left, right := place, place
	switch {
	case n.Op == parse.SetIntersect && n.All:
		left, right = "INTERSECT", "INTERSECT"
	case n.Op == parse.SetExcept:
		if right = "EXCEPT"; n.All {
			left = right
		}
	case n.With == nil:
		return true
	}
	parse.Walk(n, func(part any) bool {
		switch {
		case part == any(n):
			return true
		case part == any(n.Left):
			w.walk(part, hidden, left)
		case part == any(n.Right):
			w.walk(part, hidden, right)
		default:
			w.walk(part, hidden, place)
		}
		return false
	})
	return false
}

// checkRecursion checks the form of a query that reads itself.
func (a *analyzer) checkRecursion(cte *parse.CTE) error {
	q, ok := cte.Query.(*parse.SelectStmt)
	if !ok {
		return a.errorf(cte.Pos, codeInvalidRecursion,
			"recursive query \"%s\" must not contain data-modifying statements", cte.Name)
	}
	if q.Op != parse.SetUnion {
		return a.errorf(cte.Pos, codeInvalidRecursion, "recursive query \"%s\" does not have the"+
			" form non-recursive-term UNION [ALL] recursive-term", cte.Name)
	}
	var err error
	met := 0
	w := readers{found: func(r *parse.RangeVar, place string) {
		switch {
		case r.Name.Name != cte.Name || err != nil:
		case place != "":
			err = a.errorf(r.Pos, codeInvalidRecursion, "recursive reference to query \"%s\""+
				" must not appear within %s", cte.Name, place)
		case met > 0:
			err = a.errorf(r.Pos, codeInvalidRecursion,
				"recursive reference to query \"%s\" must not appear more than once", cte.Name)
		default:
			met++
		}
	}}
	w.walk(q.Left, nil, "its non-recursive term")
	w.walk(q.Right, nil, "")
	if q.With != nil {
		for _, inner := range q.With.CTEs {
			w.walk(inner.Query, nil, "a subquery")
		}
	}
	if err != nil {
		return err
	}
	return a.checkDecoration(q)
}

// checkDecoration refuses what may not stand behind the UNION of a recursive query.
func (a *analyzer) checkDecoration(q *parse.SelectStmt) error {
	refuse := func(pos parse.Pos, what string) error {
		return a.errorf(pos, types.CodeFeatureNotSupported,
			"%s in a recursive query is not implemented", what)
	}
	switch {
	case len(q.OrderBy) > 0:
		return refuse(startOf(q.OrderBy[0].Expr), "ORDER BY")
	case q.Offset != nil:
		return refuse(startOf(q.Offset), "OFFSET")
	case q.Limit != nil:
		return refuse(startOf(q.Limit), "LIMIT")
	case len(q.Locking) > 0:
		return refuse(parse.NoPos, "FOR UPDATE/SHARE")
	}
	return nil
}

// recursiveQuery resolves a query that reads itself. Its columns are those of its first part, and
// the second must give the same.
func (a *analyzer) recursiveQuery(c *cteName, item *parse.CTE, q *parse.SelectStmt) (Node, error) {
	var with *withClause
	if q.With != nil {
		var err error
		if with, err = a.with(q.With); err != nil {
			return nil, err
		}
		defer a.leave(with)
	}
	first, err := a.setSide(q.Left)
	if err != nil {
		return nil, err
	}
	if err := a.recursiveColumns(c, item, q, first); err != nil {
		return nil, err
	}
	union := &RecursiveUnion{All: q.All}
	c.union = union
	a.ctes = append(a.ctes, c)
	next, err := a.setSide(q.Right)
	a.ctes = a.ctes[:len(a.ctes)-1]
	c.union = nil
	if err != nil {
		return nil, err
	}
	if err := a.sameWidth("UNION", first, next); err != nil {
		return nil, err
	}
	for i := range first.columns {
		if err := a.recursiveType(c.cte.Name, i, first, next); err != nil {
			return nil, err
		}
	}
	union.First, union.Next = first.done(), next.done()
	if with != nil {
		return with.around(union), nil
	}
	return union, nil
}

// recursiveColumns gives an item the columns of its first part.
func (a *analyzer) recursiveColumns(
	c *cteName, item *parse.CTE, q *parse.SelectStmt, first *setSide,
) error {
	for i := range first.columns {
		column := &first.columns[i]
		if column.Type.OID == types.Unknown {
			if err := first.become(a, i, textType); err != nil {
				return err
			}
		}
		if !q.All {
			if err := a.groupable(&Const{T: column.Type}, column.pos); err != nil {
				return err
			}
		}
	}
	c.columns = slices.Clone(first.columns)
	for i := range c.columns {
		c.columns[i].TableOID, c.columns[i].Attnum = 0, 0
	}
	return a.nameColumns(c, item)
}

// recursiveType has the second part give a column as the first does.
func (a *analyzer) recursiveType(name string, i int, first, next *setSide) error {
	l := &first.columns[i]
	t, err := a.setType("UNION", l, &next.columns[i])
	if err != nil {
		return err
	}
	if t != l.Type {
		return a.errorf(l.pos, types.CodeDatatypeMismatch, "recursive query \"%s\" column %d has"+
			" type %s in non-recursive term but type %s overall", name, i+1,
			types.FormatType(l.Type.OID, l.Type.Mod), types.FormatType(t.OID, t.Mod)).(*types.Error).
			WithHint("Cast the output of the non-recursive term to the correct type.")
	}
	return next.become(a, i, t)
}

// fromRecursion puts the rows that a recursive query got last in FROM, within that query.
func (a *analyzer) fromRecursion(c *cteName, item *parse.RangeVar, name string) (*joinTree, error) {
	a.recursive = true
	return a.item(querySource(c.cte.Name, c.columns, item.Alias), item.Alias,
		&WorkTableScan{Union: c.union, Name: c.cte.Name, Alias: name})
}

// checkRecursiveTerm refuses aggregates over the rows that a recursive query got last: what they
// would be of is not all of its rows.
func (a *analyzer) checkRecursiveTerm(s *selecting) error {
	if !a.recursive || len(s.aggs) == 0 {
		return nil
	}
	return a.errorf(s.aggs[0].pos, codeInvalidRecursion,
		"aggregate functions are not allowed in a recursive query's recursive term")
}
