package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// checkWithinGroup sees that WITHIN GROUP stands behind the aggregates that need it, and no other.
func (a *analyzer) checkWithinGroup(n *parse.FuncCall) error {
	name := n.Name.Name
	ordered := builtin.IsOrderedSet(name)
	switch {
	case ordered && n.Over != nil:
		return a.errorf(n.Pos, types.CodeFeatureNotSupported,
			"OVER is not supported for ordered-set aggregate %s", name)
	case ordered && !n.WithinGroup:
		return a.errorf(n.Pos, types.CodeWrongObjectType,
			"WITHIN GROUP is required for ordered-set aggregate %s", name)
	case !n.WithinGroup || ordered:
		return nil
	case builtin.IsAggregate(name):
		return a.errorf(n.Pos, types.CodeWrongObjectType,
			"%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
	case builtin.IsWindowFunction(name):
		return a.unsupported(n.Pos, "the hypothetical-set aggregate "+name)
	case builtin.IsFunction(name):
		return a.errorf(n.Pos, types.CodeWrongObjectType,
			"WITHIN GROUP specified, but %s is not an aggregate function", name)
	}
	return nil
}

// orderedSet resolves an aggregate of WITHIN GROUP: what stands in its brackets is given once for a
// group, and what it is ordered by for each row.
func (a *analyzer) orderedSet(n *parse.FuncCall) (AggregateCall, error) {
	call := AggregateCall{Name: n.Name.Name, pos: n.Pos}
	direct, err := a.arguments(n.Args)
	if err != nil {
		return call, err
	}
	args := direct
	for _, s := range n.OrderBy {
		x, err := a.expr(s.Expr)
		if err != nil {
			return call, err
		}
		args = append(args, x)
	}
	if call.Fn, err = a.aggregateFunction(n, args); err != nil {
		return call, err
	}
	call.T = types.Of(call.Fn.Result)
	call.Direct, call.Args = args[:len(direct)], args[len(direct):]
	for _, x := range call.Direct {
		if readsRow(x) {
			return call, a.unsupported(n.Pos, "a column as an argument of "+n.Name.Name)
		}
	}
	for i, s := range n.OrderBy {
		key, err := a.sortKey(call.Args[i], s)
		if err != nil {
			return call, err
		}
		call.OrderBy = append(call.OrderBy, key)
	}
	return call, nil
}

// distinctOrder gives the order in which an aggregate of DISTINCT values takes them: that of its
// ORDER BY, which must be by the arguments, or theirs where it matters.
func (a *analyzer) distinctOrder(call *AggregateCall, n *parse.FuncCall) error {
	for i, key := range call.OrderBy {
		found := false
		for _, arg := range call.Args {
			found = found || exactly(arg) == exactly(key.Expr)
		}
		if !found {
			return a.errorf(startOf(n.OrderBy[i].Expr), CodeInvalidColumnRef, "in an aggregate with"+
				" DISTINCT, ORDER BY expressions must appear in argument list")
		}
	}
	if !call.Fn.Aggregate.Lists {
		return nil
	}
	for _, arg := range call.Args {
		if types.Keyable(arg.Type().OID) {
			call.OrderBy = append(call.OrderBy, SortKey{Expr: arg})
			call.Implied++
		}
	}
	return nil
}

// written is the ORDER BY of an aggregate as it was written.
func (c *AggregateCall) written() []SortKey { return c.OrderBy[:len(c.OrderBy)-c.Implied] }
