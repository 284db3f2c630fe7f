package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// queryRows are the rows of a query in an expression.
type queryRows struct {
	run *run
	op  operator
}

// Open implements plan.Subqueries. The operators of a query are built when it first runs.
func (r *run) Open(s *plan.SubPlan) (plan.Rows, error) {
	for len(r.queries) <= s.Index {
		r.queries = append(r.queries, nil)
	}
	op := r.queries[s.Index]
	if op == nil {
		var err error
		if op, err = r.buildStep(s.Node); err != nil {
			return nil, err
		}
		r.queries[s.Index] = op
	}
	if err := op.open(r); err != nil {
		op.close()
		return nil, err
	}
	return &queryRows{run: r, op: op}, nil
}

// Keep implements plan.Subqueries.
func (r *run) Keep(bytes int) error { return r.memory.Keep(bytes) }

// Next implements plan.Rows.
func (q *queryRows) Next() ([]types.Datum, error) { return q.op.next(q.run) }

// Close implements plan.Rows.
func (q *queryRows) Close() { q.op.close() }
