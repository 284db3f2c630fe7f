package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// ArrayAssign is an array after x[i] = value or x[a:b] = value. A nil bound is the array's own.
type ArrayAssign struct {
	X            Expr
	Lower, Upper []Expr // Lower is nil for an element
	Value        Expr
}

// Type implements Expr.
func (s *ArrayAssign) Type() types.Type { return s.X.Type() }

// Eval implements Expr.
func (s *ArrayAssign) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	x, err := s.X.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	upper, err := assignedBounds(e, row, s.Upper)
	if err != nil {
		return types.Null, err
	}
	lower, err := assignedBounds(e, row, s.Lower)
	if err != nil {
		return types.Null, err
	}
	value, err := s.Value.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	if s.Lower == nil {
		return types.AssignElement(x, s.Type().OID, upper, value)
	}
	return types.AssignSlice(x, s.Type().OID, lower, upper, value)
}

func assignedBounds(e *Eval, row []types.Datum, list []Expr) ([]types.Bound, error) {
	bounds := make([]types.Bound, len(list))
	for i, x := range list {
		if x == nil {
			continue
		}
		v, err := x.Eval(e, row)
		if err != nil {
			return nil, err
		}
		if v.IsNull() {
			return nil, types.Errorf(types.CodeNullNotAllowed,
				"array subscript in assignment must not be null")
		}
		bounds[i] = types.Bound{At: v.Int(), Given: true}
	}
	return bounds, nil
}

func (s *ArrayAssign) inputs() []Expr {
	list := []Expr{s.X, s.Value}
	for _, x := range append(append([]Expr(nil), s.Lower...), s.Upper...) {
		if x != nil {
			list = append(list, x)
		}
	}
	return list
}

func (s *ArrayAssign) rebuild(in []Expr) Expr {
	out := &ArrayAssign{X: in[0], Value: in[1], Upper: make([]Expr, len(s.Upper))}
	in = in[2:]
	if s.Lower != nil {
		out.Lower = make([]Expr, len(s.Lower))
	}
	for i, side := range [][]Expr{s.Lower, s.Upper} {
		to := [][]Expr{out.Lower, out.Upper}[i]
		for j := range side {
			if side[j] != nil {
				to[j], in = in[0], in[1:]
			}
		}
	}
	return out
}

// JSONAssign is a jsonb after x['a'][0] = value.
type JSONAssign struct {
	X     Expr
	Path  []Expr
	Value Expr
	Array bool // what a NULL becomes: an array, not an object
}

// Type implements Expr.
func (s *JSONAssign) Type() types.Type { return s.X.Type() }

// Eval implements Expr.
func (s *JSONAssign) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	x, err := s.X.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	path := make([]types.Datum, len(s.Path))
	for i, step := range s.Path {
		if path[i], err = step.Eval(e, row); err != nil {
			return types.Null, err
		}
	}
	value, err := s.Value.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	return builtin.AssignJSON(x, path, value, s.Array)
}

func (s *JSONAssign) inputs() []Expr {
	return append([]Expr{s.X, s.Value}, s.Path...)
}

func (s *JSONAssign) rebuild(in []Expr) Expr {
	return &JSONAssign{X: in[0], Value: in[1], Path: in[2:], Array: s.Array}
}

// assignedPart resolves column[...] = n, over what the column is before: its value, or what an
// assignment to another part of it made.
func (a *analyzer) assignedPart(
	c *catalog.Column, before Expr, target parse.InsertColumn, n parse.Expr,
) (Expr, error) {
	for _, step := range target.Steps {
		if !step.Subscript {
			return nil, a.unsupported(target.Pos, "assignment to a field of a column")
		}
	}
	if _, ok := n.(*parse.SetToDefault); ok {
		return nil, a.errorf(target.Pos, types.CodeFeatureNotSupported,
			"cannot set an array element to DEFAULT")
	}
	if c.Type.OID == types.JSONB {
		path, err := a.jsonSteps(target.Steps)
		if err != nil {
			return nil, err
		}
		value, err := a.partValue(c, c.Type, n, target.Pos)
		isArray := isIntegerStep(path[0])
		return &JSONAssign{X: before, Path: textSteps(path), Value: value, Array: isArray}, err
	}
	elem := types.ElemOf(c.Type.OID)
	if elem == 0 {
		return nil, a.errorf(target.Pos, types.CodeDatatypeMismatch,
			"cannot subscript type %s because it does not support subscripting",
			types.FormatType(c.Type.OID, c.Type.Mod))
	}
	part, err := a.subscripts(before, target.Steps, elem)
	if err != nil {
		return nil, err
	}
	switch part := part.(type) {
	case *Slice:
		value, err := a.partValue(c, c.Type, n, target.Pos)
		return &ArrayAssign{X: before, Lower: part.Lower, Upper: part.Upper, Value: value}, err
	case *Subscript:
		value, err := a.partValue(c, types.Type{OID: elem, Mod: c.Type.Mod}, n, target.Pos)
		return &ArrayAssign{X: before, Upper: part.Index, Value: value}, err
	}
	return nil, a.unsupported(target.Pos, "assignment to this part of a column")
}

// partValue resolves what is assigned to a part of a column, which is at pos.
func (a *analyzer) partValue(
	c *catalog.Column, to types.Type, n parse.Expr, pos parse.Pos,
) (Expr, error) {
	x, err := a.expr(n)
	if err != nil {
		return nil, err
	}
	from := x.Type().OID
	if _, ok := types.FindCast(from, to.OID, types.Assignment); !ok && from != to.OID &&
		from != types.Unknown {
		return nil, a.errorf(pos, types.CodeDatatypeMismatch,
			"subscripted assignment to \"%s\" requires type %s but expression is of type %s",
			c.Name, types.FormatType(to.OID, types.NoMod), types.FormatType(from, types.NoMod),
		).(*types.Error).WithHint("You will need to rewrite or cast the expression.")
	}
	return a.coerce(x, to, types.Assignment, "", startOf(n))
}

// jsonSteps resolves the subscripts of a jsonb, each to an integer or a text.
func (a *analyzer) jsonSteps(steps []parse.Indirection) ([]Expr, error) {
	path := make([]Expr, len(steps))
	for i, step := range steps {
		if step.Slice {
			at := step.Upper
			if at == nil {
				at = step.Lower
			}
			pos := parse.NoPos
			if at != nil {
				pos = startOf(at)
			}
			return nil, a.errorf(pos, types.CodeDatatypeMismatch,
				"jsonb subscript does not support slices")
		}
		x, err := a.expr(step.Upper)
		if err != nil {
			return nil, err
		}
		to, from := textType, x.Type().OID
		_, isInt := types.FindCast(from, types.Int4, types.Implicit)
		_, isText := types.FindCast(from, types.Text, types.Implicit)
		switch {
		case from == types.Unknown || from == types.Text:
		case isInt || from == types.Int4:
			to = int4Type
		case !isText:
			return nil, a.errorf(startOf(step.Upper), types.CodeDatatypeMismatch,
				"subscript type %s is not supported", types.FormatType(from, types.NoMod),
			).(*types.Error).WithHint("jsonb subscript must be coercible to either integer or text.")
		}
		if path[i], err = a.coerce(x, to, types.Implicit, "", startOf(step.Upper)); err != nil {
			return nil, err
		}
	}
	return path, nil
}

func isIntegerStep(x Expr) bool { return x.Type().OID == types.Int4 }

// textSteps are the steps as the path of a document has them.
func textSteps(path []Expr) []Expr {
	texts := make([]Expr, len(path))
	for i, x := range path {
		texts[i] = x
		if isIntegerStep(x) {
			cast, _ := types.FindCast(types.Int4, types.Text, types.Explicit)
			texts[i] = newCast(x, textType, cast, true)
		}
	}
	return texts
}

// jsonSubscripts resolves doc['a'][0], which is doc #> '{a,0}'.
func (a *analyzer) jsonSubscripts(x Expr, steps []parse.Indirection) (Expr, error) {
	path, err := a.jsonSteps(steps)
	if err != nil {
		return nil, err
	}
	list := &ArrayOf{Elems: textSteps(path), T: types.Type{OID: types.TextArray, Mod: types.NoMod}}
	call, err := builtin.ResolveOperator("#>", types.JSONB, types.TextArray)
	if err != nil {
		return nil, err
	}
	t := types.Type{OID: types.JSONB, Mod: types.NoMod}
	return &Call{Fn: call, Args: []Expr{x, list}, Op: "#>", T: t}, nil
}

// print shows an assignment as its target, which is all that can be seen of it.
func (s *ArrayAssign) print(p *printer) {
	if s.Lower == nil {
		(&Subscript{X: s.X, Index: s.Upper}).print(p)
		return
	}
	(&Slice{X: s.X, Lower: s.Lower, Upper: s.Upper}).print(p)
}

func (s *JSONAssign) print(p *printer) { (&Subscript{X: s.X, Index: s.Path}).print(p) }
