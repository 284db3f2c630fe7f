package plan

import (
	"slices"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// join resolves left JOIN right.
func (a *analyzer) join(n *parse.JoinExpr) (*joinTree, error) {
	first := len(a.scope.sources)
	left, err := a.fromItem(n.Left)
	if err != nil {
		return nil, err
	}
	middle, mark := len(a.scope.sources), len(*a.scope.open)
	right, err := a.fromItem(n.Right)
	if err != nil {
		return nil, err
	}
	t := &joinTree{lo: left.lo, hi: right.hi, kind: n.Kind, left: left, right: right}
	if err := a.bindRight(t, mark); err != nil {
		return nil, err
	}
	m := &merging{a: a, n: n, tree: t, left: a.scope.sources[first:middle:middle],
		right: slices.Clone(a.scope.sources[middle:])}
	if err := m.using(); err != nil {
		return nil, err
	}
	if n.On != nil {
		if err := a.onCondition(t, n.On, first); err != nil {
			return nil, err
		}
	}
	m.markNullable()
	return t, m.name()
}

// onCondition resolves ON, which sees the two sides of its join alone.
func (a *analyzer) onCondition(t *joinTree, on parse.Expr, first int) error {
	saved, unreachable := a.scope, a.unreachable
	a.unreachable = a.scope.sources
	a.scope = a.scope.view(first)
	restore := a.without("JOIN conditions")
	x, err := a.expr(on)
	restore()
	a.scope, a.unreachable = saved, unreachable
	if err != nil {
		return err
	}
	if x, err = a.boolean(x, "JOIN/ON", startOf(on)); err != nil {
		return err
	}
	t.on = conjuncts(x, t.on)
	return nil
}

// merging finds the columns of a join whose two sides share columns, or which has a name.
type merging struct {
	a           *analyzer
	n           *parse.JoinExpr
	tree        *joinTree
	left, right []*source
	columns     []sourceColumn // the merged ones
	names       []string       // of USING, or found by NATURAL
}

// using joins by columns of one name: those of USING, or with NATURAL all there are.
func (m *merging) using() error {
	m.names = m.n.Using
	if m.n.Natural {
		m.names = m.common()
	}
	for i, name := range m.names {
		if slices.Contains(m.names[:i], name) {
			return types.Errorf(CodeDuplicateColumn,
				"column name \"%s\" appears more than once in USING clause", name)
		}
		l, err := m.side(m.left, name, "left")
		if err != nil {
			return err
		}
		r, err := m.side(m.right, name, "right")
		if err != nil {
			return err
		}
		if err := m.merge(name, l, r); err != nil {
			return err
		}
	}
	return nil
}

// common lists the names that visible columns of both sides have.
func (m *merging) common() []string {
	var names []string
	right := visible(m.right)
	for _, c := range visible(m.left) {
		in := slices.ContainsFunc(right, func(r sourceColumn) bool { return r.name == c.name })
		if in && !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// visible lists the columns of sources that can be named without one.
func visible(sources []*source) []sourceColumn {
	var list []sourceColumn
	for _, src := range sources {
		if src.qualified || src.hidden {
			continue
		}
		for i, c := range src.columns {
			if c.name != "" {
				c.expr, c.read = src.unread(i, parse.NoPos), func() { src.noteRead(i) }
				list = append(list, c)
			}
		}
	}
	return list
}

func (m *merging) side(sources []*source, name, which string) (sourceColumn, error) {
	var found *sourceColumn
	for _, c := range visible(sources) {
		if c.name != name {
			continue
		}
		if found != nil {
			return c, types.Errorf(CodeAmbiguousColumn,
				"common column name \"%s\" appears more than once in %s table", name, which)
		}
		found = &c
	}
	if found == nil {
		return sourceColumn{}, types.Errorf(CodeUndefinedColumn,
			"column \"%s\" specified in USING clause does not exist in %s table", name, which)
	}
	return *found, nil
}

// merge makes one column of two: that of the side whose rows are all there, of an inner join the
// left one unless only the right is of the type already, or for a FULL join whichever is not NULL.
func (m *merging) merge(name string, l, r sourceColumn) error {
	equal, err := m.a.operator("=", l.expr, r.expr, parse.NoPos)
	if err != nil {
		return err
	}
	m.tree.on = append(m.tree.on, equal)
	l.read()
	r.read()
	pair := []Expr{l.expr, r.expr}
	t, err := m.a.common(pair, "JOIN/USING", []parse.Pos{parse.NoPos, parse.NoPos})
	if err != nil {
		return err
	}
	c := sourceColumn{name: name, t: t, tableOID: l.tableOID, attnum: l.attnum, expr: pair[0]}
	_, cast := pair[0].(*Cast)
	_, both := pair[1].(*Cast)
	right := m.n.Kind == parse.JoinRight || m.n.Kind == parse.JoinInner && cast && !both
	switch {
	case right:
		c.tableOID, c.attnum, c.expr = r.tableOID, r.attnum, pair[1]
	case m.n.Kind == parse.JoinFull:
		c.tableOID, c.attnum, c.expr = 0, 0, &Coalesce{Args: pair, T: t}
	}
	m.columns = append(m.columns, c)
	return nil
}

func (m *merging) markNullable() {
	if m.n.Kind == parse.JoinLeft || m.n.Kind == parse.JoinFull {
		for _, src := range m.right {
			src.nullable = true
		}
	}
	if m.n.Kind == parse.JoinRight || m.n.Kind == parse.JoinFull {
		for _, src := range m.left {
			src.nullable = true
		}
	}
}

// name adds the join itself to the scope where it has columns of its own or a name.
func (m *merging) name() error {
	alias, scope := m.n.Alias, m.a.scope
	if u := m.n.UsingAlias; u != nil {
		src := &source{name: u.Name, columns: m.columns, inline: true, merged: true}
		src.qualified = true
		if err := m.a.checkAlias(src, u); err != nil {
			return err
		}
		scope.add(src)
	}
	if alias == nil && len(m.names) == 0 {
		return nil
	}
	src := &source{columns: m.columns, inline: true, merged: true}
	for _, c := range append(visible(m.left), visible(m.right)...) {
		if !slices.Contains(m.names, c.name) {
			src.columns = append(src.columns, c)
		}
	}
	for _, side := range [][]*source{m.left, m.right} {
		for _, child := range side {
			child.qualified, child.hidden = true, child.hidden || alias != nil
		}
	}
	src.rename(alias)
	if err := m.a.checkAlias(src, alias); err != nil {
		return err
	}
	scope.add(src)
	return nil
}
