package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

func TestRedoIsTheOldestOpenTransaction(t *testing.T) {
	var o openTxns
	require.Equal(t, wal.LSN(100), o.redo(100), "nothing open")

	o.begin(110)
	o.begin(130)
	o.begin(150)
	require.Equal(t, wal.LSN(110), o.redo(200))
	o.end(130)
	require.Equal(t, wal.LSN(110), o.redo(210), "the oldest is still open")
	o.end(110)
	require.Equal(t, wal.LSN(150), o.redo(220))
	o.end(120)
	require.Equal(t, wal.LSN(150), o.redo(230), "one that began before redo is not known")
	o.endAll()
	require.Equal(t, wal.LSN(240), o.redo(240), "an epoch ends every one")
}
