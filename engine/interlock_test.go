package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

func TestGuardedFiles(t *testing.T) {
	for name, want := range map[string]bool{
		"/data/store/MANIFEST-000001":                         true,
		"/data/store/marker.manifest.000002.MANIFEST-000001":  true,
		"/data/store/CURRENT":                                 true,
		"/data/store/CURRENT.000003.dbtmp":                    true,
		"/data/store/000007.sst":                              false,
		"/data/store/marker.format-version.000003.016":        false,
		"/data/store/OPTIONS-000003":                          false,
		"/data/MANIFEST-dir/000001.log":                       false,
		"/data/store/000009.log":                              false,
		"/data/store/marker.manifest-like.000002.something":   false,
		"/data/checkpoints/1/MANIFEST-000001":                 true,
		"/data/checkpoints/1/marker.manifest.000001.MANIFEST": true,
	} {
		require.Equal(t, want, guarded(name), name)
	}
}

// controlGate replaces the figure the interlock waits for, and pauses the leader between Apply and
// publish while a flush of the store runs to its end.
type controlGate struct {
	db     *DB
	bound  func(db *DB) wal.LSN
	paused func()
}

func (c *controlGate) options(fs *enginetest.CrashFS) Options {
	opts := crashOptions(fs)
	if c.bound != nil {
		opts.hooks.gateBound = func() wal.LSN {
			if c.db == nil {
				return 0
			}
			return c.bound(c.db)
		}
	}
	opts.hooks.applied = func() {
		if c.paused != nil {
			c.paused()
		}
	}
	return opts
}

// crashWhilePaused commits one row as flushed and one as off, flushes the store while the leader
// of the second stands between Apply and publish, cuts the power and returns what recovery says.
func (c *controlGate) crashWhilePaused(t *testing.T) error {
	fs := enginetest.New()
	c.db = nil
	db := mustOpen(t, c.options(fs))
	c.db = db
	run := &crashRun{}
	commit := func(key, value string, level wal.Level) {
		result := mustPut(t, db, FirstUserTable, key, value, level)
		run.h.add(committedTxn{end: result.End, ops: []wal.Op{{
			Kind: wal.OpSet, Table: uint32(FirstUserTable), Key: []byte(key), Value: []byte(value),
		}}})
	}
	commit("a", "flushed", wal.LevelLocal)
	c.paused = func() { require.NoError(t, db.store.Flush()) }
	commit("a", "not flushed", wal.LevelOff)
	c.paused = nil

	_, err := run.recoverAndCheck(fs.Crash(1, 0), 0)
	mustClose(t, db)
	return err
}

func TestInterlockCountsWhatIsSubmitted(t *testing.T) {
	require.NoError(t, (&controlGate{}).crashWhilePaused(t))
}

// The two ways to get E3 wrong must be seen by the test above, or it proves nothing.
func TestInterlockNegativeControls(t *testing.T) {
	for name, bound := range map[string]func(*DB) wal.LSN{
		"no interlock":                func(*DB) wal.LSN { return 0 },
		"waits for what is published": (*DB).Applied,
	} {
		t.Run(name, func(t *testing.T) {
			err := (&controlGate{bound: bound}).crashWhilePaused(t)
			var damaged *wal.CorruptionError
			require.ErrorAs(t, err, &damaged, "the store's marker lies beyond the log")
		})
	}
}

// The first of them under the random workload: one of few seeds must find it.
func TestCrashSeedsFindAMissingInterlock(t *testing.T) {
	const seeds = 60 // about one in three fails
	for seed := uint64(1); seed <= seeds; seed++ {
		run := newCrashRun(seed)
		run.sabotage = func(opts *Options, _ **DB) {
			opts.hooks.gateBound = func() wal.LSN { return 0 }
		}
		if err := run.run(); err != nil {
			t.Logf("seed %d: %v", seed, err)
			return
		}
	}
	require.Fail(t, "no seed misses the interlock")
}

// The interlock waits as a commit does: the flusher would otherwise sleep for an hour here.
func TestInterlockIsAWaiter(t *testing.T) {
	fs := enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	result := mustPut(t, db, FirstUserTable, "k", "v", wal.LevelOff)
	require.Less(t, db.log.Flushed(), result.End)
	require.NoError(t, db.Checkpoint(context.Background()))
	require.GreaterOrEqual(t, db.log.Flushed(), result.End)
	require.Equal(t, db.Applied(), db.Stats().DurableApplied)
	mustClose(t, db)
}

// On a poisoned log the store becomes durable no further, and what waits is told.
func TestPoisonedLogStopsTheStore(t *testing.T) {
	fs := enginetest.New()
	opts := crashOptions(fs)
	failed := make(chan error, 1)
	opts.Fatal = func(err error) { failed <- err }
	db := mustOpen(t, opts)
	mustPut(t, db, FirstUserTable, "k", "v", wal.LevelLocal)
	durable := db.Stats().DurableApplied

	fs.FailSyncs(errors.New("input/output error"))
	_, err := put(db, FirstUserTable, "k", "w", wal.LevelLocal)
	require.ErrorIs(t, err, ErrCommitWaitCancelled)
	require.ErrorIs(t, err, wal.ErrPoisoned)
	require.Error(t, <-failed)

	require.Error(t, db.Checkpoint(context.Background()))
	_, err = put(db, FirstUserTable, "k", "x", wal.LevelOff)
	require.Error(t, err, "nothing is acknowledged after it (W4)")
	require.Equal(t, durable, db.Stats().DurableApplied)
	require.Error(t, db.Close(context.Background()))
}
