package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Frame says which rows around a row its window function is computed over.
type Frame struct {
	Mode       FrameMode
	Start, End FrameBound
	Exclude    FrameExclusion
}

// FrameMode says what the bounds of a frame count.
type FrameMode uint8

// The modes: values of the one column of ORDER BY, rows, or groups of rows equal by ORDER BY.
const (
	FrameRange FrameMode = iota
	FrameRows
	FrameGroups
)

// FrameBound is where a frame begins or ends.
type FrameBound struct {
	Kind   BoundKind
	Offset Expr
}

// BoundKind tells the bounds apart.
type BoundKind uint8

// The bounds, from the start of the partition to its end.
const (
	UnboundedPreceding BoundKind = iota
	OffsetPreceding
	CurrentRow
	OffsetFollowing
	UnboundedFollowing
)

// FrameExclusion says which rows between the bounds are left out.
type FrameExclusion uint8

// The exclusions: nothing, the row, all that are equal to it, or these but for the row itself.
const (
	ExcludeNothing FrameExclusion = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
)

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
		err := types.Errorf(CodeWindowing, "cannot copy window \"%s\" because it has a frame clause",
			def.RefName).At(a.stmt.Position(def.Pos))
		if def.Name == "" && len(def.OrderBy) == 0 && def.Frame&parse.FrameNonDefault == 0 {
			err = err.WithHint("Omit the parentheses in this OVER clause.")
		}
		return nil, err
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

// frame resolves the frame clause.
func (a *analyzer) frame(w *WindowCall) error {
	f := w.def.Frame
	const offsets = parse.FrameStartOffsetPreceding | parse.FrameStartOffsetFollowing |
		parse.FrameEndOffsetPreceding | parse.FrameEndOffsetFollowing
	clause := "RANGE"
	switch {
	case f&parse.FrameRows != 0:
		w.Frame.Mode, clause = FrameRows, "ROWS"
	case f&parse.FrameGroups != 0:
		w.Frame.Mode, clause = FrameGroups, "GROUPS"
		if len(w.OrderBy) == 0 {
			return a.errorf(w.def.Pos, CodeWindowing, "GROUPS mode requires an ORDER BY clause")
		}
	case f&offsets != 0 && len(w.OrderBy) != 1:
		return a.errorf(w.def.Pos, CodeWindowing, "RANGE with offset PRECEDING/FOLLOWING requires"+
			" exactly one ORDER BY column")
	}
	w.Frame.Start.Kind, w.Frame.End.Kind = boundKinds(f)
	switch {
	case f&parse.FrameExcludeCurrentRow != 0:
		w.Frame.Exclude = ExcludeCurrentRow
	case f&parse.FrameExcludeGroup != 0:
		w.Frame.Exclude = ExcludeGroup
	case f&parse.FrameExcludeTies != 0:
		w.Frame.Exclude = ExcludeTies
	}
	var err error
	if w.Frame.Start.Offset, err = a.frameOffset(w, w.def.StartOffset, clause); err != nil {
		return err
	}
	w.Frame.End.Offset, err = a.frameOffset(w, w.def.EndOffset, clause)
	return err
}

func boundKinds(f parse.FrameOptions) (start, end BoundKind) {
	end = CurrentRow
	switch {
	case f&parse.FrameStartOffsetPreceding != 0:
		start = OffsetPreceding
	case f&parse.FrameStartCurrentRow != 0:
		start = CurrentRow
	case f&parse.FrameStartOffsetFollowing != 0:
		start = OffsetFollowing
	}
	switch {
	case f&parse.FrameEndOffsetPreceding != 0:
		end = OffsetPreceding
	case f&parse.FrameEndOffsetFollowing != 0:
		end = OffsetFollowing
	case f&parse.FrameEndUnboundedFollowing != 0:
		end = UnboundedFollowing
	}
	return start, end
}

// frameOffset resolves how far a bound of a frame lies from the row.
func (a *analyzer) frameOffset(w *WindowCall, n parse.Expr, clause string) (Expr, error) {
	if n == nil {
		return nil, nil
	}
	restore := a.without("window " + clause)
	x, err := a.expr(n)
	restore()
	if err != nil {
		return nil, err
	}
	if clause == "RANGE" {
		x, err = a.rangeOffset(w.OrderBy[0].Expr.Type().OID, x, startOf(n))
	} else {
		x, err = a.bigint(x, clause, startOf(n))
	}
	if err != nil {
		return nil, err
	}
	if readsRow(x) {
		return nil, a.errorf(startOf(n), CodeInvalidColumnRef,
			"argument of %s must not contain variables", clause)
	}
	return x, nil
}

// bigint coerces the argument of a clause that counts.
func (a *analyzer) bigint(x Expr, clause string, pos parse.Pos) (Expr, error) {
	from := x.Type().OID
	if _, ok := types.FindCast(from, types.Int8, types.Assignment); !ok && from != types.Int8 &&
		from != types.Unknown {
		return nil, a.errorf(pos, types.CodeDatatypeMismatch,
			"argument of %s must be type bigint, not type %s", clause,
			types.FormatType(from, types.NoMod))
	}
	return a.coerce(x, int8Type, types.Assignment, "", pos)
}

func (a *analyzer) rangeOffset(column types.OID, x Expr, pos parse.Pos) (Expr, error) {
	offset := x.Type().OID
	to, none, ambiguous := builtin.RangeOffset(column, offset)
	if column == types.VarChar { // which is ordered as text
		column = types.Text
	}
	over := types.FormatType(column, types.NoMod)
	by := types.FormatType(offset, types.NoMod)
	switch {
	case none:
		return nil, a.errorf(pos, types.CodeFeatureNotSupported,
			"RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s", over)
	case to == 0:
		return nil, a.errorf(pos, types.CodeFeatureNotSupported, "RANGE with offset PRECEDING/"+
			"FOLLOWING is not supported for column type %s and offset type %s", over,
			by).(*types.Error).WithHint("Cast the offset value to an appropriate type.")
	case ambiguous:
		return nil, a.errorf(pos, types.CodeFeatureNotSupported, "RANGE with offset PRECEDING/"+
			"FOLLOWING has multiple interpretations for column type %s and offset type %s", over,
			by).(*types.Error).WithHint("Cast the offset value to the exact intended type.")
	}
	return a.coerce(x, types.Type{OID: to, Mod: types.NoMod}, types.Implicit, "", pos)
}

// order gives a text that two calls share only if their windows are partitioned and ordered alike.
func (w *WindowCall) order() string {
	p := printer{exact: true}
	p.list(w.PartitionBy, ", ")
	p.WriteString(" ORDER BY ")
	p.keys(w.OrderBy)
	return p.String()
}
