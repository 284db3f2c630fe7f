package exec

import (
	"ackdb/engine"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// lockRows locks each row below and gives what the row is then (X3).
type lockRows struct {
	node  *plan.LockRows
	in    operator
	codec *rowCodec
	row   []types.Datum // a row that was read again
	key   []byte
	value []byte // the engine's copy lasts one call
}

func (o *lockRows) open(r *run) error {
	o.codec = newRowCodec(o.node.Table)
	o.row = make([]types.Datum, len(o.node.Table.Columns)+1)
	return o.in.open(r)
}

func (o *lockRows) close() { o.in.close() }

func (o *lockRows) next(r *run) ([]types.Datum, error) {
	for {
		row, err := o.in.next(r)
		if row == nil || err != nil {
			return nil, err
		}
		key := row[len(row)-1].Bytes()
		state, err := r.txn.LockRow(r.eval.Ctx, o.node.Table.Storage, key,
			lockMode(o.node.Strength), waitPolicy(o.node.Wait))
		if err != nil {
			return nil, lockRowError(err, o.node.Table.Name)
		}
		if state.Skipped || !state.Exists {
			continue
		}
		if !state.Changed {
			return row, nil
		}
		o.key = append(o.key[:0], key...)
		o.value = append(o.value[:0], state.Value...)
		if err := o.codec.decode(o.row, o.key, o.value); err != nil {
			return nil, err
		}
		o.row[len(o.row)-1] = types.NewBytes(types.Bytea, o.key)
		if o.node.Recheck == nil {
			return o.row, nil
		}
		if ok, err := r.truth(o.node.Recheck, o.row); err != nil || ok {
			return o.row, err
		}
	}
}

func lockMode(s parse.LockStrength) engine.LockMode {
	if s >= parse.ForNoKeyUpdate {
		return engine.RowUpdate
	}
	return engine.RowShare
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
