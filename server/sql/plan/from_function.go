package plan

import (
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// FunctionScan yields the rows of its parts side by side, until none has one; a part that has no
// more is NULL.
type FunctionScan struct {
	Parts      []FunctionPart
	Alias      string
	Ordinality bool // WITH ORDINALITY: a bigint behind the columns
	Filter     Expr
}

// FunctionPart is what a set-returning function gives, or the one value of an ordinary one.
type FunctionPart struct {
	Fn     Expr // mostly a *Call, whose function may be set-returning
	Width  int
	Record bool // the function gives records, whose fields are the columns
	// Define are the columns of a column definition list, to which a document is brought.
	Define []builtin.Field
}

// fromFunction resolves functions in FROM, which always see what stands to their left.
func (a *analyzer) fromFunction(item *parse.RangeFunction) (*joinTree, error) {
	items, err := a.functionItems(item)
	if err != nil {
		return nil, err
	}
	name := outputName(item.Funcs[0].Func)
	scan := &FunctionScan{Alias: name, Ordinality: item.Ordinality}
	src := &source{name: name}
	for _, f := range items {
		if err := a.functionPart(scan, src, f); err != nil {
			return nil, err
		}
	}
	part := &scan.Parts[0]
	src.scalar = len(items) == 1 && !part.Record && part.Define == nil && !scan.Ordinality
	if item.Alias != nil {
		scan.Alias = item.Alias.Name
		if call, ok := part.Fn.(*Call); len(items) == 1 && part.Width == 1 && part.Define == nil &&
			(!ok || len(call.Fn.Function.Columns) == 0) {
			src.columns[0].name = item.Alias.Name
		}
	}
	if scan.Ordinality {
		src.columns = append(src.columns, sourceColumn{name: "ordinality", t: int8Type})
	}
	src.rename(item.Alias)
	if err := a.refuseLock(src.name, "a function"); err != nil {
		return nil, err
	}
	return a.item(src, item.Alias, scan)
}

// functionItems lists the functions of an item: those of ROWS FROM, and unnest of several arrays is
// an unnest of each.
func (a *analyzer) functionItems(item *parse.RangeFunction) ([]parse.RangeFunctionItem, error) {
	var items []parse.RangeFunctionItem
	for _, f := range item.Funcs {
		call, ok := f.Func.(*parse.FuncCall)
		if !ok || call.Name.Name != "unnest" || len(call.Args) < 2 || len(f.Columns) > 0 ||
			call.Name.Schema != "" || call.Variadic {
			items = append(items, f)
			continue
		}
		for _, arg := range call.Args {
			one := *call
			one.Args, one.Name.Schema = []parse.Expr{arg}, "pg_catalog"
			items = append(items, parse.RangeFunctionItem{Func: &one})
		}
	}
	if len(item.Columns) == 0 {
		return items, nil
	}
	pos := item.Columns[0].Pos
	refuse := func(message, hint string) error {
		return types.Errorf(types.CodeSyntax, "%s", message).WithHint("%s", hint).
			At(a.stmt.Position(pos))
	}
	switch {
	case len(items) > 1 && !item.RowsFrom:
		return nil, refuse("UNNEST() with multiple arguments cannot have a column definition list",
			"Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition list"+
				" to each one.")
	case len(items) > 1:
		return nil, refuse("ROWS FROM() with multiple functions cannot have a column definition"+
			" list", "Put a separate column definition list for each function inside ROWS FROM().")
	case item.Ordinality:
		return nil, refuse("WITH ORDINALITY cannot be used with a column definition list",
			"Put the column definition list inside ROWS FROM().")
	}
	items[0].Columns = item.Columns
	return items, nil
}

// functionPart resolves one function and adds its columns.
func (a *analyzer) functionPart(
	scan *FunctionScan, src *source, f parse.RangeFunctionItem,
) error {
	var fn Expr
	_, err := a.nested(a.scope, func() (err error) {
		a.place = functionsInFrom
		fn, err = a.tableFunction(f.Func)
		return err
	})
	if err != nil {
		return err
	}
	part := FunctionPart{Fn: fn}
	add := func(c sourceColumn) {
		part.Width++
		src.columns = append(src.columns, c)
	}
	var function *builtin.Function
	if call, ok := fn.(*Call); ok {
		function = call.Fn.Function
	}
	switch {
	case len(f.Columns) > 0 || function != nil && function.Defined:
		if part.Define, err = a.definedColumns(f, fn); err != nil {
			return err
		}
		for _, c := range part.Define {
			add(sourceColumn{name: c.Name, t: c.Type})
		}
	case function != nil && len(function.Columns) > 0:
		part.Record = len(function.Columns) > 1
		for _, c := range function.Columns {
			add(sourceColumn{name: c.Name, t: types.Of(c.Type)})
		}
	default:
		add(sourceColumn{name: outputName(f.Func), t: fn.Type(), fields: rowFields(fn)})
	}
	scan.Parts = append(scan.Parts, part)
	return nil
}

// definedColumns resolves a column definition list, which a function needs that gives records of
// whatever fields are asked for, and no other may have.
func (a *analyzer) definedColumns(f parse.RangeFunctionItem, fn Expr) ([]builtin.Field, error) {
	call, ok := fn.(*Call)
	switch {
	case len(f.Columns) == 0:
		return nil, a.errorf(f.Func.Position(), types.CodeSyntax,
			"a column definition list is required for functions returning \"record\"")
	case ok && len(call.Fn.Function.Columns) > 1:
		return nil, a.errorf(f.Columns[0].Pos, types.CodeSyntax,
			"a column definition list is redundant for a function with OUT parameters")
	case !ok || !call.Fn.Function.Defined:
		return nil, a.errorf(f.Columns[0].Pos, types.CodeSyntax, "a column definition list is"+
			" only allowed for functions returning \"record\"")
	}
	fields := make([]builtin.Field, len(f.Columns))
	for i, c := range f.Columns {
		t, err := a.typeName(c.Type)
		if err != nil {
			return nil, err
		}
		for _, before := range fields[:i] {
			if before.Name == c.Name {
				return nil, a.errorf(parse.NoPos, CodeDuplicateColumn,
					"column name \"%s\" specified more than once", c.Name)
			}
		}
		fields[i] = builtin.Field{Name: c.Name, Type: t}
	}
	return fields, nil
}

// functionsInFrom is the place of functions in FROM.
const functionsInFrom = "functions in FROM"

// tableFunction resolves the call of a function in FROM, which may be set-returning.
func (a *analyzer) tableFunction(n parse.Expr) (Expr, error) {
	var sets []*SetCall
	a.sets = &sets
	x, err := a.operand(n)
	a.sets = nil
	if err != nil || len(sets) == 0 {
		return x, err
	}
	if ref, ok := x.(*SetRef); ok && len(sets) == 1 {
		return ref.Set.Call, nil
	}
	return nil, a.errorf(n.Position(), types.CodeFeatureNotSupported,
		"set-returning functions must appear at top level of FROM")
}
