// Package enginetest holds what the engine's tests stand on: one crashable file system for log
// and store together. It imports nothing of the engine, whose own tests import it.
package enginetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ackdb/wal"
)

// CrashFS is a file system in memory that carries the log's files and the store's. Both being on
// one, Crash leaves what one power cut at one instant could leave of both: two file systems cloned
// one after the other would show the store a later moment than the log, and every test of E3 would
// fail, or worse, pass.
type CrashFS struct {
	mem *vfs.MemFS

	// flushes counts the rounds of the log's flusher; stall, when set, holds back each fsync of the
	// log until it returns, and fail makes each fail.
	flushes atomic.Int64

	stall atomic.Pointer[func(path string)]
	fail  atomic.Pointer[error]

	// lies makes the flusher's fsyncs say yes and do nothing.
	lies atomic.Bool

	// full is what the log's attempts to make a file get; nil when there is space.
	full atomic.Pointer[error]

	// create makes "create unless it exists" one step; the memory file system has no O_EXCL.
	create sync.Mutex
}

// New returns an empty file system.
func New() *CrashFS { return &CrashFS{mem: vfs.NewCrashableMem()} }

// FS is the file system as the store sees it.
func (c *CrashFS) FS() vfs.FS { return c.mem }

// Disk is the file system as the log sees it.
func (c *CrashFS) Disk() wal.Disk { return (*disk)(c) }

// Crash returns a file system as a power cut at this instant may leave this one: everything
// synced, and each block of 4096 bytes and each name that was not with a probability of
// unsyncedPercent. Both file systems can be used from then on.
func (c *CrashFS) Crash(seed uint64, unsyncedPercent int) *CrashFS {
	return &CrashFS{mem: c.mem.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: unsyncedPercent,
		RNG:                 rand.New(rand.NewPCG(seed, 0)),
	})}
}

// StallSyncs makes every fsync of a file of the log call f with its path first; nil ends that.
func (c *CrashFS) StallSyncs(f func(path string)) {
	if f == nil {
		c.stall.Store(nil)
		return
	}
	c.stall.Store(&f)
}

// FailSyncs makes every fsync of the log return err.
func (c *CrashFS) FailSyncs(err error) { c.fail.Store(&err) }

// LieSyncs makes the flusher's fsyncs return at once with nothing done, as if flushed were moved
// before the kernel has said so. What a test promises about durability must then fail.
func (c *CrashFS) LieSyncs(lie bool) { c.lies.Store(lie) }

// Fill makes the disk full for new files of the log: each attempt gets err. nil ends that.
func (c *CrashFS) Fill(err error) {
	if err == nil {
		c.full.Store(nil)
		return
	}
	c.full.Store(&err)
}

// Flushes is how often the log's flusher has made it durable. Other fsyncs come when
// time has passed, for control, and when segments are made.
func (c *CrashFS) Flushes() int64 { return c.flushes.Load() }

// Usage is the size of all files in dir, its subdirectories left out.
func (c *CrashFS) Usage(dir string) (int64, error) {
	names, err := c.mem.List(dir)
	if err != nil {
		return 0, err
	}
	var size int64
	for _, name := range names {
		info, err := c.mem.Stat(c.mem.PathJoin(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // renamed since
		}
		if err != nil {
			return 0, err
		}
		if !info.IsDir() {
			size += info.Size()
		}
	}
	return size, nil
}

// disk is wal.Disk over the memory file system.
type disk CrashFS

func (d *disk) MkdirAll(dir string) error { return d.mem.MkdirAll(dir, 0o755) }

func (d *disk) Create(path string) (wal.File, error) {
	if full := d.full.Load(); full != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: *full}
	}
	d.create.Lock()
	defer d.create.Unlock()
	if _, err := d.mem.Stat(path); err == nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := d.mem.Create(path, vfs.WriteCategoryUnspecified)
	return d.file(path, f, err)
}

func (d *disk) Open(path string) (wal.File, error) {
	// OpenReadWrite would make a file that is not there.
	if _, err := d.mem.Stat(path); err != nil {
		return nil, err
	}
	f, err := d.mem.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	return d.file(path, f, err)
}

func (d *disk) OpenRead(path string) (wal.File, error) {
	f, err := d.mem.Open(path)
	return d.file(path, f, err)
}

func (d *disk) file(path string, f vfs.File, err error) (wal.File, error) {
	if err != nil {
		return nil, err
	}
	return &file{File: f, disk: d, path: path}, nil
}

func (d *disk) Rename(oldPath, newPath string) error { return d.mem.Rename(oldPath, newPath) }

func (d *disk) Remove(path string) error {
	if err := d.mem.Remove(path); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return nil
}

func (d *disk) List(dir string) ([]string, error) {
	names, err := d.mem.List(dir)
	sort.Strings(names)
	return names, err
}

func (d *disk) SyncDir(dir string) error {
	f, err := d.mem.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *disk) Lock(path string) (io.Closer, error) {
	lock, err := d.mem.Lock(path)
	if errors.Is(err, syscall.EAGAIN) {
		return nil, fmt.Errorf("%w: %s", wal.ErrLocked, path)
	}
	return lock, err
}

func (d *disk) Syncer(string, string) (wal.Syncer, error) { return syncer{d}, nil }

// file is wal.File over a file of the memory file system.
type file struct {
	vfs.File
	disk *disk
	path string
}

func (f *file) Sync() error {
	if stall := f.disk.stall.Load(); stall != nil {
		(*stall)(f.path)
	}
	if err := f.disk.fail.Load(); err != nil {
		return *err
	}
	return f.File.Sync()
}

// DropCache has nothing to drop: there is one copy of every byte.
func (f *file) DropCache() error { return nil }

func (f *file) Size() (int64, error) {
	info, err := f.File.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Truncate lengthens with zeros. The memory file system cannot shorten a file, and the log never
// asks for it.
func (f *file) Truncate(size int64) error {
	have, err := f.Size()
	if err != nil || have == size {
		return err
	}
	if size < have {
		return fmt.Errorf("enginetest: shorten %s from %d to %d: %w",
			f.path, have, size, errors.ErrUnsupported)
	}
	if have > 0 {
		_, err = f.WriteAt([]byte{0}, size-1)
		return err
	}
	// WriteAt beyond a file's end lengthens it byte by byte; Write does it at once, and a handle
	// just opened stands at 0.
	fresh, err := f.disk.mem.OpenReadWrite(f.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = fresh.Write(make([]byte, size))
	return errors.Join(err, fresh.Close())
}

func (f *file) Name() string { return f.path }

// syncer syncs one file after the other.
type syncer struct{ disk *disk }

func (s syncer) Sync(files []wal.File) error {
	s.disk.flushes.Add(1)
	if s.disk.lies.Load() {
		return nil
	}
	for _, f := range files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

func (syncer) Method() string { return wal.MethodFdatasync }
func (syncer) Reason() string { return "a file system in memory" }
func (syncer) Close() error   { return nil }
