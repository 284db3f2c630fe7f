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
	n     *parse.SelectStmt
	in    Node  // the source, with its filter
	scan  *Scan // in, when it is a stored table
	where Expr
	outs  []output
	order []orderItem
	aggs  []AggregateCall
	count Expr
	skip  Expr
}

// orderItem is an item of ORDER BY; column is the output it names, or -1.
type orderItem struct {
	key    SortKey
	column int
}

// selectStmt plans SELECT or VALUES and describes its result.
func (a *analyzer) selectStmt(n *parse.SelectStmt) (Node, []Column, error) {
	if err := a.refuseSelect(n); err != nil {
		return nil, nil, err
	}
	s := &selecting{n: n}
	if err := a.source(s); err != nil {
		return nil, nil, err
	}
	a.aggregates = &s.aggs
	if err := a.outputs(s); err != nil {
		return nil, nil, err
	}
	if err := a.orderBy(s); err != nil {
		return nil, nil, err
	}
	a.aggregates = nil
	if err := a.bounds(s); err != nil {
		return nil, nil, err
	}
	if err := a.checkGrouping(s); err != nil {
		return nil, nil, err
	}
	columns := make([]Column, len(s.outs))
	for i, out := range s.outs {
		oid, attnum := a.scope.origin(out.expr)
		columns[i] = Column{Name: out.name, Type: out.expr.Type(), TableOID: oid, Attnum: attnum}
	}
	node, err := a.assemble(s)
	return node, columns, err
}

// refuseSelect names what belongs to a later issue.
func (a *analyzer) refuseSelect(n *parse.SelectStmt) error {
	switch {
	case n.With != nil:
		return a.unsupported(n.With.Pos, "WITH")
	case n.Into != nil:
		return a.unsupported(parse.NoPos, "SELECT INTO")
	case n.Op != parse.SetNone:
		return a.unsupported(parse.NoPos, [...]string{"", "UNION", "INTERSECT", "EXCEPT"}[n.Op])
	case len(n.DistinctOn) > 0:
		return a.unsupported(n.DistinctOn[0].Position(), "DISTINCT ON")
	case len(n.GroupBy) > 0:
		return a.unsupported(n.GroupBy[0].Position(), "GROUP BY")
	case n.Having != nil:
		return a.unsupported(n.Having.Position(), "HAVING")
	case len(n.Windows) > 0:
		return a.unsupported(n.Windows[0].Pos, "WINDOW")
	case n.WithTies:
		return a.unsupported(parse.NoPos, "FETCH ... WITH TIES")
	case len(n.From) > 1:
		return a.unsupported(parse.NoPos, "a join (more than one source in FROM)")
	}
	return nil
}

// source resolves FROM and WHERE.
func (a *analyzer) source(s *selecting) error {
	if s.n.Values != nil {
		return a.values(s)
	}
	if len(s.n.From) == 1 {
		if err := a.fromItem(s, s.n.From[0]); err != nil {
			return err
		}
	}
	if s.n.Where != nil {
		where, err := a.condition(s.n.Where, "WHERE")
		if err != nil {
			return err
		}
		s.where = where
	}
	switch in := s.in.(type) {
	case nil:
		s.in = &Result{Filter: s.where}
	case *Scan:
		in.Access, in.Filter = keyAccess(in.Table, s.where)
		s.scan = in
	case *VirtualScan:
		in.Filter = s.where
	case *FunctionScan:
		in.Filter = s.where
	}
	return nil
}

// condition resolves a boolean clause in which no aggregate may stand.
func (a *analyzer) condition(n parse.Expr, clause string) (Expr, error) {
	saved, place := a.aggregates, a.place
	a.aggregates, a.place = nil, clause
	defer func() { a.aggregates, a.place = saved, place }()
	x, err := a.expr(n)
	if err != nil {
		return nil, err
	}
	return a.boolean(x, clause, startOf(n))
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
		s.outs = append(s.outs, output{expr: src.column(c), name: valuesName(c), pos: parse.NoPos})
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
		return a.target(t)
	}
	switch t.Val.(type) {
	case *parse.Const, *parse.ParamRef:
	default:
		return a.target(t)
	}
	x, err := a.expr(t.Val)
	if err != nil || x.Type().OID != types.Unknown {
		return a.target(t)
	}
	to := types.Type{OID: a.hints[i], Mod: types.NoMod}
	x, err = a.coerceUnknown(x, to, types.Assignment, startOf(t.Val))
	return []output{{expr: x, name: outputName(t.Val), pos: startOf(t.Val)}}, err
}

// target resolves one item of a select list or of RETURNING: several for a star.
func (a *analyzer) target(t parse.ResTarget) ([]output, error) {
	if ref, ok := t.Val.(*parse.ColumnRef); ok && ref.Star {
		return a.star(ref)
	}
	x, err := a.operand(t.Val)
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
	sources := a.scope.sources
	if n := len(ref.Fields); n > 0 {
		schema := ""
		if n > 1 {
			schema = ref.Fields[n-2]
		}
		src, err := a.findSource(schema, ref.Fields[n-1], ref.Pos)
		if err != nil {
			return nil, err
		}
		sources = []*source{src}
	}
	if len(sources) == 0 {
		return nil, a.errorf(ref.Pos, types.CodeSyntax,
			"SELECT * with no tables specified is not valid")
	}
	var outs []output
	for _, src := range sources {
		if src.qualified && len(ref.Fields) == 0 {
			continue
		}
		for i := range src.columns {
			outs = append(outs, output{src.column(i), src.columns[i].name, ref.Pos})
		}
	}
	return outs, nil
}

// outputName is what Postgres calls a result column without an alias (FigureColname).
func outputName(n parse.Expr) string {
	name, _ := figureName(n)
	if name == "" {
		return "?column?"
	}
	return name
}

// figureName gives a name and whether it is better than what an outer cast would give.
func figureName(n parse.Expr) (string, bool) {
	switch n := n.(type) {
	case *parse.ColumnRef:
		return n.Fields[len(n.Fields)-1], true
	case *parse.FuncCall:
		return n.Name.Name, true
	case *parse.SQLValueFunction:
		return valueFunctionNames[n.Func], true
	case *parse.CoalesceExpr:
		return "coalesce", true
	case *parse.NullIfExpr:
		return "nullif", true
	case *parse.MinMaxExpr:
		if n.Least {
			return "least", true
		}
		return "greatest", true
	case *parse.ArrayExpr:
		return "array", true
	case *parse.RowExpr:
		return "row", true
	case *parse.CollateExpr:
		return figureName(n.Arg)
	case *parse.CastExpr:
		if name, strong := figureName(n.Arg); strong {
			return name, true
		}
		return n.Type.Name.Name, false
	case *parse.CaseExpr:
		if n.Else != nil {
			if name, strong := figureName(n.Else); strong {
				return name, true
			}
		}
		return "case", false
	case *parse.IndirectionExpr:
		for i := len(n.Steps) - 1; i >= 0; i-- {
			if n.Steps[i].Field != "" {
				return n.Steps[i].Field, true
			}
		}
		return figureName(n.Arg)
	}
	return "", false
}
