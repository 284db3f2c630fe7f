package plan

import "ackdb/server/sql/types"

// And is true when all of its operands are, and unknown when none is false and one is NULL.
type And struct{ Args []Expr }

// Type implements Expr.
func (a *And) Type() types.Type { return boolType }

// Eval implements Expr.
func (a *And) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	return evalLogic(e, row, a.Args, false)
}

func (a *And) inputs() []Expr         { return a.Args }
func (a *And) rebuild(in []Expr) Expr { return &And{Args: in} }

// Or is true when one of its operands is, and unknown when none is true and one is NULL.
type Or struct{ Args []Expr }

// Type implements Expr.
func (o *Or) Type() types.Type { return boolType }

// Eval implements Expr.
func (o *Or) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	return evalLogic(e, row, o.Args, true)
}

func (o *Or) inputs() []Expr         { return o.Args }
func (o *Or) rebuild(in []Expr) Expr { return &Or{Args: in} }

// evalLogic stops at the first operand that equals decisive, as AND does at false and OR at true.
func evalLogic(e *Eval, row []types.Datum, args []Expr, decisive bool) (types.Datum, error) {
	unknown := false
	for _, arg := range args {
		v, err := arg.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		switch {
		case v.IsNull():
			unknown = true
		case v.Bool() == decisive:
			return v, nil
		}
	}
	if unknown {
		return types.Null, nil
	}
	return types.NewBool(!decisive), nil
}

// Not negates.
type Not struct{ X Expr }

// Type implements Expr.
func (n *Not) Type() types.Type { return boolType }

// Eval implements Expr.
func (n *Not) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	v, err := n.X.Eval(e, row)
	if err != nil || v.IsNull() {
		return types.Null, err
	}
	return types.NewBool(!v.Bool()), nil
}

func (n *Not) inputs() []Expr         { return []Expr{n.X} }
func (n *Not) rebuild(in []Expr) Expr { return &Not{X: in[0]} }

// NullTest is IS NULL or, negated, IS NOT NULL.
type NullTest struct {
	X      Expr
	Negate bool
}

// Type implements Expr.
func (n *NullTest) Type() types.Type { return boolType }

// Eval implements Expr.
func (n *NullTest) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	v, err := n.X.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	if fields := v.Row(); fields != nil {
		return types.NewBool(allNull(fields, !n.Negate)), nil
	}
	return types.NewBool(v.IsNull() != n.Negate), nil
}

// allNull says whether all fields of a row are NULL, or none is: a row with some of both is neither
// NULL nor not NULL.
func allNull(fields types.Row, null bool) bool {
	for _, field := range fields {
		if field.IsNull() != null {
			return false
		}
	}
	return true
}

func (n *NullTest) inputs() []Expr         { return []Expr{n.X} }
func (n *NullTest) rebuild(in []Expr) Expr { return &NullTest{X: in[0], Negate: n.Negate} }

// BoolTest is IS [NOT] TRUE, FALSE or UNKNOWN.
type BoolTest struct {
	X      Expr
	Want   types.Datum // NULL stands for UNKNOWN
	Negate bool
}

// Type implements Expr.
func (b *BoolTest) Type() types.Type { return boolType }

// Eval implements Expr.
func (b *BoolTest) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	v, err := b.X.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	same := v.IsNull() && b.Want.IsNull()
	if !v.IsNull() && !b.Want.IsNull() {
		same = v.Bool() == b.Want.Bool()
	}
	return types.NewBool(same != b.Negate), nil
}

func (b *BoolTest) inputs() []Expr { return []Expr{b.X} }

func (b *BoolTest) rebuild(in []Expr) Expr {
	return &BoolTest{X: in[0], Want: b.Want, Negate: b.Negate}
}

// Distinct is IS DISTINCT FROM: a comparison for which NULL is a value like any other.
type Distinct struct {
	L, R   Expr
	Negate bool
}

// Type implements Expr.
func (d *Distinct) Type() types.Type { return boolType }

// Eval implements Expr.
func (d *Distinct) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	l, err := d.L.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	r, err := d.R.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	distinct := l.IsNull() != r.IsNull()
	if !l.IsNull() && !r.IsNull() {
		distinct = types.Compare(l, r) != 0
	}
	return types.NewBool(distinct != d.Negate), nil
}

func (d *Distinct) inputs() []Expr { return []Expr{d.L, d.R} }

func (d *Distinct) rebuild(in []Expr) Expr {
	return &Distinct{L: in[0], R: in[1], Negate: d.Negate}
}
