package builtin

import (
	"unsafe"

	"ackdb/server/sql/types"
)

func init() {
	anyArray, i4 := types.AnyArray, types.Int4
	register(
		fn("array_fill", anyArray, evalArrayFill, types.AnyElement, types.Int4Array).notStrict(),
		fn("array_fill", anyArray, evalArrayFill, types.AnyElement, types.Int4Array,
			types.Int4Array).notStrict(),
		fn("trim_array", anyArray, evalTrimArray, anyArray, i4),
		setFn("generate_subscripts", i4, evalSubscripts, anyArray, i4, types.Bool),
	)
}

// maxFill bounds array_fill.
const maxFill = 1 << 20

// evalArrayFill makes an array of equal elements. It is called with NULLs too, whose type the
// dimensions do not tell; so the context of the call must: a NULL carries none.
func evalArrayFill(_ *Context, a []Datum) (Datum, error) {
	for _, d := range a[1:] {
		if d.IsNull() {
			return types.Null, types.Errorf(types.CodeNullNotAllowed,
				"dimension array or low bound array cannot be null")
		}
	}
	if a[0].IsNull() {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"array_fill of NULL is not supported")
	}
	out := &types.Array{Elem: a[0].OID()}
	sizes := a[1].Array().Elems
	if len(a) > 2 && len(a[2].Array().Elems) != len(sizes) {
		return types.Null, types.Errorf(types.CodeArraySubscript, "wrong number of array subscripts").
			WithDetail("Low bound array has different size than dimensions array.")
	}
	if len(sizes) > types.MaxArrayDims {
		return types.Null, types.Errorf(types.CodeProgramLimit,
			"number of array dimensions (%d) exceeds the maximum allowed (%d)", len(sizes),
			types.MaxArrayDims)
	}
	total := int64(min(len(sizes), 1))
	for i, size := range sizes {
		if size.IsNull() {
			return types.Null, types.Errorf(types.CodeNullNotAllowed,
				"dimension values cannot be null")
		}
		total *= size.Int()
		if total < 0 || total > maxFill {
			return types.Null, types.Errorf(types.CodeProgramLimit,
				"array size exceeds the maximum allowed (%d)", maxFill)
		}
		dim := types.Dim{Len: int32(size.Int()), Lower: 1}
		if len(a) > 2 {
			dim.Lower = int32(a[2].Array().Elems[i].Int())
		}
		out.Dims = append(out.Dims, dim)
	}
	for range total {
		out.Elems = append(out.Elems, a[0])
	}
	if total == 0 {
		out.Dims = nil
	}
	return types.NewArrayDatum(types.ArrayOf(out.Elem), out), nil
}

// evalTrimArray drops elements at the end, of the outer dimension.
func evalTrimArray(_ *Context, a []Datum) (Datum, error) {
	array, n := a[0].Array(), a[1].Int()
	have := int64(0)
	if len(array.Dims) > 0 {
		have = int64(array.Dims[0].Len)
	}
	if n < 0 || n > have {
		return types.Null, types.Errorf(types.CodeArraySubscript,
			"number of elements to trim must be between 0 and %d", have)
	}
	if have == 0 || n == 0 {
		return a[0], nil
	}
	out := &types.Array{Elem: array.Elem}
	if left := have - n; left > 0 {
		out.Dims = append(out.Dims, array.Dims...)
		out.Dims[0] = types.Dim{Len: int32(left), Lower: 1}
		out.Elems = array.Elems[:int64(len(array.Elems))/have*left]
	}
	return types.NewArrayDatum(a[0].OID(), out), nil
}

// arrayStack is array_agg of arrays: one more dimension around them.
type arrayStack struct {
	result OID
	dims   []types.Dim
	count  int32
	elems  []Datum
	held   int
}

func newArrayStack(result OID) Accumulator { return &arrayStack{result: result} }

func (a *arrayStack) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() {
		return types.Errorf(types.CodeNullNotAllowed, "cannot accumulate null arrays")
	}
	array := args[0].Array()
	switch {
	case len(array.Dims) == 0:
		return types.Errorf(types.CodeArraySubscript, "cannot accumulate empty arrays")
	case len(array.Dims) >= types.MaxArrayDims:
		return types.Errorf(types.CodeProgramLimit,
			"number of array dimensions (%d) exceeds the maximum allowed (%d)", len(array.Dims)+1,
			types.MaxArrayDims)
	case a.count == 0:
		a.dims = append(a.dims, array.Dims...)
	case len(a.dims) != len(array.Dims) || !sameLens(a.dims, array.Dims):
		return types.Errorf(types.CodeArraySubscript,
			"cannot accumulate arrays of different dimensionality")
	}
	a.count++
	for _, e := range array.Elems {
		e = e.Clone()
		a.elems = append(a.elems, e)
		a.held += e.Size()
	}
	return nil
}

func (a *arrayStack) Result(*Context) (Datum, error) {
	if a.count == 0 {
		return types.Null, nil
	}
	out := &types.Array{Elem: types.ElemOf(a.result), Elems: a.elems,
		Dims: append([]types.Dim{{Len: a.count, Lower: 1}}, a.dims...)}
	return types.NewArrayDatum(a.result, out), nil
}

func (a *arrayStack) Size() int { return int(unsafe.Sizeof(*a)) + a.held }
