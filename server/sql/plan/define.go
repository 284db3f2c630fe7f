package plan

import (
	"slices"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// A definition is a query whose names and types are resolved, and of which nothing is merged,
// folded or moved: what pg_get_viewdef prints. The analyzer makes it of a text when it defines
// (analyzer.defines): it resolves expressions as ever, but leaves queries in FROM apart, casts
// where they are, and refers to a column by its source (Var) and not by its place in a row.
type definition struct {
	with      []*definedCTE
	recursive bool

	sources []*definedSource // of FROM, a join behind its sides: the order in which they are named
	from    []definedItem
	*selecting
	values      [][]Expr
	windowOf    map[*WindowCall]*definedWindow
	windows     []*definedWindow // of WINDOW
	locked      []definedLock
	columns     []Column
	left, right *definition // of a set operation
}

// definedItem is an item of FROM: a source, or a join of two items, which is one too.
type definedItem struct {
	source *definedSource
	join   *definedJoin
}

type definedJoin struct {
	kind        parse.JoinKind
	left, right definedItem
	using       []string // as they were written, or found by NATURAL
	usingAlias  string
	computed    bool // a merged column is that of neither side as it stands
	on          Expr
	source      *definedSource
}

// sourceKind tells the items of FROM apart.
type sourceKind uint8

const (
	ofTable sourceKind = iota // or a view, or a system view
	ofQuery
	ofValues
	ofFunction
	ofCTE
	ofJoin
)

// definedSource is what columns are read from.
type definedSource struct {
	id               int // no two of a statement have the same
	kind             sourceKind
	schema           string // of a table, as it is called now
	name             string // of a table or CTE; of the rest, what they are called without an alias
	called, calledIn string // name and schema in the query, where there is no alias
	only             bool
	alias            *parse.Alias
	lateral          bool
	columns          []definedColumn

	query      *definition
	fn         Expr
	ordinality bool

	shown shownSource
}

// definedColumn is a column of a source. Its name is what the query calls it; real, what it is
// called now by what it is a column of.
type definedColumn struct {
	name, real string
	t          types.Type
	of         []*Var // of a join: the columns of its sides, two of a merged one
}

type definedCTE struct {
	name        string
	columns     []string
	materialize parse.Materialize
	query       *definition
}

// definedWindow is an item of WINDOW, or what stands behind OVER.
type definedWindow struct {
	name, refName string
	partitionBy   []Expr
	orderBy       []SortKey
	frame         parse.FrameOptions
	start, end    Expr
}

type definedLock struct {
	source *definedSource
	clause parse.LockingClause
}

// defining is what an analyzer keeps of the query it defines.
type defining struct {
	sources []*definedSource
	overs   map[*WindowCall]*parse.WindowDef
}

// define resolves a query to its definition.
func (a *analyzer) define(n *parse.SelectStmt) (*definition, error) {
	d := &definition{}
	saved := a.defines
	a.defines = &defining{overs: map[*WindowCall]*parse.WindowDef{}}
	defer func() { a.defines = saved }()
	if n.With != nil {
		mark := len(a.ctes)
		defer func() { a.ctes = a.ctes[:mark] }()
		if err := a.defineWith(d, n.With); err != nil {
			return nil, err
		}
	}
	var err error
	if n.Op != parse.SetNone {
		err = a.defineSetOperation(d, n)
	} else {
		err = a.defineSelect(d, n)
	}
	d.sources = a.defines.sources
	return d, err
}

func (a *analyzer) defineSelect(d *definition, n *parse.SelectStmt) error {
	s := &selecting{n: n}
	d.selecting = s
	for _, item := range n.GroupBy {
		if _, ok := item.(*parse.GroupingSet); ok {
			return errNotDefined("a grouping set")
		}
	}
	for _, item := range n.From {
		x, err := a.defineItem(item)
		if err != nil {
			return err
		}
		d.from = append(d.from, x)
	}
	if n.Values != nil {
		if err := a.defineValues(d); err != nil {
			return err
		}
	}
	if err := a.clauses(s); err != nil {
		return err
	}
	for _, out := range s.outs {
		d.columns = append(d.columns, Column{Name: out.name, Type: out.expr.Type(), pos: out.pos})
	}
	if err := a.defineWindows(d); err != nil {
		return err
	}
	return a.defineLocks(d)
}

// defineValues makes a source of the rows of VALUES, which ORDER BY may name.
func (a *analyzer) defineValues(d *definition) error {
	s := d.selecting
	if err := a.values(s); err != nil {
		return err
	}
	d.values = s.in.(*Values).Rows
	src := a.defined(&definedSource{kind: ofValues, name: "*VALUES*"})
	scope := a.scope.sources[len(a.scope.sources)-1]
	for i := range s.outs {
		src.columns = append(src.columns, definedColumn{name: s.outs[i].name, real: s.outs[i].name,
			t: scope.columns[i].t})
		x := &Var{source: src, at: i, T: scope.columns[i].t}
		s.outs[i].expr, scope.columns[i].expr = x, x
	}
	d.from = []definedItem{{source: src}}
	return nil
}

// defined notes a source of the query.
func (a *analyzer) defined(src *definedSource) *definedSource {
	a.defineCount++
	src.id = a.defineCount
	a.defines.sources = append(a.defines.sources, src)
	return src
}

// defineSetOperation defines both sides, whose bare literals take the type of the column.
func (a *analyzer) defineSetOperation(d *definition, n *parse.SelectStmt) error {
	var err error
	if d.left, err = a.defineSide(n.Left); err != nil {
		return err
	}
	if d.right, err = a.defineSide(n.Right); err != nil {
		return err
	}
	if len(d.left.columns) != len(d.right.columns) {
		return errNotDefined("a set operation of unequal sides")
	}
	s := &selecting{n: n}
	d.selecting = s
	for i := range d.left.columns {
		l, r := &d.left.columns[i], &d.right.columns[i]
		t, err := a.setType(setOpName(n.Op), l, r)
		if err != nil {
			return err
		}
		for _, side := range []*definition{d.left, d.right} {
			if err := a.settleColumn(side, i, t); err != nil {
				return err
			}
		}
		c := Column{Name: l.Name, Type: t, pos: l.pos}
		d.columns = append(d.columns, c)
		s.outs = append(s.outs, output{&Field{Index: i, T: t, Name: c.Name}, c.Name, c.pos})
	}
	for _, item := range n.OrderBy {
		i, err := a.setOrderColumn(s, item)
		if err != nil {
			return err
		}
		key, err := a.sortKey(s.outs[i].expr, item)
		if err != nil {
			return err
		}
		s.order = append(s.order, orderItem{key: key, column: i})
	}
	return a.bounds(s)
}

// settleColumn gives a literal without a type the one its column has.
func (a *analyzer) settleColumn(d *definition, i int, t types.Type) error {
	if d.columns[i].Type.OID != types.Unknown {
		return nil
	}
	if d.left != nil {
		return errNotDefined("a column without a type")
	}
	x, err := a.coerceUnknown(d.outs[i].expr, t, types.Implicit, d.columns[i].pos)
	d.outs[i].expr, d.columns[i].Type = x, t
	return err
}

func (a *analyzer) defineSide(n *parse.SelectStmt) (d *definition, err error) {
	plain := n.Op == parse.SetNone && n.Values == nil && n.With == nil && n.OrderBy == nil &&
		!n.Distinct && n.Limit == nil && n.Offset == nil
	_, err = a.nested(a.scope.parent, func() error {
		a.keepUnknown = plain
		d, err = a.define(n)
		return err
	})
	return d, err
}

// defineWith defines the queries of WITH. One that reads itself has the columns of its first side.
func (a *analyzer) defineWith(d *definition, n *parse.WithClause) error {
	d.recursive = n.Recursive
	for _, item := range n.CTEs {
		q, ok := item.Query.(*parse.SelectStmt)
		if !ok {
			return errNotDefined("a statement that writes in WITH")
		}
		c := &cteName{cte: &CTE{Name: item.Name}}
		mark := len(a.ctes)
		if n.Recursive && q.Op != parse.SetNone {
			first, err := a.defineInside(q.Left)
			if err != nil {
				return err
			}
			c.columns = renamed(first.columns, item.Columns)
			a.ctes = append(a.ctes, c)
		}
		inner, err := a.defineInside(q)
		if err != nil {
			return err
		}
		c.columns = renamed(inner.columns, item.Columns)
		a.ctes = append(a.ctes[:mark], c)
		d.with = append(d.with, &definedCTE{name: item.Name, columns: item.Columns,
			materialize: item.Materialize, query: inner})
	}
	return nil
}

// defineInside defines a query that sees the one being defined around it.
func (a *analyzer) defineInside(n *parse.SelectStmt) (d *definition, err error) {
	_, err = a.nested(a.scope, func() error {
		d, err = a.define(n)
		return err
	})
	return d, err
}

// renamed gives columns with as many of the names as there are.
func renamed(columns []Column, names []string) []Column {
	columns = slices.Clone(columns)
	for i := range min(len(names), len(columns)) {
		columns[i].Name = names[i]
	}
	return columns
}

// defineWindows resolves the windows as they were written: what one takes over from another stays
// with that.
func (a *analyzer) defineWindows(d *definition) error {
	d.windowOf = map[*WindowCall]*definedWindow{}
	byName := map[string]*definedWindow{}
	a.aggregates, a.place = &d.aggs, "window definitions"
	defer func() { a.aggregates = nil }()
	for _, def := range d.n.Windows {
		w, err := a.defineWindow(def)
		if err != nil {
			return err
		}
		w.name = def.Name
		byName[w.name] = w
		d.windows = append(d.windows, w)
	}
	for _, call := range d.selecting.windows {
		def := a.defines.overs[call]
		if def == nil {
			return errNotDefined("this window")
		}
		if def.Name != "" {
			d.windowOf[call] = byName[def.Name]
			continue
		}
		w, err := a.defineWindow(def)
		if err != nil {
			return err
		}
		d.windowOf[call] = w
	}
	return nil
}

func (a *analyzer) defineWindow(def *parse.WindowDef) (*definedWindow, error) {
	w := &definedWindow{refName: def.RefName, frame: def.Frame}
	for _, n := range def.PartitionBy {
		x, err := a.operand(n)
		if err != nil {
			return nil, err
		}
		w.partitionBy = append(w.partitionBy, x)
	}
	for _, item := range def.OrderBy {
		x, err := a.operand(item.Expr)
		if err != nil {
			return nil, err
		}
		key, err := a.sortKey(x, item)
		if err != nil {
			return nil, err
		}
		w.orderBy = append(w.orderBy, key)
	}
	var err error
	if def.StartOffset != nil {
		if w.start, err = a.operand(def.StartOffset); err != nil {
			return nil, err
		}
	}
	if def.EndOffset != nil {
		w.end, err = a.operand(def.EndOffset)
	}
	return w, err
}

// defineLocks finds the sources that FOR UPDATE and its kin mean.
func (a *analyzer) defineLocks(d *definition) error {
	for _, clause := range d.n.Locking {
		for _, src := range a.defines.sources {
			if src.kind != ofTable {
				continue
			}
			name := src.called
			if src.alias != nil {
				name = src.alias.Name
			}
			if len(clause.Of) == 0 || slices.ContainsFunc(clause.Of, func(of *parse.RangeVar) bool {
				return of.Name.Name == name
			}) {
				d.locked = append(d.locked, definedLock{src, clause})
			}
		}
	}
	return nil
}

// errNotDefined says what a definition cannot be made of; the text is shown as it was written then.
func errNotDefined(what string) error {
	return types.Errorf(types.CodeFeatureNotSupported, "%s cannot be printed", what)
}
