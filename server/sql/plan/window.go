package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Window yields the rows of In with the results of Calls behind their columns. All rows are kept
// until the last has come.
type Window struct {
	In    Node
	Width int // of In's row
	Calls []*WindowCall
}

// WindowCall is one window function: a ranking one, or an aggregate over the frame that reaches
// from the start of the partition to the last peer of the row.
type WindowCall struct {
	Name        string
	Agg         *builtin.AggCall // nil for a ranking function
	Args        []Expr
	Star        bool
	Filter      Expr
	PartitionBy []Expr
	OrderBy     []SortKey
	// Whole says that the frame is the whole partition; Rows, that it ends at the row itself.
	Whole, Rows bool
	T           types.Type

	def *parse.WindowDef
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

// rankings are the functions that only a window gives a meaning.
var rankings = map[string]bool{"row_number": true, "rank": true, "dense_rank": true}

// otherWindowFunctions are those of Postgres that are refused by name.
var otherWindowFunctions = map[string]bool{"percent_rank": true, "cume_dist": true,
	"ntile": true, "lag": true, "lead": true, "first_value": true, "last_value": true,
	"nth_value": true}

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
	case a.windows == nil:
		return nil, a.errorf(n.Pos, CodeWindowing,
			"window functions are not allowed in %s", a.place)
	case n.Distinct:
		return nil, a.errorf(n.Pos, types.CodeFeatureNotSupported,
			"DISTINCT is not implemented for window functions")
	case len(n.OrderBy) > 0:
		return nil, a.errorf(n.Pos, types.CodeFeatureNotSupported,
			"aggregate ORDER BY is not implemented for window functions")
	case otherWindowFunctions[name]:
		return nil, a.unsupported(n.Pos, "the window function "+name)
	}
	w := &WindowCall{Name: name, Star: n.Star, def: n.Over, T: int8Type}
	saved, place := a.windows, a.place
	a.windows, a.place = nil, windowArguments
	err := a.windowArguments(w, n)
	a.windows, a.place = saved, place
	if err != nil {
		return nil, err
	}
	*a.windows = append(*a.windows, w)
	return &WindowRef{Index: len(*a.windows) - 1, T: w.T, call: w}, nil
}

func (a *analyzer) windowArguments(w *WindowCall, n *parse.FuncCall) error {
	args, err := a.arguments(n.Args)
	if err != nil {
		return err
	}
	if rankings[w.Name] {
		if len(args) > 0 || n.Star {
			_, err := a.call(w.Name, args, n.Pos) // which says that there is none like that
			return err
		}
		if n.Filter != nil {
			return a.errorf(n.Pos, types.CodeFeatureNotSupported,
				"FILTER is not implemented for non-aggregate window functions")
		}
		return nil
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

// settleWindows resolves the windows of the calls there are, and checks those of WINDOW.
func (a *analyzer) settleWindows(s *selecting) error {
	named := map[string]*parse.WindowDef{}
	for _, def := range s.n.Windows {
		if named[def.Name] != nil {
			return a.errorf(def.Pos, CodeWindowing, "window \"%s\" is already defined", def.Name)
		}
		full, err := a.complete(def, named)
		if err != nil {
			return err
		}
		named[def.Name] = full
		if err := a.window(s, &WindowCall{def: full}); err != nil {
			return err
		}
	}
	for _, w := range s.windows {
		def := w.def
		if def.Name != "" {
			if named[def.Name] == nil {
				return a.errorf(def.Pos, types.CodeUndefinedObject,
					"window \"%s\" does not exist", def.Name)
			}
			def = named[def.Name]
		}
		full, err := a.complete(def, named)
		if err != nil {
			return err
		}
		w.def = full
		if err := a.window(s, w); err != nil {
			return err
		}
	}
	return nil
}

// complete adds to a definition what it takes over from the window it names.
func (a *analyzer) complete(
	def *parse.WindowDef, named map[string]*parse.WindowDef,
) (*parse.WindowDef, error) {
	if def.RefName == "" {
		return def, nil
	}
	base := named[def.RefName]
	switch {
	case base == nil:
		return nil, a.errorf(def.Pos, types.CodeUndefinedObject,
			"window \"%s\" does not exist", def.RefName)
	case len(def.PartitionBy) > 0:
		return nil, a.errorf(def.Pos, CodeWindowing,
			"cannot override PARTITION BY clause of window \"%s\"", def.RefName)
	case len(def.OrderBy) > 0 && len(base.OrderBy) > 0:
		return nil, a.errorf(def.Pos, CodeWindowing,
			"cannot override ORDER BY clause of window \"%s\"", def.RefName)
	case base.Frame&parse.FrameNonDefault != 0:
		return nil, a.errorf(def.Pos, CodeWindowing,
			"cannot copy window \"%s\" because it has a frame clause", def.RefName)
	}
	full := *def
	full.RefName, full.PartitionBy = "", base.PartitionBy
	if len(def.OrderBy) == 0 {
		full.OrderBy = base.OrderBy
	}
	return &full, nil
}

// window resolves what a call's window is made of.
func (a *analyzer) window(s *selecting, w *WindowCall) error {
	a.aggregates, a.place = &s.aggs, "window definitions"
	defer func() { a.aggregates = nil }()
	for _, n := range w.def.PartitionBy {
		x, err := a.operand(n)
		if err != nil {
			return err
		}
		if err := a.groupable(x, startOf(n)); err != nil {
			return err
		}
		w.PartitionBy = append(w.PartitionBy, x)
	}
	for _, item := range w.def.OrderBy {
		x, err := a.operand(item.Expr)
		if err != nil {
			return err
		}
		key, err := a.sortKey(x, item)
		if err != nil {
			return err
		}
		w.OrderBy = append(w.OrderBy, key)
	}
	return a.frame(w)
}

// frame reads the frame clause; frames with other bounds than the start of the partition and the
// current row or the end are refused.
func (a *analyzer) frame(w *WindowCall) error {
	f := w.def.Frame
	w.Whole = len(w.OrderBy) == 0
	if f&parse.FrameNonDefault == 0 {
		return nil
	}
	const other = parse.FrameStartOffsetPreceding | parse.FrameEndOffsetPreceding |
		parse.FrameStartOffsetFollowing | parse.FrameEndOffsetFollowing |
		parse.FrameExcludeCurrentRow | parse.FrameExcludeGroup | parse.FrameExcludeTies |
		parse.FrameGroups
	if f&other != 0 || f&parse.FrameStartUnboundedPreceding == 0 {
		return a.unsupported(w.def.Pos, "a window frame of these bounds")
	}
	switch {
	case f&parse.FrameEndUnboundedFollowing != 0:
		w.Whole = true
	case f&parse.FrameRows != 0:
		w.Rows, w.Whole = true, false
	}
	return nil
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
	return &Window{In: in, Width: width, Calls: s.windows}, width + len(s.windows)
}
