package plan

import (
	"slices"

	"ackdb/server/sql/types"
)

// ArrayOf is ARRAY[...]. With Nested its elements are arrays, which become its rows.
type ArrayOf struct {
	Elems  []Expr
	Nested bool
	T      types.Type // the array's
}

// Type implements Expr.
func (a *ArrayOf) Type() types.Type { return a.T }

// Eval implements Expr.
func (a *ArrayOf) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	elems := make([]types.Datum, len(a.Elems))
	for i, x := range a.Elems {
		v, err := x.Eval(e, row)
		if err != nil {
			return types.Null, err
		}
		elems[i] = v
	}
	if a.Nested {
		return stackArrays(a.T.OID, elems)
	}
	return types.NewArray(types.ElemOf(a.T.OID), elems), nil
}

func (a *ArrayOf) inputs() []Expr { return a.Elems }

func (a *ArrayOf) rebuild(in []Expr) Expr { return &ArrayOf{Elems: in, Nested: a.Nested, T: a.T} }

// stackArrays makes one array of several, which must be of one shape. Empty and NULL ones are left
// out, as long as all are.
func stackArrays(oid types.OID, list []types.Datum) (types.Datum, error) {
	out := &types.Array{Elem: types.ElemOf(oid)}
	left := 0
	for _, v := range list {
		a := v.Array()
		if v.IsNull() || len(a.Dims) == 0 {
			left++
			continue
		}
		if out.Dims == nil {
			out.Dims = append([]types.Dim{{Len: int32(len(list)), Lower: 1}}, a.Dims...)
		}
		if left > 0 || !slices.Equal(out.Dims[1:], a.Dims) {
			return types.Null, errArrayShape()
		}
		out.Elems = append(out.Elems, a.Elems...)
	}
	switch {
	case left > 0 && left < len(list):
		return types.Null, errArrayShape()
	case len(out.Dims) > types.MaxArrayDims:
		return types.Null, types.Errorf(types.CodeProgramLimit,
			"number of array dimensions (%d) exceeds the maximum allowed (%d)",
			len(out.Dims), types.MaxArrayDims)
	}
	return types.NewArrayDatum(oid, out), nil
}

func errArrayShape() error {
	return types.Errorf(types.CodeArraySubscript,
		"multidimensional arrays must have array expressions with matching dimensions")
}

// Subscript is x[i][j], an element: NULL outside of the array.
type Subscript struct {
	X     Expr
	Index []Expr
	T     types.Type
}

// Type implements Expr.
func (s *Subscript) Type() types.Type { return s.T }

// Eval implements Expr.
func (s *Subscript) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	x, err := s.X.Eval(e, row)
	if err != nil || x.IsNull() {
		return types.Null, err
	}
	a := x.Array()
	at, inside := int64(0), len(a.Dims) == len(s.Index)
	for i, sub := range s.Index {
		v, err := sub.Eval(e, row)
		if err != nil || v.IsNull() {
			return types.Null, err
		}
		if !inside {
			continue
		}
		n, d := v.Int()-int64(a.Dims[i].Lower), a.Dims[i]
		inside = n >= 0 && n < int64(d.Len)
		at = at*int64(d.Len) + n
	}
	if !inside {
		return types.Null, nil
	}
	return a.Elems[at], nil
}

func (s *Subscript) inputs() []Expr { return append([]Expr{s.X}, s.Index...) }

func (s *Subscript) rebuild(in []Expr) Expr {
	return &Subscript{X: in[0], Index: in[1:], T: s.T}
}

// Slice is x[a:b][c:d]: the part of an array within the bounds. A nil bound is the array's own.
type Slice struct {
	X            Expr
	Lower, Upper []Expr
}

// Type implements Expr.
func (s *Slice) Type() types.Type { return s.X.Type() }

// Eval implements Expr.
func (s *Slice) Eval(e *Eval, row []types.Datum) (types.Datum, error) {
	x, err := s.X.Eval(e, row)
	if err != nil || x.IsNull() {
		return types.Null, err
	}
	a := x.Array()
	empty := len(a.Dims) < len(s.Lower)
	from, length := make([]int64, len(a.Dims)), make([]int64, len(a.Dims))
	for i, d := range a.Dims {
		from[i], length[i] = 0, int64(d.Len)
	}
	for i := range s.Lower {
		lo, hi := int64(1), int64(0)
		if !empty {
			lo, hi = int64(a.Dims[i].Lower), int64(a.Dims[i].Lower)+int64(a.Dims[i].Len)-1
		}
		null, err := s.bound(e, row, i, &lo, &hi)
		if null || err != nil {
			return types.Null, err
		}
		if empty {
			continue
		}
		d := a.Dims[i]
		lo, hi = max(lo-int64(d.Lower), 0), min(hi-int64(d.Lower), int64(d.Len)-1)
		from[i], length[i] = lo, hi-lo+1
		empty = hi < lo
	}
	out := &types.Array{Elem: a.Elem}
	if !empty {
		out.Elems = cutArray(a, from, length, 0, 0, nil)
		for _, n := range length {
			out.Dims = append(out.Dims, types.Dim{Len: int32(n), Lower: 1})
		}
	}
	return types.NewArrayDatum(x.OID(), out), nil
}

// bound computes the bounds that were written for one dimension; null when one is NULL.
func (s *Slice) bound(
	e *Eval, row []types.Datum, i int, lo, hi *int64,
) (null bool, err error) {
	for _, b := range []struct {
		x  Expr
		to *int64
	}{{s.Lower[i], lo}, {s.Upper[i], hi}} {
		if b.x == nil {
			continue
		}
		v, err := b.x.Eval(e, row)
		if err != nil || v.IsNull() {
			return true, err
		}
		*b.to = v.Int()
	}
	return false, nil
}

// cutArray appends the elements within bounds, dimension by dimension.
func cutArray(
	a *types.Array, from, length []int64, dim int, base int64, out []types.Datum,
) []types.Datum {
	if dim == len(a.Dims) {
		return append(out, a.Elems[base])
	}
	for i := range length[dim] {
		at := base*int64(a.Dims[dim].Len) + from[dim] + i
		out = cutArray(a, from, length, dim+1, at, out)
	}
	return out
}

func (s *Slice) inputs() []Expr {
	list := []Expr{s.X}
	for i := range s.Lower {
		for _, x := range []Expr{s.Lower[i], s.Upper[i]} {
			if x != nil {
				list = append(list, x)
			}
		}
	}
	return list
}

func (s *Slice) rebuild(in []Expr) Expr {
	out := &Slice{X: in[0], Lower: make([]Expr, len(s.Lower)), Upper: make([]Expr, len(s.Upper))}
	in = in[1:]
	for i := range s.Lower {
		if s.Lower[i] != nil {
			out.Lower[i], in = in[0], in[1:]
		}
		if s.Upper[i] != nil {
			out.Upper[i], in = in[0], in[1:]
		}
	}
	return out
}
