package plan

import "ackdb/server/sql/types"

// Outer is a column of a row further out: of the query around this one, or of what stands to the
// left in FROM. Its value lies in a slot of the Eval, set before the step that reads it is opened.
type Outer struct {
	Slot  int
	T     types.Type
	Table string
	Name  string
	of    Expr // what is printed instead of a name

	fields []Column // of a row value
}

// Type implements Expr.
func (o *Outer) Type() types.Type { return o.T }

// Eval implements Expr.
func (o *Outer) Eval(e *Eval, _ []types.Datum) (types.Datum, error) { return e.slots[o.Slot], nil }

func (o *Outer) inputs() []Expr      { return nil }
func (o *Outer) rebuild([]Expr) Expr { return o }

// Binding says what a slot is set to: an expression over the row of whoever sets it.
type Binding struct {
	Slot int
	Expr Expr
}

// Bind sets slots from a row, which must stay valid while anything reads them.
func (e *Eval) Bind(list []Binding, row []types.Datum) error {
	for i := range list {
		v, err := list[i].Expr.Eval(e, row)
		if err != nil {
			return err
		}
		e.slots[list[i].Slot] = v
	}
	return nil
}

// Begin readies the Eval for an execution of the plan.
func (e *Eval) Begin(p *Prepared) {
	e.slots, e.fixed = e.slots[:0], e.fixed[:0]
	if p.slots > 0 {
		e.slots = append(e.slots, make([]types.Datum, p.slots)...)
	}
	if p.subplans > 0 {
		e.fixed = append(e.fixed, make([]fixed, p.subplans)...)
	}
}
