package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/types"
)

// Expr is an expression whose names and types are resolved. It is immutable and shared by every
// session that runs the plan (P1), so all state of an evaluation is in Eval.
type Expr interface {
	Type() types.Type
	// Eval computes the value for one row. Byte values may alias the row's memory.
	Eval(e *Eval, row []types.Datum) (types.Datum, error)
	// inputs lists the direct operands.
	inputs() []Expr
	print(p *printer)
}

// Eval is what expressions need besides their row. It belongs to one execution.
type Eval struct {
	builtin.Context
	Params    []types.Datum
	Sequences Sequences

	// stack holds the arguments of the calls being evaluated, innermost on top, so that a call
	// costs no allocation.
	stack []types.Datum
}

// Const is a value known when the plan is made.
type Const struct {
	Value types.Datum
	T     types.Type
}

// Type implements Expr.
func (c *Const) Type() types.Type { return c.T }

// Eval implements Expr.
func (c *Const) Eval(*Eval, []types.Datum) (types.Datum, error) { return c.Value, nil }

func (c *Const) inputs() []Expr { return nil }

// Param is $n, or in a plan from the fingerprint cache the nth literal of the statement.
type Param struct {
	Index int // from 0
	T     types.Type
}

// Type implements Expr.
func (x *Param) Type() types.Type { return x.T }

// Eval implements Expr.
func (x *Param) Eval(e *Eval, _ []types.Datum) (types.Datum, error) {
	return e.Params[x.Index], nil
}

func (x *Param) inputs() []Expr { return nil }

// Field is a column of the row below.
type Field struct {
	Index int
	T     types.Type
	Table string // the name it is printed with; "" for none
	Name  string
}

// Type implements Expr.
func (c *Field) Type() types.Type { return c.T }

// Eval implements Expr.
func (c *Field) Eval(_ *Eval, row []types.Datum) (types.Datum, error) { return row[c.Index], nil }

func (c *Field) inputs() []Expr { return nil }

// walk visits x and everything below it until visit returns false.
func walk(x Expr, visit func(Expr) bool) bool {
	if !visit(x) {
		return false
	}
	for _, in := range x.inputs() {
		if !walk(in, visit) {
			return false
		}
	}
	return true
}

// isVolatile says whether two evaluations over one row may differ.
func isVolatile(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		switch x := x.(type) {
		case *SequenceCall:
			return false
		case *Call:
			return x.Fn.Volatility() != builtin.Volatile
		}
		return true
	})
}

// readsRow says whether x depends on the row below.
func readsRow(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		_, isColumn := x.(*Field)
		return !isColumn
	})
}
