package builtin

import "ackdb/server/sql/types"

// Call is a function chosen for the arguments of one expression.
type Call struct {
	Function *Function
	Operator *Operator // set when the call is an operator's
	// Args is what each actual argument must be cast to, with polymorphic types made concrete.
	Args []OID
	// Result is the type of the value, concrete too.
	Result OID
	// pack is how many arguments come before those packed into an array; -1 when none are.
	pack int
}

// Volatility is that of the function.
func (c *Call) Volatility() Volatility { return c.Function.Volatility }

// Eval computes the call: NULL for a NULL argument of a strict function, extra arguments packed
// into the array of a variadic one.
func (c *Call) Eval(ctx *Context, args []Datum) (Datum, error) {
	f := c.Function
	if c.pack >= 0 {
		args = c.packed(args)
	}
	if !f.NotStrict {
		for i := range args {
			if args[i].IsNull() {
				return types.Null, nil
			}
		}
	}
	d, err := f.Eval(ctx, args)
	if d.Large() || ctx.reserved > 0 {
		return ctx.settle(d, err)
	}
	return d, err
}

// EvalSet yields the rows of a set-returning call; a strict one yields none for a NULL argument.
func (c *Call) EvalSet(ctx *Context, args []Datum, yield func(Datum) error) error {
	f := c.Function
	if !f.NotStrict {
		for i := range args {
			if args[i].IsNull() {
				return nil
			}
		}
	}
	err := f.Set(ctx, args, yield)
	if ctx.reserved > 0 {
		_, err = ctx.settle(types.Null, err)
	}
	return err
}

func (c *Call) packed(args []Datum) []Datum {
	elem := types.ElemOf(c.Function.Args[c.pack])
	if elem == 0 {
		elem = c.Args[c.pack]
	}
	rest := append([]Datum(nil), args[c.pack:]...)
	out := append([]Datum(nil), args[:c.pack]...)
	return append(out, types.NewArray(elem, rest))
}
