package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

func TestBackupStartedAloneBeginsATimeline(t *testing.T) {
	fs, copied := enginetest.New(), enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	defer mustClose(t, db)
	mustPut(t, db, FirstUserTable, "a", "1", wal.LevelOff)
	commitLargeRows(t, db, wal.LevelOff)
	require.NoError(t, copyBackup(db, copied))

	other := mustOpen(t, crashOptions(copied))
	require.Equal(t, wal.RolePrimary, other.Role())
	require.Equal(t, uint32(2), other.log.Timeline())
	require.NotEqual(t, db.log.Control().NodeID, other.log.Control().NodeID)
	require.Equal(t, db.log.Control().SystemID, other.log.Control().SystemID)
	requireSameRows(t, db, other)
	mustPut(t, other, FirstUserTable, "b", "1", wal.LevelLocal)
	mustClose(t, other)
	other = mustOpen(t, crashOptions(copied))
	defer mustClose(t, other)
	require.Equal(t, uint32(2), other.log.Timeline(), "it is a primary like any other now")
}

// A backup that a standby gives is as good.
func TestBackupOfAStandby(t *testing.T) {
	p := newPair(t, nil)
	commitLargeRows(t, p.from, wal.LevelOff)
	p.mustCatchUp(t)
	fs := enginetest.New()
	require.NoError(t, copyBackup(p.to, fs))
	cascaded := &feeder{from: p.to, to: mustOpen(t, standbyOptions(fs)), chunk: p.chunk}
	defer mustClose(t, cascaded.to)
	mustPut(t, p.from, FirstUserTable, "a", "1", wal.LevelOff)
	p.mustCatchUp(t)
	require.NoError(t, cascaded.catchUp())
	requireSameRows(t, p.from, cascaded.to)
}

// recycleBehind commits and checkpoints until the log would be recycled beyond lsn, if it could.
func recycleBehind(t *testing.T, db *DB, lsn wal.LSN) {
	t.Helper()
	for db.log.Flushed() < lsn+4*testSegmentSize {
		commitLargeRows(t, db, wal.LevelLocal)
		require.NoError(t, db.Checkpoint(context.Background()))
	}
}

func TestSnapshotKeepsItsLog(t *testing.T) {
	fs := enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	defer mustClose(t, db)
	mustPut(t, db, FirstUserTable, "a", "1", wal.LevelOff)
	snap, err := db.Snapshot(context.Background())
	require.NoError(t, err)
	recycleBehind(t, db, snap.Redo())
	require.Less(t, db.log.Oldest(), snap.Redo())
	_, err = fs.FS().Stat(snap.Dir())
	require.NoError(t, err)

	redo, dir := snap.Redo(), snap.Dir()
	require.NoError(t, snap.Close())
	recycleBehind(t, db, db.log.Flushed())
	require.Greater(t, db.log.Oldest(), redo)
	_, err = fs.FS().Stat(dir)
	require.Error(t, err)
}

func TestSnapshotNoticesRecycledLog(t *testing.T) {
	opts := crashOptions(enginetest.New())
	opts.hooks.recycleHeld = true
	db := mustOpen(t, opts)
	defer mustClose(t, db)
	snap, err := db.Snapshot(context.Background())
	require.NoError(t, err)
	recycleBehind(t, db, snap.Redo())
	require.Greater(t, db.log.Oldest(), snap.Redo())
	require.NoError(t, snap.Close())
}

// A crash leaves snapshots behind; the next start removes them.
func TestSnapshotsOfBeforeAreRemoved(t *testing.T) {
	fs := enginetest.New()
	db := mustOpen(t, crashOptions(fs))
	snap, err := db.Snapshot(context.Background())
	require.NoError(t, err)
	after := fs.Crash(1, 100)
	_, err = after.FS().Stat(snap.Dir())
	require.NoError(t, err)
	require.NoError(t, snap.Close())
	mustClose(t, db)
	db = mustOpen(t, crashOptions(after))
	defer mustClose(t, db)
	_, err = after.FS().Stat(snap.Dir())
	require.Error(t, err)
	snap, err = db.Snapshot(context.Background())
	require.NoError(t, err)
	require.NoError(t, snap.Close())
}

// A snapshot taken while commits come in is, with the log beside it, all of the log.
func TestSnapshotUnderLoad(t *testing.T) {
	eachSeed(t, 20, func(seed uint64) error {
		r := newStandbyRun(seed)
		var err error
		if r.from, _, err = Open(context.Background(), r.primaryOptions()); err != nil {
			return err
		}
		stop := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			w := &writer{rng: r.rng, db: r.from, h: &r.h}
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				if err := w.commit(); err != nil {
					done <- err
					return
				}
			}
		}()
		err = copyBackup(r.from, r.sfs)
		close(stop)
		if err := <-done; err != nil {
			return err
		}
		if err != nil {
			return err
		}
		if r.to, _, err = Open(context.Background(), crashOptions(r.sfs)); err != nil {
			return err
		}
		begun := r.to.log.Timelines()
		if err := r.compare(r.to, begun[len(begun)-1].Fork); err != nil {
			return err
		}
		return r.close()
	})
}
