package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// cteRows are the rows of a query of WITH, which all who read it share.
type cteRows struct {
	hold
	op   operator
	read bool // the query has run
	rows [][]types.Datum
}

// with runs the queries of a WITH clause anew whenever it is opened.
type with struct {
	node *plan.With
	in   operator
}

func (o *with) open(r *run) error {
	o.forget(r)
	return o.in.open(r)
}

func (o *with) close() { o.in.close() }

func (o *with) next(r *run) ([]types.Datum, error) { return o.in.next(r) }

func (o *with) forget(r *run) {
	for _, cte := range o.node.CTEs {
		if c := r.ctes[cte]; c != nil {
			c.release()
			c.read, c.rows = false, nil
		}
	}
}

// cteScan gives the rows of a query of WITH.
type cteScan struct {
	node *plan.CTEScan
	rows *cteRows
	at   int
}

func (r *run) buildCTEScan(n *plan.CTEScan) (operator, error) {
	var op operator
	if n.CTE.Inline {
		below, err := r.buildStep(n.CTE.Node)
		if err != nil {
			return nil, err
		}
		op = below
	} else {
		rows, err := r.cte(n.CTE)
		if err != nil {
			return nil, err
		}
		op = &cteScan{node: n, rows: rows}
	}
	if n.Filter == nil {
		return op, nil
	}
	return &filter{cond: n.Filter, in: op}, nil
}

// cte gives the shared rows of a query of WITH.
func (r *run) cte(n *plan.CTE) (*cteRows, error) {
	if c := r.ctes[n]; c != nil {
		return c, nil
	}
	op, err := r.buildStep(n.Node)
	if err != nil {
		return nil, err
	}
	if r.ctes == nil {
		r.ctes = map[*plan.CTE]*cteRows{}
	}
	c := &cteRows{op: op, hold: hold{run: r}}
	r.ctes[n] = c
	return c, nil
}

func (o *cteScan) open(r *run) error {
	o.at = 0
	if o.rows.read {
		return nil
	}
	o.rows.read = true
	return o.rows.fill(r)
}

func (o *cteScan) close() {}

func (o *cteScan) next(r *run) ([]types.Datum, error) {
	if o.at == len(o.rows.rows) {
		return nil, nil
	}
	if o.at++; o.at%checkEvery == 0 {
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	return o.rows.rows[o.at-1], nil
}

// fill runs the query and keeps its rows (X1).
func (c *cteRows) fill(r *run) error {
	defer c.op.close()
	if err := c.op.open(r); err != nil {
		return err
	}
	for {
		row, err := c.op.next(r)
		if row == nil || err != nil {
			return err
		}
		c.rows = append(c.rows, cloneRow(row))
		if err := c.keep(rowSize(row)); err != nil {
			return err
		}
	}
}
