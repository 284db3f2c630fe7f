package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/types"
)

// Call applies a function or an operator.
type Call struct {
	Fn   builtin.Call
	Args []Expr
	// Op is the operator's spelling; "" for a function called by name.
	Op string
	T  types.Type
}

// Type implements Expr.
func (c *Call) Type() types.Type { return c.T }

// Eval implements Expr.
func (c *Call) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	base := len(e.stack)
	for _, arg := range c.Args {
		v, err := arg.Eval(e, row)
		if err != nil {
			e.stack = e.stack[:base]
			return types.Null, err
		}
		e.stack = append(e.stack, v)
	}
	v, err := c.Fn.Eval(&e.Context, e.stack[base:len(e.stack):len(e.stack)])
	e.stack = e.stack[:base]
	return v, err
}

func (c *Call) inputs() []Expr { return c.Args }

func (c *Call) rebuild(in []Expr) Expr {
	out := *c
	out.Args = in
	return &out
}

// CompareOp is one of the six comparisons that a key can be scanned by.
type CompareOp uint8

// The comparisons.
const (
	EQ CompareOp = iota
	NE
	LT
	LE
	GT
	GE
)

var compareOps = map[string]CompareOp{"=": EQ, "<>": NE, "<": LT, "<=": LE, ">": GT, ">=": GE}

var compareNames = [...]string{"=", "<>", "<", "<=", ">", ">="}

func (op CompareOp) String() string { return compareNames[op] }

// flip gives the operator with its operands exchanged.
func (op CompareOp) flip() CompareOp {
	switch op {
	case LT:
		return GT
	case LE:
		return GE
	case GT:
		return LT
	case GE:
		return LE
	}
	return op
}

// holds says whether a comparison with that outcome is true.
func (op CompareOp) holds(outcome int) bool {
	switch op {
	case EQ:
		return outcome == 0
	case NE:
		return outcome != 0
	case LT:
		return outcome < 0
	case LE:
		return outcome <= 0
	case GT:
		return outcome > 0
	}
	return outcome >= 0
}

// Compare compares two values of one comparison class. It is a node of its own, and not a Call, so
// that the planner finds it when it looks for a key and the hot paths skip a call by pointer.
type Compare struct {
	Op   CompareOp
	L, R Expr
}

// Type implements Expr.
func (c *Compare) Type() types.Type { return boolType }

// Eval implements Expr.
func (c *Compare) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	l, err := c.L.Eval(e, row)
	if err != nil {
		return types.Null, err
	}
	r, err := c.R.Eval(e, row)
	if err != nil || l.IsNull() || r.IsNull() {
		return types.Null, err
	}
	return types.NewBool(c.Op.holds(types.Compare(l, r))), nil
}

func (c *Compare) inputs() []Expr { return []Expr{c.L, c.R} }

func (c *Compare) rebuild(in []Expr) Expr { return &Compare{Op: c.Op, L: in[0], R: in[1]} }

// Cast converts a value to another type and applies the type's modifier.
type Cast struct {
	X        Expr
	To       types.Type
	Implicit bool // not written by the user
	cast     types.Cast
	// relabel says that the conversion only changes the type's name.
	relabel bool
}

// Type implements Expr.
func (c *Cast) Type() types.Type { return c.To }

// Eval implements Expr.
func (c *Cast) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	v, err := c.X.Eval(e, row)
	if err != nil || v.IsNull() {
		return types.Null, err
	}
	if c.relabel {
		return v.As(c.To.OID), nil
	}
	return c.cast.Apply(v, c.To, e.Env)
}

func (c *Cast) inputs() []Expr { return []Expr{c.X} }

func (c *Cast) rebuild(in []Expr) Expr {
	out := *c
	out.X = in[0]
	return &out
}

var (
	boolType    = types.Type{OID: types.Bool, Mod: types.NoMod}
	unknownType = types.Type{OID: types.Unknown, Mod: types.NoMod}
	textType    = types.Type{OID: types.Text, Mod: types.NoMod}
	int8Type    = types.Type{OID: types.Int8, Mod: types.NoMod}
	int4Type    = types.Type{OID: types.Int4, Mod: types.NoMod}
)
