package builtin

import "ackdb/server/sql/types"

// choose picks the best of several overloads by PostgreSQL's rules (func_select_candidate): those
// that can take the arguments at all; then most exact matches; then most preferred types; then, for
// untyped arguments, the category the overloads agree on, strings first; at last the type of the
// other arguments. It reports ambiguity when some could be called and none is best.
func choose(cands []candidate, args []OID) (chosen *candidate, ambiguous bool) {
	cands = filter(cands, func(c *candidate) bool { return callable(c.args, args) })
	if len(cands) <= 1 {
		return first(cands), false
	}
	if cands = mostMatches(cands, args, false); len(cands) == 1 {
		return first(cands), false
	}
	if cands = mostMatches(cands, args, true); len(cands) == 1 {
		return first(cands), false
	}
	unknowns := 0
	for _, a := range args {
		if a == types.Unknown {
			unknowns++
		}
	}
	if unknowns == 0 {
		return nil, true
	}
	if cands = byCategory(cands, args); len(cands) == 1 {
		return first(cands), false
	}
	if cands = byKnownType(cands, args); len(cands) == 1 {
		return first(cands), false
	}
	return nil, true
}

func first(cands []candidate) *candidate {
	if len(cands) == 0 {
		return nil
	}
	return &cands[0]
}

func filter(cands []candidate, keep func(*candidate) bool) []candidate {
	var kept []candidate
	for i := range cands {
		if keep(&cands[i]) {
			kept = append(kept, cands[i])
		}
	}
	return kept
}

// callable reports whether every argument becomes the declared type implicitly.
func callable(declared, actual []OID) bool {
	for i, d := range declared {
		a := actual[i]
		switch {
		case a == types.Unknown, d == types.Any, a == d:
		case isPolymorphic(d):
			if !fitsPolymorphic(d, a) {
				return false
			}
		case !types.CanCast(a, d, types.Implicit):
			return false
		}
	}
	if !hasPolymorphic(declared) {
		return true
	}
	_, err := solvePolymorphic(declared, actual)
	return err == nil
}

func fitsPolymorphic(declared, actual OID) bool {
	isArray := types.ElemOf(actual) != 0
	switch declared {
	case types.AnyArray, types.AnyCompatibleArray:
		return isArray
	case types.AnyNonArray, types.AnyCompatibleNonArray:
		return !isArray
	}
	return true
}

// mostMatches keeps the overloads with most arguments of exactly the declared type or, with
// preferred, of that or a preferred type of the argument's category.
func mostMatches(cands []candidate, args []OID, preferred bool) []candidate {
	best := 0
	counts := make([]int, len(cands))
	for i := range cands {
		for j, a := range args {
			if a == types.Unknown {
				continue
			}
			d := cands[i].args[j]
			if a == d || preferred && isPreferred(d, a) {
				counts[i]++
			}
		}
		best = max(best, counts[i])
	}
	var kept []candidate
	for i := range cands {
		if counts[i] == best {
			kept = append(kept, cands[i])
		}
	}
	return kept
}

func isPreferred(declared, actual OID) bool {
	category, _ := types.Category(actual)
	declaredCategory, preferred := types.Category(declared)
	return preferred && category == declaredCategory
}

// byCategory settles untyped arguments: at each the overloads must agree on a category, a string
// one winning over all others; then those of another category fall away, and those of a type that
// is not preferred where one is. It keeps everything when nothing would be left.
func byCategory(cands []candidate, args []OID) []candidate {
	type slot struct {
		category  byte
		preferred bool
	}
	slots := make([]slot, len(args))
	for i, a := range args {
		if a != types.Unknown {
			continue
		}
		conflict := false
		for j := range cands {
			category, preferred := types.Category(cands[j].args[i])
			switch {
			case slots[i].category == 0, category == 'S' && slots[i].category != 'S':
				slots[i] = slot{category, preferred}
			case category == slots[i].category:
				slots[i].preferred = slots[i].preferred || preferred
			default:
				conflict = true
			}
		}
		if conflict && slots[i].category != 'S' {
			return cands
		}
	}
	kept := filter(cands, func(c *candidate) bool {
		for i, a := range args {
			if a != types.Unknown {
				continue
			}
			category, preferred := types.Category(c.args[i])
			if category != slots[i].category || slots[i].preferred && !preferred {
				return false
			}
		}
		return true
	})
	if len(kept) == 0 {
		return cands
	}
	return kept
}

// byKnownType gives untyped arguments the type of the others, when those are all of one.
func byKnownType(cands []candidate, args []OID) []candidate {
	known := types.Unknown
	for _, a := range args {
		switch {
		case a == types.Unknown, a == known:
		case known == types.Unknown:
			known = a
		default:
			return cands
		}
	}
	if known == types.Unknown {
		return cands
	}
	assumed := make([]OID, len(args))
	for i := range assumed {
		assumed[i] = known
	}
	kept := filter(cands, func(c *candidate) bool { return callable(c.args, assumed) })
	if len(kept) != 1 {
		return cands
	}
	return kept
}
