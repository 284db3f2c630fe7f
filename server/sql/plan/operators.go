package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (a *analyzer) opExpr(n *parse.OpExpr) (Expr, error) {
	if n.Op.Schema != "" && n.Op.Schema != "pg_catalog" {
		return nil, a.unsupported(n.Pos, "an operator outside pg_catalog")
	}
	if left, ok := n.Left.(*parse.RowExpr); ok {
		if right, ok := n.Right.(*parse.RowExpr); ok {
			return a.rowComparison(n.Op.Name, left, right, n.Pos)
		}
	}
	var l Expr
	var err error
	if n.Left != nil {
		if l, err = a.expr(n.Left); err != nil {
			return nil, err
		}
	}
	r, err := a.expr(n.Right)
	if err != nil {
		return nil, err
	}
	return a.operator(n.Op.Name, l, r, n.Pos)
}

// operator applies a binary operator, or with l nil a prefix one.
func (a *analyzer) operator(op string, l, r Expr, pos parse.Pos) (Expr, error) {
	if op == "!=" {
		op = "<>"
	}
	left := types.OID(0)
	if l != nil {
		left = l.Type().OID
	}
	call, err := builtin.ResolveOperator(op, left, r.Type().OID)
	if err != nil {
		return nil, a.at(err, pos)
	}
	args := []Expr{l, r}
	if l == nil {
		args = args[1:]
	}
	if err := a.coerceArgs(args, call, pos); err != nil {
		return nil, err
	}
	if cmp, ok := compareOps[op]; ok && l != nil {
		if sameClass(args[0].Type().OID, args[1].Type().OID) {
			return &Compare{Op: cmp, L: args[0], R: args[1]}, nil
		}
	}
	t := types.Type{OID: call.Result, Mod: types.NoMod}
	return &Call{Fn: call, Args: args, Op: op, T: t}, nil
}

// coerceArgs gives each argument the type its function takes.
func (a *analyzer) coerceArgs(args []Expr, call builtin.Call, pos parse.Pos) error {
	for i := range args {
		oid := call.Args[i]
		if oid == 0 || oid == types.Any || oid == args[i].Type().OID {
			if args[i].Type().OID != types.Unknown {
				continue
			}
			oid = types.Text
		}
		to := types.Type{OID: oid, Mod: types.NoMod}
		x, err := a.coerce(args[i], to, types.Implicit, "", pos)
		if err != nil {
			return err
		}
		args[i] = x
	}
	return nil
}

func (a *analyzer) like(n *parse.LikeExpr) (Expr, error) {
	if n.Kind == parse.SimilarTo {
		return nil, a.unsupported(n.Pos, "SIMILAR TO")
	}
	op := "~~"
	if n.Kind == parse.ILike {
		op = "~~*"
	}
	l, err := a.expr(n.Left)
	if err != nil {
		return nil, err
	}
	pattern, err := a.expr(n.Pattern)
	if err != nil {
		return nil, err
	}
	if n.Escape != nil {
		if pattern, err = a.escapePattern(pattern, n); err != nil {
			return nil, err
		}
	}
	if n.Not {
		op = "!" + op
	}
	return a.operator(op, l, pattern, n.Pos)
}

// escapePattern rewrites the pattern of LIKE ... ESCAPE into one with the usual escape.
func (a *analyzer) escapePattern(pattern Expr, n *parse.LikeExpr) (Expr, error) {
	escape, err := a.expr(n.Escape)
	if err != nil {
		return nil, err
	}
	return a.call("like_escape", []Expr{pattern, escape}, n.Pos)
}

func (a *analyzer) between(n *parse.BetweenExpr) (Expr, error) {
	both, either, lower, upper := conjunction, disjunction, ">=", "<="
	if n.Not {
		both, either, lower, upper = disjunction, conjunction, "<", ">"
	}
	bound := func(op string, low parse.Expr) (Expr, error) {
		x, err := a.expr(n.Arg)
		if err != nil {
			return nil, err
		}
		y, err := a.expr(low)
		if err != nil {
			return nil, err
		}
		return a.operator(op, x, y, n.Pos)
	}
	bounds := func(low, high parse.Expr) (Expr, error) {
		lo, err := bound(lower, low)
		if err != nil {
			return nil, err
		}
		hi, err := bound(upper, high)
		if err != nil {
			return nil, err
		}
		return both([]Expr{lo, hi}), nil
	}
	x, err := bounds(n.Low, n.High)
	if err != nil || !n.Symmetric {
		return x, err
	}
	y, err := bounds(n.High, n.Low)
	if err != nil {
		return nil, err
	}
	return either([]Expr{x, y}), nil
}

func (a *analyzer) distinct(n *parse.DistinctExpr) (Expr, error) {
	if left, ok := n.Left.(*parse.RowExpr); ok {
		if right, ok := n.Right.(*parse.RowExpr); ok {
			return a.rowDistinct(n, left, right)
		}
	}
	l, err := a.expr(n.Left)
	if err != nil {
		return nil, err
	}
	r, err := a.expr(n.Right)
	if err != nil {
		return nil, err
	}
	equal, err := a.operator("=", l, r, n.Pos)
	if err != nil {
		return nil, err
	}
	switch x := equal.(type) {
	case *Compare:
		return &Distinct{L: x.L, R: x.R, Negate: n.Not}, nil
	case *Call: // of rows, for one
		if l, r := x.Args[0], x.Args[1]; l.Type().OID == r.Type().OID && types.Keyable(l.Type().OID) {
			return &Distinct{L: l, R: r, Negate: n.Not}, nil
		}
	}
	return nil, a.unsupported(n.Pos, "IS DISTINCT FROM over these types")
}
