package plan

import (
	"errors"
	"slices"
	"strings"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Window yields the rows of In with the results of window functions behind their columns. All rows
// are kept until the last has come.
type Window struct {
	In    Node
	Width int             // of In's row
	Over  [][]*WindowCall // those of one partitioning and order together
}

// WindowCall is one window function: an aggregate over the frame of each row, or a function that
// looks at the rows of the partition.
type WindowCall struct {
	Name        string
	Agg         *builtin.AggCall // nil for a function
	Args        []Expr
	Star        bool
	Filter      Expr
	PartitionBy []Expr
	OrderBy     []SortKey
	Frame       Frame
	Index       int // of the result, among those of the Window
	T           types.Type

	def *parse.WindowDef
}

// Calls says how many functions there are.
func (w *Window) Calls() int {
	n := 0
	for _, over := range w.Over {
		n += len(over)
	}
	return n
}

// WindowRef is the result of a window function until the plan says where in the row it lies.
type WindowRef struct {
	Index int
	T     types.Type
	call  *WindowCall
}

// Type implements Expr.
func (r *WindowRef) Type() types.Type { return r.T }

// Eval implements Expr.
func (r *WindowRef) Eval(_ *Eval, row []types.Datum) (types.Datum, error) {
	return row[r.Index], nil
}

func (r *WindowRef) inputs() []Expr      { return nil }
func (r *WindowRef) rebuild([]Expr) Expr { return r }

// windowArguments is the place of what stands in the brackets of a window function.
const windowArguments = "window function arguments"

// windowCall resolves name(...) OVER (...). Its window is resolved by settleWindows, when WINDOW is
// known.
func (a *analyzer) windowCall(n *parse.FuncCall) (Expr, error) {
	name := n.Name.Name
	switch {
	case a.inCall:
		return nil, a.errorf(n.Pos, CodeGrouping,
			"aggregate function calls cannot contain window function calls")
	case a.windows == nil && a.place == windowArguments:
		return nil, a.errorf(n.Pos, CodeWindowing, "window function calls cannot be nested")
	case a.windows == nil && strings.HasPrefix(a.place, "window "):
		return nil, a.errorf(n.Pos, CodeWindowing,
			"window functions are not allowed in window definitions")
	case a.windows == nil:
		return nil, a.errorf(n.Pos, CodeWindowing,
			"window functions are not allowed in %s", a.place)
	case n.Distinct:
		return nil, a.errorf(n.Pos, types.CodeFeatureNotSupported,
			"DISTINCT is not implemented for window functions")
	case len(n.OrderBy) > 0:
		return nil, a.errorf(n.Pos, types.CodeFeatureNotSupported,
			"aggregate ORDER BY is not implemented for window functions")
	}
	w := &WindowCall{Name: name, Star: n.Star, def: n.Over}
	saved, place := a.windows, a.place
	a.windows, a.place = nil, windowArguments
	err := a.windowArguments(w, n)
	a.windows, a.place = saved, place
	if err != nil {
		return nil, err
	}
	w.Index = len(*a.windows)
	*a.windows = append(*a.windows, w)
	return &WindowRef{Index: w.Index, T: w.T, call: w}, nil
}

func (a *analyzer) windowArguments(w *WindowCall, n *parse.FuncCall) error {
	args, err := a.arguments(n.Args)
	if err != nil {
		return err
	}
	if builtin.IsWindowFunction(w.Name) && !n.Star {
		return a.windowFunction(w, n, args)
	}
	if !builtin.IsAggregate(w.Name) {
		if builtin.IsFunction(w.Name) {
			return a.errorf(n.Pos, types.CodeWrongObjectType,
				"OVER specified, but %s is not a window function nor an aggregate function", w.Name)
		}
		_, err := a.call(w.Name, args, n.Pos)
		return err
	}
	fn, err := a.aggregateFunction(n, args)
	if err != nil {
		return err
	}
	w.Agg, w.Args = &fn, args
	w.T = types.Type{OID: fn.Result, Mod: types.NoMod}
	if n.Filter != nil {
		w.Filter, err = a.condition(n.Filter, "FILTER")
	}
	return err
}

// windowFunction resolves the call of a function that is no aggregate.
func (a *analyzer) windowFunction(w *WindowCall, n *parse.FuncCall, args []Expr) error {
	oids := make([]types.OID, len(args))
	for i, x := range args {
		oids[i] = x.Type().OID
	}
	call, err := builtin.ResolveWindow(w.Name, oids)
	var e *types.Error
	switch {
	case errors.As(err, &e) && e.Code == types.CodeDatatypeMismatch:
		return err // which is of the types alone, and has no place
	case err != nil:
		return a.at(err, n.Pos)
	case n.Filter != nil:
		return a.errorf(n.Pos, types.CodeFeatureNotSupported,
			"FILTER is not implemented for non-aggregate window functions")
	}
	w.Args, w.T = args, types.Type{OID: call.Result, Mod: types.NoMod}
	return a.coerceArgs(args, call, n.Pos)
}

// overWindows puts a Window above the rows and rewrites the clauses to read its columns.
func (a *analyzer) overWindows(s *selecting, in Node, width int) (Node, int) {
	if len(s.windows) == 0 {
		return in, width
	}
	each(s, func(x Expr) Expr {
		return rewrite(x, func(x Expr) Expr {
			ref, ok := x.(*WindowRef)
			if !ok {
				return nil
			}
			return &Field{Index: width + ref.Index, T: ref.T, of: ref}
		})
	})
	w := &Window{In: in, Width: width}
	for _, call := range s.windows {
		i := slices.IndexFunc(w.Over, func(over []*WindowCall) bool {
			return over[0].order() == call.order()
		})
		if i < 0 {
			w.Over = append(w.Over, []*WindowCall{call})
			continue
		}
		w.Over[i] = append(w.Over[i], call)
	}
	return w, width + len(s.windows)
}
