package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// WholeRow is a row of an item of FROM as one value, whose fields have the names of its columns.
type WholeRow struct {
	Name   string
	Fields []Expr
	Names  []string

	// Missing says that an outer join may have no row there: of all NULLs, it is NULL itself.
	Missing bool

	pos parse.Pos
}

var recordType = types.Type{OID: types.Record, Mod: types.NoMod}

// Type implements Expr.
func (w *WholeRow) Type() types.Type { return recordType }

// Eval implements Expr.
func (w *WholeRow) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	fields := make(types.Row, len(w.Fields))
	missing := w.Missing
	for i, x := range w.Fields {
		v, err := x.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		fields[i] = v
		missing = missing && v.IsNull()
	}
	if missing {
		return types.Null, nil
	}
	return types.NewNamedRecord(fields, w.Names), nil
}

func (w *WholeRow) inputs() []Expr { return w.Fields }

func (w *WholeRow) rebuild(in []Expr) Expr {
	out := *w
	out.Fields = in
	return &out
}

func (w *WholeRow) print(p *printer) {
	if p.exact {
		p.call("ROW", w.Fields)
		return
	}
	p.WriteString(w.Name + ".*")
}

// wholeRow gives the row of a source as a value. That of a function with one value is the value.
func (a *analyzer) wholeRow(src *source, in *scope, pos parse.Pos) Expr {
	w := &WholeRow{Name: src.name, Missing: src.nullable, pos: pos}
	for i, c := range src.columns {
		if c.name == "" {
			continue
		}
		x := a.outer(in, src.column(i, pos), c.name, pos)
		if src.scalar {
			return x
		}
		w.Fields, w.Names = append(w.Fields, x), append(w.Names, c.name)
	}
	return w
}

// rowFields describes the fields of a row value; nil when they are not known before it is computed.
func rowFields(x Expr) []Column {
	var list []Column
	switch x := x.(type) {
	case *WholeRow:
		for i, f := range x.Fields {
			list = append(list, Column{Name: x.Names[i], Type: f.Type(), fields: rowFields(f)})
		}
	case *RowOf:
		for i, f := range x.Args {
			list = append(list, Column{Name: rowFieldName(i), Type: f.Type(), fields: rowFields(f)})
		}
	case *Field:
		if x.fields == nil && x.of != nil {
			return rowFields(x.of)
		}
		return x.fields
	case *Outer:
		return x.fields
	case *RowField:
		return x.fields
	case *SubPlan:
		return x.fields
	case *Case:
		return rowFields(x.Then[0])
	case *Coalesce:
		return rowFields(x.Args[0])
	case *Call:
		for _, c := range x.Fn.Function.Columns {
			list = append(list, Column{Name: c.Name, Type: types.Of(c.Type)})
		}
	case *SetRef:
		return rowFields(x.Set.Call)
	}
	return list
}

// field resolves (x).name.
func (a *analyzer) field(x Expr, name string, pos parse.Pos) (Expr, error) {
	if x.Type().OID != types.Record {
		return nil, a.errorf(pos, types.CodeWrongObjectType, "column notation .%s applied to type"+
			" %s, which is not a composite type", name, types.FormatType(x.Type().OID, types.NoMod))
	}
	for i, c := range rowFields(x) {
		if c.Name == name {
			return rowField(x, i, c), nil
		}
	}
	if w, ok := x.(*WholeRow); ok {
		return nil, a.errorf(pos, CodeUndefinedColumn, "column %s.%s does not exist", w.Name, name)
	}
	return nil, a.errorf(pos, CodeUndefinedColumn,
		"could not identify column \"%s\" in record data type", name)
}

func rowField(x Expr, i int, c Column) Expr {
	if w, ok := x.(*WholeRow); ok {
		return w.Fields[i]
	}
	return &RowField{X: x, Index: i, T: c.Type, fields: c.fields}
}

// allFields resolves (x).* in a select list: a column for each field.
func (a *analyzer) allFields(n *parse.IndirectionExpr) ([]output, error) {
	inner := *n
	inner.Steps = n.Steps[:len(n.Steps)-1]
	x, err := a.expr(n.Arg)
	if err == nil && len(inner.Steps) > 0 {
		x, err = a.expr(&inner)
	}
	if err != nil {
		return nil, err
	}
	if x.Type().OID != types.Record {
		return nil, a.errorf(startOf(n), types.CodeWrongObjectType,
			"type %s is not composite", types.FormatType(x.Type().OID, types.NoMod))
	}
	fields := rowFields(x)
	if fields == nil {
		return nil, a.errorf(startOf(n), CodeUndefinedColumn,
			"record type has not been registered")
	}
	outs := make([]output, len(fields))
	for i, c := range fields {
		outs[i] = output{expr: rowField(x, i, c), name: c.Name, pos: startOf(n)}
	}
	return outs, nil
}

// starOfRow says whether an item of a list is (x).*.
func starOfRow(n parse.Expr) (*parse.IndirectionExpr, bool) {
	x, ok := n.(*parse.IndirectionExpr)
	return x, ok && x.Steps[len(x.Steps)-1].Star
}

// starValue resolves t.* where one value stands: the row.
func (a *analyzer) starValue(ref *parse.ColumnRef) (Expr, error) {
	n := len(ref.Fields)
	if n == 0 {
		return nil, a.errorf(ref.Pos, types.CodeSyntax, "* is not allowed here")
	}
	schema := ""
	if n > 1 {
		schema = ref.Fields[n-2]
	}
	src, in, err := a.findSource(schema, ref.Fields[n-1], ref.Pos)
	if err != nil {
		return nil, err
	}
	return a.wholeRow(src, in, ref.Pos), nil
}
