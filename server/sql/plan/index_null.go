package plan

import (
	"slices"

	"ackdb/server/sql/types"
)

// NullKey stands among the values of an Access for NULL itself, as part IS NULL looks for it.
type NullKey struct{ T types.Type }

// Type implements Expr.
func (n *NullKey) Type() types.Type { return n.T }

// Eval implements Expr.
func (n *NullKey) Eval(*Eval, []types.Datum) (types.Datum, error) { return types.Null, nil }

func (n *NullKey) inputs() []Expr      { return nil }
func (n *NullKey) rebuild([]Expr) Expr { return n }
func (n *NullKey) print(p *printer)    { p.WriteString("NULL") }

// nullTest gives NULL as the value that is looked for when term is part IS NULL.
func (p *KeyPart) nullTest(term Expr) Expr {
	test, ok := term.(*NullTest)
	if !ok || test.Negate || p.NotNull || !p.is(test.X) {
		return nil
	}
	return &NullKey{T: test.X.Type()}
}

// pinsNull says whether NULL is looked for, which equals no other: it can be in a key many times.
func (k *Access) pinsNull() bool {
	return slices.ContainsFunc(k.Prefix, func(x Expr) bool {
		_, null := x.(*NullKey)
		return null
	})
}

// notNull says whether term is part IS NOT NULL.
func (p *KeyPart) notNull(term Expr) bool {
	test, ok := term.(*NullTest)
	return ok && test.Negate && !p.NotNull && p.is(test.X)
}

// seeksValue says whether a value is among what is looked for, or a bound.
func (k *Access) seeksValue() bool {
	for _, x := range k.Prefix {
		if _, null := x.(*NullKey); !null {
			return true
		}
	}
	return k.In != nil || k.AnyOf != nil || k.Low != nil || k.High != nil || k.Like != nil
}

// doubt makes an access tentative that only asks for NULL or for what is not: that may be nearly
// all rows, or nearly none, and which of the two nobody knows before the index is looked at.
func (k *Access) doubt() {
	k.Tentative = k.Index != nil && !k.seeksValue() && !k.Ordered && !k.key.selective()
}
