package catalog

import (
	"context"

	"ackdb/server/sql/types"
)

// SequenceState is where a sequence stands.
type SequenceState struct {
	Last   int64 // the value last given out; the one that comes first when none was
	Left   int64 // how many are set aside behind it
	Called bool  // one was given out
}

// SequenceReader is a VirtualEnv.Host that knows the state of sequences. Like PostgreSQL's it is
// that of now, whatever the transaction's snapshot is.
type SequenceReader interface {
	SequenceState(ctx context.Context, q *Sequence) (SequenceState, error)
}

// Row is the sequence as a table of one row, which SELECT may read.
func (q *Sequence) Row() *VirtualTable {
	return &VirtualTable{
		Schema: q.Schema,
		Name:   q.Name,
		OID:    q.OID,
		Columns: []Column{
			{Name: "last_value", Attnum: 1, Type: types.Of(types.Int8), NotNull: true},
			{Name: "log_cnt", Attnum: 2, Type: types.Of(types.Int8), NotNull: true},
			{Name: "is_called", Attnum: 3, Type: types.Of(types.Bool), NotNull: true},
		},
		Rows: q.rows,
	}
}

func (q *Sequence) rows(ctx context.Context, env *VirtualEnv, yield func([]types.Datum) error) error {
	state := SequenceState{Last: q.Start}
	if reader, ok := env.Host.(SequenceReader); ok {
		var err error
		if state, err = reader.SequenceState(ctx, q); err != nil {
			return err
		}
	}
	return yield([]types.Datum{types.NewInt8(state.Last), types.NewInt8(state.Left),
		types.NewBool(state.Called)})
}
