package plan

import (
	"bytes"
	"maps"
	"strconv"

	"ackdb/server/sql/parse"
)

// query writes a query. names are what its columns are called, nil for their own names; visible
// says that somebody can see the names.
func (p *deparser) query(d *definition, names []string, visible bool) {
	taken, level := p.taken, p.level
	p.taken = maps.Clone(taken)
	if p.taken == nil {
		p.taken = map[string]int{}
	}
	p.queries = append(p.queries, d)
	defer func() {
		p.taken, p.level, p.queries = taken, level, p.queries[:len(p.queries)-1]
	}()
	p.nameSources(d)
	p.withClause(d)
	if d.left != nil {
		p.setOperation(d, names, visible)
	} else {
		p.selectClauses(d, names, visible)
	}
	p.tail(d)
}

func (p *deparser) withClause(d *definition) {
	if len(d.with) == 0 {
		return
	}
	p.level += standardIndent
	p.add(" ")
	separator := "WITH "
	if d.recursive {
		separator = "WITH RECURSIVE "
	}
	for _, cte := range d.with {
		p.add(separator)
		separator = ", "
		p.name(cte.name)
		if len(cte.columns) > 0 {
			p.within(true, func() { p.names(cte.columns) })
		}
		p.add([...]string{" AS ", " AS MATERIALIZED ", " AS NOT MATERIALIZED "}[cte.materialize])
		p.within(true, func() {
			p.line("", 0, 0, 0)
			p.query(cte.query, nil, true)
			p.line("", 0, 0, 0)
		})
	}
	p.level -= standardIndent
	p.line("", 0, 0, 0)
}

// tail writes what may follow a SELECT and a set operation alike.
func (p *deparser) tail(d *definition) {
	if len(d.order) > 0 {
		p.line(" ORDER BY ", -standardIndent, standardIndent, 1)
		for i, item := range d.order {
			if i > 0 {
				p.add(", ")
			}
			if d.left != nil {
				p.add(strconv.Itoa(item.column + 1))
			} else {
				p.clauseItem(item.key.Expr)
			}
			p.direction(item.key)
		}
	}
	if d.skip != nil {
		p.line(" OFFSET ", -standardIndent, standardIndent, 0)
		p.expr(d.skip, false)
	}
	p.limit(d)
	for _, lock := range d.locked {
		p.line(" "+lockName(lock.clause.Strength), -standardIndent, standardIndent, 0)
		p.add(" OF ")
		p.name(lock.source.shown.name)
		p.add([...]string{"", " SKIP LOCKED", " NOWAIT"}[lock.clause.Wait])
	}
}

func (p *deparser) limit(d *definition) {
	switch {
	case d.count == nil:
	case d.n.WithTies:
		p.line(" FETCH FIRST ", -standardIndent, standardIndent, 0)
		p.within(true, func() { p.expr(d.count, false) })
		p.add(" ROWS WITH TIES")
	default:
		p.line(" LIMIT ", -standardIndent, standardIndent, 0)
		if c, ok := bareOf(d.count).(*Const); ok && c.Value.IsNull() {
			p.add("ALL")
		} else {
			p.expr(d.count, false)
		}
	}
}

// setOperation writes the sides of a set operation, in parentheses where one is another operation.
func (p *deparser) setOperation(d *definition, names []string, visible bool) {
	l := d.left
	nested := l.left != nil && !sideAlone(l)
	apart := nested && (l.n.Op != d.n.Op || l.n.All != d.n.All)
	indent := 0
	if apart {
		p.add("(")
		indent = standardIndent
		p.line("", indent, 0, 0)
	}
	p.setSide(l, names, visible)
	if apart {
		p.line(") ", -indent, 0, 0)
	} else {
		p.line("", -indent, 0, 0)
	}
	p.add(setOpKeyword(d.n))
	r := d.right
	apart, indent = r.left != nil && !sideAlone(r), 0
	if apart {
		p.add("(")
		indent = standardIndent
	}
	p.line("", indent, 0, 0)
	p.setSide(r, names, false)
	p.level -= indent
	if apart {
		p.line(")", 0, 0, 0)
	}
}

// sideAlone says whether a side of a set operation is a query that stands for itself: it has
// clauses which would else be taken for those of the whole.
func sideAlone(d *definition) bool {
	return len(d.with) > 0 || len(d.order) > 0 || d.count != nil || d.skip != nil ||
		len(d.locked) > 0
}

func (p *deparser) setSide(d *definition, names []string, visible bool) {
	switch {
	case sideAlone(d):
		p.within(true, func() { p.query(d, names, visible) })
	case d.left != nil:
		p.setOperation(d, names, visible)
	default:
		p.query(d, names, visible)
	}
}

// selectClauses writes SELECT, or VALUES, as far as HAVING and WINDOW.
func (p *deparser) selectClauses(d *definition, names []string, visible bool) {
	p.level += standardIndent
	p.add(" ")
	if d.values != nil {
		p.values(d.values)
		return
	}
	p.add("SELECT")
	if d.n.Distinct {
		p.add(" DISTINCT")
		p.distinctOn(d)
	}
	p.targets(d, names, visible)
	p.from(d)
	if d.where != nil {
		p.line(" WHERE ", -standardIndent, standardIndent, 1)
		p.expr(d.where, false)
	}
	if len(d.groupBy) > 0 {
		p.line(" GROUP BY ", -standardIndent, standardIndent, 1)
		if d.n.GroupDistinct {
			p.add("DISTINCT ")
		}
		p.clauseItems(d.groupBy)
	}
	if d.having != nil {
		p.line(" HAVING ", -standardIndent, standardIndent, 0)
		p.expr(d.having, false)
	}
	for i, w := range d.windows {
		if i == 0 {
			p.line(" WINDOW ", -standardIndent, standardIndent, 1)
		} else {
			p.add(", ")
		}
		p.name(w.name)
		p.add(" AS ")
		p.window(w)
	}
}

func (p *deparser) distinctOn(d *definition) {
	if len(d.distinct) > 0 {
		p.add(" ON (")
		p.clauseItems(d.distinct)
		p.add(")")
	}
}

func (p *deparser) values(rows [][]Expr) {
	p.add("VALUES ")
	for i, row := range rows {
		if i > 0 {
			p.add(", ")
		}
		p.within(true, func() {
			for j, x := range row {
				if j > 0 {
					p.add(",")
				}
				p.expr(x, false)
			}
		})
	}
}

// targets writes the select list, each item on a line of its own unless the layout has room for
// more.
func (p *deparser) targets(d *definition, names []string, visible bool) {
	manyLines := false
	for i, out := range d.outs {
		if i > 0 {
			p.add(",")
		}
		p.add(" ")
		name := d.columns[i].Name
		if names != nil {
			name = names[i]
		}
		item := p.apart(func() { p.target(out.expr, name, visible) })
		begins := bytes.HasPrefix(item, []byte("\n"))
		switch {
		case begins:
			p.trim()
		case i > 0 && (manyLines || p.layout.Wrap >= 0 && p.column()+len(item) > p.layout.Wrap):
			p.line("", -standardIndent, standardIndent, itemIndent)
		}
		manyLines = bytes.IndexByte(bytes.TrimPrefix(item, []byte("\n")), '\n') >= 0
		p.add(string(item))
	}
}

// target writes an item of the select list, with its name where it would not have it by itself.
func (p *deparser) target(x Expr, name string, visible bool) {
	own := ""
	if v, ok := x.(*Var); ok {
		own = p.variable(v)
	} else {
		p.expr(x, true)
		if !visible {
			own = "?column?"
		}
	}
	if own != name {
		p.add(" AS ")
		p.name(name)
	}
}

func (p *deparser) clauseItems(xs []Expr) {
	for i, x := range xs {
		if i > 0 {
			p.add(", ")
		}
		p.clauseItem(x)
	}
}

// clauseItem writes an item of GROUP BY, ORDER BY and their kin, so that it is not taken for the
// number of a column.
func (p *deparser) clauseItem(x Expr) {
	switch x := x.(type) {
	case *Const:
		p.constant(x, labelAlways)
	case *Var:
		p.variable(x)
	default:
		p.within(p.layout.Pretty || callLike(x), func() { p.expr(x, true) })
	}
}

// callLike says whether an expression is written as a call, or is one behind a cast.
func callLike(x Expr) bool {
	switch x := x.(type) {
	case *Call:
		return x.Op == ""
	case *spelledCall, *SequenceCall, *AggRef, *WindowRef, *SetRef:
		return true
	case *Cast:
		return byFunction(x)
	}
	return false
}

func (p *deparser) direction(key SortKey) {
	if key.Desc {
		p.add(" DESC")
	}
	switch {
	case key.NullsFirst && !key.Desc:
		p.add(" NULLS FIRST")
	case key.Desc && !key.NullsFirst:
		p.add(" NULLS LAST")
	}
}

func (p *deparser) keys(keys []SortKey) {
	for i, key := range keys {
		if i > 0 {
			p.add(", ")
		}
		p.clauseItem(key.Expr)
		p.direction(key)
	}
}

// window writes a window, in which only what is its own is said.
func (p *deparser) window(w *definedWindow) {
	p.add("(")
	space := ""
	if w.refName != "" {
		p.name(w.refName)
		space = " "
	}
	if len(w.partitionBy) > 0 {
		p.add(space + "PARTITION BY ")
		p.clauseItems(w.partitionBy)
		space = " "
	}
	if len(w.orderBy) > 0 {
		p.add(space + "ORDER BY ")
		p.keys(w.orderBy)
		space = " "
	}
	if w.frame&parse.FrameNonDefault != 0 {
		p.add(space)
		p.frame(w)
	}
	p.add(")")
}

func (p *deparser) frame(w *definedWindow) {
	f := w.frame
	switch {
	case f&parse.FrameRange != 0:
		p.add("RANGE")
	case f&parse.FrameRows != 0:
		p.add("ROWS")
	case f&parse.FrameGroups != 0:
		p.add("GROUPS")
	}
	if f&parse.FrameBetween != 0 {
		p.add(" BETWEEN")
	}
	p.bound(f, parse.FrameStartUnboundedPreceding, w.start)
	if f&parse.FrameBetween != 0 {
		p.add(" AND")
		// The bits of the end of a frame are those of its start, one place higher.
		p.bound(f, parse.FrameEndUnboundedPreceding, w.end)
	}
	switch {
	case f&parse.FrameExcludeCurrentRow != 0:
		p.add(" EXCLUDE CURRENT ROW")
	case f&parse.FrameExcludeGroup != 0:
		p.add(" EXCLUDE GROUP")
	case f&parse.FrameExcludeTies != 0:
		p.add(" EXCLUDE TIES")
	}
}

// bound writes a bound of a frame; first is the bit for UNBOUNDED PRECEDING at this end.
func (p *deparser) bound(f, first parse.FrameOptions, offset Expr) {
	p.add(" ")
	unbounded := []string{"UNBOUNDED PRECEDING", "UNBOUNDED FOLLOWING", "CURRENT ROW"}
	for i, words := range unbounded {
		if f&(first<<(2*i)) != 0 {
			p.add(words)
			return
		}
	}
	p.expr(offset, false)
	if f&(first<<6) != 0 {
		p.add(" PRECEDING")
	} else {
		p.add(" FOLLOWING")
	}
}
