package exec

import (
	"fmt"
	"time"

	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// explain gives lines of text: a plan, and with ANALYZE what running it showed.
type explain struct {
	node  *plan.Explain
	lines []string
	at    int
	row   [1]types.Datum
}

func (o *explain) open(*run) error {
	o.at, o.lines = 0, nil
	return nil
}

func (o *explain) close() {}

func (o *explain) next(r *run) ([]types.Datum, error) {
	if o.lines == nil {
		if err := o.explain(r); err != nil {
			return nil, err
		}
	}
	if o.at == len(o.lines) {
		return nil, nil
	}
	o.row[0] = types.NewText(o.lines[o.at])
	o.at++
	return o.row[:], nil
}

func (o *explain) explain(r *run) error {
	if !o.node.Analyze {
		o.lines = plan.ExplainLines(o.node.Target, nil)
		return nil
	}
	r.stats = map[plan.Node]*nodeStats{}
	start := time.Now()
	err := o.runTarget(r)
	took := time.Since(start)
	stats := r.stats
	r.stats = nil
	if err != nil {
		return err
	}
	o.lines = plan.ExplainLines(o.node.Target, func(n plan.Node) string {
		return stats[n].describe(o.node.Timing)
	})
	if o.node.Summary {
		o.lines = append(o.lines, "Execution Time: "+milliseconds(took)+" ms")
	}
	return nil
}

// runTarget runs the plan to its end and lets go of its rows.
func (o *explain) runTarget(r *run) error {
	op, err := r.buildStep(o.node.Target.Root)
	if err != nil {
		return err
	}
	defer op.close()
	if err := op.open(r); err != nil {
		return err
	}
	if isWrite(op) {
		if _, err := r.execute(op); err != nil {
			return err
		}
	}
	for {
		row, err := op.next(r)
		if row == nil || err != nil {
			return err
		}
	}
}

// execute runs a step that writes.
func (o *measured) execute(r *run) (int64, error) {
	start := time.Now()
	n, err := o.operator.(writeOp).execute(r)
	o.stats.total += time.Since(start)
	return n, err
}

// nodeStats is what was measured of a step.
type nodeStats struct {
	loops int
	rows  int64
	first time.Duration // until the first row, over all loops
	total time.Duration
}

// describe writes it as Postgres does: times and rows of one loop on average.
func (s *nodeStats) describe(timing bool) string {
	if s == nil || s.loops == 0 {
		return " (never executed)"
	}
	n := float64(s.loops)
	rows := fmt.Sprintf("rows=%.0f loops=%d", float64(s.rows)/n, s.loops)
	if !timing {
		return " (actual " + rows + ")"
	}
	per := func(d time.Duration) string { return milliseconds(time.Duration(float64(d) / n)) }
	return fmt.Sprintf(" (actual time=%s..%s %s)", per(s.first), per(s.total), rows)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond))
}

// measured counts the rows of a step and the time it takes, what is below it included.
type measured struct {
	operator
	stats *nodeStats
	begun time.Duration // spent in this loop before its first row
	any   bool
}

// buildStep makes the operator of a step, under EXPLAIN ANALYZE a measured one.
func (r *run) buildStep(n plan.Node) (operator, error) {
	op, err := r.build(n)
	if err != nil || r.stats == nil {
		return op, err
	}
	s := &nodeStats{}
	r.stats[n] = s
	return &measured{operator: op, stats: s}, nil
}

func (o *measured) open(r *run) error {
	start := time.Now()
	err := o.operator.open(r)
	o.begun, o.any = time.Since(start), false
	o.stats.loops++
	o.stats.total += o.begun
	return err
}

func (o *measured) next(r *run) ([]types.Datum, error) {
	start := time.Now()
	row, err := o.operator.next(r)
	took := time.Since(start)
	o.stats.total += took
	if !o.any {
		o.begun += took
	}
	if row != nil {
		if o.stats.rows++; !o.any {
			o.stats.first += o.begun
		}
		o.any = true
	}
	return row, err
}
