package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

const (
	codeNtile    types.Code = "22014"
	codeNthValue types.Code = "22016"
)

// windowFunction gives a window function that is no aggregate for each row of a partition.
type windowFunction struct {
	*framing
	call  *plan.WindowCall
	value func(i int) (types.Datum, error)
	tiles int64 // of ntile; 0 until it is known
}

func newWindowFunction(f *framing, call *plan.WindowCall) *windowFunction {
	o := &windowFunction{framing: f, call: call}
	o.value = map[string]func(int) (types.Datum, error){
		"row_number":   o.rowNumber,
		"rank":         o.rank,
		"dense_rank":   o.denseRank,
		"percent_rank": o.percentRank,
		"cume_dist":    o.cumeDist,
		"ntile":        o.ntile,
		"lag":          o.lag,
		"lead":         o.lead,
		"first_value":  o.firstValue,
		"last_value":   o.lastValue,
		"nth_value":    o.nthValue,
	}[call.Name]
	return o
}

func (o *windowFunction) each(set func(i int, v types.Datum) error) error {
	for i := range o.rows {
		if err := o.check(); err != nil {
			return err
		}
		v, err := o.value(i)
		if err != nil {
			return err
		}
		if err := set(i, v); err != nil {
			return err
		}
	}
	return nil
}

// arg evaluates an argument over a row.
func (o *windowFunction) arg(n, i int) (types.Datum, error) {
	return o.call.Args[n].Eval(&o.run.eval, o.rows[i].row)
}

func (o *windowFunction) rowNumber(i int) (types.Datum, error) {
	return types.NewInt8(int64(i) + 1), nil
}

func (o *windowFunction) rank(i int) (types.Datum, error) {
	first, _ := o.peers(i)
	return types.NewInt8(int64(first) + 1), nil
}

func (o *windowFunction) denseRank(i int) (types.Datum, error) {
	return types.NewInt8(int64(o.group[i]) + 1), nil
}

func (o *windowFunction) percentRank(i int) (types.Datum, error) {
	first, _ := o.peers(i)
	if len(o.rows) == 1 {
		return types.NewFloat8(0), nil
	}
	return types.NewFloat8(float64(first) / float64(len(o.rows)-1)), nil
}

func (o *windowFunction) cumeDist(i int) (types.Datum, error) {
	_, end := o.peers(i)
	return types.NewFloat8(float64(end) / float64(len(o.rows))), nil
}

// ntile divides the partition into as even parts as there can be, the larger ones first.
func (o *windowFunction) ntile(i int) (types.Datum, error) {
	if o.tiles == 0 {
		v, err := o.arg(0, i)
		if err != nil || v.IsNull() {
			return types.Null, err
		}
		if o.tiles = v.Int(); o.tiles <= 0 {
			return types.Null, types.Errorf(codeNtile,
				"argument of ntile must be greater than zero")
		}
	}
	n := int64(len(o.rows))
	size, larger := n/o.tiles, n%o.tiles
	at := int64(i)
	if inLarger := larger * (size + 1); at >= inLarger {
		return types.NewInt4(int32(larger + (at-inLarger)/size + 1)), nil
	}
	return types.NewInt4(int32(at/(size+1) + 1)), nil
}

func (o *windowFunction) lag(i int) (types.Datum, error) { return o.away(i, -1) }

func (o *windowFunction) lead(i int) (types.Datum, error) { return o.away(i, 1) }

// away gives the first argument over the row so many places away, or where there is none the third
// over the row itself.
func (o *windowFunction) away(i int, direction int64) (types.Datum, error) {
	offset := int64(1)
	if len(o.call.Args) > 1 {
		v, err := o.arg(1, i)
		if err != nil || v.IsNull() {
			return types.Null, err
		}
		offset = v.Int()
	}
	if at := int64(i) + direction*offset; at >= 0 && at < int64(len(o.rows)) {
		return o.arg(0, int(at))
	}
	if len(o.call.Args) > 2 {
		return o.arg(2, i)
	}
	return types.Null, nil
}

// nth gives the first argument over the n-th row of the frame of row i, from 0; NULL when there are
// not so many.
func (o *windowFunction) nth(i int, n int64) (types.Datum, error) {
	lo, hi, err := o.bounds(i)
	if err != nil {
		return types.Null, err
	}
	for j := lo; j < hi; j++ {
		if err := o.check(); err != nil {
			return types.Null, err
		}
		switch {
		case o.frame.Exclude == plan.ExcludeNothing:
			if n >= int64(hi-lo) {
				return types.Null, nil
			}
			return o.arg(0, lo+int(n))
		case o.excluded(i, j):
		case n == 0:
			return o.arg(0, j)
		default:
			n--
		}
	}
	return types.Null, nil
}

func (o *windowFunction) firstValue(i int) (types.Datum, error) { return o.nth(i, 0) }

func (o *windowFunction) lastValue(i int) (types.Datum, error) {
	lo, hi, err := o.bounds(i)
	if err != nil {
		return types.Null, err
	}
	for j := hi - 1; j >= lo; j-- {
		if err := o.check(); err != nil {
			return types.Null, err
		}
		if !o.excluded(i, j) {
			return o.arg(0, j)
		}
	}
	return types.Null, nil
}

func (o *windowFunction) nthValue(i int) (types.Datum, error) {
	v, err := o.arg(1, i)
	if err != nil || v.IsNull() {
		return types.Null, err
	}
	if v.Int() <= 0 {
		return types.Null, types.Errorf(codeNthValue,
			"argument of nth_value must be greater than zero")
	}
	return o.nth(i, v.Int()-1)
}
