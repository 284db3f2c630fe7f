package waltest

import (
	"io"
	"io/fs"
)

// file is an open file of a process.
type file struct {
	disk     *Disk
	node     *inode
	path     string
	readOnly bool

	closed bool // guarded by the store's mu
}

// do runs one operation on contents. run gets the fault that strikes, if any, to do what is left
// to do of a struck operation.
func (f *file) do(op Op, run func(s *store, struck *Fault) error) error {
	v := f.disk.admit(op, f.path)
	defer f.disk.store.mu.Unlock()
	err := v.err
	switch {
	case f.closed:
		err = fs.ErrClosed
	case f.readOnly && (op == OpWrite || op == OpTruncate):
		err = fs.ErrPermission
	case !v.skip:
		if e := run(f.disk.store, nil); err == nil {
			err = e
		}
	case v.fault != nil:
		_ = run(f.disk.store, v.fault)
	}
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: op.String(), Path: f.path, Err: err}
}

func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.do(OpRead, func(_ *store, struck *Fault) error {
		if off < 0 {
			return fs.ErrInvalid
		}
		if struck != nil {
			return nil
		}
		if n = f.node.read(p, off); n < len(p) {
			return io.EOF
		}
		return nil
	})
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.do(OpWrite, func(s *store, struck *Fault) error {
		if off < 0 {
			return fs.ErrInvalid
		}
		n = len(p)
		if struck != nil {
			n = min(len(p), struck.Short)
		}
		f.node.write(p[:n], off, s.tick)
		return nil
	})
	return n, err
}

func (f *file) Sync() error {
	return f.do(OpSync, func(s *store, struck *Fault) error {
		switch {
		case struck != nil && struck.MarkClean:
			f.node.markClean()
		case struck == nil && !s.lies.Sync:
			f.node.sync()
		}
		return nil
	})
}

func (f *file) DropCache() error {
	return f.do(OpDropCache, func(s *store, struck *Fault) error {
		if struck == nil && !s.lies.DropCache {
			f.node.dropCache()
		}
		return nil
	})
}

func (f *file) Truncate(size int64) error {
	return f.do(OpTruncate, func(s *store, struck *Fault) error {
		if size < 0 {
			return fs.ErrInvalid
		}
		if struck == nil {
			f.node.truncate(size, s.tick)
		}
		return nil
	})
}

func (f *file) Size() (int64, error) {
	f.disk.store.mu.Lock()
	defer f.disk.store.mu.Unlock()
	return f.node.cachedSize, nil
}

func (f *file) Name() string { return f.path }

func (f *file) Close() error {
	f.disk.store.mu.Lock()
	defer f.disk.store.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	return nil
}
