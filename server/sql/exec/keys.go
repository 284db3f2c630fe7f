package exec

import (
	"bytes"
	"slices"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// span is a range of keys to visit, or one key. A nil hi is the table's end.
type span struct {
	lo, hi []byte
	point  bool
}

// spans computes what an Access visits, in ascending order and without overlap.
func (r *run) spans(k *plan.Access) ([]span, error) {
	if !k.Narrowed() {
		return []span{{}}, nil
	}
	prefix, ok, err := r.prefixKey(nil, k)
	if err != nil || !ok {
		return nil, err
	}
	switch {
	case k.Single():
		return []span{{lo: prefix, point: true}}, nil
	case k.In != nil || k.AnyOf != nil:
		return r.valueSpans(k, prefix)
	}
	s, ok, err := r.rangeSpan(k, prefix)
	if err != nil || !ok {
		return nil, err
	}
	return []span{s}, nil
}

// prefixKey appends the values of the leading key columns; not ok when one is NULL, which equals
// nothing.
func (r *run) prefixKey(key []byte, k *plan.Access) ([]byte, bool, error) {
	for i, x := range k.Prefix {
		v, err := x.Eval(&r.eval, nil)
		if err != nil {
			return key, false, err
		}
		if v.IsNull() {
			if _, sought := x.(*plan.NullKey); !sought {
				return key, false, nil
			}
		}
		key = types.EncodeKey(key, v, k.Order(i))
	}
	return key, true, nil
}

// valueSpans makes a span of each value of an IN list or an array. They are sorted, so that rows
// come in key order, and a value that was named twice gives its row once.
func (r *run) valueSpans(k *plan.Access, prefix []byte) ([]span, error) {
	values, err := r.listValues(k)
	if err != nil {
		return nil, err
	}
	keys := make([][]byte, 0, len(values))
	for _, v := range values {
		if !v.IsNull() {
			keys = append(keys, types.EncodeKey(slices.Clip(prefix), v, k.Order(len(k.Prefix))))
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	keys = slices.CompactFunc(keys, bytes.Equal)
	spans := make([]span, len(keys))
	for i, key := range keys {
		spans[i] = span{lo: key, point: k.Points}
		if !k.Points {
			spans[i].hi = types.KeyPrefixEnd(key)
		}
	}
	return spans, nil
}

func (r *run) listValues(k *plan.Access) ([]types.Datum, error) {
	if k.AnyOf != nil {
		array, err := k.AnyOf.Eval(&r.eval, nil)
		if err != nil || array.IsNull() {
			return nil, err
		}
		return array.Array().Elems, nil
	}
	values := make([]types.Datum, len(k.In))
	for i, x := range k.In {
		v, err := x.Eval(&r.eval, nil)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

// rangeSpan bounds the key column behind the prefix. Not ok when a bound is NULL or nothing can lie
// between the bounds.
func (r *run) rangeSpan(k *plan.Access, prefix []byte) (span, bool, error) {
	s := span{lo: prefix}
	if len(prefix) > 0 {
		s.hi = types.KeyPrefixEnd(prefix)
	}
	if k.Index != nil && len(k.Prefix) == len(k.Index.Columns) {
		return s, true, nil // behind stand the keys of the rows
	}
	order := k.Order(len(k.Prefix))
	if k.Index != nil && (k.Low != nil || k.High != nil || k.NotNull) {
		s.leaveNull(prefix, order)
	}
	first, last := k.Low, k.High
	if order.Desc {
		first, last = last, first
	}
	if first != nil {
		key, ok, err := r.boundKey(first, prefix, order)
		if err != nil || !ok {
			return s, false, err
		}
		if !first.Inclusive {
			if key = types.KeyPrefixEnd(key); key == nil {
				return s, false, nil
			}
		}
		s.lo = key
	}
	if last != nil {
		key, ok, err := r.boundKey(last, prefix, order)
		if err != nil || !ok {
			return s, false, err
		}
		if last.Inclusive {
			key = types.KeyPrefixEnd(key)
		}
		s.hi = lowerEnd(s.hi, key)
	}
	if k.Like != nil {
		pattern, err := k.Like.Eval(&r.eval, nil)
		if err != nil || pattern.IsNull() {
			return s, false, err
		}
		s.narrowToPattern(pattern.Str(), prefix, order)
	}
	return s, s.hi == nil || bytes.Compare(s.lo, s.hi) < 0, nil
}

// leaveNull keeps of a span what is not NULL in the column behind the prefix: no comparison is true
// of it. NULL is one byte, which stands before every value or after.
func (s *span) leaveNull(prefix []byte, order types.KeyOrder) {
	null := types.EncodeKey(slices.Clip(prefix), types.Null, order)
	if order.NullsFirst {
		s.lo = types.KeyPrefixEnd(null)
	} else {
		s.hi = null
	}
}

func (r *run) boundKey(
	b *plan.Bound, prefix []byte, order types.KeyOrder,
) ([]byte, bool, error) {
	v, err := b.Value.Eval(&r.eval, nil)
	if err != nil || v.IsNull() {
		return nil, false, err
	}
	return types.EncodeKey(slices.Clip(prefix), v, order), true, nil
}

// narrowToPattern keeps of a span the keys whose column begins as the pattern does. The pattern
// itself is checked by the filter.
func (s *span) narrowToPattern(pattern string, prefix []byte, order types.KeyOrder) {
	text, exact, _ := types.LikePrefix(pattern)
	var lo []byte
	if exact {
		lo = types.EncodeKey(slices.Clip(prefix), types.NewText(text), order)
	} else {
		lo = types.EncodeKeyPrefix(slices.Clip(prefix), text, order)
	}
	s.hi = lowerEnd(s.hi, types.KeyPrefixEnd(lo))
	if bytes.Compare(lo, s.lo) > 0 {
		s.lo = lo
	}
}

// lowerEnd gives the lower of two exclusive ends; nil is no end.
func lowerEnd(a, b []byte) []byte {
	if a == nil || b != nil && bytes.Compare(b, a) < 0 {
		return b
	}
	return a
}
