package wal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// stdDisk is the operating system's own file system.
type stdDisk struct{}

// OSDisk returns the disk of the operating system.
func OSDisk() Disk { return stdDisk{} }

const (
	dirMode  = 0o700
	fileMode = 0o600
)

func (stdDisk) MkdirAll(dir string) error { return os.MkdirAll(dir, dirMode) }

func (stdDisk) Create(path string) (File, error) {
	return openStd(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (stdDisk) Open(path string) (File, error) { return openStd(path, os.O_RDWR) }

func (stdDisk) OpenRead(path string) (File, error) { return openStd(path, os.O_RDONLY) }

func (stdDisk) Rename(oldPath, newPath string) error { return os.Rename(oldPath, newPath) }

func (stdDisk) Remove(path string) error { return os.Remove(path) }

func (stdDisk) List(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

// SyncDir uses fsync, not fdatasync: names are all a directory has, and not every file system
// counts them as its data.
func (stdDisk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// Lock uses flock: the kernel lets go of it when the process dies, however it dies, so a lock
// file left behind by kill -9 never has to be cleaned up by hand.
func (stdDisk) Lock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	err = ignoringEINTR(func() error {
		return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	})
	if err == nil {
		return f, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
}

func (stdDisk) Syncer(method, dir string) (Syncer, error) {
	return newStdSyncer(method, dir)
}

// stdFile is an open file. Its descriptor is left in blocking mode by os.OpenFile (regular files
// are not pollable), so Fd may be handed to the ring.
type stdFile struct {
	*os.File

	mu     sync.RWMutex
	direct *directReader // guarded by mu; nil: reads go through the page cache
}

var _ File = (*stdFile)(nil)

func openStd(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return &stdFile{File: f}, nil
}

func (f *stdFile) Sync() error {
	err := ignoringEINTR(func() error { return unix.Fdatasync(int(f.Fd())) })
	runtime.KeepAlive(f.File)
	if err != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}

func (f *stdFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f *stdFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.endDirect(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *stdFile) Truncate(size int64) error {
	if err := f.endDirect(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *stdFile) Close() error {
	return errors.Join(f.endDirect(), f.File.Close())
}

// WriteTo hides the one of os.File, which would read through the page cache after DropCache.
func (f *stdFile) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f.File})
}

func (f *stdFile) ReadAt(p []byte, off int64) (int, error) {
	f.mu.RLock()
	direct := f.direct
	f.mu.RUnlock()
	if direct != nil {
		return direct.ReadAt(p, off)
	}
	return f.File.ReadAt(p, off)
}

// DropCache drops what it can from the page cache, so that later readers see what is on the
// medium, and reads through O_DIRECT where the file system knows it: FADV_DONTNEED is only
// advice, and leaves pages which another reader holds at that moment.
func (f *stdFile) DropCache() error {
	err := ignoringEINTR(func() error {
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
	if err != nil {
		return &os.PathError{Op: "fadvise", Path: f.Name(), Err: err}
	}
	if err := f.endDirect(); err != nil {
		return err
	}
	// By descriptor, not by name: the file may have been renamed since it was opened.
	path := filepath.Join("/proc/self/fd", fmt.Sprint(f.Fd()))
	d, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		return nil // No O_DIRECT here (tmpfs, no /proc): FADV_DONTNEED was the next best.
	}
	f.mu.Lock()
	f.direct = newDirectReader(d)
	f.mu.Unlock()
	return nil
}

func (f *stdFile) endDirect() error {
	f.mu.RLock()
	idle := f.direct == nil
	f.mu.RUnlock()
	if idle {
		return nil // The path of every commit: no write lock for it.
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.direct == nil {
		return nil
	}
	err := f.direct.Close()
	f.direct = nil
	return err
}

// ignoringEINTR repeats a system call that a signal cut short; the Go runtime sends itself
// SIGURG to preempt goroutines, so this happens in ordinary life.
func ignoringEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
