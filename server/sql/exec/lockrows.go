package exec

import (
	"ackdb/engine"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// lockRows locks the stored rows that each row below is made of, and gives what it is then (X3).
type lockRows struct {
	node   *plan.LockRows
	in     operator
	tables []lockedTable
	row    []types.Datum // a row some part of which was read again
}

// lockedTable is one of the tables whose rows are locked.
type lockedTable struct {
	plan.LockedTable
	codec *rowCodec
	key   []byte
	value []byte // the engine's copy lasts one call
}

func (o *lockRows) open(r *run) error {
	if o.tables == nil {
		for _, t := range o.node.Tables {
			o.tables = append(o.tables, lockedTable{LockedTable: t, codec: newRowCodec(t.Table)})
		}
	}
	return o.in.open(r)
}

func (o *lockRows) close() { o.in.close() }

func (o *lockRows) next(r *run) ([]types.Datum, error) {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		changed, gone := false, false
		for i := range o.tables {
			if row, changed, gone, err = o.lock(r, &o.tables[i], row, changed); err != nil || gone {
				break
			}
		}
		switch {
		case err != nil:
			return nil, err
		case gone:
			continue
		case !changed:
			return row, nil
		}
		if err := o.joinAgain(r, row); err != nil {
			return nil, err
		}
		if o.node.Recheck == nil {
			return row, nil
		}
		if ok, err := r.truth(o.node.Recheck, row); err != nil || ok {
			return row, err
		}
	}
}

// joinAgain has a row that changed pass the conditions of outer joins again.
func (o *lockRows) joinAgain(r *run, row []types.Datum) error {
	for _, outer := range o.node.Outer {
		if outer.On == nil {
			continue
		}
		if ok, err := r.truth(outer.On, row); err != nil {
			return err
		} else if !ok {
			clear(row[outer.Low:outer.High])
		}
	}
	return nil
}

// lock locks one part of a row. It gives the row with that part as it is now, in memory of its own
// if it differs from what was read, and says whether any part did, or this one is gone.
func (o *lockRows) lock(
	r *run, t *lockedTable, row []types.Datum, changed bool,
) (now []types.Datum, differs, gone bool, err error) {
	end := t.Offset + len(t.Table.Columns)
	key := row[end].Bytes()
	state, err := r.txn.LockRow(r.eval.Ctx, t.Table.Storage, key, lockMode(o.node.Strength),
		waitPolicy(o.node.Wait))
	if err != nil {
		return nil, false, false, lockRowError(err, t.Table.Name)
	}
	if state.Skipped || !state.Exists {
		return row, changed, true, nil
	}
	if !state.Changed {
		return row, changed, false, nil
	}
	if !changed {
		o.row = append(o.row[:0], row...)
		row = o.row
	}
	t.key = append(t.key[:0], key...)
	t.value = append(t.value[:0], state.Value...)
	row[end] = types.NewBytes(types.Bytea, t.key)
	return row, true, false, t.codec.decode(row[t.Offset:end], t.key, t.value)
}

func lockMode(s parse.LockStrength) engine.LockMode {
	switch s {
	case parse.ForKeyShare:
		return engine.RowKeyShare
	case parse.ForShare:
		return engine.RowShare
	case parse.ForNoKeyUpdate:
		return engine.RowNoKeyUpdate
	}
	return engine.RowUpdate
}

func waitPolicy(w parse.LockWait) engine.WaitPolicy {
	switch w {
	case parse.LockSkip:
		return engine.SkipLocked
	case parse.LockNoWait:
		return engine.NoWait
	}
	return engine.Wait
}
