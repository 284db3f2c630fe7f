package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// RowCheck is a CHECK constraint as whoever writes a row checks it.
type RowCheck struct {
	Name string
	Cond Expr // over the row's columns; NULL passes
}

// rowChecks gives the CHECK constraints of a table.
func (a *analyzer) rowChecks(t *catalog.Table) ([]RowCheck, error) {
	if len(t.Checks) == 0 {
		return nil, nil
	}
	checks := make([]RowCheck, len(t.Checks))
	for i := range t.Checks {
		x, err := a.storedCheck(t, &t.Checks[i])
		if err != nil {
			return nil, err
		}
		checks[i] = RowCheck{Name: t.Checks[i].Name, Cond: x}
	}
	return checks, nil
}

// storedCheck reads a CHECK constraint back from its text.
func (a *analyzer) storedCheck(t *catalog.Table, c *catalog.Check) (Expr, error) {
	inner, n, err := a.stored(c.Expr, "constraint \""+c.Name+"\"")
	if err != nil {
		return nil, err
	}
	x, err := inner.checkExpr(t, n)
	a.used = append(a.used, inner.used...)
	return x, withoutPosition(err)
}

// stored parses an expression that the catalog keeps, and gives an analyzer for it: it has a text
// of its own, whose positions mean nothing to the client.
func (a *analyzer) stored(text, what string) (*analyzer, parse.Expr, error) {
	stmt, err := parse.ParseOne("SELECT " + text)
	if err != nil {
		return nil, nil, types.Errorf(types.CodeDataCorrupted, "%s cannot be read: %v", what, err)
	}
	return newAnalyzer(a.env, stmt, nil), stmt.Tree.(*parse.SelectStmt).Targets[0].Val, nil
}

// defaultText checks a default and gives the text that is kept of it. The assignment to the column
// is not part of it: it is made again whenever the text is read.
func (a *analyzer) defaultText(c *catalog.Column, n parse.Expr) (string, error) {
	saved := a.level
	defer func() { a.level = saved }()
	a.level = level{scope: newScope(nil), place: placeDefault}
	x, err := a.expr(n)
	if err != nil {
		return "", err
	}
	if err := a.refuseInTable(x, n, "DEFAULT expression"); err != nil {
		return "", err
	}
	if _, err = a.assignDefault(x, c, startOf(n)); err != nil {
		return "", err
	}
	return a.kept(&definedSource{}, n, func(x Expr) (Expr, error) {
		if x.Type().OID != types.Unknown {
			return x, nil
		}
		// Not of the column's length: that is applied to whatever the default gives.
		bare := catalog.Column{Name: c.Name, Type: types.Of(c.Type.OID)}
		return a.assign(x, &bare, startOf(n))
	})
}

// keptCheck gives the text that is kept of the condition of a CHECK.
func (a *analyzer) keptCheck(t *catalog.Table, n parse.Expr) (string, error) {
	return a.kept(sourceOf(t), n, func(x Expr) (Expr, error) {
		return a.boolean(x, "CHECK", startOf(n))
	})
}

// kept gives the text of an expression over a source that the catalog keeps: it means the same
// whatever the settings of a session are, and whatever its search path finds.
func (a *analyzer) kept(
	src *definedSource, n parse.Expr, settle func(Expr) (Expr, error),
) (string, error) {
	saved, defines := a.level, a.defines
	defer func() { a.level, a.defines = saved, defines }()
	a.level, a.defines = level{scope: newScope(nil)}, &defining{}
	x, err := a.defineOver(src, n)
	if err != nil {
		return "", err
	}
	if x, err = settle(x); err != nil {
		return "", err
	}
	return exprText(Env{Catalog: a.env.Catalog}, x, Layout{Kept: true})
}

// assignDefault is assign with Postgres' words for a default of another type.
func (a *analyzer) assignDefault(x Expr, c *catalog.Column, pos parse.Pos) (Expr, error) {
	from := x.Type().OID
	if from != types.Unknown && from != c.Type.OID {
		if _, ok := types.FindCast(from, c.Type.OID, types.Assignment); !ok {
			return nil, types.Errorf(types.CodeDatatypeMismatch, "column \"%s\" is of type %s but"+
				" default expression is of type %s", c.Name, types.FormatType(c.Type.OID, types.NoMod),
				types.FormatType(from, types.NoMod)).WithHint(
				"You will need to rewrite or cast the expression.")
		}
	}
	return a.assign(x, c, pos)
}

// placeDefault is what messages call the place of a default, in which no column may be named.
const placeDefault = "DEFAULT expressions"

// defaultExpr gives a column's default, or NULL.
func (a *analyzer) defaultExpr(c *catalog.Column) (Expr, error) {
	if c.Identity != "" {
		return a.nextIdentity(c)
	}
	if c.Default == "" {
		return &Const{T: c.Type}, nil
	}
	inner, n, err := a.stored(c.Default, "default of column \""+c.Name+"\"")
	if err != nil {
		return nil, err
	}
	inner.place = placeDefault
	x, err := inner.valueFor(c, n)
	a.used = append(a.used, inner.used...)
	return x, withoutPosition(err)
}

// nextIdentity gives the next value of an identity column.
func (a *analyzer) nextIdentity(c *catalog.Column) (Expr, error) {
	a.usedRelation(c.IdentitySequence)
	oid := types.NewOID(types.OID(c.IdentitySequence))
	sequence := &Const{Value: oid, T: types.Type{OID: types.RegClass, Mod: types.NoMod}}
	return a.assign(&SequenceCall{Op: Nextval, Args: []Expr{sequence}}, c, parse.NoPos)
}

// usedRelation remembers a relation that the plan holds by its oid (P2), and gives it.
func (a *analyzer) usedRelation(oid uint32) catalog.Relation {
	rel := a.env.Catalog.RelationByOID(oid)
	a.used = append(a.used, usedRelation{oid: oid, relation: rel})
	return rel
}
