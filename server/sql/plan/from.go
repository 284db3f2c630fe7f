package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// fromItem resolves the one source of a SELECT.
func (a *analyzer) fromItem(s *selecting, item parse.TableExpr) error {
	switch item := item.(type) {
	case *parse.RangeVar:
		return a.fromTable(s, item)
	case *parse.RangeFunction:
		return a.fromFunction(s, item)
	case *parse.JoinExpr:
		return a.unsupported(parse.NoPos, "a join")
	}
	return a.unsupported(parse.NoPos, "a subquery in FROM")
}

func (a *analyzer) fromTable(s *selecting, item *parse.RangeVar) error {
	rel, err := a.relation(item)
	if err != nil {
		return err
	}
	alias := func(name string) string {
		if item.Alias == nil {
			return name
		}
		a.hidden[item.Alias.Name] = name
		return item.Alias.Name
	}
	switch {
	case rel.Table != nil:
		a.scope.add(tableSource(rel.Table, item.Alias))
		s.in = &Scan{Table: rel.Table, Alias: alias(rel.Table.Name)}
	case rel.Virtual != nil:
		a.scope.add(virtualSource(rel.Virtual, item.Alias))
		s.in = &VirtualScan{Table: rel.Virtual, Alias: alias(rel.Virtual.Name)}
	case rel.Sequence != nil:
		return a.fromSequence(s, item)
	default:
		return a.errorf(item.Pos, types.CodeWrongObjectType,
			"cannot open relation \"%s\"", item.Name.Name).(*types.Error).WithDetail(
			"This operation is not supported for indexes.")
	}
	src := a.scope.sources[0]
	if item.Alias != nil && len(item.Alias.Columns) > len(src.columns) {
		return types.Errorf(CodeInvalidColumnRef,
			"table \"%s\" has %d columns available but %d columns specified",
			item.Alias.Name, len(src.columns), len(item.Alias.Columns))
	}
	return nil
}

func (a *analyzer) fromSequence(_ *selecting, item *parse.RangeVar) error {
	return a.unsupported(item.Pos, "SELECT from a sequence")
}

// fromFunction resolves a function in FROM. An alias for a function of one column names the column
// too, as in generate_series(1, 3) AS aid.
func (a *analyzer) fromFunction(s *selecting, item *parse.RangeFunction) error {
	switch {
	case item.RowsFrom || len(item.Funcs) != 1:
		return a.unsupported(parse.NoPos, "ROWS FROM")
	case len(item.Columns) > 0 || len(item.Funcs[0].Columns) > 0:
		return a.unsupported(parse.NoPos, "a column definition list for a function")
	}
	a.place = "functions in FROM"
	n, ok := item.Funcs[0].Func.(*parse.FuncCall)
	if !ok {
		return a.unsupported(item.Funcs[0].Func.Position(), "this expression in FROM")
	}
	if err := a.checkCall(n); err != nil {
		return err
	}
	args, err := a.arguments(n.Args)
	if err != nil {
		return err
	}
	x, err := a.call(n.Name.Name, args, n.Pos)
	if err != nil {
		return err
	}
	scan := &FunctionScan{Fn: x, Alias: n.Name.Name, Ordinality: item.Ordinality}
	src := a.functionSource(scan, n.Name.Name, item.Alias)
	if item.Alias != nil {
		scan.Alias = item.Alias.Name
		if len(item.Alias.Columns) > len(src.columns) {
			return types.Errorf(CodeInvalidColumnRef,
				"table \"%s\" has %d columns available but %d columns specified",
				item.Alias.Name, len(src.columns), len(item.Alias.Columns))
		}
	}
	a.scope.add(src)
	s.in = scan
	return nil
}

func (a *analyzer) functionSource(
	scan *FunctionScan, name string, alias *parse.Alias,
) *source {
	src := &source{name: name}
	add := func(name string, t types.Type) {
		src.columns = append(src.columns, sourceColumn{name: name, t: t})
		scan.Columns = append(scan.Columns, t)
	}
	call, _ := scan.Fn.(*Call)
	if call != nil && len(call.Fn.Function.Columns) > 0 {
		scan.Record = true
		for _, c := range call.Fn.Function.Columns {
			add(c.Name, types.Type{OID: c.Type, Mod: types.NoMod})
		}
	} else {
		add(name, scan.Fn.Type())
		if alias != nil {
			src.columns[0].name = alias.Name
		}
	}
	if scan.Ordinality {
		src.columns = append(src.columns, sourceColumn{name: "ordinality", t: int8Type})
	}
	src.rename(alias)
	return src
}
