package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// controlFile keeps control on disk. Its lock may be taken while holding no other, and is held
// while the disk works; whoever reads takes none. The gauge and the positions are read from here
// most of all while a disk stalls, and the keeper's fsync is among the first to be stuck in it.
type controlFile struct {
	file File
	now  func() time.Time

	cur atomic.Pointer[Control] // the newest on disk, never changed; set under mu

	mu   sync.Mutex
	seq  uint64 // guarded by mu; of cur
	fail error  // guarded by mu; sticky, for a failed fsync is not retried (W4)
}

const controlName = "control"

// openControl reads the newest valid copy. A directory without control gives fs.ErrNotExist.
func openControl(disk Disk, dir string, now func() time.Time) (*controlFile, error) {
	file, err := disk.Open(filepath.Join(dir, controlName))
	if err != nil {
		return nil, fmt.Errorf("wal: open control: %w", err)
	}
	c := &controlFile{file: file, now: now}
	if err := c.read(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return c, nil
}

// read takes the newer of the valid copies. It reads what the medium holds: a copy that the last
// run failed to fsync may sit in the page cache, and must not be believed.
func (c *controlFile) read() error {
	if err := c.file.Sync(); err != nil {
		return fmt.Errorf("wal: sync control: %w", err)
	}
	if err := c.file.DropCache(); err != nil {
		return fmt.Errorf("wal: read control: %w", err)
	}
	b := make([]byte, controlCopies*controlBlockSize)
	n, err := c.file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("wal: read control: %w", err)
	}
	var reason error
	for i := range controlCopies {
		lo := i * controlBlockSize
		cur, seq, err := decodeControl(b[min(lo, n):min(lo+controlBlockSize, n)])
		var unsupported *UnsupportedError
		if errors.As(err, &unsupported) {
			unsupported.Segment, unsupported.Offset = controlName, int64(lo)
			return err
		}
		if err != nil {
			reason = err
			continue
		}
		if seq > c.seq {
			c.seq = seq
			c.cur.Store(&cur)
		}
	}
	if c.seq == 0 {
		return &CorruptionError{Segment: controlName, Reason: "no valid copy: " + reason.Error()}
	}
	return nil
}

// createControl makes the file of a new directory. It has its name only once it is whole.
func createControl(disk Disk, dir string, first Control, now func() time.Time) error {
	first.Time = now().UnixMicro()
	block := encodeControl(&first, 1)
	return writeWhole(disk, dir, controlName, append(block, make([]byte, controlBlockSize)...))
}

// get returns the newest control.
func (c *controlFile) get() Control { return *c.cur.Load() }

// update changes control and makes the change durable, over the older copy.
func (c *controlFile) update(change func(*Control)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return c.fail
	}
	next := c.get()
	change(&next)
	next.Time = c.now().UnixMicro()
	if err := c.writeLocked(&next); err != nil {
		c.fail = err
		return err
	}
	c.cur.Store(&next)
	return nil
}

// updateBoth changes both copies, one after the other.
func (c *controlFile) updateBoth(change func(*Control)) error {
	for range controlCopies {
		if err := c.update(change); err != nil {
			return err
		}
	}
	return nil
}

// writeLocked writes the copy that seq says. REQUIRES: mu.
func (c *controlFile) writeLocked(next *Control) error {
	seq := c.seq + 1
	at := int64((seq - 1) % controlCopies * controlBlockSize)
	if _, err := c.file.WriteAt(encodeControl(next, seq), at); err != nil {
		return fmt.Errorf("wal: write control: %w", err)
	}
	if err := c.file.Sync(); err != nil {
		return fmt.Errorf("wal: sync control: %w", err)
	}
	c.seq = seq
	return nil
}

func (c *controlFile) close() error { return c.file.Close() }

// writeWhole replaces a small file in one step: it is there whole, or as it was.
func writeWhole(disk Disk, dir, name string, content []byte) (err error) {
	temp, path := filepath.Join(dir, name+".new"), filepath.Join(dir, name)
	if err := disk.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("wal: write %s: %w", name, err)
	}
	file, err := disk.Create(temp)
	if err != nil {
		return fmt.Errorf("wal: write %s: %w", name, err)
	}
	_, err = file.WriteAt(content, 0)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("wal: write %s: %w", name, err)
	}
	if err := disk.Rename(temp, path); err != nil {
		return fmt.Errorf("wal: write %s: %w", name, err)
	}
	if err := disk.SyncDir(dir); err != nil {
		return fmt.Errorf("wal: write %s: %w", name, err)
	}
	return nil
}
