package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// output is an item of a select list: what it is and what it is called.
type output struct {
	expr Expr
	name string
	pos  parse.Pos
}

// selecting gathers what the clauses of one SELECT resolve to, before a plan is made of them.
type selecting struct {
	n        *parse.SelectStmt
	tree     *joinTree // of FROM; nil without one
	in       Node      // of VALUES, or what tree became
	scan     *Scan     // in, when it is a stored table alone
	where    Expr
	outs     []output
	order    []orderItem
	distinct []Expr // of DISTINCT ON
	groupBy  []Expr
	keySets  [][]int // the grouping sets: places in groupBy
	grouping bool    // there is a GROUP BY, an aggregate or the like
	having   Expr
	aggs     []AggregateCall
	windows  []*WindowCall
	sets     []*SetCall
	count    Expr
	skip     Expr
	computes bool // merged into the query around it, as a projection
}

// orderItem is an item of ORDER BY; column is the output it names, or -1.
type orderItem struct {
	key    SortKey
	column int
}

// query plans a query and describes its result.
func (a *analyzer) query(n *parse.SelectStmt) (Node, []Column, error) {
	if n.With == nil {
		return a.queryBody(n)
	}
	with, err := a.with(n.With)
	if err != nil {
		return nil, nil, err
	}
	defer a.leave(with)
	node, columns, err := a.queryBody(n)
	if err != nil {
		return nil, nil, err
	}
	return with.around(node), columns, nil
}

func (a *analyzer) queryBody(n *parse.SelectStmt) (Node, []Column, error) {
	if n.Op != parse.SetNone {
		return a.setOperation(n)
	}
	return a.selectStmt(n)
}

// selectStmt plans SELECT or VALUES.
func (a *analyzer) selectStmt(n *parse.SelectStmt) (Node, []Column, error) {
	s, columns, err := a.resolveSelect(n)
	if err != nil {
		return nil, nil, err
	}
	node, err := a.assemble(s)
	return node, columns, err
}

// resolveSelect resolves SELECT or VALUES. The clauses come in the order Postgres resolves them, so
// that of two mistakes the same is reported.
func (a *analyzer) resolveSelect(n *parse.SelectStmt) (*selecting, []Column, error) {
	s := &selecting{n: n}
	if n.Into != nil {
		return nil, nil, a.misplacedInto(n.Into)
	}
	if err := a.source(s); err != nil {
		return nil, nil, err
	}
	if err := a.clauses(s); err != nil {
		return nil, nil, err
	}
	if err := a.checkRecursiveTerm(s); err != nil {
		return nil, nil, err
	}
	columns := make([]Column, len(s.outs))
	for i, out := range s.outs {
		oid, attnum := a.scope.origin(out.expr)
		columns[i] = Column{Name: out.name, Type: out.expr.Type(), TableOID: oid, Attnum: attnum,
			pos: out.pos, fields: rowFields(out.expr)}
	}
	return s, columns, nil
}

// clauses resolves what follows FROM.
func (a *analyzer) clauses(s *selecting) error {
	a.aggregates, a.windows, a.sets = &s.aggs, &s.windows, &s.sets
	a.place = "SELECT"
	if err := a.outputs(s); err != nil {
		return err
	}
	if s.n.Where != nil {
		where, err := a.condition(s.n.Where, "WHERE")
		if err != nil {
			return err
		}
		s.where = where
	}
	if err := a.havingClause(s); err != nil {
		return err
	}
	if err := a.orderBy(s); err != nil {
		return err
	}
	if err := a.groupClause(s); err != nil {
		return err
	}
	if err := a.distinctOn(s); err != nil {
		return err
	}
	a.aggregates, a.windows, a.sets = nil, nil, nil
	s.grouping = s.n.GroupBy != nil || len(s.aggs) > 0 || s.having != nil || a.grouping
	if err := a.bounds(s); err != nil {
		return err
	}
	return a.settleWindows(s)
}

// source resolves FROM, or the rows of VALUES.
func (a *analyzer) source(s *selecting) error {
	if s.n.Values != nil {
		return a.values(s)
	}
	tree, err := a.fromClause(s.n.From, s.n.Locking)
	s.tree = tree
	return err
}

// condition resolves a boolean clause in which no aggregate may stand.
func (a *analyzer) condition(n parse.Expr, clause string) (Expr, error) {
	restore := a.without(clause)
	defer restore()
	x, err := a.expr(n)
	if err != nil {
		return nil, err
	}
	return a.boolean(x, clause, startOf(n))
}

// without says that until the caller restores it, no aggregate, window function or set-returning
// function may stand.
func (a *analyzer) without(clause string) (restore func()) {
	aggregates, windows, sets, place := a.aggregates, a.windows, a.sets, a.place
	a.aggregates, a.windows, a.sets, a.place = nil, nil, nil, clause
	return func() { a.aggregates, a.windows, a.sets, a.place = aggregates, windows, sets, place }
}

// havingClause resolves HAVING, in which aggregates may stand but no window function.
func (a *analyzer) havingClause(s *selecting) error {
	if s.n.Having == nil {
		return nil
	}
	windows, sets := a.windows, a.sets
	a.windows, a.sets, a.place = nil, nil, "HAVING"
	defer func() { a.windows, a.sets = windows, sets }()
	x, err := a.expr(s.n.Having)
	if err != nil {
		return err
	}
	s.having, err = a.boolean(x, "HAVING", startOf(s.n.Having))
	return err
}

// values resolves a VALUES list: its columns take the common type of their rows.
func (a *analyzer) values(s *selecting) error {
	width := len(s.n.Values[0])
	a.place = "VALUES"
	rows := make([][]Expr, len(s.n.Values))
	for i, list := range s.n.Values {
		if len(list) != width {
			return a.errorf(startOf(list[0]), types.CodeSyntax,
				"VALUES lists must all be the same length")
		}
		row, err := a.arguments(list)
		if err != nil {
			return err
		}
		rows[i] = row
	}
	src := &source{name: "*VALUES*"}
	for c := range width {
		column, places := make([]Expr, len(rows)), make([]parse.Pos, len(rows))
		for i := range rows {
			column[i], places[i] = rows[i][c], startOf(s.n.Values[i][c])
		}
		t, err := a.common(column, "VALUES", places)
		if err != nil {
			return err
		}
		for i := range rows {
			rows[i][c] = column[i]
		}
		src.columns = append(src.columns, sourceColumn{name: valuesName(c), t: t})
	}
	a.scope.add(src)
	s.in = &Values{Rows: rows}
	for c := range width {
		pos := startOf(s.n.Values[0][c])
		s.outs = append(s.outs, output{src.column(c, pos), valuesName(c), pos})
	}
	return nil
}

// outputs resolves the select list; those of VALUES stand already.
func (a *analyzer) outputs(s *selecting) error {
	for _, target := range s.n.Targets {
		outs, err := a.hinted(target, len(s.outs))
		if err != nil {
			return err
		}
		s.outs = append(s.outs, outs...)
	}
	return nil
}

// hinted resolves the i-th item of a select list; a bare literal or parameter takes the type that
// the target of an INSERT has there.
func (a *analyzer) hinted(t parse.ResTarget, i int) ([]output, error) {
	if i >= len(a.hints) {
		return a.resTarget(t)
	}
	switch t.Val.(type) {
	case *parse.Const, *parse.ParamRef:
	default:
		return a.resTarget(t)
	}
	x, err := a.expr(t.Val)
	if err != nil || x.Type().OID != types.Unknown {
		return a.resTarget(t)
	}
	to := types.Type{OID: a.hints[i], Mod: types.NoMod}
	x, err = a.coerceUnknown(x, to, types.Assignment, startOf(t.Val))
	return []output{{expr: x, name: outputName(t.Val), pos: startOf(t.Val)}}, err
}

// resTarget resolves one item of a select list or of RETURNING: several for a star.
func (a *analyzer) resTarget(t parse.ResTarget) ([]output, error) {
	if ref, ok := t.Val.(*parse.ColumnRef); ok && ref.Star {
		return a.star(ref)
	}
	if of, ok := starOfRow(t.Val); ok {
		return a.allFields(of)
	}
	resolve := a.operand
	if a.keepUnknown {
		resolve = a.expr
	}
	x, err := resolve(t.Val)
	if err != nil {
		return nil, err
	}
	name := t.Name
	if name == "" {
		name = outputName(t.Val)
	}
	return []output{{expr: x, name: name, pos: startOf(t.Val)}}, nil
}

func (a *analyzer) star(ref *parse.ColumnRef) ([]output, error) {
	if n := len(ref.Fields); n > 0 {
		schema := ""
		if n > 1 {
			schema = ref.Fields[n-2]
		}
		src, in, err := a.findSource(schema, ref.Fields[n-1], ref.Pos)
		if err != nil {
			return nil, err
		}
		var outs []output
		for i, c := range src.columns {
			if c.name == "" {
				continue
			}
			outs = append(outs,
				output{a.outer(in, src.column(i, ref.Pos), c.name, ref.Pos), c.name, ref.Pos})
		}
		return outs, nil
	}
	var outs []output
	empty := true
	for _, src := range a.scope.sources {
		if src.qualified || src.hidden {
			continue
		}
		empty = false
		for i := range src.columns {
			if src.columns[i].name == "" {
				continue
			}
			outs = append(outs, output{src.column(i, ref.Pos), src.columns[i].name, ref.Pos})
		}
	}
	if empty {
		return nil, a.errorf(ref.Pos, types.CodeSyntax,
			"SELECT * with no tables specified is not valid")
	}
	return outs, nil
}
