package wal

import (
	"io"
)

// Disk is the one seam between the log and a file system. Everything the log does to files goes
// through it, so a test can cut the power between any two steps. Paths are as package os has them.
//
// A name made by Create, Rename or MkdirAll, and one taken away by Remove, is durable only after
// SyncDir of the directory that holds it: fsync of a file promises nothing about its name.
type Disk interface {
	// MkdirAll makes dir and its parents. Each new name is durable after SyncDir of its parent.
	MkdirAll(dir string) error

	// Create makes a new empty file for reading and writing; one that is there is fs.ErrExist.
	Create(path string) (File, error)

	// Open opens a file for reading and writing; one that is not there is fs.ErrNotExist.
	Open(path string) (File, error)

	// OpenRead opens a file for reading only, for readers of a log that another process owns.
	OpenRead(path string) (File, error)

	// Rename replaces newPath atomically.
	Rename(oldPath, newPath string) error

	Remove(path string) error

	// List returns the names (not paths) in dir, sorted, directories included.
	List(dir string) ([]string, error)

	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error

	// Lock takes an exclusive lock on path, creating the file when needed, and holds it until the
	// returned Closer is closed or the process ends. A lock held elsewhere is ErrLocked.
	Lock(path string) (io.Closer, error)

	// Syncer makes the flusher's syncer. method is MethodIOUring or MethodFdatasync to force one,
	// or "" to take the best that a probe in dir finds. It must be called on the thread which
	// will call Sync: a ring made with SINGLE_ISSUER belongs to the thread that made it.
	Syncer(method, dir string) (Syncer, error)
}

// File is one open file of a Disk.
type File interface {
	io.ReaderAt

	// WriteAt writes all of p or returns an error; like a write(2) it reaches the page cache and
	// no further. After an error any part of p may have been written.
	io.WriterAt

	// Sync is fdatasync: contents and size are durable when it returns nil. After an error the
	// kernel may have marked the pages clean, so a second call that succeeds proves nothing (W4).
	Sync() error

	// DropCache makes the reads that follow through this File, up to its next WriteAt or
	// Truncate, come from the medium and not from the page cache. Call Sync first: dirty pages
	// are not dropped.
	DropCache() error

	Size() (int64, error)
	Truncate(size int64) error
	Close() error

	// Name is the path the file was opened by; a Rename does not change it.
	Name() string
}

// Syncer makes files durable for the flusher. All its calls come from the one goroutine that made
// it, which is locked to its thread for as long as the Syncer lives.
type Syncer interface {
	// Sync returns nil when the contents of every file, in order, are durable. The first failure
	// ends it; no file is tried twice.
	Sync(files []File) error

	// Method is what runs: MethodIOUring or MethodFdatasync.
	Method() string

	// Reason says why this method runs: forced, the best there is, or what kept the better away.
	Reason() string

	Close() error
}

// The values of wal_sync_method.
const (
	MethodIOUring   = "io_uring"
	MethodFdatasync = "fdatasync"
)
