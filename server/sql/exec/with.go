package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// cteRows are the rows of a query of WITH, which all who read it share. They come as they are asked
// for, so that a query without an end can be read as far as a LIMIT goes.
type cteRows struct {
	hold
	op     operator
	opened bool // and not closed again
	ended  bool
	rows   [][]types.Datum
}

// row gives the i-th row; nil behind the last.
func (c *cteRows) row(r *run, i int) ([]types.Datum, error) {
	if i < len(c.rows) {
		return c.rows[i], nil
	}
	if c.ended {
		return nil, nil
	}
	if err := c.start(r); err != nil {
		return nil, err
	}
	row, err := c.op.next(r)
	if err != nil {
		return nil, err
	}
	if row == nil {
		c.ended = true
		c.stop()
		return nil, nil
	}
	row = cloneRow(row)
	c.rows = append(c.rows, row)
	return row, c.keep(rowSize(row))
}

// start opens the query, or runs the statement that writes to its end.
func (c *cteRows) start(r *run) error {
	if c.opened || c.ended {
		return nil
	}
	c.opened = true
	if err := c.op.open(r); err != nil || !isWrite(c.op) {
		return err
	}
	_, err := r.execute(c.op)
	return err
}

func (c *cteRows) stop() {
	if c.opened {
		c.opened = false
		c.op.close()
	}
}

// with runs the queries of a WITH clause anew whenever it is opened.
type with struct {
	run  *run
	node *plan.With
	in   operator
}

func (o *with) open(r *run) error {
	o.forget(r)
	return o.in.open(r)
}

func (o *with) close() {
	o.in.close()
	o.forget(o.run)
}

func (o *with) next(r *run) ([]types.Datum, error) { return o.in.next(r) }

func (o *with) forget(r *run) {
	for _, cte := range o.node.CTEs {
		if c := r.ctes[cte]; c != nil {
			c.stop()
			c.release()
			c.ended, c.rows = false, nil
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

func (o *cteScan) open(*run) error {
	o.at = 0
	return nil
}

func (o *cteScan) close() {}

func (o *cteScan) next(r *run) ([]types.Datum, error) {
	if o.at++; o.at%checkEvery == 0 {
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	return o.rows.row(r, o.at-1)
}
