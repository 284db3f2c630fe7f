package plan

import "ackdb/server/sql/types"

// Case picks the result of the first condition that is true.
type Case struct {
	When []Expr // conditions; those of CASE x WHEN y are comparisons already
	Then []Expr
	Else Expr // a NULL constant when the user wrote none
	T    types.Type
}

// Type implements Expr.
func (c *Case) Type() types.Type { return c.T }

// Eval implements Expr.
func (c *Case) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	for i, when := range c.When {
		v, err := when.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		if v.Bool() {
			return c.Then[i].Eval(e, row)
		}
	}
	return c.Else.Eval(e, row)
}

func (c *Case) inputs() []Expr {
	list := append([]Expr{c.Else}, c.When...)
	return append(list, c.Then...)
}

func (c *Case) rebuild(in []Expr) Expr {
	n := len(c.When)
	return &Case{Else: in[0], When: in[1 : 1+n], Then: in[1+n:], T: c.T}
}

// Coalesce is its first operand that is not NULL.
type Coalesce struct {
	Args []Expr
	T    types.Type
}

// Type implements Expr.
func (c *Coalesce) Type() types.Type { return c.T }

// Eval implements Expr.
func (c *Coalesce) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	for _, arg := range c.Args {
		v, err := arg.Eval(e, row)
		if err != nil || !v.IsNull() {
			return v, err
		}
	}
	return types.Null, nil
}

func (c *Coalesce) inputs() []Expr         { return c.Args }
func (c *Coalesce) rebuild(in []Expr) Expr { return &Coalesce{Args: in, T: c.T} }

// NullIf is NULL when Equal holds, else its first operand.
type NullIf struct {
	X     Expr
	Equal Expr
}

// Type implements Expr.
func (n *NullIf) Type() types.Type { return n.X.Type() }

// Eval implements Expr.
func (n *NullIf) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	v, err := n.Equal.Eval(e, row)
	if err != nil || v.Bool() {
		return types.Null, err
	}
	return n.X.Eval(e, row)
}

func (n *NullIf) inputs() []Expr         { return []Expr{n.X, n.Equal} }
func (n *NullIf) rebuild(in []Expr) Expr { return &NullIf{X: in[0], Equal: in[1]} }

// Extreme is GREATEST or LEAST; NULLs are passed over.
type Extreme struct {
	Args  []Expr
	Least bool
	T     types.Type
}

// Type implements Expr.
func (x *Extreme) Type() types.Type { return x.T }

// Eval implements Expr.
func (x *Extreme) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	best := types.Null
	for _, arg := range x.Args {
		v, err := arg.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		if v.IsNull() {
			continue
		}
		if best.IsNull() || (types.Compare(v, best) < 0) == x.Least && types.Compare(v, best) != 0 {
			best = v
		}
	}
	return best, nil
}

func (x *Extreme) inputs() []Expr { return x.Args }

func (x *Extreme) rebuild(in []Expr) Expr { return &Extreme{Args: in, Least: x.Least, T: x.T} }

// SequenceOp is one of the functions over sequences.
type SequenceOp uint8

// The functions over sequences.
const (
	Nextval SequenceOp = iota
	Currval
	Lastval
	Setval
)

var sequenceOps = map[string]SequenceOp{
	"nextval": Nextval, "currval": Currval, "lastval": Lastval, "setval": Setval,
}

var sequenceNames = [...]string{"nextval", "currval", "lastval", "setval"}

// Sequences does what the functions over sequences ask for. The executor implements it.
type Sequences interface {
	Nextval(e *Eval, oid uint32) (int64, error)
	Currval(e *Eval, oid uint32) (int64, error)
	Lastval(e *Eval) (int64, error)
	Setval(e *Eval, oid uint32, value int64, called bool) error
}

// SequenceCall is nextval(regclass), currval(regclass), lastval() or setval(regclass, int8, bool).
type SequenceCall struct {
	Op   SequenceOp
	Args []Expr
}

// Type implements Expr.
func (s *SequenceCall) Type() types.Type { return int8Type }

// Eval implements Expr.
func (s *SequenceCall) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	var args [3]types.Datum
	for i, arg := range s.Args {
		v, err := arg.Eval(e, row)
		if err != nil || v.IsNull() {
			return types.Null, err
		}
		args[i] = v
	}
	oid, value, err := uint32(args[0].Int()), int64(0), error(nil)
	switch s.Op {
	case Nextval:
		value, err = e.Sequences.Nextval(e, oid)
	case Currval:
		value, err = e.Sequences.Currval(e, oid)
	case Lastval:
		value, err = e.Sequences.Lastval(e)
	case Setval:
		value = args[1].Int()
		err = e.Sequences.Setval(e, oid, value, len(s.Args) < 3 || args[2].Bool())
	}
	if err != nil {
		return types.Null, err
	}
	return types.NewInt8(value), nil
}

func (s *SequenceCall) inputs() []Expr         { return s.Args }
func (s *SequenceCall) rebuild(in []Expr) Expr { return &SequenceCall{Op: s.Op, Args: in} }
