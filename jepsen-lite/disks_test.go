package jepsenlite

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A disk rig that does not lose what was not synced proves nothing about a database, and one that
// loses what was synced blames it wrongly. Both are shown here, for both rigs.

func loopDisk(t *testing.T) *LoopDisk {
	t.Helper()
	if missing := LoopMissing(); missing != "" {
		t.Skip("SKIPPED, no power cut on a real ext4: ", missing)
	}
	d, err := NewLoopDisk(t.TempDir(), "commit=1000")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func fuseDisk(t *testing.T) *FuseDisk {
	t.Helper()
	if missing := FuseMissing(); missing != "" {
		t.Skip("SKIPPED, no faults through FUSE: ", missing)
	}
	d, err := NewFuseDisk(filepath.Join(t.TempDir(), "mnt"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestLoopDiskLosesOnlyWhatWasNotSynced(t *testing.T) {
	d := loopDisk(t)
	losesOnlyUnsynced(t, d, d.Dir, true)
}

func TestFuseDiskLosesOnlyWhatWasNotSynced(t *testing.T) {
	d := fuseDisk(t)
	losesOnlyUnsynced(t, d, d.Dir, false)
}

func losesOnlyUnsynced(t *testing.T, d PowerDisk, dir string, loses bool) {
	synced := bytes.Repeat([]byte("synced.."), 1024)
	write := func(name string, data []byte, sync bool) {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.Write(data)
		require.NoError(t, err)
		if sync {
			require.NoError(t, f.Sync())
		}
	}
	syncDir := func() {
		f, err := os.Open(dir)
		require.NoError(t, err)
		defer f.Close()
		require.NoError(t, f.Sync())
	}
	write("kept", synced, true)
	write("renamed.tmp", synced, true)
	require.NoError(t, os.Rename(filepath.Join(dir, "renamed.tmp"), filepath.Join(dir, "renamed")))
	syncDir()
	write("kept", []byte("never synced"), false)
	write("lost", synced, false)

	require.NoError(t, d.Cut())
	_, err := os.OpenFile(filepath.Join(dir, "after"), os.O_CREATE|os.O_WRONLY, 0o600)
	require.ErrorIs(t, err, syscall.EIO, "a cut is sharp: nothing can be written after it")
	require.NoError(t, d.Restore(1))

	for _, name := range []string{"kept", "renamed"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(data, synced), name)
		if loses {
			require.Len(t, data, len(synced), "what was not synced did not get lost")
		}
	}
	require.NoFileExists(t, filepath.Join(dir, "renamed.tmp"))
	if data, err := os.ReadFile(filepath.Join(dir, "lost")); loses && err == nil {
		require.NotEqual(t, synced, data, "what was not synced did not get lost")
	}
}

func TestFuseDiskFaults(t *testing.T) {
	d := fuseDisk(t)
	f, err := os.Create(filepath.Join(d.Dir, "f"))
	require.NoError(t, err)
	defer f.Close()
	d.Set(DiskFault{SyncError: syscall.EIO})
	require.ErrorIs(t, f.Sync(), syscall.EIO)
	d.Set(DiskFault{Full: true})
	_, err = f.Write([]byte("x"))
	require.ErrorIs(t, err, syscall.ENOSPC)
	before := d.Syncs()
	d.Set(DiskFault{SyncDelay: 20 * time.Millisecond})
	start := time.Now()
	require.NoError(t, f.Sync())
	require.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond)
	require.Equal(t, before+1, d.Syncs())
}

func TestImageCrash(t *testing.T) {
	im := newImage()
	file := im.node(false)
	im.root.change(change{"f": file})
	file.write(bytes.Repeat([]byte{1}, 2*pieceSize), 0)
	file.sync()
	require.Empty(t, crashMany(im, func(after *image) bool {
		f := after.root.entries["f"]
		return f != nil && !bytes.Equal(f.data, file.data)
	}), "a synced file survives whole, if its entry does")
	require.NotEmpty(t, crashMany(im, func(after *image) bool { return after.root.entries["f"] == nil }),
		"an entry may be lost until its directory is synced")

	im.root.sync()
	file.write(bytes.Repeat([]byte{2}, 2*pieceSize), 0)
	require.NotEmpty(t, crashMany(im, func(after *image) bool {
		data := after.root.entries["f"].data
		return data[0] != data[pieceSize]
	}), "an unsynced write may be torn between its pieces")
	require.Empty(t, crashMany(im, func(after *image) bool {
		data := after.root.entries["f"].data
		return data[0] != data[pieceSize-1]
	}), "a piece is never torn")
	file.sync()
	require.Empty(t, crashMany(im, func(after *image) bool { return after.root.entries["f"].data[0] != 2 }))
}

// crashMany returns the seeds whose crash satisfies the condition.
func crashMany(im *image, is func(*image) bool) (seeds []uint64) {
	for seed := range uint64(64) {
		if is(im.crash(seed)) {
			seeds = append(seeds, seed)
		}
	}
	return seeds
}
