package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMoment: within a moment the transaction reads what its statement saw, by key and by scan,
// whatever it or others have written since; outside of it, what is there now.
func TestMoment(t *testing.T) {
	db := openTxnTest(t)
	ctx := context.Background()
	commit := func(key, value string) {
		txn := db.Begin(TxnOptions{})
		require.NoError(t, txn.Upsert(ctx, testTable, []byte(key), []byte(value)))
		_, err := txn.Commit(ctx, CommitOptions{})
		require.NoError(t, err)
	}
	commit("a", "old")
	commit("b", "old")
	txn := db.Begin(TxnOptions{})
	defer txn.Rollback()
	read := func() (got []string) {
		it := txn.Scan(testTable, nil, nil, false)
		defer it.Close()
		for it.Next() {
			got = append(got, string(it.Key())+"="+string(it.Value()))
			value, ok, err := txn.Get(ctx, testTable, it.Key())
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, string(it.Value()), string(value))
		}
		require.NoError(t, it.Err())
		return got
	}

	require.NoError(t, txn.Upsert(ctx, testTable, []byte("c"), []byte("own")))
	txn.StartStatement()
	m, err := txn.Keep()
	require.NoError(t, err)
	commit("a", "new")
	commit("d", "new")
	require.NoError(t, txn.Upsert(ctx, testTable, []byte("c"), []byte("twice")))
	require.NoError(t, txn.Upsert(ctx, testTable, []byte("e"), []byte("own")))
	require.NoError(t, txn.DeleteRange(testTable, []byte("b"), []byte("c")))
	txn.StartStatement()
	require.Equal(t, []string{"a=new", "c=twice", "d=new", "e=own"}, read())

	m.Enter()
	require.Equal(t, []string{"a=old", "b=old", "c=own"}, read())
	for key, want := range map[string]RowState{
		"a": {Value: []byte("new"), Exists: true, Changed: true},
		"b": {Skipped: true}, "c": {Skipped: true},
	} {
		row, err := txn.LockRow(ctx, testTable, []byte(key), RowUpdate, Wait)
		require.NoError(t, err)
		require.Equal(t, want, row, key)
	}
	require.Panics(t, m.Enter)
	m.Leave()

	require.Equal(t, []string{"a=new", "c=twice", "d=new", "e=own"}, read())
	save := txn.Savepoint()
	require.NoError(t, txn.Upsert(ctx, testTable, []byte("c"), []byte("thrice")))
	require.NoError(t, txn.RollbackTo(save))
	m.Enter()
	require.Equal(t, []string{"a=old", "b=old", "c=own"}, read())
	m.Leave()
	m.Close()
	m.Close()
	require.Equal(t, []string{"a=new", "c=twice", "d=new", "e=own"}, read())
}

// TestMomentOfEndedTransaction: there is nothing to keep.
func TestMomentOfEndedTransaction(t *testing.T) {
	txn := openTxnTest(t).Begin(TxnOptions{})
	txn.Rollback()
	_, err := txn.Keep()
	require.ErrorIs(t, err, ErrTxnDone)
}
