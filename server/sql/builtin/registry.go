package builtin

import (
	"strings"

	"ackdb/server/sql/types"
)

// Short forms of what signatures are made of.
type (
	// OID is types.OID.
	OID = types.OID
	// Datum is types.Datum.
	Datum = types.Datum
)

// Volatility says when a call may be replaced by its result.
type Volatility uint8

// The volatilities, as in pg_proc.provolatile.
const (
	Immutable Volatility = iota
	Stable
	Volatile
)

// Eval computes a function of its arguments, already of the declared types.
type Eval func(c *Context, args []Datum) (Datum, error)

// SetEval yields the rows of a set-returning function; of several columns each row is a record. It
// stops with the error that yield returns.
type SetEval func(c *Context, args []Datum, yield func(Datum) error) error

// Column is a result column of a set-returning function that has several.
type Column struct {
	Name string
	Type OID
}

// Function is one overload. It is not written to once registered (B1).
type Function struct {
	OID        OID // of pg_proc; 0 for functions PostgreSQL does not have
	Name       string
	Args       []OID
	Defaults   int  // how many of the last arguments may be left out; Eval then gets fewer
	Variadic   bool // the last of Args is an array type that takes the rest, or Any
	Result     OID
	NotStrict  bool // is called with NULLs too
	Volatility Volatility
	Eval       Eval
	// OfTypes makes Eval for the types of the arguments of one call, NULL among them, for the few
	// functions whose result hangs on those; nil for all others.
	OfTypes func(actual []OID) Eval
	Set     SetEval
	Columns []Column // of a set-returning function with several
	Defined bool     // gives documents, for DefineRow to make rows of

	operator bool // implements an operator; not callable by name
}

// ReturnsSet reports whether the function yields rows.
func (f *Function) ReturnsSet() bool { return f.Set != nil }

// Operator is one overload of an operator. Left is 0 for a prefix operator.
type Operator struct {
	OID         OID
	Name        string
	Left, Right OID
	Function    *Function
	Commutator  string // the operator of exchanged arguments, empty when there is none
	Negator     string // the operator of the opposite result
}

var (
	functions = map[string][]*Function{}
	operators = map[string][]*Operator{}
)

// register enters functions; called from variable initialisers and init functions alone (B1).
func register(fs ...Function) {
	for i := range fs {
		f := &fs[i]
		functions[f.Name] = append(functions[f.Name], f)
	}
}

// registerOp enters operators, each with the function behind it.
func registerOp(name string, left, right, result OID, eval Eval, opts ...opOption) {
	args := []OID{left, right}
	if left == 0 {
		args = args[1:]
	}
	f := &Function{Name: name, Args: args, Result: result, Eval: eval, operator: true}
	op := &Operator{Name: name, Left: left, Right: right, Function: f}
	for _, opt := range opts {
		opt(op)
	}
	operators[name] = append(operators[name], op)
}

// opOption sets what few operators need.
type opOption func(*Operator)

func stableOp(op *Operator) { op.Function.Volatility = Stable }

// variadicOp is of operators whose function can be called with a list by name.
func variadicOp(op *Operator) { op.Function.Variadic = true }

func notStrictOp(op *Operator) { op.Function.NotStrict = true }

// IsFunction reports whether any function has the name.
func IsFunction(name string) bool { return len(functions[strings.TrimPrefix(name, pgCatalog)]) > 0 }

const pgCatalog = "pg_catalog."

// Functions lists the overloads of a name; the caller does not write to them.
func Functions(name string) []*Function { return functions[name] }

// EachFunction calls yield with every function, in no promised order.
func EachFunction(yield func(*Function)) {
	for _, fs := range functions {
		for _, f := range fs {
			yield(f)
		}
	}
}

// EachOperator calls yield with every operator, in no promised order.
func EachOperator(yield func(*Operator)) {
	for _, ops := range operators {
		for _, op := range ops {
			yield(op)
		}
	}
}

// fn describes an immutable strict function; the methods below change what is different.
func fn(name string, result OID, eval Eval, args ...OID) Function {
	return Function{Name: name, Args: args, Result: result, Eval: eval}
}

func (f Function) stable() Function {
	f.Volatility = Stable
	return f
}

func (f Function) volatile() Function {
	f.Volatility = Volatile
	return f
}

func (f Function) notStrict() Function {
	f.NotStrict = true
	return f
}

func (f Function) ofTypes(make func([]OID) Eval) Function {
	f.OfTypes = make
	return f
}

func (f Function) variadic() Function {
	f.Variadic = true
	return f
}

func (f Function) defaults(n int) Function {
	f.Defaults = n
	return f
}
