package plan

import (
	"slices"

	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
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
	// rebuild gives a copy with other operands, in the order of inputs.
	rebuild(in []Expr) Expr
	print(p *printer)
}

// Eval is what expressions need besides their row. It belongs to one execution.
type Eval struct {
	builtin.Context
	Params     []types.Datum
	Sequences  Sequences
	Subqueries Subqueries

	slots []types.Datum // what Outer reads
	fixed []fixed       // by SubPlan.Index: the answers of those that have but one

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

func (c *Const) inputs() []Expr      { return nil }
func (c *Const) rebuild([]Expr) Expr { return c }

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

func (x *Param) inputs() []Expr      { return nil }
func (x *Param) rebuild([]Expr) Expr { return x }

// Field is a column of the row below.
type Field struct {
	Index int
	T     types.Type
	Table string // the name it is printed with; "" for none
	Name  string

	pos parse.Pos // of the reference, for errors
	of  Expr      // what the step below computed it from, which is how it is printed

	fields []Column // of a row value
}

// Type implements Expr.
func (c *Field) Type() types.Type { return c.T }

// Eval implements Expr.
func (c *Field) Eval(_ *Eval, row []types.Datum) (types.Datum, error) { return row[c.Index], nil }

func (c *Field) inputs() []Expr      { return nil }
func (c *Field) rebuild([]Expr) Expr { return c }

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

// rewrite gives x with other expressions in it: where replace gives one, it stands in the place of
// what replace was shown, whose operands are not visited.
func rewrite(x Expr, replace func(Expr) Expr) Expr {
	if y := replace(x); y != nil {
		return y
	}
	in := x.inputs()
	var out []Expr
	for i, operand := range in {
		y := rewrite(operand, replace)
		if y != operand && out == nil {
			out = slices.Clone(in)
		}
		if out != nil {
			out[i] = y
		}
	}
	if out == nil {
		return x
	}
	return x.rebuild(out)
}

// shift moves the columns an expression reads by so many places.
func shift(x Expr, by int) Expr {
	if by == 0 || x == nil {
		return x
	}
	return rewrite(x, func(x Expr) Expr {
		c, ok := x.(*Field)
		if !ok {
			return nil
		}
		moved := *c
		moved.Index += by
		return &moved
	})
}

func shiftAll(list []Expr, by int) []Expr {
	out := make([]Expr, len(list))
	for i, x := range list {
		out[i] = shift(x, by)
	}
	return out
}

// reach gives the first column an expression reads and the one behind the last; none when it reads
// no row.
func reach(x Expr) (lo, hi int, any bool) {
	walk(x, func(x Expr) bool {
		if c, ok := x.(*Field); ok {
			if !any || c.Index < lo {
				lo = c.Index
			}
			if !any || c.Index >= hi {
				hi = c.Index + 1
			}
			any = true
		}
		return true
	})
	return lo, hi, any
}

// within says whether all the columns an expression reads lie in [lo, hi).
func within(x Expr, lo, hi int) bool {
	from, to, any := reach(x)
	return !any || lo <= from && to <= hi
}

// runsQuery says whether there is a query in x.
func runsQuery(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		_, is := x.(*SubPlan)
		return !is
	})
}

// isVolatile says whether two evaluations over one row may differ.
func isVolatile(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		switch x := x.(type) {
		case *SequenceCall:
			return false
		case *SubPlan:
			return !x.Volatile
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
