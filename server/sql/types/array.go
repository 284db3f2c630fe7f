package types

// MaxArrayDims is the most dimensions an array may have, as in PostgreSQL (MAXDIM).
const MaxArrayDims = 6

// Dim is one dimension of an array: its length and the subscript of its first element.
type Dim struct {
	Len   int32
	Lower int32
}

// Array is the value of an array. The elements lie in row-major order; an empty array has no
// dimensions.
type Array struct {
	Elem  OID
	Dims  []Dim
	Elems []Datum
}

// NewArray makes a one-dimensional array value of elements of type elem. The slice is not copied.
func NewArray(elem OID, elems []Datum) Datum {
	a := &Array{Elem: elem, Elems: elems}
	if len(elems) > 0 {
		a.Dims = []Dim{{Len: int32(len(elems)), Lower: 1}}
	}
	return NewArrayDatum(ArrayOf(elem), a)
}

// NewTextArray makes a text[] of strings.
func NewTextArray(values ...string) Datum {
	elems := make([]Datum, len(values))
	for i, v := range values {
		elems[i] = NewText(v)
	}
	return NewArray(Text, elems)
}
