package plan

import "slices"

// asList reads a term as part IN (...): an IN itself, or an OR of equalities of the part; nil when it
// is neither.
func (p *KeyPart) asList(term Expr) *AnyAll {
	or, ok := term.(*Or)
	if !ok {
		any, _ := term.(*AnyAll)
		return any
	}
	list := &AnyAll{Op: EQ.String()}
	for _, arm := range or.Args {
		if any := p.asList(arm); any != nil && !any.All && any.Array == nil && any.Op == list.Op &&
			isCompare(any.Test) && p.is(any.X) {
			list.X, list.Test, list.List = any.X, any.Test, append(list.List, any.List...)
			continue
		}
		cmp, ok := arm.(*Compare)
		op, value := p.comparison(arm)
		if !ok || value == nil || op != EQ {
			return nil
		}
		list.X, list.List = p.side(cmp), append(list.List, value)
		list.Test = cmp
	}
	return list
}

// side gives the side of a comparison that is the part.
func (p *KeyPart) side(cmp *Compare) Expr {
	if p.is(cmp.L) {
		return cmp.L
	}
	return cmp.R
}

// within finds the bound that an OR sets to the part where each arm sets the same, as
// (a, b) > (x, y) does, which is a > x OR (a = x AND b > y). It does not decide the term.
func (k *Access) within(p *KeyPart, term Expr) {
	or, ok := term.(*Or)
	if !ok {
		return
	}
	var value Expr
	low, high := k.Low == nil, k.High == nil
	for _, arm := range or.Args {
		found := slices.ContainsFunc(conjuncts(arm, nil), func(term Expr) bool {
			op, x := p.comparison(term)
			if x == nil || op == NE || value != nil && exactly(x) != exactly(value) {
				return false
			}
			value = x
			low = low && (op == GT || op == GE || op == EQ)
			high = high && (op == LT || op == LE || op == EQ)
			return true
		})
		if !found {
			return
		}
	}
	bound := &Bound{Value: value, Inclusive: true}
	switch {
	case value == nil || low == high:
	case low:
		k.Low = bound
	default:
		k.High = bound
	}
}

func isCompare(x Expr) bool {
	_, ok := x.(*Compare)
	return ok
}
