package wal_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/wal"
)

func writeFile(t *testing.T, disk wal.Disk, path string, data []byte) wal.File {
	t.Helper()
	f, err := disk.Create(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	_, err = f.WriteAt(data, 0)
	require.NoError(t, err)
	return f
}

// syncMethods are the methods this binary can run here, each made on a locked thread.
func onSyncer(t *testing.T, method string, use func(wal.Syncer)) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := wal.OSDisk().Syncer(method, t.TempDir())
	var refused *wal.SyncMethodError
	if method == wal.MethodIOUring && err != nil {
		require.ErrorAs(t, err, &refused)
		t.Skipf("no io_uring here: %s", refused.Reason)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	use(s)
}

func TestSyncerMethods(t *testing.T) {
	for _, method := range []string{wal.MethodIOUring, wal.MethodFdatasync} {
		t.Run(method, func(t *testing.T) {
			onSyncer(t, method, func(s wal.Syncer) {
				require.Equal(t, method, s.Method())
				require.NotEmpty(t, s.Reason())
				files := make([]wal.File, 40) // More than one round of the ring.
				for i := range files {
					path := filepath.Join(t.TempDir(), "f")
					files[i] = writeFile(t, wal.OSDisk(), path, []byte("x"))
				}
				require.NoError(t, s.Sync(nil))
				require.NoError(t, s.Sync(files))
			})
		})
	}
}

// A descriptor that cannot be synced must fail the whole call and name the file: a syncer which
// looked only at the first or last completion would let it pass.
func TestSyncerReportsTheFileThatFailed(t *testing.T) {
	for _, method := range []string{wal.MethodIOUring, wal.MethodFdatasync} {
		t.Run(method, func(t *testing.T) {
			onSyncer(t, method, func(s wal.Syncer) {
				dir := t.TempDir()
				files := []wal.File{
					writeFile(t, wal.OSDisk(), filepath.Join(dir, "a"), []byte("a")),
					writeFile(t, wal.OSDisk(), filepath.Join(dir, "b"), []byte("b")),
					writeFile(t, wal.OSDisk(), filepath.Join(dir, "c"), []byte("c")),
				}
				require.NoError(t, files[1].Close())
				err := s.Sync(files)
				require.ErrorContains(t, err, filepath.Join(dir, "b"))
			})
		})
	}
}

func TestSyncerLadderNamesItsReason(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := wal.OSDisk().Syncer("", t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	if s.Method() == wal.MethodFdatasync {
		require.Contains(t, s.Reason(), "no io_uring: ")
	} else {
		require.Contains(t, s.Reason(), "probed: ")
	}

	_, err = wal.OSDisk().Syncer("open_datasync", t.TempDir())
	require.ErrorIs(t, err, wal.ErrSyncMethodUnknown)
}

func TestProbeLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := wal.OSDisk().Syncer("", dir)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	names, err := wal.OSDisk().List(dir)
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestOSDiskLockIsExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := wal.OSDisk().Lock(path)
	require.NoError(t, err)
	_, err = wal.OSDisk().Lock(path)
	require.ErrorIs(t, err, wal.ErrLocked)
	require.NoError(t, held.Close())
	again, err := wal.OSDisk().Lock(path)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestOSDiskNames(t *testing.T) {
	disk, dir := wal.OSDisk(), t.TempDir()
	_, err := disk.Open(filepath.Join(dir, "a"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	writeFile(t, disk, filepath.Join(dir, "b"), nil)
	_, err = disk.Create(filepath.Join(dir, "b"))
	require.ErrorIs(t, err, fs.ErrExist)
	require.NoError(t, disk.MkdirAll(filepath.Join(dir, "d", "e")))
	require.NoError(t, disk.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "a")))
	require.NoError(t, disk.SyncDir(dir))
	names, err := disk.List(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "d"}, names)
}

// Reads after DropCache must agree with what was written at every offset and length, whatever
// O_DIRECT thinks of alignment, at the end of the file too; and a write ends that mode.
func TestDropCacheReadsTheSameBytes(t *testing.T) {
	const size = 300_001 // Past one window, and no multiple of a sector.
	want := make([]byte, size)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	f := writeFile(t, wal.OSDisk(), filepath.Join(t.TempDir(), "f"), want)
	require.NoError(t, f.Sync())
	require.NoError(t, f.DropCache())
	for _, c := range []struct{ off, n int }{
		{0, 1}, {0, size}, {1, 4096}, {4095, 2}, {262143, 2}, {262144, 1}, {size - 1, 1},
	} {
		got := make([]byte, c.n)
		n, err := f.ReadAt(got, int64(c.off))
		require.NoError(t, err, "at %d", c.off)
		require.True(t, bytes.Equal(want[c.off:c.off+n], got), "at %d", c.off)
	}
	n, err := f.ReadAt(make([]byte, 10), size-3)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, 3, n)
	_, err = f.ReadAt(make([]byte, 1), size)
	require.ErrorIs(t, err, io.EOF)

	_, err = f.WriteAt([]byte("new"), 100)
	require.NoError(t, err)
	got := make([]byte, 3)
	_, err = f.ReadAt(got, 100)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))
}

func TestSyncErrorNamesFile(t *testing.T) {
	f := writeFile(t, wal.OSDisk(), filepath.Join(t.TempDir(), "f"), []byte("x"))
	require.NoError(t, f.Close())
	var where *os.PathError
	require.ErrorAs(t, f.Sync(), &where)
	require.Equal(t, f.Name(), where.Path)
}

// BenchmarkSync is what a flush costs: a small write over zeroed blocks and its way to the disk.
func BenchmarkSync(b *testing.B) {
	for _, method := range []string{wal.MethodIOUring, wal.MethodFdatasync} {
		b.Run("method="+method, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			s, err := wal.OSDisk().Syncer(method, b.TempDir())
			if err != nil {
				b.Skip(err)
			}
			defer func() { _ = s.Close() }()
			f, err := wal.OSDisk().Create(filepath.Join(b.TempDir(), "f"))
			require.NoError(b, err)
			defer func() { _ = f.Close() }()
			_, err = f.WriteAt(make([]byte, 4<<20), 0)
			require.NoError(b, err)
			require.NoError(b, f.Sync())
			record := make([]byte, 128)
			for i := range b.N {
				_, err := f.WriteAt(record, int64(i*128%(4<<20)))
				if err == nil {
					err = s.Sync([]wal.File{f})
				}
				require.NoError(b, err)
			}
		})
	}
}
