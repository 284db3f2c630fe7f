package exec

import (
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// recursiveUnion gives the rows of a recursive query. It holds those that came last, which the
// query reads, and those that come (X1); without ALL the key form of every row it gave.
type recursiveUnion struct {
	hold
	node  *plan.RecursiveUnion
	first operator
	again operator

	work  keptRows // what the work table scans in again read
	fresh keptRows // what they are to read in the next round
	seen  map[string]struct{}
	key   []byte
	from  operator // what gives rows now; nil at the end
	tries int
}

// keptRows are rows with the memory they take.
type keptRows struct {
	rows [][]types.Datum
	size int
}

func (r *run) buildRecursiveUnion(n *plan.RecursiveUnion) (operator, error) {
	o := &recursiveUnion{node: n, hold: hold{run: r}}
	if r.unions == nil {
		r.unions = map[*plan.RecursiveUnion]*recursiveUnion{}
	}
	r.unions[n] = o
	var err error
	if o.first, err = r.buildStep(n.First); err != nil {
		return nil, err
	}
	o.again, err = r.buildStep(n.Next)
	return o, err
}

func (o *recursiveUnion) open(r *run) error {
	if !o.node.All {
		o.seen = map[string]struct{}{}
	}
	o.from = o.first
	return o.first.open(r)
}

func (o *recursiveUnion) close() {
	o.work, o.fresh, o.seen, o.from = keptRows{}, keptRows{}, nil, nil
	o.release()
	o.first.close()
	o.again.close()
}

func (o *recursiveUnion) next(r *run) ([]types.Datum, error) {
	for o.from != nil {
		if o.tries++; o.tries%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		row, err := o.from.next(r)
		if err != nil {
			return nil, err
		}
		if row == nil {
			if err := o.advance(r); err != nil {
				return nil, err
			}
			continue
		}
		if repeats, err := o.repeats(row); err != nil || repeats {
			if err != nil {
				return nil, err
			}
			continue
		}
		kept := cloneRow(row)
		o.fresh.rows = append(o.fresh.rows, kept)
		o.fresh.size += rowSize(kept)
		return kept, o.keep(rowSize(kept))
	}
	return nil, nil
}

// advance begins the next round, which reads the rows of the last one.
func (o *recursiveUnion) advance(r *run) error {
	o.from.close()
	o.drop(o.work.size)
	o.work, o.fresh = o.fresh, keptRows{}
	if o.from = nil; len(o.work.rows) == 0 {
		return nil
	}
	if err := r.check(); err != nil {
		return err
	}
	o.from = o.again
	return o.again.open(r)
}

// repeats says whether a row came before, where that matters.
func (o *recursiveUnion) repeats(row []types.Datum) (bool, error) {
	if o.node.All {
		return false, nil
	}
	o.key = appendKeys(o.key[:0], row)
	if _, found := o.seen[string(o.key)]; found {
		return true, nil
	}
	o.seen[string(o.key)] = struct{}{}
	return false, o.keep(len(o.key) + entryOverhead)
}

// workTableScan gives the rows that a recursive query around it got last.
type workTableScan struct {
	node  *plan.WorkTableScan
	union *recursiveUnion
	at    int
}

func (o *workTableScan) open(*run) error {
	o.at = 0
	return nil
}

func (o *workTableScan) close() {}

func (o *workTableScan) next(r *run) ([]types.Datum, error) {
	for o.at < len(o.union.work.rows) {
		if o.at++; o.at%checkEvery == 0 {
			if err := r.check(); err != nil {
				return nil, err
			}
		}
		row := o.union.work.rows[o.at-1]
		if o.node.Filter == nil {
			return row, nil
		}
		if ok, err := r.truth(o.node.Filter, row); err != nil || ok {
			return row, err
		}
	}
	return nil, nil
}
