package exec

import (
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// gathered reads all rows below before it gives the first: what is above writes to a table that
// they are read from.
type gathered struct {
	hold
	in     operator
	rows   [][]types.Datum
	filled bool
	at     int
}

func (o *gathered) open(r *run) error {
	o.filled, o.at = false, 0
	return o.in.open(r)
}

func (o *gathered) close() {
	o.rows = nil
	o.release()
	o.in.close()
}

func (o *gathered) next(r *run) ([]types.Datum, error) {
	for !o.filled {
		row, err := o.in.next(r)
		if err != nil {
			return nil, err
		}
		if o.filled = row == nil; o.filled {
			break
		}
		o.rows = append(o.rows, cloneRow(row))
		if err := o.keep(rowSize(row)); err != nil {
			return nil, err
		}
	}
	if o.at == len(o.rows) {
		return nil, nil
	}
	o.at++
	return o.rows[o.at-1], nil
}

// gatheredWrite is an UPDATE or DELETE that reads tables while it runs. It finds and locks every
// row and computes what is to become of it (X3), and writes when there is no more to be read.
type gatheredWrite struct {
	returned
	hold
	target *plan.Target
	update *plan.Update // nil for DELETE
	in     operator

	recheck plan.Expr
	writer  *writer
	met     map[string]struct{} // keys of rows that are among the changes: one is changed once
	list    []change
}

// change is what is to become of a row.
type change struct {
	key []byte
	old []types.Datum // what it is, where there are entries or other tables to be changed with it
	row []types.Datum // nil: it is deleted
}

func (r *run) buildGathered(
	t *plan.Target, update *plan.Update, foreign *plan.ForeignChecks, returning []plan.Expr,
) (operator, error) {
	source, recheck := t.Source, t.Recheck
	if source == nil { // under EXPLAIN ANALYZE, which measures what it reads
		source, recheck = t.In, t.In.Whole()
	}
	in, err := r.buildStep(source)
	o := &gatheredWrite{target: t, update: update, in: in, hold: hold{run: r},
		returned: returned{exprs: returning}, recheck: recheck,
		writer: changer(t.Table)}
	if update != nil {
		o.writer.checks = update.Checks
	}
	o.writer.foreign = newForeignWork(foreign)
	return o, err
}

// rewind says no: what it reads from belongs to one execution.
func (o *gatheredWrite) rewind() bool { return false }

func (o *gatheredWrite) open(r *run) error {
	o.met = map[string]struct{}{}
	return o.in.open(r)
}

func (o *gatheredWrite) close() {
	o.met, o.list = nil, nil
	o.release()
	o.in.close()
}

func (o *gatheredWrite) next(r *run) ([]types.Datum, error) { return o.returned.next(r) }

func (o *gatheredWrite) execute(r *run) (int64, error) {
	for n := 1; ; n++ {
		if n%checkEvery == 0 {
			if err := r.check(); err != nil {
				return 0, err
			}
		}
		row, err := o.in.next(r)
		if err != nil {
			return 0, err
		}
		if row == nil {
			break
		}
		if err := o.take(r, row); err != nil {
			return 0, err
		}
	}
	for i, c := range o.list {
		if i%checkEvery == 0 {
			if err := r.check(); err != nil {
				return 0, err
			}
		}
		if err := o.write(r, c); err != nil {
			return 0, err
		}
	}
	return int64(len(o.list)), o.writer.finish(r)
}

func (o *gatheredWrite) write(r *run, c change) error {
	if c.row == nil {
		return o.writer.remove(r, c.key, c.old)
	}
	return o.writer.replace(r, c.key, c.old, c.row, o.update.SetsKey)
}

// take locks the row that a row of the source begins with, and notes what is to become of it.
func (o *gatheredWrite) take(r *run, read []types.Datum) error {
	columns := len(o.target.Table.Columns)
	key := read[columns].Bytes()
	if _, found := o.met[string(key)]; found {
		return nil
	}
	row := cloneRow(read)
	key = row[columns].Bytes()
	wanted, err := o.lock(r, key, row)
	if err != nil || !wanted {
		return err
	}
	o.met[string(key)] = struct{}{}
	c := change{key: key}
	if o.writer.indexes != nil || o.writer.foreign != nil {
		c.old = slices.Clone(row[:columns])
		if err := o.keep(rowSize(c.old)); err != nil {
			return err
		}
	}
	if o.update != nil {
		c.row = append([]types.Datum(nil), row[:columns]...)
		for _, set := range o.update.Set {
			v, err := set.Expr.Eval(&r.eval, row)
			if err != nil {
				return err
			}
			c.row[set.Column] = v.Clone()
		}
		copy(row, c.row)
	}
	o.list = append(o.list, c)
	if err := o.keep(2*len(key) + entryOverhead + rowSize(row)); err != nil {
		return err
	}
	return o.add(r, row)
}

// lock locks the row under key and says whether it is still wanted. One that changed is read again
// into the row at hand, and checked again.
func (o *gatheredWrite) lock(r *run, key []byte, row []types.Datum) (bool, error) {
	t := o.target.Table
	state, err := r.txn.LockRow(r.eval.Ctx, t.Storage, key, o.target.Lock, engine.Wait)
	if err != nil {
		return false, lockRowError(err, t.Name)
	}
	if !state.Exists || !state.Changed {
		return state.Exists, nil
	}
	value := append([]byte(nil), state.Value...) // the row will point into it
	if err := o.writer.codec.decode(row[:len(t.Columns)], key, value); err != nil {
		return false, err
	}
	if o.recheck == nil {
		return true, nil
	}
	return r.truth(o.recheck, row)
}
