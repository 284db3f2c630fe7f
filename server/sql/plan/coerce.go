package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// coerce gives x the type to, by the casts its context allows. column names the target in the
// message of an assignment; "" elsewhere.
func (a *analyzer) coerce(
	x Expr, to types.Type, ctx types.CastContext, column string, pos parse.Pos,
) (Expr, error) {
	from := x.Type()
	if from.OID == types.Unknown {
		return a.coerceUnknown(x, to, ctx, pos)
	}
	if from.OID == to.OID && (to.Mod == types.NoMod || from.Mod == to.Mod) {
		return x, nil
	}
	cast, ok := types.FindCast(from.OID, to.OID, ctx)
	if !ok {
		if column != "" {
			return nil, a.at(types.ErrColumnType(column, to.OID, from.OID), pos)
		}
		return nil, a.at(types.ErrCannotCast(from.OID, to.OID), pos)
	}
	return a.fold(newCast(x, to, cast, ctx != types.Explicit)), nil
}

func newCast(x Expr, to types.Type, cast types.Cast, implicit bool) *Cast {
	relabel := cast.Relabel() && to.Mod == types.NoMod && x.Type().OID != to.OID
	return &Cast{X: x, To: to, Implicit: implicit, cast: cast, relabel: relabel}
}

// coerceUnknown gives a literal without a type of its own, or a parameter, the type its place asks
// for.
func (a *analyzer) coerceUnknown(
	x Expr, to types.Type, ctx types.CastContext, pos parse.Pos,
) (Expr, error) {
	base := types.Type{OID: to.OID, Mod: types.NoMod}
	switch x := x.(type) {
	case *Param:
		a.fixParam(x, to.OID)
		return a.coerce(x, to, ctx, "", pos)
	case *Const:
		if x.Value.IsNull() {
			return a.fitted(&Const{T: base}, to, ctx), nil
		}
		v, err := types.ParseText(base, x.Value.Str(), a.text)
		if err != nil {
			if own, ok := a.literals[x]; ok {
				pos = own
			}
			return nil, a.at(err, pos)
		}
		if to.OID == types.RegClass {
			a.noteClass(x.Value.Str())
		}
		c := &Const{Value: v, T: base}
		if to.Mod == types.NoMod || a.defines != nil {
			return a.fitted(c, to, ctx), nil
		}
		// Postgres fits a value to its length when it runs, and names no place.
		if v, err = types.ApplyMod(v, to, ctx == types.Explicit); err != nil {
			return nil, err
		}
		return &Const{Value: v, T: to}, nil
	}
	return nil, a.at(types.ErrCannotCast(types.Unknown, to.OID), pos)
}

// fitted shows in a definition that a constant is fitted to the length of a type.
func (a *analyzer) fitted(c *Const, to types.Type, ctx types.CastContext) Expr {
	if a.defines == nil || to.Mod == types.NoMod {
		return c
	}
	cast, _ := types.FindCast(to.OID, to.OID, ctx)
	return newCast(c, to, cast, ctx != types.Explicit)
}

// noteClass remembers a relation that the plan holds by oid because a literal named it (P2).
func (a *analyzer) noteClass(text string) {
	schema, name, qualified := strings.Cut(text, ".")
	if !qualified {
		schema, name = "", text
	}
	a.resolve(parse.QName{Schema: schema, Name: name})
}

// fold computes a cast of a constant while planning, unless the session has a say in it. What fails
// is left for the execution, which may never come to it.
func (a *analyzer) fold(c *Cast) Expr {
	k, ok := c.X.(*Const)
	if !ok || a.defines != nil || c.cast.Stable || k.Value.IsNull() {
		return c
	}
	v, err := c.cast.Apply(k.Value, c.To, a.text)
	if err != nil {
		return c
	}
	return &Const{Value: v, T: c.To}
}

// boolean coerces the condition of a clause.
func (a *analyzer) boolean(x Expr, clause string, pos parse.Pos) (Expr, error) {
	t := x.Type().OID
	if t == types.Unknown {
		return a.coerceUnknown(x, boolType, types.Implicit, pos)
	}
	if t != types.Bool {
		return nil, a.errorf(pos, types.CodeDatatypeMismatch,
			"argument of %s must be type boolean, not type %s", clause,
			types.FormatType(t, types.NoMod))
	}
	return x, nil
}

// assign coerces a value to the column it is stored in, as INSERT and UPDATE do.
func (a *analyzer) assign(x Expr, c *catalog.Column, pos parse.Pos) (Expr, error) {
	return a.coerce(x, c.Type, types.Assignment, c.Name, pos)
}

// common coerces the alternatives of a CASE, COALESCE, VALUES column and so on to one type.
func (a *analyzer) common(xs []Expr, what string, pos []parse.Pos) (types.Type, error) {
	oids := make([]types.OID, len(xs))
	mod := types.NoMod
	for i, x := range xs {
		oids[i] = x.Type().OID
		if i == 0 {
			mod = x.Type().Mod
		} else if x.Type() != xs[0].Type() {
			mod = types.NoMod
		}
	}
	oid, other, ok := types.CommonType(oids)
	if !ok {
		return types.Type{}, a.errorf(pos[slices.Index(oids, other)], types.CodeDatatypeMismatch,
			"%s types %s and %s cannot be matched", what,
			types.FormatType(oid, types.NoMod), types.FormatType(other, types.NoMod))
	}
	if oid == types.Unknown {
		oid = types.Text
	}
	t := types.Type{OID: oid, Mod: mod}
	for i, x := range xs {
		to := t
		if x.Type().OID == oid {
			to.Mod = types.NoMod
		}
		y, err := a.coerce(x, to, types.Implicit, "", pos[i])
		if err != nil {
			return types.Type{}, err
		}
		xs[i] = y
	}
	return t, nil
}

// keyClass says which types have one key encoding and may be compared as they are: a bound of one
// serves a key of the other without a cast.
func keyClass(oid types.OID) types.OID {
	switch oid {
	case types.Int2, types.Int4:
		return types.Int8
	case types.VarChar, types.Name:
		return types.Text
	}
	return oid
}

// sameClass says whether types.Compare may stand for the operators over the two types.
func sameClass(l, r types.OID) bool {
	return keyClass(l) == keyClass(r) && l != types.Record
}
