package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (a *analyzer) defineItem(item parse.TableExpr) (definedItem, error) {
	switch item := item.(type) {
	case *parse.RangeVar:
		src, err := a.defineTable(item)
		return definedItem{source: src}, err
	case *parse.RangeSubselect:
		src, err := a.defineSubquery(item)
		return definedItem{source: src}, err
	case *parse.RangeFunction:
		src, err := a.defineFunction(item)
		return definedItem{source: src}, err
	case *parse.JoinExpr:
		join, err := a.defineJoin(item)
		if err != nil {
			return definedItem{}, err
		}
		return definedItem{source: join.source, join: join}, nil
	}
	return definedItem{}, errNotDefined("this item of FROM")
}

// enter adds a source to the scope, under the names the query has for it and its columns.
func (a *analyzer) enter(src *definedSource) error {
	s := &source{name: src.called, schema: src.calledIn, inline: true}
	for i := range src.columns {
		c := &src.columns[i]
		s.columns = append(s.columns,
			sourceColumn{name: c.name, t: c.t, expr: &Var{source: src, at: i, T: c.t}})
	}
	if src.alias != nil {
		a.hidden[src.alias.Name] = s.name
		s.name, s.schema = src.alias.Name, ""
	}
	if err := a.checkAlias(s, src.alias); err != nil {
		return err
	}
	a.scope.add(s)
	return nil
}

// rename gives the columns that the query can name the names of an alias.
func (src *definedSource) rename() {
	if src.alias == nil {
		return
	}
	names := src.alias.Columns
	for i := range src.columns {
		if src.columns[i].name != "" && len(names) > 0 {
			src.columns[i].name, names = names[0], names[1:]
		}
	}
}

// defineTable defines a table, a view or a name of WITH in FROM.
func (a *analyzer) defineTable(item *parse.RangeVar) (*definedSource, error) {
	src := &definedSource{kind: ofTable, name: item.Name.Name, alias: item.Alias, only: item.Only}
	if item.Name.Schema == "" {
		if cte := a.findCTE(item.Name.Name); cte != nil {
			src.kind = ofCTE
			for _, c := range cte.columns {
				src.columns = append(src.columns,
					definedColumn{name: c.Name, real: c.Name, t: c.Type})
			}
			return a.definedIn(src)
		}
	}
	rel, err := a.named(item)
	if err != nil {
		return nil, err
	}
	var columns []catalog.Column
	var oid uint32
	switch {
	case rel.Table != nil:
		t := rel.Table
		src.schema, src.name, columns, oid = t.Schema, t.Name, t.Columns, t.OID
	case rel.View != nil:
		v := rel.View
		src.schema, src.name, columns, oid = v.Schema, v.Name, v.Columns, v.OID
	case rel.Virtual != nil:
		t := rel.Virtual
		src.schema, src.name, columns = t.Schema, t.Name, t.Columns
	default:
		return nil, errNotDefined("a relation of this kind")
	}
	src.calledIn, src.called = a.calledThen(item, src.schema, src.name)
	for i := range columns {
		c := &columns[i]
		src.columns = append(src.columns,
			definedColumn{name: a.nameThen(item, oid, c), real: c.Name, t: c.Type})
	}
	return a.definedIn(src)
}

// definedIn notes a source whose columns are known, and enters it.
func (a *analyzer) definedIn(src *definedSource) (*definedSource, error) {
	if src.called == "" {
		src.called = src.name
	}
	src.rename()
	a.defined(src)
	return src, a.enter(src)
}

func (a *analyzer) defineSubquery(item *parse.RangeSubselect) (*definedSource, error) {
	parent := a.scope.parent
	if item.Lateral {
		parent = a.scope
	}
	src := &definedSource{kind: ofQuery, name: "unnamed_subquery", alias: item.Alias,
		lateral: item.Lateral}
	_, err := a.nested(parent, func() (err error) {
		src.query, err = a.define(item.Query)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, c := range src.query.columns {
		src.columns = append(src.columns, definedColumn{name: c.Name, real: c.Name, t: c.Type})
	}
	if item.Alias == nil {
		// Only an alias gives it a name; this one is made up for the printed text.
		a.defined(src)
		unnamed := &source{inline: true}
		for i, c := range src.columns {
			unnamed.columns = append(unnamed.columns,
				sourceColumn{name: c.name, t: c.t, expr: &Var{source: src, at: i, T: c.t}})
		}
		a.scope.add(unnamed)
		return src, nil
	}
	return a.definedIn(src)
}

func (a *analyzer) defineFunction(item *parse.RangeFunction) (*definedSource, error) {
	if item.RowsFrom || len(item.Funcs) != 1 || len(item.Columns) > 0 ||
		len(item.Funcs[0].Columns) > 0 {
		return nil, errNotDefined("ROWS FROM")
	}
	items, err := a.functionItems(item)
	if err != nil {
		return nil, err
	}
	if len(items) > 1 {
		return nil, errNotDefined("functions side by side")
	}
	name := outputName(item.Funcs[0].Func)
	src := &definedSource{kind: ofFunction, name: name, alias: item.Alias, lateral: item.Lateral,
		ordinality: item.Ordinality}
	scan, columns := &FunctionScan{}, &source{}
	if err := a.functionPart(scan, columns, items[0]); err != nil {
		return nil, err
	}
	part := &scan.Parts[0]
	src.fn = part.Fn
	if call, ok := part.Fn.(*Call); item.Alias != nil && part.Width == 1 &&
		(!ok || len(call.Fn.Function.Columns) == 0) {
		columns.columns[0].name = item.Alias.Name
	}
	for _, c := range columns.columns {
		src.columns = append(src.columns, definedColumn{name: c.name, real: c.name, t: c.t})
	}
	if item.Ordinality {
		src.columns = append(src.columns,
			definedColumn{name: "ordinality", real: "ordinality", t: int8Type})
	}
	return a.definedIn(src)
}

// defineJoin defines left JOIN right: the two sides, what they are joined by, and the join as a
// source, whose columns are those of its sides.
func (a *analyzer) defineJoin(n *parse.JoinExpr) (*definedJoin, error) {
	j := &definedJoin{kind: n.Kind}
	first := len(a.scope.sources)
	var err error
	if j.left, err = a.defineItem(n.Left); err != nil {
		return nil, err
	}
	middle := len(a.scope.sources)
	if j.right, err = a.defineItem(n.Right); err != nil {
		return nil, err
	}
	m := &merging{a: a, n: n, tree: &joinTree{}, left: a.scope.sources[first:middle:middle],
		right: append([]*source(nil), a.scope.sources[middle:]...)}
	if err := m.using(); err != nil {
		return nil, err
	}
	j.using = m.names
	if n.UsingAlias != nil {
		j.usingAlias = n.UsingAlias.Name
	}
	if n.On != nil {
		if j.on, err = a.defineOn(n.On, first); err != nil {
			return nil, err
		}
	}
	j.source = a.defined(&definedSource{kind: ofJoin, alias: n.Alias})
	if err := j.joinColumns(m); err != nil {
		return nil, err
	}
	if err := m.name(); err != nil {
		return nil, err
	}
	if n.Alias != nil {
		named := a.scope.sources[len(a.scope.sources)-1]
		for i := range named.columns {
			c := &named.columns[i]
			c.expr = &Var{source: j.source, at: i, T: c.t}
			j.source.columns[i].name = c.name
		}
	}
	return j, nil
}

// defineOn resolves ON, which sees the two sides alone.
func (a *analyzer) defineOn(on parse.Expr, first int) (Expr, error) {
	saved := a.scope
	a.scope = a.scope.view(first)
	restore := a.without("JOIN conditions")
	defer func() {
		restore()
		a.scope = saved
	}()
	x, err := a.expr(on)
	if err != nil {
		return nil, err
	}
	return a.boolean(x, "JOIN/ON", startOf(on))
}

// joinColumns lists the columns of the join: those it merged, then those of its sides. A merged
// column which is that of a side as it stands is read from there.
func (j *definedJoin) joinColumns(m *merging) error {
	add := func(name string, t types.Type, of ...*Var) {
		j.source.columns = append(j.source.columns,
			definedColumn{name: name, real: name, t: t, of: of})
	}
	for i, name := range m.names {
		l, err := m.side(m.left, name, "left")
		if err != nil {
			return err
		}
		r, err := m.side(m.right, name, "right")
		if err != nil {
			return err
		}
		left, isLeft := l.expr.(*Var)
		right, isRight := r.expr.(*Var)
		if !isLeft || !isRight {
			return errNotDefined("a join by what is no column")
		}
		c := &m.columns[i]
		add(name, c.t, left, right)
		if _, plain := c.expr.(*Var); !plain {
			j.computed = true
			c.expr = &Var{source: j.source, at: i, T: c.t}
		}
	}
	for _, side := range [][]*source{m.left, m.right} {
		for _, c := range visible(side) {
			merged := false
			for _, name := range m.names {
				merged = merged || name == c.name
			}
			if x, ok := c.expr.(*Var); ok && !merged {
				add(c.name, c.t, x)
			}
		}
	}
	return nil
}
