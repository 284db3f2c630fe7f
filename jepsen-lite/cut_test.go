package jepsenlite

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// smallArgs keep a start on a fresh disk short: segments are zeroed when they are made.
var smallArgs = []string{"-c", "wal_segment_size=1MB", "-c", "max_wal_size=8MB", "-c", "wal_keep_size=0"}

// A real ext4 loses its power under the loaded server.
func TestPowerCutOnExt4(t *testing.T) {
	d := loopDisk(t)
	powerCuts(t, d, d.Dir, 20)
}

// A disk that loses a random half of what was not synced, sector by sector, and the entries of
// directories that were not synced.
func TestPowerCutThroughFuse(t *testing.T) {
	d := fuseDisk(t)
	powerCuts(t, d, d.Dir, 10)
}

func powerCuts(t *testing.T, d PowerDisk, dir string, cuts int) {
	history := &bytes.Buffer{}
	run := &CrashRun{
		Node: &Node{Bin: binary(t), Dir: filepath.Join(dir, "data"), Args: smallArgs},
		Disk: d, Sessions: 2 * len(Modes), Crashes: cuts, Seed: seed(t), Journal: NewJournal(history),
	}
	require.NoError(t, run.Run(context.Background()))
	v, err := Judge(history)
	require.NoError(t, err)
	t.Log(v)
	require.Empty(t, v.Breaches)
	require.Equal(t, cuts, v.Rounds)
	for _, mode := range Modes {
		require.Positive(t, v.ByMode[mode], "no transaction was acknowledged in mode %s", mode)
	}
}

// The negative control of the rig: a disk whose fsync lies must make the same test fail. A run that
// passes on it would pass on anything.
func TestPowerCutOnALyingDiskIsCaught(t *testing.T) {
	d := fuseDisk(t)
	history := &bytes.Buffer{}
	run := &CrashRun{
		Node: &Node{Bin: binary(t), Dir: filepath.Join(d.Dir, "data"), Args: smallArgs},
		Disk: &liar{d}, Sessions: 2 * len(Modes), Crashes: 5, Seed: seed(t), Journal: NewJournal(history),
	}
	// A server that refuses to start on what is left has caught the lie as well.
	if err := run.Run(context.Background()); err != nil {
		t.Logf("caught by the server: %v", err)
		return
	}
	v, err := Judge(history)
	require.NoError(t, err)
	require.NotEmpty(t, v.Breaches, "the disk lied about every fsync and nobody noticed")
}

// liar starts to lie once the server is up on it, which is when its first cut is prepared.
type liar struct{ *FuseDisk }

func (l *liar) Restore(seed uint64) error {
	err := l.FuseDisk.Restore(seed)
	l.Set(DiskFault{SyncLies: true})
	return err
}
