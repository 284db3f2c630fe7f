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
