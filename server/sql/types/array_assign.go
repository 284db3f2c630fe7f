package types

// Bound is a subscript, or one bound of a slice; Given is false where a slice has none.
type Bound struct {
	At    int64
	Given bool
}

func errSubscript(format string, args ...any) *Error {
	return Errorf(CodeArraySubscript, format, args...)
}

// AssignElement is what array[at...] = value leaves of an array, which may be NULL. An array of one
// dimension grows to the element, with NULLs between.
func AssignElement(array Datum, oid OID, at []Bound, value Datum) (Datum, error) {
	one := NewArray(ElemOf(oid), []Datum{value})
	for i := range at {
		at[i].Given = true
	}
	return AssignSlice(array, oid, at, at, one)
}

// AssignSlice is what array[lower:upper...] = values leaves of an array, which may be NULL.
func AssignSlice(array Datum, oid OID, lower, upper []Bound, values Datum) (Datum, error) {
	if values.IsNull() {
		return array, nil
	}
	var old Array
	if !array.IsNull() {
		old = *array.Array()
	}
	dims, err := assignedDims(&old, lower, upper)
	if err != nil {
		return Null, err
	}
	from, length := make([]int64, len(dims)), make([]int64, len(dims))
	count := int64(1)
	for i, d := range dims {
		lo, hi := int64(d.Lower), int64(d.Lower)+int64(d.Len)-1
		if i < len(lower) {
			lo, hi = boundOr(lower[i], lo), boundOr(upper[i], hi)
		}
		if hi < lo {
			return Null, errSubscript("upper bound cannot be less than lower bound")
		}
		from[i], length[i] = lo-int64(d.Lower), hi-lo+1
		count *= length[i]
	}
	source := values.Array().Elems
	if int64(len(source)) < count {
		return Null, errSubscript("source array too small")
	}
	out := &Array{Elem: ElemOf(oid), Dims: dims, Elems: make([]Datum, sizeOfDims(dims))}
	if len(old.Dims) > 0 {
		copy(out.Elems[int64(old.Dims[0].Lower)-int64(dims[0].Lower):], old.Elems)
	}
	putSlice(out, from, length, source, 0, 0)
	return NewArrayDatum(oid, out), nil
}

func boundOr(b Bound, other int64) int64 {
	if b.Given {
		return b.At
	}
	return other
}

func sizeOfDims(dims []Dim) int64 {
	size := int64(1)
	for _, d := range dims {
		size *= int64(d.Len)
	}
	return size
}

// assignedDims is the shape after an assignment: of the array as it is, or of one of one dimension
// that grew, or of the slice alone where there was no array.
func assignedDims(old *Array, lower, upper []Bound) ([]Dim, error) {
	switch {
	case len(old.Dims) == 0:
		return sliceDims(lower, upper)
	case len(old.Dims) < len(lower):
		return nil, errSubscript("wrong number of array subscripts")
	case len(old.Dims) > 1:
		for i := range lower {
			d := old.Dims[i]
			last := int64(d.Lower) + int64(d.Len) - 1
			if boundOr(lower[i], int64(d.Lower)) < int64(d.Lower) || boundOr(upper[i], last) > last {
				return nil, errSubscript("array subscript out of range")
			}
		}
		return append([]Dim(nil), old.Dims...), nil
	}
	d := old.Dims[0]
	first, last := int64(d.Lower), int64(d.Lower)+int64(d.Len)-1
	lo, hi := boundOr(lower[0], first), boundOr(upper[0], last)
	return dimsOf(min(lo, first), max(hi, last))
}

func sliceDims(lower, upper []Bound) ([]Dim, error) {
	var dims []Dim
	for i := range lower {
		if !lower[i].Given || !upper[i].Given {
			return nil, errSubscript("array slice subscript must provide both boundaries").
				WithDetail("When assigning to a slice of an empty array value, slice boundaries " +
					"must be fully specified.")
		}
		if upper[i].At < lower[i].At {
			return nil, errSubscript("upper bound cannot be less than lower bound")
		}
		d, err := dimsOf(lower[i].At, upper[i].At)
		if err != nil {
			return nil, err
		}
		if dims = append(dims, d...); sizeOfDims(dims) > maxAssigned {
			return nil, errArrayTooLarge()
		}
	}
	return dims, nil
}

// maxAssigned bounds what one short assignment can make of an array.
const maxAssigned = 1 << 20

func errArrayTooLarge() *Error {
	return Errorf(CodeProgramLimit, "array size exceeds the maximum allowed (%d)", maxAssigned)
}

func dimsOf(lower, upper int64) ([]Dim, error) {
	if upper-lower >= maxAssigned {
		return nil, errArrayTooLarge()
	}
	return []Dim{{Len: int32(upper - lower + 1), Lower: int32(lower)}}, nil
}

// putSlice writes elements within bounds, dimension by dimension, and returns those left over.
func putSlice(
	a *Array, from, length []int64, source []Datum, dim int, base int64,
) []Datum {
	if dim == len(a.Dims) {
		a.Elems[base] = source[0]
		return source[1:]
	}
	for i := range length[dim] {
		at := base*int64(a.Dims[dim].Len) + from[dim] + i
		source = putSlice(a, from, length, source, dim+1, at)
	}
	return source
}
