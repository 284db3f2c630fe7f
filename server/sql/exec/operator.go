package exec

import (
	"fmt"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// operator is a step of a running plan: a source of rows. Once closed it may be opened again, and
// starts anew: a join does so for every row of its other side, and a query in an expression for
// every row the expression is computed over.
type operator interface {
	// open readies it; an operator that reads the store takes its snapshot here (X2).
	open(r *run) error
	// next gives the next row, valid until the next call (X1); nil at the end.
	next(r *run) ([]types.Datum, error)
	// close frees what it holds; after an error of open too.
	close()
}

// rewinder is an operator that another execution can use once it was closed. A session keeps those
// of the plans it runs over and over, so that a statement of one key builds nothing.
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
		// What might call the engine must not do so while the row still lies in its buffer.
		if scan, ok := n.In.(*plan.Scan); ok && scan.Access.Single() && !n.Volatile &&
			!r.lasting && !scan.FilterCalls() {
			return newPointGet(scan, n.Exprs), nil
		}
		in, err := r.buildStep(n.In)
		return &project{node: n, in: in}, err
	case *plan.Insert:
		return r.buildInsert(n)
	case *plan.Update:
		if n.Source != nil || r.stats != nil {
			return r.buildGathered(&n.Target, n, n.Foreign, n.Returning)
		}
		return newUpdate(n), nil
	case *plan.Delete:
		if n.Source != nil || r.stats != nil {
			return r.buildGathered(&n.Target, nil, n.Foreign, n.Returning)
		}
		return newDelete(n), nil
	case *plan.Join:
		return r.buildJoin(n)
	case *plan.SetOp:
		return r.buildSetOp(n)
	case *plan.CTEScan:
		return r.buildCTEScan(n)
	case *plan.CreateTableAs:
		return r.buildCreateAs(n)
	case *plan.RecursiveUnion:
		return r.buildRecursiveUnion(n)
	}
	if in := inputOf(n); in != nil {
		below, err := r.buildStep(in)
		if err != nil {
			return nil, err
		}
		return r.buildOver(n, below), nil
	}
	return r.buildSource(n)
}

// inputOf gives what a step over one other reads.
func inputOf(n plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Limit:
		return n.In
	case *plan.Sort:
		return n.In
	case *plan.Aggregate:
		return n.In
	case *plan.Window:
		return n.In
	case *plan.Unique:
		return n.In
	case *plan.DistinctOn:
		return n.In
	case *plan.Filter:
		return n.In
	case *plan.ProjectSet:
		return n.In
	case *plan.SubqueryScan:
		return n.In
	case *plan.LockRows:
		return n.In
	case *plan.With:
		return n.In
	}
	return nil
}

// buildOver makes the operator of a step over one other.
func (r *run) buildOver(n plan.Node, in operator) operator {
	switch n := n.(type) {
	case *plan.Limit:
		return &limit{node: n, in: in}
	case *plan.Sort:
		return &sorter{node: n, in: in, hold: hold{run: r}}
	case *plan.Aggregate:
		if len(n.Keys) > 0 || n.Sets != nil {
			return &groups{node: n, in: in, hold: hold{run: r}}
		}
		return &aggregate{node: n, in: in, hold: hold{run: r}}
	case *plan.Window:
		return &window{node: n, in: in, hold: hold{run: r}}
	case *plan.Unique:
		return &unique{in: in, hold: hold{run: r}}
	case *plan.DistinctOn:
		return &distinctOn{node: n, in: in}
	case *plan.Filter:
		return &filter{cond: n.Cond, in: in}
	case *plan.ProjectSet:
		return &projectSet{node: n, in: in}
	case *plan.SubqueryScan:
		if n.Filter == nil {
			return in
		}
		return &filter{cond: n.Filter, in: in}
	case *plan.LockRows:
		return &lockRows{node: n, in: in}
	}
	w := n.(*plan.With)
	if w.Writes {
		return r.newWritingWith(w, in)
	}
	return &with{run: r, node: w, in: in}
}

// buildSource makes the operators that read no other.
func (r *run) buildSource(n plan.Node) (operator, error) {
	switch n := n.(type) {
	case *plan.Result:
		return &result{node: n}, nil
	case *plan.Values:
		return &values{node: n}, nil
	case *plan.VirtualScan:
		return &virtualScan{node: n, hold: hold{run: r}}, nil
	case *plan.FunctionScan:
		return &functionScan{node: n}, nil
	case *plan.WorkTableScan:
		return &workTableScan{node: n, union: r.unions[n.Union]}, nil
	case *plan.Explain:
		return &explain{node: n}, nil
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

func (o *result) open(*run) error {
	o.done = false
	return nil
}

func (o *result) close() {}

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

func (o *values) open(*run) error {
	o.at = 0
	return nil
}

func (o *values) close() {}

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
	cond plan.Expr
	in   operator
	seen int
}

func (o *filter) open(r *run) error { return o.in.open(r) }
func (o *filter) close()            { o.in.close() }

func (o *filter) next(r *run) ([]types.Datum, error) {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		if ok, err := r.truth(o.cond, row); err != nil || ok {
			return row, err
		}
		if o.seen++; o.seen%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
	}
}
