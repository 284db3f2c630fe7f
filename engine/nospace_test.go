package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// On a full disk commits answer ErrNoSpace before anything of them is in the log, reads go on, and
// commits go on once there is space again. A large transaction that was caught by it between its
// pieces is aborted by then.
func TestNoSpaceRefusesAndResumes(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	opts.MaxWALSize = func() int64 { return 1 << 30 }
	db := mustOpen(t, opts)
	mustPut(t, db, FirstUserTable+1, "before", "v", wal.LevelLocal)
	fs.Fill(syscall.ENOSPC)

	var err error
	for i := 0; err == nil; i++ {
		require.Less(t, i, 100, "the disk is never full")
		txn := db.Begin(TxnOptions{})
		fillLarge(t, txn)
		_, err = txn.Commit(context.Background(), CommitOptions{Level: wal.LevelOff})
		txn.Rollback()
	}
	require.ErrorIs(t, err, ErrNoSpace)
	require.NotErrorIs(t, err, ErrCommitWaitCancelled)
	require.NoError(t, db.failure())
	_, closer, err := db.get(appendRowKey(nil, FirstUserTable+1, []byte("before")))
	require.NoError(t, err)
	require.NoError(t, closer.Close())

	fs.Fill(nil)
	require.Eventually(t, func() bool {
		_, err = put(db, FirstUserTable+1, "after", "v", wal.LevelLocal)
		return !errors.Is(err, ErrNoSpace)
	}, testWait, testTick)
	require.NoError(t, err)
	require.Empty(t, db.openTxnsForTest())
	require.Equal(t, 2, countRows(t, db, FirstUserTable+1))
	after := fs.Crash(1, 0)
	mustClose(t, db)

	db = mustOpen(t, crashOptions(after))
	require.Equal(t, 2, countRows(t, db, FirstUserTable+1))
	mustClose(t, db)
}

// The largest row there may be goes through log, store and recovery; one byte more does not.
func TestLargestRow(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("moves 64 MiB several times")
	}
	dir := filepath.Join(t.TempDir(), "killed")
	db := mustOpen(t, Options{Dir: filepath.Join(t.TempDir(), "data")})
	key := []byte("k")
	value := make([]byte, MaxRowSize-len(key))
	for i := range value {
		value[i] = byte(i * 7)
	}
	txn := db.Begin(TxnOptions{})
	require.ErrorIs(t, txn.Put(FirstUserTable, key, append(value, 0)), ErrRowTooLarge)
	require.NoError(t, txn.Put(FirstUserTable, key, value))
	_, err := txn.Commit(context.Background(), CommitOptions{Level: wal.LevelLocal})
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(dir, os.DirFS(db.opts.Dir))) // as after kill -9
	mustClose(t, db)

	db, report, err := Open(context.Background(), Options{Dir: dir})
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Commits)
	got, err := storedRows(db)
	require.NoError(t, err)
	require.NoError(t, diffRows([]row{{
		table: FirstUserTable, key: "k", value: value, lsn: got[0].lsn,
	}}, got))
	mustClose(t, db)
	t.Logf("%d records replayed", report.Records)
}
