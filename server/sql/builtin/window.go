package builtin

import (
	"strings"

	"ackdb/server/sql/types"
)

// windowFunctions are what only a window gives a meaning. Their code is the executor's, since they
// look at other rows than the one at hand.
var windowFunctions = map[string][]*Function{}

func init() {
	for _, f := range []Function{
		fn("row_number", types.Int8, nil),
		fn("rank", types.Int8, nil),
		fn("dense_rank", types.Int8, nil),
		fn("percent_rank", types.Float8, nil),
		fn("cume_dist", types.Float8, nil),
		fn("ntile", types.Int4, nil, types.Int4),
		fn("lag", types.AnyElement, nil, types.AnyElement),
		fn("lag", types.AnyElement, nil, types.AnyElement, types.Int4),
		fn("lag", types.AnyCompatible, nil, types.AnyCompatible, types.Int4, types.AnyCompatible),
		fn("lead", types.AnyElement, nil, types.AnyElement),
		fn("lead", types.AnyElement, nil, types.AnyElement, types.Int4),
		fn("lead", types.AnyCompatible, nil, types.AnyCompatible, types.Int4, types.AnyCompatible),
		fn("first_value", types.AnyElement, nil, types.AnyElement),
		fn("last_value", types.AnyElement, nil, types.AnyElement),
		fn("nth_value", types.AnyElement, nil, types.AnyElement, types.Int4),
	} {
		windowFunctions[f.Name] = append(windowFunctions[f.Name], &f)
	}
}

// IsWindowFunction reports whether a function is called by that name that needs a window.
func IsWindowFunction(name string) bool {
	return len(windowFunctions[strings.TrimPrefix(name, pgCatalog)]) > 0
}

// ResolveWindow chooses the overload of a window function that is no aggregate.
func ResolveWindow(written string, args []OID) (Call, error) {
	cands := functionCandidates(windowFunctions[strings.TrimPrefix(written, pgCatalog)], args)
	chosen, ambiguous := choose(cands, args)
	if chosen == nil {
		return Call{}, errAggregate(written, args, ambiguous)
	}
	return chosen.call(args)
}
