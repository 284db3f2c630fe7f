package engine

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"ackdb/engine/enginetest"
	"ackdb/wal"
)

// The layout of keys, values and marker is on disk: a change here needs a new format.
func TestStoredBytes(t *testing.T) {
	require.Equal(t, "000000646b6579", hex.EncodeToString(appendRowKey(nil, 100, []byte("key"))))
	lo, hi := tableSpan(MaxTableID)
	require.Equal(t, "fffffffe", hex.EncodeToString(lo))
	require.Equal(t, "ffffffff", hex.EncodeToString(hi))

	require.Equal(t, "000000006d", hex.EncodeToString(markerKey))
	m := marker{applied: 0x1000130, redo: 0x1000008}
	buf := make([]byte, markerSize)
	m.put(buf)
	require.Equal(t, "00000000010001300000000001000008", hex.EncodeToString(buf))
	back, err := decodeMarker(buf)
	require.NoError(t, err)
	require.Equal(t, m, back)

	db := mustOpen(t, crashOptions(enginetest.New()))
	result := mustPut(t, db, FirstUserTable, "k", "v", wal.LevelOff)
	raw, closer, err := db.get(appendRowKey(nil, FirstUserTable, []byte("k")))
	require.NoError(t, err)
	lsn, value, err := splitValue(raw)
	require.NoError(t, err)
	require.Equal(t, result.End, lsn)
	require.Equal(t, "v", string(value))
	require.Len(t, raw, rowLSNSize+1)
	require.NoError(t, closer.Close())
	mustClose(t, db)
}

func TestDamagedStoreIsNamed(t *testing.T) {
	_, _, err := splitValue(make([]byte, rowLSNSize-1))
	require.ErrorIs(t, err, ErrCorruptStore)
	_, err = decodeMarker(make([]byte, markerSize-1))
	require.ErrorIs(t, err, ErrCorruptStore)
	backwards := make([]byte, markerSize)
	marker{applied: 1, redo: 2}.put(backwards)
	_, err = decodeMarker(backwards)
	require.ErrorIs(t, err, ErrCorruptStore)
}

// brokenManifests fails every write to a MANIFEST once broken is set.
type brokenManifests struct {
	vfs.FS
	broken atomic.Bool
}

type brokenFile struct {
	vfs.File
	fs *brokenManifests
}

func (b *brokenManifests) Create(
	name string, category vfs.DiskWriteCategory,
) (vfs.File, error) {
	f, err := b.FS.Create(name, category)
	if err == nil && strings.Contains(name, "MANIFEST-") {
		f = &brokenFile{File: f, fs: b}
	}
	return f, err
}

func (f *brokenFile) Write(p []byte) (int, error) {
	if f.fs.broken.Load() {
		return 0, errors.New("input/output error")
	}
	return f.File.Write(p)
}

// After a failed write to its MANIFEST the store is in no defined state: the process ends, and
// until it has, nothing more is acknowledged.
func TestStoreFailureIsFatal(t *testing.T) {
	opts := crashOptions(enginetest.New())
	fs := &brokenManifests{FS: opts.FS}
	opts.FS = fs
	failed := make(chan error, 1)
	opts.Fatal = func(err error) { failed <- err }
	db := mustOpen(t, opts)
	mustPut(t, db, FirstUserTable, "k", "v", wal.LevelLocal)

	fs.broken.Store(true)
	require.Error(t, db.Checkpoint(context.Background()), "nothing was made durable")
	require.ErrorContains(t, <-failed, "MANIFEST")
	_, err := put(db, FirstUserTable, "k", "w", wal.LevelOff)
	require.ErrorContains(t, err, "MANIFEST")
	require.Error(t, db.Close(context.Background()))
}
