package waltest

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"ackdb/wal"
)

// Disk is one process's view of a store. It is a wal.Disk.
type Disk struct {
	store *store
	life  *life
}

var _ wal.Disk = (*Disk)(nil)

// New gives an empty disk with the directories "/" and ".".
func New() *Disk { return &Disk{store: newStore(), life: &life{}} }

// do runs one operation on names. It returns with the store unlocked.
func (d *Disk) do(op Op, path string, run func(s *store) error) error {
	v := d.admit(op, path)
	defer d.store.mu.Unlock()
	if !v.skip {
		if err := run(d.store); err != nil && v.err == nil {
			return &fs.PathError{Op: op.String(), Path: path, Err: err}
		}
	}
	if v.err != nil {
		return &fs.PathError{Op: op.String(), Path: path, Err: v.err}
	}
	return nil
}

// MkdirAll makes dir and its parents.
func (d *Disk) MkdirAll(dir string) error {
	dir = filepath.Clean(dir)
	return d.do(OpMkdir, dir, func(s *store) error {
		var missing []string
		for !s.isDir(dir) {
			if _, file := s.names[dir]; file {
				return fs.ErrExist
			}
			missing = append(missing, dir)
			dir = parent(dir)
		}
		for _, path := range slices.Backward(missing) {
			s.change(nameOp{dir: parent(path), add: path})
		}
		return nil
	})
}

// Create makes a new empty file.
func (d *Disk) Create(path string) (wal.File, error) {
	path = filepath.Clean(path)
	var node *inode
	err := d.do(OpCreate, path, func(s *store) error {
		if _, ok := s.names[path]; ok {
			return fs.ErrExist
		}
		if !s.isDir(parent(path)) {
			return fs.ErrNotExist
		}
		node = &inode{}
		node.markClean()
		s.change(nameOp{dir: parent(path), add: path, node: node})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &file{disk: d, node: node, path: path}, nil
}

// Open opens a file for reading and writing.
func (d *Disk) Open(path string) (wal.File, error) { return d.open(path, false) }

// OpenRead opens a file for reading.
func (d *Disk) OpenRead(path string) (wal.File, error) { return d.open(path, true) }

func (d *Disk) open(path string, readOnly bool) (wal.File, error) {
	path = filepath.Clean(path)
	var node *inode
	err := d.do(OpOpen, path, func(s *store) (err error) {
		node, err = s.find(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &file{disk: d, node: node, path: path, readOnly: readOnly}, nil
}

// Rename moves a file within its directory; that is all the log does.
func (d *Disk) Rename(oldPath, newPath string) error {
	oldPath, newPath = filepath.Clean(oldPath), filepath.Clean(newPath)
	return d.do(OpRename, oldPath, func(s *store) error {
		if parent(oldPath) != parent(newPath) {
			return fmt.Errorf("rename to another directory: %w", fs.ErrInvalid)
		}
		node, err := s.find(oldPath)
		if err != nil {
			return err
		}
		s.change(nameOp{dir: parent(oldPath), remove: oldPath, add: newPath, node: node})
		return nil
	})
}

// Remove takes a file's name away; who has it open keeps it.
func (d *Disk) Remove(path string) error {
	path = filepath.Clean(path)
	return d.do(OpRemove, path, func(s *store) error {
		if _, err := s.find(path); err != nil {
			return err
		}
		s.change(nameOp{dir: parent(path), remove: path})
		return nil
	})
}

// List gives the names in dir, sorted.
func (d *Disk) List(dir string) ([]string, error) {
	dir = filepath.Clean(dir)
	var names []string
	err := d.do(OpList, dir, func(s *store) error {
		if !s.isDir(dir) {
			return fs.ErrNotExist
		}
		for path := range s.names {
			if path != dir && parent(path) == dir && path != "." {
				names = append(names, filepath.Base(path))
			}
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// SyncDir makes the names in dir durable.
func (d *Disk) SyncDir(dir string) error {
	dir = filepath.Clean(dir)
	return d.do(OpSyncDir, dir, func(s *store) error {
		if !s.isDir(dir) {
			return fs.ErrNotExist
		}
		if !s.lies.SyncDir {
			s.syncDir(dir)
		}
		return nil
	})
}

// Lock takes the lock of path for this process.
func (d *Disk) Lock(path string) (io.Closer, error) {
	path = filepath.Clean(path)
	err := d.do(OpLock, path, func(s *store) error {
		if s.locks[path] != nil {
			return wal.ErrLocked
		}
		if _, ok := s.names[path]; !ok {
			node := &inode{}
			node.markClean()
			s.change(nameOp{dir: parent(path), add: path, node: node})
		}
		s.locks[path] = d.life
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &lock{disk: d, path: path}, nil
}

type lock struct {
	disk *Disk
	path string
}

func (l *lock) Close() error {
	s := l.disk.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[l.path] == l.disk.life {
		delete(s.locks, l.path)
	}
	return nil
}

// Syncer gives one that syncs file after file.
func (d *Disk) Syncer(method, _ string) (wal.Syncer, error) {
	switch method {
	case "", wal.MethodFdatasync:
		return syncer{}, nil
	case wal.MethodIOUring:
		return nil, &wal.SyncMethodError{Method: method, Reason: "a disk in memory"}
	default:
		return nil, fmt.Errorf("%w: %q", wal.ErrSyncMethodUnknown, method)
	}
}

type syncer struct{}

func (syncer) Sync(files []wal.File) error {
	for _, f := range files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

func (syncer) Method() string { return wal.MethodFdatasync }
func (syncer) Reason() string { return "a disk in memory" }
func (syncer) Close() error   { return nil }

var opNames = [...]string{
	OpAny: "any", OpMkdir: "mkdir", OpCreate: "create", OpOpen: "open", OpRename: "rename",
	OpRemove: "remove", OpList: "list", OpSyncDir: "syncdir", OpLock: "lock", OpRead: "read",
	OpWrite: "write", OpSync: "sync", OpTruncate: "truncate", OpDropCache: "drop cache",
}

func (op Op) String() string { return opNames[op] }
