package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// analyzer resolves one statement. It lives for one call of prepare.
type analyzer struct {
	env  Env
	text *types.Env // env's text environment, with reg* names
	stmt *parse.Stmt
	level
	viewing

	params []types.OID // by number-1; 0 while unknown
	uses   []*Param    // every place a parameter stands, so that inference reaches all of them
	holes  *holes      // of a template, whose literals become parameters; else nil
	used   []usedRelation
	hidden map[string]string // alias -> the table name it hides, for a hint

	slots    int // given out so far, for Outer
	subplans int // likewise, for SubPlan

	// defines is set while the statement is not planned but its definition made.
	defines     *defining
	defineCount int // of the sources and queries in it

	hashing bool // a query is planned for HashedQuery; none within is

	// literals are the places of the literals whose type is still open.
	literals map[*Const]parse.Pos
}

// level is what belongs to one query of a statement, and is put aside while a query inside it is
// analyzed.
type level struct {
	scope *scope
	inner bool // not the statement itself

	// aggregates collects the aggregate calls of the select list, HAVING and ORDER BY; nil where
	// no aggregate may stand, and then place says where that is.
	aggregates *[]AggregateCall
	place      string
	inCall     bool   // inside an aggregate's arguments
	inChoice   string // CASE or COALESCE, inside of it
	windows    *[]*WindowCall
	sets       *[]*SetCall // the set-returning functions of the select list
	grouping   bool        // GROUPING was met

	// keepUnknown leaves a bare literal or parameter of the select list without a type: it stands
	// in a set operation, whose other side may give it one.
	keepUnknown bool

	locking []parse.LockingClause // of the query, while its FROM is resolved

	// ctes are the names of WITH, the nearest last; laterCTEs those that the query of one comes
	// before.
	ctes      []*cteName
	laterCTEs []*parse.CTE

	// recursive says that FROM reads what a recursive query around this one got last.
	recursive bool

	// hints are the types that a bare literal or parameter takes at each place of the select list:
	// the target columns of an INSERT ... SELECT.
	hints []types.OID

	// unreachable are sources of FROM that what is being analyzed may not name.
	unreachable []*source

	// reads are the open bindings of the scopes further out that the query has named columns of.
	reads []*[]openBinding
}

// nested analyzes a query inside the current one, whose names are looked up in parent after its
// own. It gives the scopes beyond parent that the query reads, too.
func (a *analyzer) nested(parent *scope, analyze func() error) (reads []*[]openBinding, err error) {
	saved := a.level
	a.level = level{scope: newScope(parent), inner: true, unreachable: saved.unreachable, ctes: saved.ctes,
		laterCTEs: saved.laterCTEs}
	err = analyze()
	reads = a.reads
	a.level = saved
	for _, open := range reads {
		if open != a.scope.open {
			a.note(open)
		}
	}
	return reads, err
}

// note remembers that the query reads a scope further out.
func (a *analyzer) note(open *[]openBinding) {
	if !slices.Contains(a.reads, open) {
		a.reads = append(a.reads, open)
	}
}

func newAnalyzer(env Env, stmt *parse.Stmt, declared []uint32) *analyzer {
	a := &analyzer{env: env, text: env.names(), stmt: stmt, level: level{scope: newScope(nil)},
		hidden: map[string]string{}, literals: map[*Const]parse.Pos{}}
	for _, oid := range declared {
		o := types.OID(oid)
		if o == types.Unknown {
			o = 0
		}
		a.params = append(a.params, o)
	}
	return a
}

// relation resolves a table name and remembers what it stood for (P2).
func (a *analyzer) relation(r *parse.RangeVar) (catalog.Relation, error) {
	rel := a.resolve(r.Name)
	if !rel.Exists() {
		return rel, a.noRelation(r)
	}
	return rel, a.ofAnotherSession(rel)
}

// resolve looks a name up and remembers the answer, also that there is none (P2).
func (a *analyzer) resolve(name parse.QName) catalog.Relation {
	rel := a.env.Catalog.Resolve(a.env.SearchPath, name.Schema, name.Name)
	a.used = append(a.used, usedRelation{schema: name.Schema, name: name.Name, relation: rel})
	return rel
}

func (a *analyzer) noRelation(r *parse.RangeVar) error {
	err := types.Errorf(types.CodeUndefinedTable, "relation \"%s\" does not exist",
		r.Name.String())
	for _, cte := range a.laterCTEs {
		if r.Name.Schema == "" && cte.Name == r.Name.Name {
			err = err.WithDetail("There is a WITH item named \"%s\", but it cannot be referenced"+
				" from this part of the query.", cte.Name).WithHint("Use WITH RECURSIVE," +
				" or re-order the WITH items to remove forward references.")
		}
	}
	return err.At(a.stmt.Position(r.Pos))
}

// table resolves the target of DML: a stored table.
func (a *analyzer) table(r *parse.RangeVar) (*catalog.Table, error) {
	rel, err := a.relation(r)
	switch {
	case err != nil:
		return nil, err
	case rel.Table != nil:
		if r.Alias != nil {
			a.hidden[r.Alias.Name] = rel.Table.Name
		}
		return rel.Table, nil
	case rel.View != nil:
		return nil, a.changedView(rel.View)
	case rel.Sequence != nil:
		return nil, types.Errorf(types.CodeWrongObjectType,
			"cannot change sequence \"%s\"", r.Name.Name)
	case rel.Index != nil:
		return nil, a.errorf(r.Pos, types.CodeWrongObjectType,
			"cannot open relation \"%s\"", r.Name.Name)
	}
	return nil, types.Errorf(types.CodeInsufficientPrivilege,
		"permission denied: \"%s\" is a system catalog", r.Name.Name)
}

// param gives parameter n's expression.
func (a *analyzer) param(n int, pos parse.Pos) (Expr, error) {
	if a.holes != nil || a.env.NoParams {
		return nil, a.errorf(pos, CodeUndefinedParameter, "there is no parameter $%d", n)
	}
	if n < 1 || n > 65535 {
		return nil, a.errorf(pos, CodeUndefinedParameter, "there is no parameter $%d", n)
	}
	for len(a.params) < n {
		a.params = append(a.params, 0)
	}
	x := &Param{Index: n - 1, T: unknownType}
	if oid := a.params[n-1]; oid != 0 {
		x.T = types.Type{OID: oid, Mod: types.NoMod}
	}
	a.uses = append(a.uses, x)
	return x, nil
}

// fixParam gives a parameter whose type was open its type, in all the places it stands.
func (a *analyzer) fixParam(x *Param, oid types.OID) {
	a.params[x.Index] = oid
	for _, use := range a.uses {
		if use.Index == x.Index && use.T.OID == types.Unknown {
			use.T = types.Type{OID: oid, Mod: types.NoMod}
		}
	}
}

// settleParams refuses a parameter that nothing gave a type.
func (a *analyzer) settleParams() error {
	for i, oid := range a.params {
		if oid == 0 {
			return types.Errorf(types.CodeIndeterminateType,
				"could not determine data type of parameter $%d", i+1)
		}
	}
	return nil
}

// constant makes the expression of a literal; in a template a literal with a hole is a parameter.
func (a *analyzer) constant(c *parse.Const) (Expr, error) {
	if a.holes != nil && !a.holes.none && c.Lit != parse.NoLit {
		return a.hole(c), nil
	}
	switch c.Kind {
	case parse.ConstNull:
		return &Const{T: unknownType}, nil
	case parse.ConstBool:
		return &Const{Value: types.NewBool(c.Int != 0), T: boolType}, nil
	case parse.ConstInt4:
		return &Const{Value: types.NewInt4(int32(c.Int)), T: int4Type}, nil
	case parse.ConstInt8:
		return &Const{Value: types.NewInt8(c.Int), T: int8Type}, nil
	case parse.ConstNumeric:
		t := types.Type{OID: types.Numeric, Mod: types.NoMod}
		v, err := types.ParseText(t, c.Str, nil)
		if err != nil {
			return nil, a.at(err, c.Pos)
		}
		return &Const{Value: v, T: t}, nil
	case parse.ConstString:
		x := &Const{Value: types.NewString(types.Unknown, c.Str), T: unknownType}
		a.literals[x] = c.Pos
		return x, nil
	}
	return nil, a.unsupported(c.Pos, "a bit string")
}

// holes are the literals of a template, each a parameter of the plan, numbered as the analysis
// meets them. Planner.bind fills them in.
type holes struct {
	index  map[int32]int  // literal index -> parameter index
	consts []*parse.Const // by parameter index
	none   bool           // every literal is what it says
	matter bool           // the plan could be another with other literals
}

// hole makes a parameter of a template's literal.
func (a *analyzer) hole(c *parse.Const) Expr {
	index, met := a.holes.index[c.Lit]
	if !met {
		index = len(a.holes.consts)
		a.holes.index[c.Lit] = index
		a.holes.consts = append(a.holes.consts, c)
		a.params = append(a.params, 0)
	}
	x := &Param{Index: index, T: holeType(c.Kind)}
	if x.T.OID != types.Unknown {
		a.params[index] = x.T.OID
	} else if oid := a.params[index]; oid != 0 {
		x.T.OID = oid
	}
	a.uses = append(a.uses, x)
	return x
}

func holeType(k parse.ConstKind) types.Type {
	switch k {
	case parse.ConstInt4:
		return int4Type
	case parse.ConstInt8:
		return int8Type
	case parse.ConstNumeric:
		return types.Type{OID: types.Numeric, Mod: types.NoMod}
	}
	return unknownType
}
