package exec

import (
	"context"
	"fmt"
	"testing"

	"ackdb/engine"
	"ackdb/engine/enginetest"
	"ackdb/wal"

	"github.com/stretchr/testify/require"
)

// TestSequenceKeepsItsPromise: a value that a transaction gave out and did nothing else is as safe
// as that transaction: after a power cut nobody gets it again. One that was given out by an off
// commit may be lost as that commit may.
func TestSequenceKeepsItsPromise(t *testing.T) {
	for _, c := range []struct {
		level wal.Level
		sql   string
		next  string
	}{
		{wal.LevelLocal, "SELECT nextval('s')", "33"},
		{wal.LevelLocal, "SELECT setval('s', 500)", "501"},
		{wal.LevelOff, "SELECT nextval('s')", "1"},
	} {
		t.Run(fmt.Sprint(c.sql, c.level), func(t *testing.T) {
			m := &indexModel{t: t, fs: enginetest.New()}
			m.open()
			runOne(t, m.x, "CREATE SEQUENCE s")
			require.NoError(t, m.db.Log().WaitFlushed(t.Context(), m.db.Applied()))
			txn := m.x.Begin(engine.TxnOptions{})
			defer txn.Rollback()
			executeIn(t, m.x, txn, c.sql)
			result, err := txn.Commit(context.Background(), engine.CommitOptions{Level: c.level})
			require.NoError(t, err)
			require.True(t, result.ReadOnly, "there is no receipt for it")
			after := m.fs.Crash(1, 0)
			m.close()
			m.fs = after
			m.open()
			txn = m.x.Begin(engine.TxnOptions{})
			defer txn.Rollback()
			require.Equal(t, []string{c.next}, answers(t, m.x, txn, "SELECT nextval('s')", true))
			txn.Rollback()
			m.close()
		})
	}
}
