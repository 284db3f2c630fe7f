package builtin

import (
	"strings"

	"ackdb/server/sql/types"
)

// Accumulator gathers the rows of one group. It belongs to one goroutine.
type Accumulator interface {
	// Add counts a row. Arguments are cast already; aggregates that skip NULLs do so themselves.
	// What it keeps of args it clones.
	Add(c *Context, args []Datum) error
	// Result is the value over the rows so far.
	Result(c *Context) (Datum, error)
	// Size is the memory held, in bytes.
	Size() int
}

// Aggregate is one overload of an aggregate.
type Aggregate struct {
	OID    OID
	Name   string
	Args   []OID
	Star   bool // count(*)
	Result OID

	Ordered bool // of WITHIN GROUP, an OrderedSet; the last argument is what it is ordered by
	Lists   bool // its result hangs on the order of its values

	// New starts a group; result is the concrete type of the value.
	New func(result OID) Accumulator

	function *Function // the signature, for resolution
}

// AggCall is an aggregate chosen for the arguments of one expression.
type AggCall struct {
	Aggregate *Aggregate
	Args      []OID
	Result    OID
}

// New starts a group.
func (a *AggCall) New() Accumulator { return a.Aggregate.New(a.Result) }

var aggregates = map[string][]*Aggregate{}

func registerAggregate(aggs ...Aggregate) {
	for i := range aggs {
		a := &aggs[i]
		a.function = &Function{Name: a.Name, Args: a.Args, Result: a.Result}
		aggregates[a.Name] = append(aggregates[a.Name], a)
	}
}

// IsAggregate reports whether any aggregate has the name.
func IsAggregate(name string) bool {
	return len(aggregates[strings.TrimPrefix(name, pgCatalog)]) > 0
}

// IsOrderedSet reports whether the aggregates of that name are of WITHIN GROUP.
func IsOrderedSet(name string) bool {
	list := aggregates[strings.TrimPrefix(name, pgCatalog)]
	return len(list) > 0 && list[0].Ordered
}

// EachAggregate calls yield with every aggregate, in no promised order.
func EachAggregate(yield func(*Aggregate)) {
	for _, as := range aggregates {
		for _, a := range as {
			yield(a)
		}
	}
}

// ResolveAggregate chooses the overload of an aggregate; star is for count(*).
func ResolveAggregate(name string, args []OID, star bool) (AggCall, error) {
	name = strings.TrimPrefix(name, pgCatalog)
	if star {
		for _, a := range aggregates[name] {
			if a.Star {
				return AggCall{Aggregate: a, Result: a.Result}, nil
			}
		}
		return AggCall{}, types.Errorf(types.CodeWrongObjectType,
			"%s(*) specified, but %s is not an aggregate function", name, name)
	}
	var fs []*Function
	for _, a := range aggregates[name] {
		if !a.Star {
			fs = append(fs, a.function)
		}
	}
	if name == "count" && len(args) == 0 {
		return AggCall{}, types.Errorf(types.CodeWrongObjectType,
			"count(*) must be used to call a parameterless aggregate function")
	}
	cands := functionCandidates(fs, args)
	var chosen *candidate
	for i := range cands {
		if equalOIDs(cands[i].args, args) {
			chosen = &cands[i]
		}
	}
	ambiguous := false
	if chosen == nil {
		chosen, ambiguous = choose(cands, args)
	}
	if chosen == nil {
		return AggCall{}, errAggregate(name, args, ambiguous)
	}
	call, err := chosen.call(args)
	if err != nil {
		return AggCall{}, err
	}
	for _, a := range aggregates[name] {
		if a.function == chosen.function {
			return AggCall{Aggregate: a, Args: call.Args, Result: call.Result}, nil
		}
	}
	return AggCall{}, errAggregate(name, args, false)
}

func errAggregate(name string, args []OID, ambiguous bool) *types.Error {
	signature := signatureOf(name, args)
	if ambiguous {
		return types.Errorf(types.CodeAmbiguousFunction, "function %s is not unique", signature).
			WithHint("Could not choose a best candidate function. " +
				"You might need to add explicit type casts.")
	}
	return types.Errorf(types.CodeUndefinedFunction, "function %s does not exist", signature).
		WithHint("No function matches the given name and argument types. " +
			"You might need to add explicit type casts.")
}
