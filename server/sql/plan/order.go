package plan

import (
	"fmt"
	"slices"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func valuesName(i int) string { return fmt.Sprintf("column%d", i+1) }

// orderBy resolves ORDER BY. An item is, tried in this order: the name of an output, the number of
// an output, an expression over the sources.
func (a *analyzer) orderBy(s *selecting) error {
	a.place = "ORDER BY"
	for _, item := range s.n.OrderBy {
		x, column, err := a.orderExpr(s, item)
		if err != nil {
			return err
		}
		key, err := a.sortKey(x, item)
		if err != nil {
			return err
		}
		s.order = append(s.order, orderItem{key: key, column: column})
	}
	return nil
}

func (a *analyzer) orderExpr(s *selecting, item parse.SortBy) (Expr, int, error) {
	switch n := item.Expr.(type) {
	case *parse.ColumnRef:
		if len(n.Fields) == 1 && !n.Star {
			if i, err := a.outputNamed(s, n, "ORDER BY"); i >= 0 || err != nil {
				return exprOf(s, i), i, err
			}
		}
	case *parse.Const:
		i, err := a.outputNumbered(s, n, "ORDER BY")
		return exprOf(s, i), i, err
	}
	x, err := a.operand(item.Expr)
	if err != nil {
		return nil, -1, err
	}
	return x, outputLike(s, x), nil
}

// outputLike finds the output that is the same expression; -1 when none is.
func outputLike(s *selecting, x Expr) int {
	if isVolatile(x) {
		return -1
	}
	text := exactly(x)
	return slices.IndexFunc(s.outs, func(out output) bool { return exactly(out.expr) == text })
}

func exprOf(s *selecting, i int) Expr {
	if i < 0 {
		return nil
	}
	return s.outs[i].expr
}

func (a *analyzer) outputNamed(s *selecting, n *parse.ColumnRef, clause string) (int, error) {
	found := -1
	for i, out := range s.outs {
		if out.name != n.Fields[0] {
			continue
		}
		if found >= 0 && exactly(out.expr) != exactly(s.outs[found].expr) {
			return -1, a.errorf(n.Pos, CodeAmbiguousColumn,
				"%s \"%s\" is ambiguous", clause, n.Fields[0])
		}
		if found < 0 {
			found = i
		}
	}
	return found, nil
}

func (a *analyzer) outputNumbered(s *selecting, n *parse.Const, clause string) (int, error) {
	if n.Kind != parse.ConstInt4 {
		return -1, a.errorf(n.Pos, types.CodeSyntax, "non-integer constant in %s", clause)
	}
	if n.Int < 1 || n.Int > int64(len(s.outs)) {
		return -1, a.errorf(n.Pos, CodeInvalidColumnRef,
			"%s position %d is not in select list", clause, n.Int)
	}
	return int(n.Int) - 1, nil
}

func (a *analyzer) sortKey(x Expr, item parse.SortBy) (SortKey, error) {
	key := SortKey{Expr: x}
	switch item.Dir {
	case parse.SortDesc:
		key.Desc = true
	case parse.SortUsing:
		switch item.Using.Name {
		case "<":
		case ">":
			key.Desc = true
		default:
			return key, a.unsupported(item.Pos, "ORDER BY USING "+item.Using.Name)
		}
	}
	key.NullsFirst = key.Desc
	if item.Nulls != parse.NullsDefault {
		key.NullsFirst = item.Nulls == parse.NullsFirst
	}
	if oid := x.Type().OID; !types.Keyable(oid) {
		return key, a.errorf(startOf(item.Expr), types.CodeUndefinedFunction,
			"could not identify an ordering operator for type %s",
			types.FormatType(oid, types.NoMod)).(*types.Error).WithHint(
			"Use an explicit ordering operator or modify the query.")
	}
	return key, nil
}

// bounds resolves LIMIT and OFFSET.
func (a *analyzer) bounds(s *selecting) error {
	bound := func(n parse.Expr, clause string) (Expr, error) {
		if n == nil {
			return nil, nil
		}
		saved := a.scope
		a.scope, a.place = newScope(saved.parent), clause
		defer func() { a.scope = saved }()
		if ref, ok := n.(*parse.ColumnRef); ok {
			return nil, a.errorf(ref.Pos, CodeInvalidColumnRef,
				"argument of %s must not contain variables", clause)
		}
		x, err := a.expr(n)
		if err != nil {
			return nil, err
		}
		return a.coerce(x, int8Type, types.Assignment, "", startOf(n))
	}
	var err error
	if s.count, err = bound(s.n.Limit, "LIMIT"); err != nil {
		return err
	}
	s.skip, err = bound(s.n.Offset, "OFFSET")
	return err
}

// distinctOn resolves the items of DISTINCT ON, each as ORDER BY does its own.
func (a *analyzer) distinctOn(s *selecting) error {
	a.place = "DISTINCT ON"
	for _, n := range s.n.DistinctOn {
		x, err := a.orderKeyOf(s, n)
		if err != nil {
			return err
		}
		if err := a.groupable(x, startOf(n)); err != nil {
			return err
		}
		s.distinct = append(s.distinct, x)
	}
	return nil
}

func (a *analyzer) orderKeyOf(s *selecting, n parse.Expr) (Expr, error) {
	switch n := n.(type) {
	case *parse.ColumnRef:
		if len(n.Fields) == 1 && !n.Star {
			if i, err := a.outputNamed(s, n, "DISTINCT ON"); i >= 0 || err != nil {
				return exprOf(s, i), err
			}
		}
	case *parse.Const:
		i, err := a.outputNumbered(s, n, "DISTINCT ON")
		return exprOf(s, i), err
	}
	return a.operand(n)
}
