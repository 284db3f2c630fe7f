package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (a *analyzer) funcCall(n *parse.FuncCall) (Expr, error) {
	if err := a.checkCall(n); err != nil {
		return nil, err
	}
	name := n.Name.Name
	if n.Over != nil {
		return a.windowCall(n)
	}
	if builtin.IsAggregate(name) {
		return a.aggregate(n)
	}
	if builtin.IsWindowFunction(name) {
		return nil, a.errorf(n.Pos, types.CodeWrongObjectType,
			"window function %s requires an OVER clause", name)
	}
	if n.Star || n.Distinct || n.Filter != nil || len(n.OrderBy) > 0 {
		return nil, a.errorf(n.Pos, types.CodeWrongObjectType,
			"%s is specified, but %s is not an aggregate function", aggregateWord(n), name)
	}
	args, err := a.arguments(n.Args)
	if err != nil {
		return nil, err
	}
	if op, ok := sequenceOps[name]; ok {
		return a.sequenceCall(op, args, n)
	}
	x, err := a.call(name, args, n.Pos)
	if err != nil {
		return nil, err
	}
	if c, ok := x.(*Call); ok && c.Fn.Function.Set != nil {
		return a.setCall(c, n)
	}
	return x, nil
}

// checkCall refuses the forms of calls that later issues bring.
func (a *analyzer) checkCall(n *parse.FuncCall) error {
	switch {
	case n.Name.Catalog != "" || n.Name.Schema != "" && n.Name.Schema != "pg_catalog":
		return a.errorf(n.Pos, types.CodeUndefinedFunction,
			"function %s does not exist", n.Name.String())
	case n.Variadic:
		return a.unsupported(n.Pos, "a VARIADIC argument")
	}
	return a.checkWithinGroup(n)
}

func aggregateWord(n *parse.FuncCall) string {
	switch {
	case n.Star:
		return n.Name.Name + "(*)"
	case n.Distinct:
		return "DISTINCT"
	case n.Filter != nil:
		return "FILTER"
	}
	return "ORDER BY"
}

func (a *analyzer) arguments(list []parse.Expr) ([]Expr, error) {
	args := make([]Expr, len(list))
	for i, n := range list {
		x, err := a.expr(n)
		if err != nil {
			return nil, err
		}
		args[i] = x
	}
	return args, nil
}

// call applies a function by name.
func (a *analyzer) call(name string, args []Expr, pos parse.Pos) (Expr, error) {
	oids := make([]types.OID, len(args))
	for i, x := range args {
		oids[i] = x.Type().OID
	}
	call, err := builtin.Resolve(name, oids)
	if err != nil {
		return nil, a.at(err, pos)
	}
	if err := a.coerceArgs(args, call, pos); err != nil {
		return nil, err
	}
	t := types.Type{OID: call.Result, Mod: types.NoMod}
	return &Call{Fn: call, Args: args, T: t}, nil
}

func (a *analyzer) sequenceCall(op SequenceOp, args []Expr, n *parse.FuncCall) (Expr, error) {
	takes := map[SequenceOp][]types.OID{
		Nextval: {types.RegClass}, Currval: {types.RegClass}, Lastval: {},
		Setval: {types.RegClass, types.Int8, types.Bool},
	}[op]
	enough := len(args) == len(takes) || op == Setval && len(args) == 2
	if !enough {
		return nil, a.errorf(n.Pos, types.CodeUndefinedFunction,
			"function %s with %d arguments does not exist", sequenceNames[op], len(args))
	}
	for i, x := range args {
		to := types.Type{OID: takes[i], Mod: types.NoMod}
		ctx := types.Implicit
		if takes[i] == types.RegClass && x.Type().OID != types.Unknown {
			ctx = types.Explicit // text converts to regclass by an implicit cast of its own
		}
		y, err := a.coerce(x, to, ctx, "", startOf(n.Args[i]))
		if err != nil {
			return nil, err
		}
		args[i] = y
	}
	return &SequenceCall{Op: op, Args: args}, nil
}

// AggRef is the result of an aggregate, a column of the row an Aggregate yields.
type AggRef struct {
	Index int
	T     types.Type
	call  AggregateCall
}

// Type implements Expr.
func (r *AggRef) Type() types.Type { return r.T }

// Eval implements Expr.
func (r *AggRef) Eval(_ *Eval, row []types.Datum) (types.Datum, error) { return row[r.Index], nil }

func (r *AggRef) inputs() []Expr      { return nil }
func (r *AggRef) rebuild([]Expr) Expr { return r }

func (a *analyzer) aggregate(n *parse.FuncCall) (Expr, error) {
	switch {
	case a.inCall:
		return nil, a.errorf(n.Pos, CodeGrouping, "aggregate function calls cannot be nested")
	case a.aggregates == nil:
		return nil, a.errorf(n.Pos, CodeGrouping,
			"aggregate functions are not allowed in %s", a.place)
	}
	a.inCall = true
	defer func() { a.inCall = false }()
	var call AggregateCall
	var err error
	if n.WithinGroup {
		call, err = a.orderedSet(n)
	} else {
		call, err = a.plainAggregate(n)
	}
	if err != nil {
		return nil, err
	}
	if ofOuterQuery(call.Args) {
		return nil, a.unsupported(n.Pos, "an aggregate over columns of an outer query")
	}
	if n.Filter != nil {
		if call.Filter, err = a.condition(n.Filter, "FILTER"); err != nil {
			return nil, err
		}
	}
	*a.aggregates = append(*a.aggregates, call)
	return &AggRef{Index: len(*a.aggregates) - 1, T: call.T, call: call}, nil
}

// plainAggregate resolves an aggregate with its arguments and ORDER BY.
func (a *analyzer) plainAggregate(n *parse.FuncCall) (AggregateCall, error) {
	call := AggregateCall{Name: n.Name.Name, Star: n.Star, Distinct: n.Distinct, pos: n.Pos}
	var err error
	if call.Args, err = a.arguments(n.Args); err != nil {
		return call, err
	}
	if call.Fn, err = a.aggregateFunction(n, call.Args); err != nil {
		return call, err
	}
	call.T = types.Of(call.Fn.Result)
	for _, s := range n.OrderBy {
		x, err := a.operand(s.Expr)
		if err != nil {
			return call, err
		}
		key, err := a.sortKey(x, s)
		if err != nil {
			return call, err
		}
		call.OrderBy = append(call.OrderBy, key)
	}
	if n.Distinct {
		err = a.distinctOrder(&call, n)
	}
	return call, err
}

// aggregateFunction chooses the overload of an aggregate and coerces its arguments.
func (a *analyzer) aggregateFunction(n *parse.FuncCall, args []Expr) (builtin.AggCall, error) {
	oids := make([]types.OID, len(args))
	for i, x := range args {
		oids[i] = x.Type().OID
	}
	fn, err := builtin.ResolveAggregate(n.Name.Name, oids, n.Star)
	if err != nil {
		return fn, a.at(err, n.Pos)
	}
	return fn, a.coerceArgs(args, builtin.Call{Args: fn.Args}, n.Pos)
}

// ofOuterQuery says whether an aggregate's arguments name columns of queries further out alone,
// which makes it one of theirs.
func ofOuterQuery(args []Expr) bool {
	inner, outer := false, false
	for _, arg := range args {
		walk(arg, func(x Expr) bool {
			switch x.(type) {
			case *Field:
				inner = true
			case *Outer:
				outer = true
			}
			return true
		})
	}
	return outer && !inner
}

// valueFunction resolves CURRENT_TIMESTAMP and its kin through the functions they abbreviate.
func (a *analyzer) valueFunction(n *parse.SQLValueFunction) (Expr, error) {
	as := func(oid types.OID) (Expr, error) {
		x, err := a.call("now", nil, n.Pos)
		if err != nil {
			return nil, err
		}
		to := types.Type{OID: oid, Mod: types.NoMod}
		if n.Precision >= 0 {
			if to.Mod, err = types.ModFromArgs(oid, []int64{int64(n.Precision)}); err != nil {
				return nil, a.at(err, n.Pos)
			}
		}
		return a.coerce(x, to, types.Explicit, "", n.Pos)
	}
	switch n.Func {
	case parse.CurrentDate:
		return as(types.Date)
	case parse.CurrentTimestamp:
		return as(types.TimestampTZ)
	case parse.LocalTimestamp:
		return as(types.Timestamp)
	case parse.LocalTime:
		return as(types.Time)
	case parse.CurrentUser, parse.User, parse.CurrentRole:
		return a.call("current_user", nil, n.Pos)
	case parse.SessionUser:
		return a.call("session_user", nil, n.Pos)
	case parse.CurrentCatalog:
		return a.call("current_database", nil, n.Pos)
	case parse.CurrentSchema:
		return a.call("current_schema", nil, n.Pos)
	}
	return nil, a.unsupported(n.Pos, "CURRENT_TIME")
}

var valueFunctionNames = map[parse.ValueFunction]string{
	parse.CurrentDate: "current_date", parse.CurrentTime: "current_time",
	parse.CurrentTimestamp: "current_timestamp", parse.LocalTime: "localtime",
	parse.LocalTimestamp: "localtimestamp", parse.CurrentRole: "current_role",
	parse.CurrentUser: "current_user", parse.User: "user", parse.SessionUser: "session_user",
	parse.CurrentCatalog: "current_catalog", parse.CurrentSchema: "current_schema",
}

// typeName resolves a type as it was written.
func (a *analyzer) typeName(n *parse.TypeName) (types.Type, error) {
	switch {
	case n.SetOf:
		return types.Type{}, a.unsupported(n.Pos, "SETOF here")
	case n.PctType:
		return types.Type{}, a.unsupported(n.Pos, "%TYPE")
	case n.Name.Schema != "" && n.Name.Schema != "pg_catalog":
		return types.Type{}, a.noType(n)
	}
	info, ok := types.LookupTypeName(n.Name.Name)
	if n.Name.Name == "char" {
		info = types.Lookup(types.Char) // in quotes: the keyword arrives as bpchar
	}
	if !ok {
		return types.Type{}, a.noType(n)
	}
	t := types.Type{OID: info.OID, Mod: types.NoMod}
	if len(n.Typmods) > 0 {
		mods, err := a.typmods(n)
		if err == nil && t.OID == types.Interval {
			mods, err = a.intervalMods(n, mods)
		}
		if err != nil {
			return types.Type{}, err
		}
		if t.Mod, err = types.ModFromArgs(t.OID, mods); err != nil {
			return types.Type{}, a.at(err, n.Pos)
		}
	}
	if n.ArrayDims > 0 {
		if t.OID = types.ArrayOf(t.OID); t.OID == 0 {
			return types.Type{}, a.unsupported(n.Pos, "an array of "+info.SQLName)
		}
	}
	return t, nil
}

func (a *analyzer) noType(n *parse.TypeName) error {
	if missingTypes[n.Name.Name] {
		return a.unsupported(n.Pos, "the type "+n.Name.Name)
	}
	return a.errorf(n.Pos, types.CodeUndefinedObject, "type \"%s\" does not exist", n.Name.String())
}

func (a *analyzer) typmods(n *parse.TypeName) ([]int64, error) {
	var mods []int64
	for _, x := range n.Typmods {
		c, ok := x.(*parse.Const)
		if !ok || c.Kind != parse.ConstInt4 && c.Kind != parse.ConstInt8 {
			return nil, a.errorf(n.Pos, types.CodeInvalidParameter,
				"type modifiers must be simple constants or identifiers")
		}
		mods = append(mods, c.Int)
	}
	return mods, nil
}

// intervalMods leaves of what the grammar gives for an interval, the fields and the digits, the
// digits. Fields would change the value: interval '1' day is no second.
func (a *analyzer) intervalMods(n *parse.TypeName, mods []int64) ([]int64, error) {
	const allFields = 0x7fff
	if mods[0] != allFields {
		return nil, a.unsupported(n.Pos, "an interval of certain fields")
	}
	return mods[1:], nil
}
