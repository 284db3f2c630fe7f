package server

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine"
	"ackdb/pgwire"
)

// TestContain: a panic of a statement's own is its error; one that passes the floors with locks is
// not held up.
func TestContain(t *testing.T) {
	s := &session{server: &Server{log: slog.New(slog.NewTextHandler(io.Discard, nil))},
		conn: &pgwire.Conn{}}
	run := func(f func()) (err error) {
		defer s.contain(&err)
		f()
		return nil
	}
	require.NoError(t, run(func() {}))
	var e *pgwire.Error
	require.ErrorAs(t, run(func() { panic("out of range") }), &e)
	require.Equal(t, "XX000", e.Code)

	// BeginInto panics by contract when the transaction before has not ended.
	require.Panics(t, func() {
		_ = run(func() {
			var db engine.DB
			var txn engine.Txn
			db.BeginInto(&txn, engine.TxnOptions{MaxSize: 1})
		})
	})
}
