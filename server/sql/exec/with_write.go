package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// writingWith runs a statement some of whose WITH write. The rows of a query are kept until all of
// it has run to its end (X4, X1); a statement that writes keeps those of its RETURNING itself.
type writingWith struct {
	with
	hold
	opened bool
	rows   [][]types.Datum
	at     int
}

func (r *run) newWritingWith(n *plan.With, in operator) *writingWith {
	return &writingWith{with: with{run: r, node: n, in: in}, hold: hold{run: r}}
}

func (o *writingWith) open(*run) error {
	o.at = 0
	return nil
}

func (o *writingWith) close() {
	if o.opened {
		o.with.close()
	}
	o.opened, o.rows = false, nil
	o.release()
}

func (o *writingWith) execute(r *run) (affected int64, err error) {
	o.opened = true
	err = r.within(func() error {
		if err := o.with.open(r); err != nil {
			return err
		}
		if isWrite(o.in) {
			affected, err = r.execute(o.in)
		} else {
			err = o.gather(r)
		}
		if err != nil {
			return err
		}
		return o.complete(r)
	})
	return affected, err
}

// gather reads the rows of a query.
func (o *writingWith) gather(r *run) error {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return err
		}
		o.rows = append(o.rows, cloneRow(row))
		if err := o.keep(rowSize(row)); err != nil {
			return err
		}
	}
}

// complete runs the statements that nobody has read from.
func (o *writingWith) complete(r *run) error {
	for _, cte := range o.node.CTEs {
		if !cte.Writes {
			continue
		}
		rows, err := r.cte(cte)
		if err != nil {
			return err
		}
		if err := rows.start(r); err != nil {
			return err
		}
	}
	return nil
}

func (o *writingWith) next(r *run) ([]types.Datum, error) {
	if isWrite(o.in) {
		return o.in.next(r)
	}
	if o.at == len(o.rows) {
		return nil, nil
	}
	o.at++
	return o.rows[o.at-1], nil
}

// isWrite says whether a step writes, and so has to be executed before its first row.
func isWrite(op operator) bool {
	if m, ok := op.(*measured); ok {
		op = m.operator
	}
	_, ok := op.(writeOp)
	return ok
}

// execute runs a step that writes.
func (r *run) execute(op operator) (int64, error) {
	if m, ok := op.(*measured); ok {
		return m.execute(r)
	}
	return op.(writeOp).execute(r)
}
