package plan

import (
	"slices"

	"ackdb/server/sql/types"
)

// covers says whether a partial index has every row that passes the terms, and leaves out of them
// those that hold of every row in it.
func (k *IndexKey) covers(terms []Expr) (left []Expr, ok bool) {
	left = slices.Clone(terms)
	if k.Pred == nil {
		return left, true
	}
	for _, pred := range k.terms {
		if !impliedBy(pred.cond, pred.text, terms) {
			return nil, false
		}
	}
	return slices.DeleteFunc(left, func(term Expr) bool {
		text := exactly(asTest(term))
		return slices.ContainsFunc(k.terms, func(pred predTerm) bool { return pred.text == text })
	}), true
}

// selective says whether an index is partial and its predicate is likely to leave most rows out. One
// that only asks for NULL or a flag is not: WHERE deleted_at IS NULL keeps what is in use.
func (k *IndexKey) selective() bool {
	return slices.ContainsFunc(k.terms, func(pred predTerm) bool {
		switch x := pred.cond.(type) {
		case *NullTest:
			return x.Negate
		case *Field:
			return false
		}
		return true
	})
}

// impliedBy says whether one of the terms, which are true, makes a condition true. It finds what
// can be seen without arithmetic; that it finds nothing means little.
func impliedBy(cond Expr, text string, terms []Expr) bool {
	if or, ok := cond.(*Or); ok && slices.ContainsFunc(or.Args, func(arm Expr) bool {
		return impliedBy(arm, exactly(arm), terms)
	}) {
		return true
	}
	return slices.ContainsFunc(terms, func(term Expr) bool {
		term = asTest(term)
		return exactly(term) == text || implies(term, cond)
	})
}

func implies(term, cond Expr) bool {
	if any, ok := term.(*AnyAll); ok {
		list := any.equals()
		return len(list) > 0 && !slices.ContainsFunc(list, func(v Expr) bool {
			return !implies(&Compare{Op: EQ, L: any.X, R: v}, cond)
		})
	}
	switch cond := cond.(type) {
	case *NullTest:
		return cond.Negate && strictIn(term, exactly(cond.X))
	case *Compare:
		return comparisonImplies(term, cond)
	case *AnyAll:
		return slices.ContainsFunc(cond.equals(), func(v Expr) bool {
			return comparisonImplies(term, &Compare{Op: EQ, L: cond.X, R: v})
		})
	}
	return false
}

// equals lists the values of x IN (...) or of x = ANY of a constant array; nil when it is neither.
func (a *AnyAll) equals() []Expr {
	switch {
	case a.All || a.Op != "=":
		return nil
	case a.Array == nil:
		return a.List
	}
	c, ok := a.Array.(*Const)
	if !ok || c.Value.IsNull() {
		return nil
	}
	elem := types.Of(types.ElemOf(c.T.OID))
	list := make([]Expr, len(c.Value.Array().Elems))
	for i, v := range c.Value.Array().Elems {
		list[i] = &Const{Value: v, T: elem}
	}
	return list
}

// asTest gives a comparison of a boolean with a constant as what it tests.
func asTest(x Expr) Expr {
	switch x := x.(type) {
	case *Compare:
		if c, ok := x.R.(*Const); ok && x.Op == EQ && c.T.OID == types.Bool && !c.Value.IsNull() {
			if c.Value.Bool() {
				return x.L
			}
			return &Not{X: x.L}
		}
	case *BoolTest:
		if !x.Negate && !x.Want.IsNull() {
			if x.Want.Bool() {
				return x.X
			}
			return &Not{X: x.X}
		}
	}
	return x
}

// strictIn says whether a condition can only be true where an expression is not NULL.
func strictIn(cond Expr, text string) bool {
	if exactly(cond) == text {
		return true
	}
	switch x := cond.(type) {
	case *Compare:
		return strictIn(x.L, text) || strictIn(x.R, text)
	case *Not:
		return strictIn(x.X, text)
	case *Cast:
		return strictIn(x.X, text)
	case *AnyAll:
		return !x.All && strictIn(x.X, text)
	case *Call:
		return !x.Fn.Function.NotStrict && slices.ContainsFunc(x.Args, func(arg Expr) bool {
			return strictIn(arg, text)
		})
	}
	return false
}

// comparisonImplies says whether a comparison with a constant makes another one true.
func comparisonImplies(term Expr, cond *Compare) bool {
	cmp, ok := term.(*Compare)
	if !ok {
		return false
	}
	op, x, known, ok := withConst(cmp)
	wanted, y, bound, also := withConst(cond)
	if !ok || !also || exactly(x) != exactly(y) || keyClass(known.T.OID) != keyClass(bound.T.OID) {
		return false
	}
	order := types.Compare(known.Value, bound.Value)
	switch op {
	case EQ:
		return wanted.holds(order)
	case GT:
		return order >= 0 && (wanted == GT || wanted == GE || wanted == NE)
	case GE:
		return order >= 0 && wanted == GE || order > 0 && (wanted == GT || wanted == NE)
	case LT:
		return order <= 0 && (wanted == LT || wanted == LE || wanted == NE)
	case LE:
		return order <= 0 && wanted == LE || order < 0 && (wanted == LT || wanted == NE)
	}
	return false
}

// withConst reads a comparison with a constant, which is put on the right.
func withConst(cmp *Compare) (op CompareOp, x Expr, c *Const, ok bool) {
	op, x = cmp.Op, cmp.L
	if c, ok = cmp.R.(*Const); !ok {
		op, x = op.flip(), cmp.R
		c, ok = cmp.L.(*Const)
	}
	return op, x, c, ok && !c.Value.IsNull()
}

// noteLiterals notes that an index may be of use or not by the value of a literal which the plan of
// a template does not know: the plan is of these literals alone then.
func (a *analyzer) noteLiterals(key *IndexKey, terms []Expr) {
	if a.holes == nil || a.holes.none || a.holes.matter {
		return
	}
	hangs := func(x Expr) bool {
		return x != nil && readsConst(x) && slices.ContainsFunc(terms, func(term Expr) bool {
			return readsParam(term) && sharesField(term, x)
		})
	}
	a.holes.matter = hangs(key.Pred) || slices.ContainsFunc(key.Parts, func(p KeyPart) bool {
		return hangs(p.Expr)
	})
}

func readsConst(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		_, is := x.(*Const)
		return !is
	})
}

func readsParam(x Expr) bool {
	return !walk(x, func(x Expr) bool {
		_, is := x.(*Param)
		return !is
	})
}

func sharesField(x, y Expr) bool {
	return !walk(x, func(x Expr) bool {
		f, ok := x.(*Field)
		return !ok || !readsField(y, f.Index)
	})
}
