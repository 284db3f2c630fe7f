package builtin

import (
	"math"
	"unsafe"

	"ackdb/server/sql/types"
)

func init() {
	for name, result := range pairResults {
		oid := types.Float8
		if name == "regr_count" {
			oid = types.Int8
		}
		registerAggregate(Aggregate{Name: name, Args: []OID{types.Float8, types.Float8},
			Result: oid, New: func(OID) Accumulator { return &pairs{of: oid, result: result} }})
	}
}

// pairs keeps the moments of pairs (y, x), updated as Youngs and Cramer do.
type pairs struct {
	of            OID
	result        func(*pairs) (v float64, ok bool)
	n, sumX, sumY float64
	sxx, syy, sxy float64
}

// pairResults are the aggregates of pairs; ok is false for NULL.
var pairResults = map[string]func(*pairs) (float64, bool){
	"covar_pop":  func(p *pairs) (float64, bool) { return p.sxy / p.n, p.n >= 1 },
	"covar_samp": func(p *pairs) (float64, bool) { return p.sxy / (p.n - 1), p.n >= 2 },
	"corr": func(p *pairs) (float64, bool) {
		return p.sxy / math.Sqrt(p.sxx*p.syy), p.n >= 1 && p.sxx != 0 && p.syy != 0
	},
	"regr_count": func(p *pairs) (float64, bool) { return p.n, true },
	"regr_sxx":   func(p *pairs) (float64, bool) { return p.sxx, p.n >= 1 },
	"regr_syy":   func(p *pairs) (float64, bool) { return p.syy, p.n >= 1 },
	"regr_sxy":   func(p *pairs) (float64, bool) { return p.sxy, p.n >= 1 },
	"regr_avgx":  func(p *pairs) (float64, bool) { return p.sumX / p.n, p.n >= 1 },
	"regr_avgy":  func(p *pairs) (float64, bool) { return p.sumY / p.n, p.n >= 1 },
	"regr_slope": func(p *pairs) (float64, bool) { return p.sxy / p.sxx, p.n >= 1 && p.sxx != 0 },
	"regr_intercept": func(p *pairs) (float64, bool) {
		return (p.sumY - p.sumX*p.sxy/p.sxx) / p.n, p.n >= 1 && p.sxx != 0
	},
	"regr_r2": func(p *pairs) (float64, bool) {
		if p.syy == 0 {
			return 1, p.n >= 1 && p.sxx != 0
		}
		return p.sxy * p.sxy / (p.sxx * p.syy), p.n >= 1 && p.sxx != 0
	},
}

func (p *pairs) Add(_ *Context, args []Datum) error {
	if args[0].IsNull() || args[1].IsNull() {
		return nil
	}
	y, x := args[0].Float(), args[1].Float()
	p.n++
	p.sumX += x
	p.sumY += y
	if p.n > 1 {
		dx, dy := x*p.n-p.sumX, y*p.n-p.sumY
		scale := 1 / (p.n * (p.n - 1))
		p.sxx += dx * dx * scale
		p.syy += dy * dy * scale
		p.sxy += dx * dy * scale
	}
	return nil
}

func (p *pairs) Result(*Context) (Datum, error) {
	v, ok := p.result(p)
	switch {
	case !ok:
		return types.Null, nil
	case p.of == types.Int8:
		return types.NewInt8(int64(v)), nil
	}
	return types.NewFloat8(v), nil
}

func (p *pairs) Size() int { return int(unsafe.Sizeof(*p)) }
