package builtin

import (
	"strings"

	"ackdb/server/sql/types"
)

// Functions that print the definitions of objects.
func init() {
	oid, text, boolean, i4 := types.Oid, types.Text, types.Bool, types.Int4
	options := setFn("pg_options_to_table", types.Record, evalOptions, types.TextArray).stable()
	options.Columns = []Column{{"option_name", text}, {"option_value", text}}
	register(
		fn("pg_get_expr", text, evalGetExpr, types.PgNodeTree, oid).stable(),
		fn("pg_get_expr", text, evalGetExpr, types.PgNodeTree, oid, boolean).stable(),
		fn("pg_get_indexdef", text, evalIndexDef, oid).stable(),
		fn("pg_get_indexdef", text, evalIndexDef, oid, i4, boolean).stable(),
		fn("pg_get_constraintdef", text, evalConstraintDef, oid).stable(),
		fn("pg_get_constraintdef", text, evalConstraintDef, oid, boolean).stable(),
		fn("pg_get_viewdef", text, evalViewDef, oid).stable(),
		fn("pg_get_viewdef", text, evalViewDef, oid, boolean).stable(),
		fn("pg_get_viewdef", text, evalWrappedViewDef, oid, i4).stable(),
		fn("pg_get_viewdef", text, evalNamedViewDef, text).stable(),
		fn("pg_get_viewdef", text, evalNamedViewDef, text, boolean).stable(),
		fn("pg_get_function_result", text, functionDef(FunctionResult), oid).stable(),
		fn("pg_get_function_arguments", text, functionDef(FunctionArguments), oid).stable(),
		fn("pg_get_function_identity_arguments", text, functionDef(FunctionIdentity), oid).stable(),
		fn("pg_get_functiondef", text, evalFunctionDef, oid).stable(),
		options,
	)
	// Of these kinds of object there are none.
	register(
		fn("pg_get_function_sqlbody", text, evalNull, oid).stable(),
		fn("pg_get_partkeydef", text, evalNull, oid).stable(),
		fn("pg_get_partition_constraintdef", text, evalNull, oid).stable(),
		setFn("pg_partition_ancestors", types.RegClass, evalNoRows, types.RegClass).volatile(),
		fn("pg_get_replica_identity_index", types.RegClass, evalNull, types.RegClass).stable(),
		fn("pg_get_ruledef", text, evalNull, oid).stable(),
		fn("pg_get_ruledef", text, evalNull, oid, boolean).stable(),
		fn("pg_get_statisticsobjdef", text, evalNull, oid).stable(),
		fn("pg_get_statisticsobjdef_columns", text, evalNull, oid).stable(),
		fn("pg_get_statisticsobjdef_expressions", types.TextArray, evalNull, oid).stable(),
		fn("pg_get_triggerdef", text, evalNull, oid).stable(),
		fn("pg_get_triggerdef", text, evalNull, oid, boolean).stable(),
		fn("row_security_active", boolean, evalFalse, oid).stable(),
		fn("row_security_active", boolean, evalFalse, text).stable(),
	)
}

func evalNoRows(*Context, []Datum, func(Datum) error) error { return nil }

func evalNull(*Context, []Datum) (Datum, error) { return types.Null, nil }

// evalGetExpr: node trees are kept as the text of the expression.
func evalGetExpr(c *Context, a []Datum) (Datum, error) {
	pretty := len(a) > 2 && a[2].Bool()
	return types.NewText(c.catalog().Expression(a[0].Str(), OID(a[1].Int()), pretty)), nil
}

func evalIndexDef(c *Context, a []Datum) (Datum, error) {
	column, pretty := int64(0), false
	if len(a) > 1 {
		column, pretty = a[1].Int(), a[2].Bool()
	}
	return textOrNull(c.catalog().IndexDef(OID(a[0].Int()), int(column), pretty))
}

func evalConstraintDef(c *Context, a []Datum) (Datum, error) {
	return textOrNull(c.catalog().ConstraintDef(OID(a[0].Int()), len(a) > 1 && a[1].Bool()))
}

func evalViewDef(c *Context, a []Datum) (Datum, error) {
	return textOrNull(c.catalog().ViewDef(OID(a[0].Int()), len(a) > 1 && a[1].Bool(), 0))
}

func evalWrappedViewDef(c *Context, a []Datum) (Datum, error) {
	return textOrNull(c.catalog().ViewDef(OID(a[0].Int()), true, int(a[1].Int())))
}

func evalNamedViewDef(c *Context, a []Datum) (Datum, error) {
	view, err := types.ParseText(types.Of(types.RegClass), a[0].Str(), c.Env)
	if err != nil {
		return types.Null, err
	}
	return evalViewDef(c, append([]Datum{view}, a[1:]...))
}

func functionDef(part FunctionPart) Eval {
	return func(c *Context, a []Datum) (Datum, error) {
		return textOrNull(c.catalog().FunctionDef(OID(a[0].Int()), part))
	}
}

// evalFunctionDef refuses aggregates, whose definition is no CREATE FUNCTION.
func evalFunctionDef(c *Context, a []Datum) (Datum, error) {
	oid := OID(a[0].Int())
	if name, ok := c.catalog().FunctionDef(oid, FunctionAggregate); ok {
		return types.Null, types.Errorf(types.CodeWrongObjectType,
			"\"%s\" is an aggregate function", name)
	}
	return textOrNull(c.catalog().FunctionDef(oid, FunctionWhole))
}

// evalOptions splits name=value; without a value it is NULL.
func evalOptions(_ *Context, a []Datum, yield func(Datum) error) error {
	for _, option := range a[0].Array().Elems {
		name, value, found := strings.Cut(option.Str(), "=")
		row := types.Row{types.NewText(name), types.Null}
		if found {
			row[1] = types.NewText(value)
		}
		if err := yield(types.NewRecord(row)); err != nil {
			return err
		}
	}
	return nil
}
