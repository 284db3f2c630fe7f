package plan

import (
	"strconv"

	"ackdb/server/sql/types"
)

// RowField is a field of a row value: NULL when the row is.
type RowField struct {
	X     Expr
	Index int
	T     types.Type

	fields []Column // of a field that is a row value itself
}

// Type implements Expr.
func (f *RowField) Type() types.Type { return f.T }

// Eval implements Expr.
func (f *RowField) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	v, err := f.X.Eval(e, row)
	if err != nil || v.IsNull() {
		return types.Null, err
	}
	return v.Row()[f.Index], nil
}

func (f *RowField) inputs() []Expr { return []Expr{f.X} }

func (f *RowField) rebuild(in []Expr) Expr {
	return &RowField{X: in[0], Index: f.Index, T: f.T, fields: f.fields}
}

func (f *RowField) print(p *printer) {
	p.WriteString("(")
	f.X.print(p)
	p.WriteString(")." + rowFieldName(f.Index))
}

// rowFieldName is what a field of a row is called that has no name.
func rowFieldName(i int) string { return "f" + strconv.Itoa(i+1) }

// RowOf is ROW(a, b).
type RowOf struct{ Args []Expr }

// Type implements Expr.
func (r *RowOf) Type() types.Type { return types.Type{OID: types.Record, Mod: types.NoMod} }

// Eval implements Expr.
func (r *RowOf) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	fields := make(types.Row, len(r.Args))
	for i, x := range r.Args {
		v, err := x.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		fields[i] = v
	}
	return types.NewRecord(fields), nil
}

func (r *RowOf) inputs() []Expr         { return r.Args }
func (r *RowOf) rebuild(in []Expr) Expr { return &RowOf{Args: in} }
func (r *RowOf) print(p *printer)       { p.call("ROW", r.Args) }
