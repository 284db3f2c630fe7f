package builtin

import (
	"strings"

	"ackdb/server/sql/types"
)

func init() {
	anyArray := types.AnyArray
	compatArray, compat := types.AnyCompatibleArray, types.AnyCompatible
	registerOp("||", compatArray, compatArray, compatArray, evalArrayCat, notStrictOp)
	registerOp("||", compatArray, compat, compatArray, evalArrayAppend, notStrictOp)
	registerOp("||", compat, compatArray, compatArray, evalArrayPrepend, notStrictOp)
	registerOp("@>", anyArray, anyArray, types.Bool, evalArrayContains)
	registerOp("<@", anyArray, anyArray, types.Bool, exchanged(evalArrayContains))
	registerOp("&&", anyArray, anyArray, types.Bool, evalArrayOverlap)
	register(
		fn("array_cat", compatArray, evalArrayCat, compatArray, compatArray).notStrict(),
		fn("array_append", compatArray, evalArrayAppend, compatArray, compat).notStrict(),
		fn("array_prepend", compatArray, evalArrayPrepend, compat, compatArray).notStrict(),
		fn("array_length", types.Int4, evalArrayLength, anyArray, types.Int4),
		fn("array_upper", types.Int4, evalArrayUpper, anyArray, types.Int4),
		fn("array_lower", types.Int4, evalArrayLower, anyArray, types.Int4),
		fn("array_ndims", types.Int4, evalArrayNDims, anyArray),
		fn("array_dims", types.Text, evalArrayDims, anyArray),
		fn("cardinality", types.Int4, evalCardinality, anyArray),
		fn("array_position", types.Int4, evalArrayPosition, compatArray, compat).notStrict(),
		fn("array_position", types.Int4, evalArrayPosition, compatArray, compat, types.Int4).notStrict(),
		fn("array_positions", types.Int4Array, evalArrayPositions, compatArray, compat).notStrict(),
		fn("array_remove", compatArray, evalArrayRemove, compatArray, compat).notStrict(),
		fn("array_replace", compatArray, evalArrayReplace, compatArray, compat, compat).notStrict(),
		fn("array_to_string", types.Text, evalArrayToString, anyArray, types.Text).stable(),
		fn("array_to_string", types.Text, evalArrayToString, anyArray, types.Text, types.Text).
			stable().notStrict(),
		fn("string_to_array", types.TextArray, evalStringToArray, types.Text, types.Text).notStrict(),
		fn("string_to_array", types.TextArray, evalStringToArray, types.Text, types.Text,
			types.Text).notStrict(),
	)
}

func evalArrayCat(_ *Context, a []Datum) (Datum, error) {
	switch {
	case a[0].IsNull():
		return a[1], nil
	case a[1].IsNull():
		return a[0], nil
	}
	left, right := a[0].Array(), a[1].Array()
	switch {
	case len(left.Elems) == 0:
		return a[1], nil
	case len(right.Elems) == 0:
		return a[0], nil
	}
	out := &types.Array{Elem: left.Elem}
	out.Elems = append(append(out.Elems, left.Elems...), right.Elems...)
	var err error
	if out.Dims, err = catDims(left.Dims, right.Dims); err != nil {
		return types.Null, err
	}
	return types.NewArrayDatum(a[0].OID(), out), nil
}

// catDims joins along the first dimension; an array of one dimension less counts as one element.
func catDims(left, right []types.Dim) ([]types.Dim, error) {
	outer, inner := left, right
	if len(right) > len(left) {
		outer, inner = right, left
	}
	dims := append([]types.Dim(nil), outer...)
	switch len(outer) - len(inner) {
	case 0:
		dims[0].Len += inner[0].Len
		if !sameLens(outer[1:], inner[1:]) {
			return nil, errIncompatible("Arrays with differing element dimensions are not")
		}
		return dims, nil
	case 1:
		dims[0].Len++
		if len(right) > len(left) {
			dims[0].Lower = 1
		}
		if !sameLens(outer[1:], inner) {
			return nil, errIncompatible("Arrays with differing dimensions are not")
		}
		return dims, nil
	}
	return nil, errIncompatible("Arrays of %d and %d dimensions are not", len(left), len(right))
}

func errIncompatible(detail string, args ...any) error {
	return types.Errorf(types.CodeArraySubscript, "cannot concatenate incompatible arrays").
		WithDetail(detail+" compatible for concatenation.", args...)
}

func sameLens(a, b []types.Dim) bool {
	for i := range a {
		if a[i].Len != b[i].Len {
			return false
		}
	}
	return true
}

// arrayParts are the elements of a one-dimensional array and its lower bound; of NULL none.
func arrayParts(d Datum) (elems []Datum, lower int32, err error) {
	a := d.Array()
	if a == nil || len(a.Dims) == 0 {
		return nil, 1, nil
	}
	if len(a.Dims) > 1 {
		return nil, 0, types.Errorf("22000", "argument must be empty or one-dimensional array")
	}
	return a.Elems, a.Dims[0].Lower, nil
}

func evalArrayAppend(_ *Context, a []Datum) (Datum, error) {
	elems, lower, err := arrayParts(a[0])
	if err != nil {
		return types.Null, err
	}
	return appended(a[0], a[1], lower, append(append([]Datum(nil), elems...), a[1]))
}

func evalArrayPrepend(_ *Context, a []Datum) (Datum, error) {
	elems, lower, err := arrayParts(a[1])
	if err != nil {
		return types.Null, err
	}
	return appended(a[1], a[0], lower, append([]Datum{a[0]}, elems...))
}

// appended makes the array; when both were NULL there is no element type to be had, and the array
// of one NULL is text[].
func appended(array, elem Datum, lower int32, elems []Datum) (Datum, error) {
	elemOID := types.Text
	switch {
	case !array.IsNull():
		elemOID = array.Array().Elem
	case !elem.IsNull():
		elemOID = elem.OID()
	}
	d := types.NewArray(elemOID, elems)
	d.Array().Dims[0].Lower = lower
	return d, nil
}

// dimension finds dimension number n from 1.
func dimension(d Datum, n int64) (types.Dim, bool) {
	dims := d.Array().Dims
	if n < 1 || n > int64(len(dims)) {
		return types.Dim{}, false
	}
	return dims[n-1], true
}

func evalArrayLength(_ *Context, a []Datum) (Datum, error) {
	dim, ok := dimension(a[0], a[1].Int())
	if !ok {
		return types.Null, nil
	}
	return types.NewInt4(dim.Len), nil
}

func evalArrayUpper(_ *Context, a []Datum) (Datum, error) {
	dim, ok := dimension(a[0], a[1].Int())
	if !ok {
		return types.Null, nil
	}
	return types.NewInt4(dim.Lower + dim.Len - 1), nil
}

func evalArrayLower(_ *Context, a []Datum) (Datum, error) {
	dim, ok := dimension(a[0], a[1].Int())
	if !ok {
		return types.Null, nil
	}
	return types.NewInt4(dim.Lower), nil
}

func evalArrayNDims(_ *Context, a []Datum) (Datum, error) {
	if n := len(a[0].Array().Dims); n > 0 {
		return types.NewInt4(int32(n)), nil
	}
	return types.Null, nil
}

func evalArrayDims(_ *Context, a []Datum) (Datum, error) {
	array := a[0].Array()
	if len(array.Dims) == 0 {
		return types.Null, nil
	}
	var b strings.Builder
	for _, dim := range array.Dims {
		b.WriteByte('[')
		b.WriteString(types.NewInt4(dim.Lower).String())
		b.WriteByte(':')
		b.WriteString(types.NewInt4(dim.Lower + dim.Len - 1).String())
		b.WriteByte(']')
	}
	return types.NewText(b.String()), nil
}

func evalCardinality(_ *Context, a []Datum) (Datum, error) {
	return types.NewInt4(int32(len(a[0].Array().Elems))), nil
}

// same compares as array functions do: two NULLs are the same.
func same(a, b Datum) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	return types.Equal(a, b)
}

func evalArrayPosition(_ *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	if len(a[0].Array().Dims) > 1 {
		return types.Null, errMultidimensional()
	}
	elems, lower, _ := arrayParts(a[0])
	start := int64(lower)
	if len(a) > 2 {
		if a[2].IsNull() {
			return types.Null, types.Errorf(types.CodeNullNotAllowed,
				"initial position must not be null")
		}
		start = a[2].Int()
	}
	for i, e := range elems {
		if int64(i)+int64(lower) >= start && same(e, a[1]) {
			return types.NewInt4(int32(i) + lower), nil
		}
	}
	return types.Null, nil
}

func errMultidimensional() error {
	return types.Errorf(types.CodeFeatureNotSupported,
		"searching for elements in multidimensional arrays is not supported")
}

func evalArrayPositions(_ *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	if len(a[0].Array().Dims) > 1 {
		return types.Null, errMultidimensional()
	}
	elems, lower, _ := arrayParts(a[0])
	var found []Datum
	for i, e := range elems {
		if same(e, a[1]) {
			found = append(found, types.NewInt4(int32(i)+lower))
		}
	}
	return types.NewArray(types.Int4, found), nil
}

func evalArrayRemove(_ *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	if len(a[0].Array().Dims) > 1 {
		return types.Null, types.Errorf(types.CodeFeatureNotSupported,
			"removing elements from multidimensional arrays is not supported")
	}
	elems, _, _ := arrayParts(a[0])
	var kept []Datum
	for _, e := range elems {
		if !same(e, a[1]) {
			kept = append(kept, e)
		}
	}
	return types.NewArray(a[0].Array().Elem, kept), nil
}

func evalArrayReplace(_ *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	out := *a[0].Array()
	out.Elems = append([]Datum(nil), out.Elems...)
	for i, e := range out.Elems {
		if same(e, a[1]) {
			out.Elems[i] = a[2]
		}
	}
	return types.NewArrayDatum(a[0].OID(), &out), nil
}

func evalArrayContains(_ *Context, a []Datum) (Datum, error) {
	for _, wanted := range a[1].Array().Elems {
		if !containsElem(a[0].Array().Elems, wanted) {
			return types.NewBool(false), nil
		}
	}
	return types.NewBool(true), nil
}

// containsElem never finds a NULL.
func containsElem(elems []Datum, wanted Datum) bool {
	if wanted.IsNull() {
		return false
	}
	for _, e := range elems {
		if !e.IsNull() && types.Equal(e, wanted) {
			return true
		}
	}
	return false
}

func evalArrayOverlap(_ *Context, a []Datum) (Datum, error) {
	for _, wanted := range a[1].Array().Elems {
		if containsElem(a[0].Array().Elems, wanted) {
			return types.NewBool(true), nil
		}
	}
	return types.NewBool(false), nil
}

// evalArrayToString joins elements; without a text for NULL they are left out.
func evalArrayToString(c *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() || a[1].IsNull() {
		return types.Null, nil
	}
	var out []byte
	first := true
	for _, e := range a[0].Array().Elems {
		isNull := e.IsNull()
		if isNull {
			if len(a) < 3 || a[2].IsNull() {
				continue
			}
			e = a[2]
		}
		if !first {
			out = append(out, a[1].Str()...)
		}
		first = false
		out = types.AppendText(out, e, c.Env)
	}
	return types.NewBytes(types.Text, out), nil
}

func evalStringToArray(c *Context, a []Datum) (Datum, error) {
	if a[0].IsNull() {
		return types.Null, nil
	}
	if err := c.room(sizeOfParts(a[0].Str(), a[1])); err != nil {
		return types.Null, err
	}
	var parts []string
	switch s := a[0].Str(); {
	case s == "":
	case a[1].IsNull():
		for _, r := range s {
			parts = append(parts, string(r))
		}
	case a[1].Str() == "":
		parts = []string{s}
	default:
		parts = strings.Split(s, a[1].Str())
	}
	elems := make([]Datum, len(parts))
	for i, part := range parts {
		if len(a) > 2 && !a[2].IsNull() && part == a[2].Str() {
			continue
		}
		elems[i] = types.NewText(part)
	}
	return types.NewArray(types.Text, elems), nil
}

// sizeOfParts is what the parts of s take as elements of an array.
func sizeOfParts(s string, delimiter Datum) int64 {
	const perPart = 40 // a Datum, and a string while they are gathered
	n := int64(len(s))
	if !delimiter.IsNull() {
		n = int64(strings.Count(s, delimiter.Str())) + 1
	}
	return n * perPart
}

// Subscript is array[i][j]...: NULL outside the array or with too few or many subscripts.
func Subscript(array Datum, subscripts []int64) Datum {
	a := array.Array()
	if a == nil || len(subscripts) != len(a.Dims) {
		return types.Null
	}
	offset := int64(0)
	for i, dim := range a.Dims {
		at := subscripts[i] - int64(dim.Lower)
		if at < 0 || at >= int64(dim.Len) {
			return types.Null
		}
		offset = offset*int64(dim.Len) + at
	}
	return a.Elems[offset]
}
