package wal

import (
	"errors"
	"io"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// directAlign satisfies every logical block size in use (512 and 4096).
	directAlign = 4096

	// directWindowBytes is read at once: recovery walks forward in small steps, and each step
	// would otherwise be a read of the medium.
	directWindowBytes = 256 << 10
)

// directReader reads a file past the page cache. O_DIRECT wants offset, length and memory
// aligned, so it reads aligned windows and copies out of them. The last window is kept; nothing
// may write the file while a directReader lives, which stdFile sees to.
type directReader struct {
	file *os.File

	mu     sync.Mutex
	window []byte // guarded by mu; aligned memory
	start  int64  // guarded by mu; file offset of window
	filled int    // guarded by mu; bytes of window that hold the file
}

func newDirectReader(file *os.File) *directReader {
	raw := make([]byte, directWindowBytes+directAlign)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(raw)))) & (directAlign - 1)
	return &directReader{file: file, window: raw[skip : skip+directWindowBytes], start: -1}
}

func (r *directReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, &os.PathError{Op: "read", Path: r.file.Name(), Err: os.ErrInvalid}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	for total < len(p) {
		n, err := r.copyFrom(p[total:], off+int64(total))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// copyFrom copies what the window that holds off has for p. REQUIRES: mu.
func (r *directReader) copyFrom(p []byte, off int64) (int, error) {
	if err := r.fill(off - off%directWindowBytes); err != nil {
		return 0, err
	}
	at := int(off - r.start)
	if at >= r.filled {
		return 0, io.EOF
	}
	return copy(p, r.window[at:r.filled]), nil
}

// fill makes window hold the file from start on. REQUIRES: mu.
func (r *directReader) fill(start int64) error {
	if r.start == start {
		return nil
	}
	r.start, r.filled = -1, 0
	for r.filled < len(r.window) {
		n, err := unix.Pread(int(r.file.Fd()), r.window[r.filled:], start+int64(r.filled))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "read", Path: r.file.Name(), Err: err}
		}
		r.filled += n
		// An odd count is the file's end; going on from there would not be aligned.
		if n == 0 || n%directAlign != 0 {
			break
		}
	}
	r.start = start
	return nil
}

func (r *directReader) Close() error { return r.file.Close() }
