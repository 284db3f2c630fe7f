package builtin

import (
	"slices"
	"strings"

	"ackdb/server/sql/types"
)

// candidate is an overload seen with as many arguments as a call has.
type candidate struct {
	function *Function
	operator *Operator
	args     []OID
	pack     int
}

// Resolve chooses the overload of a function for arguments of the given types. types.Unknown stands
// for an untyped literal or a parameter without a type. A name may come with pg_catalog before it.
func Resolve(written string, args []OID) (Call, error) {
	name := strings.TrimPrefix(written, pgCatalog)
	cands := functionCandidates(functions[name], args)
	for _, c := range cands {
		if equalOIDs(c.args, args) {
			return c.call(args)
		}
	}
	if len(args) == 1 {
		if call, ok := castCall(name, args[0]); ok {
			return call, nil
		}
	}
	chosen, ambiguous := choose(cands, args)
	if chosen != nil {
		return chosen.call(args)
	}
	signature := signatureOf(written, args)
	if ambiguous {
		return Call{}, types.Errorf(types.CodeAmbiguousFunction, "function %s is not unique",
			signature).WithHint("Could not choose a best candidate function. " +
			"You might need to add explicit type casts.")
	}
	if unsupported[name] {
		return Call{}, types.Errorf(types.CodeFeatureNotSupported, "function %s is not supported",
			signature)
	}
	return Call{}, types.Errorf(types.CodeUndefinedFunction, "function %s does not exist",
		signature).WithHint("No function matches the given name and argument types. " +
		"You might need to add explicit type casts.")
}

func signatureOf(name string, args []OID) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = types.FormatType(a, types.NoMod)
	}
	return name + "(" + strings.Join(names, ", ") + ")"
}

func functionCandidates(fs []*Function, args []OID) []candidate {
	cands := make([]candidate, 0, len(fs))
	for _, f := range fs {
		if f.Variadic {
			if c, ok := variadicCandidate(f, len(args)); ok {
				cands = append(cands, c)
			}
			continue
		}
		if len(args) <= len(f.Args) && len(args) >= len(f.Args)-f.Defaults {
			cands = append(cands, candidate{function: f, args: f.Args[:len(args)], pack: -1})
		}
	}
	// What takes as many arguments without packing them goes before what packs them.
	return slices.DeleteFunc(cands, func(c candidate) bool {
		return c.function.Variadic && slices.ContainsFunc(cands, func(o candidate) bool {
			return !o.function.Variadic && equalOIDs(o.args, c.args)
		})
	})
}

// variadicCandidate repeats the last argument's element type over the rest of the arguments.
func variadicCandidate(f *Function, count int) (candidate, bool) {
	fixed := len(f.Args) - 1
	if count <= fixed {
		return candidate{}, false
	}
	elem := f.Args[fixed]
	pack := -1 // VARIADIC "any" takes its arguments as they are
	if elem != types.Any {
		pack = fixed
		if elem = types.ElemOf(elem); elem == 0 {
			elem = types.AnyElement
		}
	}
	args := append([]OID(nil), f.Args[:fixed]...)
	for range count - fixed {
		args = append(args, elem)
	}
	return candidate{function: f, args: args, pack: pack}, true
}

// castCall lets a type's name be called as a function, as in text(x), where there is a cast.
func castCall(name string, from OID) (Call, bool) {
	info := types.LookupName(name)
	if info == nil || info.Pseudo || info.Elem != 0 {
		return Call{}, false
	}
	cast, ok := types.FindCast(from, info.OID, types.Explicit)
	if !ok {
		return Call{}, false
	}
	f := &Function{Name: name, Args: []OID{from}, Result: info.OID}
	if cast.Stable {
		f.Volatility = Stable
	}
	target := types.Of(info.OID)
	f.Eval = func(c *Context, args []Datum) (Datum, error) {
		return cast.Apply(args[0], target, c.Env)
	}
	return Call{Function: f, Args: f.Args, Result: info.OID, pack: -1}, true
}

// ResolveOperator chooses the overload of an operator. Left is 0 for a prefix operator;
// types.Unknown stands for an operand without a type.
func ResolveOperator(name string, left, right OID) (Call, error) {
	name = canonicalOperator(name)
	cands := operatorCandidates(name, left == 0)
	args := []OID{left, right}
	if left == 0 {
		args = args[1:]
	}
	// An untyped operand is first taken for the other's type.
	exact := append([]OID(nil), args...)
	if left != 0 {
		if exact[0] == types.Unknown && exact[1] != types.Unknown {
			exact[0] = exact[1]
		} else if exact[1] == types.Unknown {
			exact[1] = exact[0]
		}
	}
	for i := range cands {
		if equalOIDs(cands[i].args, exact) {
			return cands[i].call(args)
		}
	}
	chosen, ambiguous := choose(cands, args)
	if chosen != nil {
		return chosen.call(args)
	}
	return Call{}, errOperator(name, left, right, ambiguous)
}

func canonicalOperator(name string) string {
	if name == "!=" {
		return "<>"
	}
	return name
}

func operatorCandidates(name string, prefix bool) []candidate {
	cands := make([]candidate, 0, len(operators[name]))
	for _, op := range operators[name] {
		if (op.Left == 0) == prefix {
			cands = append(cands, candidate{
				function: op.Function, operator: op, args: op.Function.Args, pack: -1,
			})
		}
	}
	return cands
}

func errOperator(name string, left, right OID, ambiguous bool) *types.Error {
	signature := name + " " + types.FormatType(right, types.NoMod)
	hint := "No operator matches the given name and argument type. " +
		"You might need to add an explicit type cast."
	if left != 0 {
		signature = types.FormatType(left, types.NoMod) + " " + signature
		hint = "No operator matches the given name and argument types. " +
			"You might need to add explicit type casts."
	}
	if ambiguous {
		return types.Errorf(types.CodeAmbiguousFunction, "operator is not unique: %s", signature).
			WithHint("Could not choose a best candidate operator. " +
				"You might need to add explicit type casts.")
	}
	return types.Errorf(types.CodeUndefinedFunction, "operator does not exist: %s", signature).
		WithHint("%s", hint)
}

func equalOIDs(a, b []OID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// call makes the polymorphic types of a candidate concrete.
func (c *candidate) call(actual []OID) (Call, error) {
	call := Call{Function: c.function, Operator: c.operator, Args: c.args,
		Result: c.function.Result, pack: c.pack}
	if make := c.function.OfTypes; make != nil {
		typed := *c.function
		typed.Eval = make(append([]OID(nil), actual...))
		call.Function = &typed
	}
	if !hasPolymorphic(c.args) && !isPolymorphic(call.Result) {
		return call, nil
	}
	solved, err := solvePolymorphic(c.args, actual)
	if err != nil {
		return Call{}, err
	}
	if solved.elem == 0 && needsElem(c.args) {
		return Call{}, types.Errorf(types.CodeDatatypeMismatch,
			"could not determine polymorphic type because input has type unknown")
	}
	call.Args = make([]OID, len(c.args))
	for i, declared := range c.args {
		call.Args[i] = solved.concrete(declared, actual[i])
	}
	call.Result = solved.concrete(call.Result, call.Result)
	return call, nil
}

// unsupported names functions that are refused by name, as every missing feature is, rather than
// denied.
var unsupported = map[string]bool{
	"json_populate_record":               true,
	"json_populate_recordset":            true,
	"jsonb_populate_record":              true,
	"jsonb_populate_recordset":           true,
	"pg_create_logical_replication_slot": true,
	"pg_copy_physical_replication_slot":  true,
	"pg_copy_logical_replication_slot":   true,
	"pg_replication_slot_advance":        true,
	"pg_export_snapshot":                 true,
}
