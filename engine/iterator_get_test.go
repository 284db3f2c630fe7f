package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// TestIterGet: an iterator gives rows of other tables as they were when it was opened, whatever was
// written since, by others or by its own transaction, and whatever statement that has come to.
func TestIterGet(t *testing.T) {
	const index, rows = 101, 102
	ctx := context.Background()
	db := mustOpen(t, crashOptions(enginetest.New()))
	defer mustClose(t, db)
	mustPut(t, db, index, "i", "", wal.LevelOff)
	mustPut(t, db, rows, "theirs", "old", wal.LevelOff)
	txn := db.Begin(TxnOptions{})
	defer txn.Rollback()
	txn.StartStatement()
	require.NoError(t, txn.Put(rows, []byte("own"), []byte("old")))
	it := txn.Scan(index, nil, nil, false)
	require.True(t, it.Next())

	mustPut(t, db, rows, "theirs", "new", wal.LevelOff)
	require.NoError(t, txn.Put(rows, []byte("own"), []byte("new")))
	require.NoError(t, txn.Put(rows, []byte("later"), nil))
	require.NoError(t, txn.Delete(rows, []byte("theirs")))
	txn.StartStatement()
	for key, want := range map[string]string{"theirs": "old", "own": "old", "later": ""} {
		value, found, err := it.Get(ctx, rows, []byte(key))
		require.NoError(t, err)
		require.Equal(t, want != "", found, key)
		require.Equal(t, want, string(value), key)
	}
	require.NoError(t, it.Close())
	_, _, err := it.Get(ctx, rows, []byte("own"))
	require.ErrorIs(t, err, ErrTxnDone)
}
