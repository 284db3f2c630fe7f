package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// createAs makes a table and fills it with the rows of a query.
type createAs struct {
	node *plan.CreateTableAs
	in   operator
}

func (r *run) buildCreateAs(n *plan.CreateTableAs) (operator, error) {
	in, err := r.buildStep(n.Query)
	return &createAs{node: n, in: in}, err
}

func (o *createAs) open(r *run) error {
	if o.node.NoData {
		return nil
	}
	return o.in.open(r)
}

func (o *createAs) close() { o.in.close() }

func (o *createAs) next(*run) ([]types.Datum, error) { return nil, nil }

func (o *createAs) execute(r *run) (int64, error) {
	oid, err := r.createTable(r.eval.Ctx, o.node.Create)
	if err != nil || o.node.NoData {
		return 0, err
	}
	w, err := r.newWriter(r.env.Txn.Catalog().TableByOID(oid), nil, nil)
	if err != nil {
		return 0, err
	}
	row := make([]types.Datum, len(o.node.Row))
	for n := int64(0); ; n++ {
		in, err := o.in.next(r)
		if in == nil || err != nil {
			return n, err
		}
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return n, err
			}
		}
		if err := r.evalRow(row, o.node.Row, in); err != nil {
			return n, err
		}
		if err := w.insert(r, row); err != nil {
			return n, err
		}
	}
}
