package plan

import "ackdb/server/sql/types"

// AnyAll is x op ANY (...) or x op ALL (...). The right side is a list, as of x IN (a, b), or one
// expression that gives an array.
type AnyAll struct {
	X     Expr
	List  []Expr // nil when Array is set
	Array Expr
	All   bool
	// Test compares X with one element: a Compare or Call over the columns 0 (X) and 1 (element).
	Test Expr
	// Op is the operator's spelling.
	Op string
}

// Type implements Expr.
func (a *AnyAll) Type() types.Type { return boolType }

// Eval implements Expr.
func (a *AnyAll) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	x, err := a.X.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	var elems []types.Datum
	if a.Array != nil {
		array, err := a.Array.Eval(e, row)
		if err != nil || array.IsNull() {
			return types.Null, err
		}
		elems = array.Array().Elems
	}
	unknown := false
	for i := range max(len(a.List), len(elems)) {
		var elem types.Datum
		if a.Array != nil {
			elem = elems[i]
		} else if elem, err = a.List[i].Eval(e, row); err != nil {
			return types.Null, err
		}
		pair := [2]types.Datum{x, elem}
		v, err := a.Test.Eval(e, pair[:])
		if err != nil {
			return types.Null, err
		}
		switch {
		case v.IsNull():
			unknown = true
		case v.Bool() != a.All:
			return v, nil
		}
	}
	if unknown {
		return types.Null, nil
	}
	return types.NewBool(a.All), nil
}

func (a *AnyAll) inputs() []Expr {
	if a.Array != nil {
		return []Expr{a.X, a.Array}
	}
	return append([]Expr{a.X}, a.List...)
}

func (a *AnyAll) rebuild(in []Expr) Expr {
	out := *a
	if out.X = in[0]; a.Array != nil {
		out.Array = in[1]
	} else {
		out.List = in[1:]
	}
	return &out
}

// ArrayOf is ARRAY[...].
type ArrayOf struct {
	Elems []Expr
	T     types.Type // the array's
}

// Type implements Expr.
func (a *ArrayOf) Type() types.Type { return a.T }

// Eval implements Expr.
func (a *ArrayOf) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	elems := make([]types.Datum, len(a.Elems))
	for i, x := range a.Elems {
		v, err := x.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		elems[i] = v
	}
	return types.NewArray(types.ElemOf(a.T.OID), elems), nil
}

func (a *ArrayOf) inputs() []Expr         { return a.Elems }
func (a *ArrayOf) rebuild(in []Expr) Expr { return &ArrayOf{Elems: in, T: a.T} }

// Subscript is x[i] over a one-dimensional array: NULL outside of it.
type Subscript struct {
	X, Index Expr
	T        types.Type
}

// Type implements Expr.
func (s *Subscript) Type() types.Type { return s.T }

// Eval implements Expr.
func (s *Subscript) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	x, err := s.X.Eval(e, row)
	if err != nil || x.IsNull() {
		return types.Null, err
	}
	index, err := s.Index.Eval(e, row)
	if err != nil || index.IsNull() {
		return types.Null, err
	}
	elems, i := x.Array().Elems, index.Int()-1
	if i < 0 || i >= int64(len(elems)) {
		return types.Null, nil
	}
	return elems[i], nil
}

func (s *Subscript) inputs() []Expr { return []Expr{s.X, s.Index} }

func (s *Subscript) rebuild(in []Expr) Expr {
	return &Subscript{X: in[0], Index: in[1], T: s.T}
}
