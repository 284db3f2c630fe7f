package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// SetOp yields the rows of Left and Right together (UNION), those of Left that are in Right too
// (INTERSECT), or those that are not (EXCEPT). Without All each different row comes once; with it a
// row of Right answers for one equal row of Left.
type SetOp struct {
	Op          parse.SetOp
	All         bool
	Left, Right Node
}

func setOpName(op parse.SetOp) string {
	return [...]string{"", "UNION", "INTERSECT", "EXCEPT"}[op]
}

// setOperation plans a set operation with its ORDER BY and LIMIT.
func (a *analyzer) setOperation(n *parse.SelectStmt) (Node, []Column, error) {
	name := setOpName(n.Op)
	if len(n.Locking) > 0 {
		return nil, nil, a.errorf(parse.NoPos, types.CodeFeatureNotSupported,
			"%s is not allowed with UNION/INTERSECT/EXCEPT", lockName(n.Locking[0].Strength))
	}
	if n.Into != nil {
		return nil, nil, a.misplacedInto(n.Into)
	}
	left, right, err := a.setSides(n)
	if err != nil {
		return nil, nil, err
	}
	if err := a.sameWidth(name, left, right); err != nil {
		return nil, nil, err
	}
	columns := make([]Column, len(left.columns))
	for i := range columns {
		l, r := &left.columns[i], &right.columns[i]
		t, err := a.setType(name, l, r)
		if err != nil {
			return nil, nil, err
		}
		if err := left.become(a, i, t); err != nil {
			return nil, nil, err
		}
		if err := right.become(a, i, t); err != nil {
			return nil, nil, err
		}
		columns[i] = Column{Name: l.Name, Type: t, pos: l.pos}
		if keyed := n.Op != parse.SetUnion || !n.All; keyed {
			if err := a.groupable(&Const{T: t}, l.pos); err != nil {
				return nil, nil, err
			}
		}
	}
	node := &SetOp{Op: n.Op, All: n.All, Left: left.done(), Right: right.done()}
	return a.orderSet(n, node, columns)
}

func (a *analyzer) sameWidth(name string, left, right *setSide) error {
	if len(left.columns) == len(right.columns) {
		return nil
	}
	pos := parse.NoPos
	if len(right.columns) > 0 {
		pos = right.columns[0].pos
	}
	return a.errorf(pos, types.CodeSyntax,
		"each %s query must have the same number of columns", name)
}

// setType gives the type that a column of both sides takes.
func (a *analyzer) setType(name string, l, r *Column) (types.Type, error) {
	oid, _, ok := types.CommonType([]types.OID{l.Type.OID, r.Type.OID})
	if !ok {
		return types.Type{}, a.errorf(r.pos, types.CodeDatatypeMismatch,
			"%s types %s and %s cannot be matched", name,
			types.FormatType(l.Type.OID, types.NoMod), types.FormatType(r.Type.OID, types.NoMod))
	}
	if oid == types.Unknown {
		oid = types.Text
	}
	t := types.Type{OID: oid, Mod: types.NoMod}
	if l.Type == r.Type && l.Type.OID == oid {
		t.Mod = l.Type.Mod
	}
	return t, nil
}

// setSide is one side of a set operation.
type setSide struct {
	node    Node
	columns []Column
	casts   []Expr // over node's row; nil until a column needs one
}

func (a *analyzer) setSides(n *parse.SelectStmt) (left, right *setSide, err error) {
	if left, err = a.setSide(n.Left); err != nil {
		return nil, nil, err
	}
	right, err = a.setSide(n.Right)
	return left, right, err
}

func (a *analyzer) setSide(n *parse.SelectStmt) (*setSide, error) {
	side := &setSide{}
	plain := n.Op == parse.SetNone && n.Values == nil && !n.Distinct && n.OrderBy == nil &&
		n.Limit == nil && n.Offset == nil && n.With == nil
	parent := a.scope.parent
	_, err := a.nested(parent, func() (err error) {
		a.keepUnknown = plain
		side.node, side.columns, err = a.query(n)
		return err
	})
	return side, err
}

// become gives a column of the side another type: a literal that had none takes it as its own, all
// else is cast.
func (s *setSide) become(a *analyzer, i int, t types.Type) error {
	c := &s.columns[i]
	if c.Type.OID == types.Unknown {
		project := s.node.(*Project)
		x, err := a.coerceUnknown(project.Exprs[i], t, types.Implicit, c.pos)
		if err != nil {
			return err
		}
		project.Exprs[i], c.Type = x, t
		return nil
	}
	if c.Type.OID == t.OID {
		return nil
	}
	if s.casts == nil {
		for j, column := range s.columns {
			s.casts = append(s.casts, &Field{Index: j, T: column.Type, Name: column.Name})
		}
	}
	x, err := a.coerce(s.casts[i], t, types.Implicit, "", c.pos)
	s.casts[i] = x
	return err
}

// done gives the side with its casts.
func (s *setSide) done() Node {
	if s.casts == nil {
		return s.node
	}
	return &Project{In: s.node, Exprs: s.casts}
}

// orderSet adds ORDER BY and LIMIT. Only result columns can be ordered by.
func (a *analyzer) orderSet(
	n *parse.SelectStmt, node Node, columns []Column,
) (Node, []Column, error) {
	s := &selecting{n: n}
	for i, c := range columns {
		x := &Field{Index: i, T: c.Type, Name: c.Name}
		s.outs = append(s.outs, output{x, c.Name, c.pos})
	}
	for _, item := range n.OrderBy {
		i, err := a.setOrderColumn(s, item)
		if err != nil {
			return nil, nil, err
		}
		key, err := a.sortKey(s.outs[i].expr, item)
		if err != nil {
			return nil, nil, err
		}
		s.order = append(s.order, orderItem{key: key, column: i})
	}
	if err := a.bounds(s); err != nil {
		return nil, nil, err
	}
	if len(s.order) > 0 {
		node = &Sort{In: node, Keys: sortKeys(s)}
	}
	return s.limit(node, sortKeys(s)), columns, nil
}

func (a *analyzer) setOrderColumn(s *selecting, item parse.SortBy) (int, error) {
	i, err := -1, error(nil)
	switch n := item.Expr.(type) {
	case *parse.ColumnRef:
		if len(n.Fields) == 1 && !n.Star {
			if i, err = a.outputNamed(s, n, "ORDER BY"); i < 0 && err == nil {
				name := n.Fields[0]
				err = a.noColumn(nil, name, n.Pos, "column \"%s\" does not exist", name)
			}
			return i, err
		}
	case *parse.Const:
		return a.outputNumbered(s, n, "ORDER BY")
	}
	src := &source{}
	for _, out := range s.outs {
		src.columns = append(src.columns, sourceColumn{name: out.name, t: out.expr.Type()})
	}
	saved := a.scope
	a.scope = newScope(saved.parent)
	a.scope.add(src)
	_, err = a.operand(item.Expr)
	if a.scope = saved; err != nil {
		return -1, err
	}
	return -1, a.errorf(startOf(item.Expr), types.CodeFeatureNotSupported,
		"invalid UNION/INTERSECT/EXCEPT ORDER BY clause").(*types.Error).WithDetail(
		"Only result column names can be used, not expressions or functions.").WithHint(
		"Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
}
