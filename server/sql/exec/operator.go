package exec

import (
	"fmt"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// operator is a step of a running plan: a source of rows.
type operator interface {
	// open readies it; an operator that reads the store takes its snapshot here (X2).
	open(r *run) error
	// next gives the next row, valid until the next call (X1); nil at the end.
	next(r *run) ([]types.Datum, error)
	// close frees what it holds; after an error of open too.
	close()
}

// rewinder is an operator that can be opened again once it was closed. A session keeps those of the
// plans it runs over and over, so that a statement of one key builds nothing.
type rewinder interface {
	operator
	// rewind readies it for the next open. False: it has grown too large to be kept.
	rewind() bool
}

// maxKeptBytes bounds each buffer that an operator keeps between statements.
const maxKeptBytes = 64 << 10

// build makes the operators of a plan.
func (r *run) build(n plan.Node) (operator, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return newScan(n), nil
	case *plan.Project:
		// A volatile function might call the engine while the row still lies in its buffer.
		if scan, ok := n.In.(*plan.Scan); ok && scan.Access.Single() && !n.Volatile {
			return newPointGet(scan, n.Exprs), nil
		}
		in, err := r.build(n.In)
		return &project{node: n, in: in}, err
	case *plan.Insert:
		return r.buildInsert(n)
	case *plan.Update:
		return newUpdate(n), nil
	case *plan.Delete:
		return newDelete(n), nil
	case *plan.Limit:
		in, err := r.build(n.In)
		return &limit{node: n, in: in}, err
	case *plan.Sort:
		in, err := r.build(n.In)
		return &sorter{node: n, in: in}, err
	case *plan.Aggregate:
		in, err := r.build(n.In)
		return &aggregate{node: n, in: in}, err
	case *plan.Unique:
		in, err := r.build(n.In)
		return &unique{in: in}, err
	case *plan.Filter:
		in, err := r.build(n.In)
		return &filter{node: n, in: in}, err
	case *plan.LockRows:
		in, err := r.build(n.In)
		return &lockRows{node: n, in: in}, err
	}
	return r.buildSource(n)
}

// buildSource makes the operators that read no other.
func (r *run) buildSource(n plan.Node) (operator, error) {
	switch n := n.(type) {
	case *plan.Result:
		return &result{node: n}, nil
	case *plan.Values:
		return &values{node: n}, nil
	case *plan.VirtualScan:
		return &virtualScan{node: n}, nil
	case *plan.FunctionScan:
		return &functionScan{node: n}, nil
	case *plan.Explain:
		return &explain{lines: plan.ExplainLines(n.Target)}, nil
	}
	if c, ok := n.(*plan.Copy); ok && c.In != nil {
		return r.build(c.In)
	}
	if d := r.definition(n); d != nil {
		return &definition{do: d}, nil
	}
	return nil, fmt.Errorf("exec: no operator for %T", n)
}

// evalRow computes a row of expressions into dst.
func (r *run) evalRow(dst []types.Datum, exprs []plan.Expr, row []types.Datum) error {
	for i, x := range exprs {
		v, err := x.Eval(&r.eval, row)
		if err != nil {
			return err
		}
		dst[i] = v
	}
	return nil
}

// result gives one row without columns.
type result struct {
	node *plan.Result
	done bool
}

func (o *result) open(*run) error { return nil }
func (o *result) close()          {}

func (o *result) next(r *run) ([]types.Datum, error) {
	if o.done {
		return nil, nil
	}
	o.done = true
	if o.node.Filter != nil {
		if ok, err := r.truth(o.node.Filter, nil); err != nil || !ok {
			return nil, err
		}
	}
	return []types.Datum{}, nil
}

// values gives the rows of a VALUES list.
type values struct {
	node *plan.Values
	at   int
	row  []types.Datum
}

func (o *values) open(*run) error { return nil }
func (o *values) close()          {}

func (o *values) rewind() bool {
	o.at = 0
	return true
}

func (o *values) next(r *run) ([]types.Datum, error) {
	if o.at == len(o.node.Rows) {
		return nil, nil
	}
	exprs := o.node.Rows[o.at]
	o.at++
	if o.row == nil {
		o.row = make([]types.Datum, len(exprs))
	}
	return o.row, r.evalRow(o.row, exprs, nil)
}

// project gives expressions over the rows below.
type project struct {
	node *plan.Project
	in   operator
	row  []types.Datum
}

func (o *project) open(r *run) error {
	o.row = make([]types.Datum, len(o.node.Exprs))
	return o.in.open(r)
}

func (o *project) close() { o.in.close() }

func (o *project) next(r *run) ([]types.Datum, error) {
	row, err := o.in.next(r)
	if row == nil || err != nil {
		return nil, err
	}
	return o.row, r.evalRow(o.row, o.node.Exprs, row)
}

// filter passes on the rows its condition is true for.
type filter struct {
	node *plan.Filter
	in   operator
}

func (o *filter) open(r *run) error { return o.in.open(r) }
func (o *filter) close()            { o.in.close() }

func (o *filter) next(r *run) ([]types.Datum, error) {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		if ok, err := r.truth(o.node.Cond, row); err != nil || ok {
			return row, err
		}
	}
}

// limit skips rows and then gives so many.
type limit struct {
	node *plan.Limit
	in   operator
	skip int64
	left int64 // -1 for no bound
}

func (o *limit) open(r *run) error {
	var err error
	if o.left, err = r.rowCount(o.node.Count, -1, "LIMIT"); err != nil {
		return err
	}
	if o.skip, err = r.rowCount(o.node.Offset, 0, "OFFSET"); err != nil {
		return err
	}
	if s, ok := o.in.(*sorter); ok && o.left > 0 && o.skip < maxBound {
		s.bound = min(o.left, maxBound) + o.skip
	}
	return o.in.open(r)
}

// maxBound is where a LIMIT is too large for a sort to make use of it.
const maxBound = 1 << 30

func (r *run) rowCount(x plan.Expr, none int64, clause string) (int64, error) {
	if x == nil {
		return none, nil
	}
	v, err := x.Eval(&r.eval, nil)
	if err != nil || v.IsNull() {
		return none, err
	}
	if v.Int() < 0 {
		code := plan.CodeInvalidRowCount
		if clause == "OFFSET" {
			code = plan.CodeInvalidOffset
		}
		return 0, types.Errorf(code, "%s must not be negative", clause)
	}
	return v.Int(), nil
}

func (o *limit) close() { o.in.close() }

func (o *limit) next(r *run) ([]types.Datum, error) {
	for ; o.skip > 0 && o.left != 0; o.skip-- {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
	}
	if o.left == 0 {
		return nil, nil
	}
	if o.left > 0 {
		o.left--
	}
	return o.in.next(r)
}

// explain gives lines of text.
type explain struct {
	lines []string
	at    int
	row   [1]types.Datum
}

func (o *explain) open(*run) error { return nil }
func (o *explain) close()          {}

func (o *explain) next(*run) ([]types.Datum, error) {
	if o.at == len(o.lines) {
		return nil, nil
	}
	o.row[0] = types.NewText(o.lines[o.at])
	o.at++
	return o.row[:], nil
}
