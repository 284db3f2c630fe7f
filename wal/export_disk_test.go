package wal

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// Preparer opens the segment preparer to tests, which live outside so that they can use waltest.
type Preparer struct{ *preparer }

func NewPreparer(disk Disk, dir string, size int64, onErr func(error)) (Preparer, error) {
	p, err := newPreparer(disk, dir, size, onErr)
	return Preparer{p}, err
}

func (p Preparer) Take(ctx context.Context, path string) (File, error) {
	return p.take(ctx, path)
}

func (p Preparer) Recycle(paths ...string) error { return p.recycle(paths...) }
func (p Preparer) Close()                        { p.close() }

// SetClock must be called before the first failure.
func (p Preparer) SetClock(now func() time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = now
}

const (
	PreparedAhead   = preparedAhead
	PreparedSpares  = preparedSpares
	PrepareRetryMin = prepareRetryMin
)

// Checksum is the one of records.
func Checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// SealControl gives a block of control another version and a crc that holds.
func SealControl(b []byte, version uint32) {
	binary.LittleEndian.PutUint32(b[12:], version)
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli))
}
