package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// The two paths every client walks all day allocate nothing of their own. Only the pools of the
// store may be refilled now and then, so a fraction of an allocation is let pass.
func TestHotPathsDoNotAllocate(t *testing.T) {
	db := openTxnTest(t)
	load(t, db, "x", "value")
	ctx, key, value := context.Background(), []byte("x"), []byte("value")
	var txn Txn
	run := map[string]func() error{
		"point get": func() error {
			txn.StartPointStatement()
			if err := txn.LockTable(ctx, testTable, AccessShareLock, Wait); err != nil {
				return err
			}
			_, _, err := txn.Get(ctx, testTable, key)
			return err
		},
		"blind upsert": func() error {
			txn.StartPointStatement()
			if err := txn.LockTable(ctx, testTable, RowExclusiveLock, Wait); err != nil {
				return err
			}
			return txn.Upsert(ctx, testTable, key, value)
		},
		"update by key": func() error {
			txn.StartPointStatement()
			if err := txn.LockTable(ctx, testTable, RowExclusiveLock, Wait); err != nil {
				return err
			}
			if _, err := txn.LockRow(ctx, testTable, key, RowUpdate, Wait); err != nil {
				return err
			}
			return txn.Put(testTable, key, value)
		},
	}
	for name, f := range run {
		t.Run(name, func(t *testing.T) {
			var failed error
			allocs := testing.AllocsPerRun(500, func() {
				db.BeginInto(&txn, TxnOptions{})
				if err := f(); err != nil {
					failed = err
				}
				txn.Rollback()
			})
			require.NoError(t, failed)
			if !raceEnabled { // the detector allocates
				require.Less(t, allocs, 0.5)
			}
		})
	}
}
