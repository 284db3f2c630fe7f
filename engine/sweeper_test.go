package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// readsAtTheGate runs statements while the log's disk stands still and a flush of the store waits
// for it, the lock of the MANIFEST in its hands. done is closed once they are through.
func readsAtTheGate(t *testing.T, closeInline bool) (done chan struct{}, goOn func()) {
	t.Helper()
	fs := enginetest.New()
	opts := crashOptions(fs)
	entered := make(chan struct{}, 1)
	opts.hooks.gateEntered = func() { poke(entered) }
	opts.hooks.closeInline = closeInline
	db := mustOpen(t, opts)
	mustPut(t, db, FirstUserTable, "a", "1", wal.LevelLocal)
	require.NoError(t, db.Checkpoint(context.Background()))
	release := make(chan struct{})
	fs.StallSyncs(func(string) { <-release })
	for len(entered) > 0 {
		<-entered
	}
	mustPut(t, db, FirstUserTable, "a", "2", wal.LevelOff)
	db.checkpoints.ask()
	<-entered
	done = make(chan struct{})
	go func() {
		defer close(done)
		for range 10 {
			txn := db.Begin(TxnOptions{})
			txn.StartStatement()
			value, _, err := txn.Get(context.Background(), FirstUserTable, []byte("a"))
			if err != nil || string(value) != "2" {
				t.Errorf("read %q, %v", value, err)
			}
			txn.Rollback()
		}
	}()
	return done, func() {
		fs.StallSyncs(nil)
		close(release)
		<-done
		mustClose(t, db)
	}
}

func TestReadersDoNotWaitAtTheGate(t *testing.T) {
	done, goOn := readsAtTheGate(t, false)
	<-done
	goOn()
}

func TestReadersAtTheGateNoticeInlineCloses(t *testing.T) {
	done, goOn := readsAtTheGate(t, true)
	require.Never(t, func() bool { return ended(done) }, 20*testTick, testTick)
	goOn()
}
