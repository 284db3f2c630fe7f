package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// ProjectSet yields for each row of In as many rows as the longest of its set-returning functions
// gives: In's columns and behind them one value of each function, NULL once it has no more.
type ProjectSet struct {
	In    Node
	Width int // of In's row
	Sets  []*SetCall
}

// SetCall is a set-returning function of a select list.
type SetCall struct{ Call *Call }

// SetRef is a value of a set-returning function until the plan says where in the row it lies.
type SetRef struct {
	Index int
	Set   *SetCall
}

// Type implements Expr.
func (r *SetRef) Type() types.Type { return r.Set.Call.T }

// Eval implements Expr.
func (r *SetRef) Eval(_ *Eval, row []types.Datum) (types.Datum, error) { return row[r.Index], nil }

func (r *SetRef) inputs() []Expr      { return nil }
func (r *SetRef) rebuild([]Expr) Expr { return r }

// setCall notes a set-returning function of the select list.
func (a *analyzer) setCall(call *Call, n *parse.FuncCall) (Expr, error) {
	const hint = "You might be able to move the set-returning function into a LATERAL FROM item."
	within := ""
	switch {
	case call.Fn.Function.Defined && a.place != functionsInFrom:
		return nil, types.Errorf(types.CodeFeatureNotSupported, "could not determine row type for"+
			" result of %s", call.Fn.Function.Name).WithHint("Provide a non-null record argument, or" +
			" call the function in the FROM clause using a column definition list.")
	case a.inCall:
		within = "aggregate"
	case a.place == windowArguments:
		within = "window"
	}
	switch {
	case within != "":
		return nil, types.Errorf(types.CodeFeatureNotSupported, "%s function calls cannot"+
			" contain set-returning function calls", within).WithHint(hint).At(a.stmt.Position(n.Pos))
	case a.inChoice != "":
		return nil, types.Errorf(types.CodeFeatureNotSupported, "set-returning functions are not"+
			" allowed in %s", a.inChoice).WithHint(hint).At(a.stmt.Position(n.Pos))
	case a.sets == nil:
		return nil, a.errorf(n.Pos, types.CodeFeatureNotSupported,
			"set-returning functions are not allowed in %s", a.place)
	}
	for _, arg := range call.Args {
		nested := !walk(arg, func(x Expr) bool {
			_, is := x.(*SetRef)
			return !is
		})
		if nested {
			return nil, a.unsupported(n.Pos, "a set-returning function of another one")
		}
	}
	set := &SetCall{Call: call}
	*a.sets = append(*a.sets, set)
	return &SetRef{Index: len(*a.sets) - 1, Set: set}, nil
}

// overSets puts a ProjectSet above the rows and rewrites the clauses to read its columns.
func (a *analyzer) overSets(s *selecting, in Node, width int) Node {
	if len(s.sets) == 0 {
		return in
	}
	each(s, func(x Expr) Expr {
		return rewrite(x, func(x Expr) Expr {
			ref, ok := x.(*SetRef)
			if !ok {
				return nil
			}
			return &Field{Index: width + ref.Index, T: ref.Type(), of: ref.Set.Call}
		})
	})
	return &ProjectSet{In: in, Width: width, Sets: s.sets}
}
