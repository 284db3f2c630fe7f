package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Access says which keys of a table, or of an index, a Scan visits. The zero Access is the whole
// table.
//
// The leading key columns are pinned by Prefix. The next one may be narrowed further, by In or
// AnyOf to single values, or by Low, High and Like to a range. A NULL anywhere means no row.
type Access struct {
	Index *catalog.Index // whose keys these are; nil for the table's own

	key *IndexKey // of Index

	Prefix []Expr // values of the leading key columns
	In     []Expr // values the next key column may have
	AnyOf  Expr   // an array of them
	Low    *Bound // of the next key column
	High   *Bound
	Like   Expr // a pattern the next key column matches, whose fixed prefix bounds it

	NotNull bool // the next key column is not NULL; with Low, High or Like that goes without saying

	Reverse bool // from the highest key down

	// Points says that every visited key is complete: a point get for each. Of an index only where
	// it is unique, since else the row's key stands behind.
	Points bool
	// Ordered says that an ORDER BY rests on the order of the keys.
	Ordered bool

	// Tentative says that the whole table is read instead, under Scan.Recheck, if the index turns
	// out to have many of its rows.
	Tentative bool
}

// Bound is one end of a range of keys.
type Bound struct {
	Value     Expr
	Inclusive bool
}

// Narrowed says whether the access is less than the whole table.
func (k *Access) Narrowed() bool {
	return len(k.Prefix) > 0 || k.In != nil || k.AnyOf != nil || k.Low != nil || k.High != nil ||
		k.Like != nil || k.NotNull
}

// Single says that at most one key of the table itself is visited.
func (k *Access) Single() bool { return k.Index == nil && k.one() }

// one says that at most one key is visited, of the table or of an index.
func (k *Access) one() bool { return k.Points && k.In == nil && k.AnyOf == nil }

// keyAccess finds what of a WHERE the primary key or an index can serve, and gives what is left for
// the filter (P3). A term is taken over only if the order and equality of key bytes decide it
// exactly.
func (a *analyzer) keyAccess(t *catalog.Table, where Expr) (Access, Expr) {
	if where == nil || t.PrimaryKey == nil && t.Indexes == nil {
		return Access{}, where
	}
	var k Access
	rest := where
	if t.PrimaryKey != nil {
		terms := conjuncts(where, nil)
		k, rest = accessBy(Access{}, plainKey(t, t.PrimaryKey).Parts, terms)
	}
	if t.Indexes == nil || k.Single() {
		return k, rest
	}
	return a.indexAccess(t, where, k, rest)
}

// accessBy finds what of the terms of a WHERE keys of those parts can serve.
func accessBy(k Access, parts []KeyPart, terms []Expr) (Access, Expr) {
	for i := range parts {
		part := &parts[i]
		i := slices.IndexFunc(terms, func(term Expr) bool { return part.pinned(term) != nil })
		if i < 0 {
			terms = k.narrow(part, terms)
			break
		}
		k.Prefix = append(k.Prefix, part.pinned(terms[i]))
		terms = slices.Delete(terms, i, i+1)
	}
	complete := len(parts)
	k.Points = len(k.Prefix) == complete ||
		(k.In != nil || k.AnyOf != nil) && len(k.Prefix) == complete-1
	k.Points = k.Points && (k.Index == nil || k.Index.Unique) && !k.pinsNull()
	return k, conjunction(terms)
}

// conjuncts takes an AND apart.
func conjuncts(x Expr, list []Expr) []Expr {
	if x == nil {
		return list
	}
	if and, ok := x.(*And); ok {
		for _, arg := range and.Args {
			list = conjuncts(arg, list)
		}
		return list
	}
	return append(list, x)
}

// narrow finds values or a range for the key column behind the pinned ones, and gives the terms
// it leaves over.
func (k *Access) narrow(p *KeyPart, terms []Expr) []Expr {
	for i, term := range terms {
		if any := p.asList(term); any != nil && k.values(p, any) {
			return slices.Delete(terms, i, i+1)
		}
		if sub, ok := term.(*SubPlan); ok && k.queried(p, sub) {
			return slices.Delete(terms, i, i+1)
		}
	}
	return slices.DeleteFunc(terms, func(term Expr) bool {
		switch op, x := p.comparison(term); {
		case x == nil && p.notNull(term):
			k.NotNull = true
			return true
		case x == nil:
			if k.Like == nil {
				k.Like = p.likePattern(term) // which bounds, but does not decide
			}
			k.within(p, term)
			return false
		case (op == GT || op == GE) && k.Low == nil:
			k.Low = &Bound{Value: x, Inclusive: op == GE}
			return true
		case (op == LT || op == LE) && k.High == nil:
			k.High = &Bound{Value: x, Inclusive: op == LE}
			return true
		}
		return false
	})
}

// values takes column IN (...) or column = ANY (array) as the single values to visit.
func (k *Access) values(p *KeyPart, any *AnyAll) bool {
	if any.All || any.Op != "=" || !p.is(any.X) {
		return false
	}
	if _, ok := any.Test.(*Compare); !ok {
		return false
	}
	if any.Array != nil {
		elem := types.ElemOf(any.Array.Type().OID)
		if keyClass(elem) != keyClass(p.Type) || readsRow(any.Array) ||
			isVolatile(any.Array) {
			return false
		}
		k.AnyOf = any.Array
		return true
	}
	for _, x := range any.List {
		if !p.bounds(x) {
			return false
		}
	}
	k.In = any.List
	return true
}

// queried takes column IN (query) as the single values to visit: those of the query, which reads
// nothing of the table's row, as an array.
func (k *Access) queried(p *KeyPart, sub *SubPlan) bool {
	if !sub.Hash || len(sub.Bind) > 0 || sub.Volatile || !p.is(sub.Left[0]) {
		return false
	}
	elem := sub.Test.(*Compare).R.Type().OID
	if keyClass(elem) != keyClass(p.Type) || types.ArrayOf(elem) == 0 {
		return false
	}
	values := *sub
	values.Kind, values.Left, values.Test, values.Hash = parse.SubArray, nil, nil, false
	values.T = types.Type{OID: types.ArrayOf(elem), Mod: types.NoMod}
	k.AnyOf = &values
	return true
}

// likePattern gives the pattern of part LIKE pattern, for a part that is ordered as bytes are.
func (p *KeyPart) likePattern(term Expr) Expr {
	call, ok := term.(*Call)
	if !ok || call.Op != "~~" || keyClass(p.Type) != types.Text {
		return nil
	}
	if !p.is(call.Args[0]) || readsRow(call.Args[1]) || isVolatile(call.Args[1]) {
		return nil
	}
	return call.Args[1]
}
