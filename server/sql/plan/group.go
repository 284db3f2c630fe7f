package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// groupClause resolves GROUP BY. An item is, tried in this order: a column of the sources, the name
// of an output, the number of an output, an expression over the sources.
func (a *analyzer) groupClause(s *selecting) error {
	if s.n.GroupBy == nil {
		s.keySets = [][]int{nil}
		return nil
	}
	return a.groupingSets(s)
}

func (a *analyzer) groupItem(s *selecting, n parse.Expr) (Expr, error) {
	switch n := n.(type) {
	case *parse.ColumnRef:
		if len(n.Fields) != 1 || n.Star {
			break
		}
		if x, ambiguous := a.scope.find(n.Fields[0], n.Pos); x != nil || ambiguous {
			break
		}
		if i, err := a.outputNamed(s, n, "GROUP BY"); i >= 0 || err != nil {
			return a.groupOutput(s, i, n.Pos, err)
		}
	case *parse.Const:
		i, err := a.outputNumbered(s, n, "GROUP BY")
		return a.groupOutput(s, i, n.Pos, err)
	}
	return a.operand(n)
}

// groupOutput groups by an output, which must not be computed from groups.
func (a *analyzer) groupOutput(s *selecting, i int, pos parse.Pos, err error) (Expr, error) {
	if err != nil {
		return nil, err
	}
	walk(s.outs[i].expr, func(x Expr) bool {
		switch x.(type) {
		case *AggRef:
			err = a.errorf(s.outs[i].pos, CodeGrouping,
				"aggregate functions are not allowed in GROUP BY")
		case *WindowRef:
			err = a.errorf(s.outs[i].pos, CodeWindowing,
				"window functions are not allowed in GROUP BY")
		case *SetRef:
			err = a.unsupported(pos, "GROUP BY a set-returning function")
		}
		return err == nil
	})
	return s.outs[i].expr, err
}

// groupable refuses types whose values cannot be told apart by their key form.
func (a *analyzer) groupable(x Expr, pos parse.Pos) error {
	if oid := x.Type().OID; !types.Keyable(oid) {
		return a.errorf(pos, types.CodeUndefinedFunction,
			"could not identify an equality operator for type %s",
			types.FormatType(oid, types.NoMod))
	}
	return nil
}

// grouping rewrites what is computed above an Aggregate to read that step's row.
type grouping struct {
	a      *analyzer
	s      *selecting
	texts  []string // of the keys
	carry  []Expr   // columns that the keys decide, because a primary key is among them
	sets   []*Grouping
	inside bool // a query
	err    error
}

// group puts an Aggregate above the rows, if the query asks for one, and rewrites its clauses.
func (a *analyzer) group(s *selecting, in Node) (Node, error) {
	if !s.grouping {
		return in, nil
	}
	if s.scan != nil && len(s.groupBy) == 0 && s.having == nil {
		if s.scan.Unread = unread(s); !s.scan.Unread {
			if rows := a.extremes(s); rows != nil {
				in = rows
			}
		}
	}
	g := &grouping{a: a, s: s}
	for _, x := range s.groupBy {
		g.texts = append(g.texts, exactly(x))
	}
	each(s, g.above)
	if s.having != nil {
		s.having = g.above(s.having)
	}
	if g.err != nil {
		return nil, g.err
	}
	agg := &Aggregate{In: in, Keys: s.groupBy, Calls: s.aggs, Carry: g.carry}
	if len(s.keySets) > 1 || len(s.keySets[0]) < len(s.groupBy) || s.n.GroupBy != nil &&
		len(s.groupBy) == 0 {
		agg.Sets = s.keySets
	}
	for _, x := range g.sets {
		x.Index = agg.width() - 1
		if agg.Sets == nil { // there is one set, and nothing to tell apart
			x.Index = -1
		}
	}
	var node Node = agg
	if s.having != nil {
		node = &Filter{In: node, Cond: s.having}
	}
	return node, nil
}

// each rewrites the expressions that are computed above FROM and WHERE.
func each(s *selecting, above func(Expr) Expr) {
	for i := range s.outs {
		s.outs[i].expr = above(s.outs[i].expr)
	}
	for i := range s.order {
		s.order[i].key.Expr = above(s.order[i].key.Expr)
	}
	for i := range s.distinct {
		s.distinct[i] = above(s.distinct[i])
	}
	for _, w := range s.windows {
		for i := range w.Args {
			w.Args[i] = above(w.Args[i])
		}
		for i := range w.PartitionBy {
			w.PartitionBy[i] = above(w.PartitionBy[i])
		}
		for i := range w.OrderBy {
			w.OrderBy[i].Expr = above(w.OrderBy[i].Expr)
		}
		for _, x := range []*Expr{&w.Filter, &w.Frame.Start.Offset, &w.Frame.End.Offset} {
			if *x != nil {
				*x = above(*x)
			}
		}
	}
	for _, set := range s.sets {
		set.Call = above(set.Call).(*Call)
	}
}

func (g *grouping) above(x Expr) Expr { return rewrite(x, g.replace) }

func (g *grouping) replace(x Expr) Expr {
	keys := len(g.s.groupBy)
	if keys > 0 {
		if i := slices.Index(g.texts, exactly(x)); i >= 0 {
			return &Field{Index: i, T: x.Type(), of: x}
		}
	}
	switch x := x.(type) {
	case *AggRef:
		return &Field{Index: keys + x.Index, T: x.T, of: x}
	case *Grouping:
		return g.bits(x)
	case *WholeRow:
		return g.wholeRow(x)
	case *Field:
		return g.column(x)
	case *SubPlan:
		if g.inside {
			return nil
		}
		g.inside = true
		y := g.above(x)
		g.inside = false
		return y
	}
	return nil
}

// column gives a bare column, which is sound only if the groups decide it.
func (g *grouping) column(x *Field) Expr {
	keys := len(g.s.groupBy)
	if !g.dependent(x) {
		if g.err != nil {
			return x
		}
		if g.inside {
			g.err = g.a.errorf(x.pos, CodeGrouping,
				"subquery uses ungrouped column \"%s.%s\" from outer query", x.Table, x.Name)
			return x
		}
		g.err = g.a.errorf(x.pos, CodeGrouping, "column \"%s.%s\" must appear in the GROUP BY"+
			" clause or be used in an aggregate function", x.Table, x.Name)
		return x
	}
	at := slices.IndexFunc(g.carry, func(c Expr) bool { return c.(*Field).Index == x.Index })
	if at < 0 {
		at = len(g.carry)
		g.carry = append(g.carry, x)
	}
	return &Field{Index: keys + len(g.s.aggs) + at, T: x.T, of: x}
}

// wholeRow is column for all columns of a row.
func (g *grouping) wholeRow(w *WholeRow) Expr {
	for _, x := range w.Fields {
		if f, ok := x.(*Field); ok && !slices.Contains(g.texts, exactly(f)) && !g.dependent(f) &&
			g.err == nil {
			g.err = g.a.errorf(w.pos, CodeGrouping, "column \"%s.*\" must appear in the GROUP BY"+
				" clause or be used in an aggregate function", w.Name)
			return w
		}
	}
	return nil
}

// dependent says whether the whole primary key of the column's table is among the keys.
func (g *grouping) dependent(x *Field) bool {
	for _, src := range g.a.scope.sources {
		if src.inline || src.table == nil || x.Index < src.offset ||
			x.Index >= src.offset+len(src.columns) {
			continue
		}
		decided := g.groupedBy(src.table, src.offset)
		if decided && g.a.making != nil {
			g.a.noteKey(src.table.OID)
		}
		return decided
	}
	return false
}

func (g *grouping) groupedBy(t *catalog.Table, offset int) bool {
	if t.PrimaryKey == nil {
		return false
	}
	for _, column := range t.PrimaryKey.Columns {
		at := slices.IndexFunc(g.s.groupBy, func(x Expr) bool {
			f, ok := x.(*Field)
			return ok && f.Index == offset+column
		})
		for _, set := range g.s.keySets {
			if !slices.Contains(set, at) {
				return false
			}
		}
	}
	return true
}

// unread says whether the aggregates look at no column, as count(*) does, and no filter either.
func unread(s *selecting) bool {
	if s.scan.Filter != nil {
		return false
	}
	for _, call := range s.aggs {
		if len(call.Args) > 0 || call.Filter != nil || len(call.OrderBy) > 0 {
			return false
		}
	}
	for _, out := range s.outs {
		if runsQuery(out.expr) {
			return false
		}
	}
	return true
}
