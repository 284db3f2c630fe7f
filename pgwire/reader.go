package pgwire

import (
	"encoding/binary"
	"sync/atomic"
)

// reader cuts the byte stream into messages. Its buffer starts small and grows by doubling as bytes
// arrive, never because a length was announced (P1): five bytes that announce a gigabyte cost five
// bytes. Only the connection's goroutine uses it.
type reader struct {
	// fill reads from the network into the slice, at least a byte.
	fill func([]byte) (int, error)
	// limit is the largest body a message of a type may have, or why the type is refused.
	limit  func(typ byte) (int, error)
	budget *budget

	buf        []byte
	start, end int // buf[start:end] has been read and not been handed out
	reserved   int64
}

const messageHeaderBytes = 5

// next returns the next message. The body is valid until the following call (P6).
func (r *reader) next() (typ byte, body []byte, err error) {
	r.shrink()
	if err := r.need(messageHeaderBytes); err != nil {
		return 0, nil, err
	}
	typ = r.buf[r.start]
	length := int64(int32(binary.BigEndian.Uint32(r.buf[r.start+1:])))
	limit, err := r.limit(typ)
	if err != nil {
		return 0, nil, err
	}
	if length < 4 || length-4 > int64(limit) {
		return 0, nil, Fatalf(CodeProtocolViolation, "invalid message length")
	}
	total := int(length) + 1
	if err := r.need(total); err != nil {
		return 0, nil, err
	}
	body = r.buf[r.start+messageHeaderBytes : r.start+total]
	r.start += total
	return typ, body, nil
}

// need reads until n bytes are there.
func (r *reader) need(n int) error {
	for r.end-r.start < n {
		if err := r.room(n); err != nil {
			return err
		}
		got, err := r.fill(r.buf[r.end:])
		if err != nil {
			return err
		}
		r.end += got
	}
	return nil
}

// room makes the buffer able to take at least one more byte of the n wanted.
func (r *reader) room(n int) error {
	if r.end < len(r.buf) && r.start+n <= len(r.buf) {
		return nil
	}
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.end -= r.start
		r.start = 0
	}
	if r.end < len(r.buf) {
		return nil
	}
	return r.grow(min(n, max(2*len(r.buf), readBufferBytes)))
}

func (r *reader) grow(size int) error {
	size = max(size, readBufferBytes)
	if size > readKeepBytes {
		more := int64(size) - r.reserved
		if !r.budget.take(more) {
			return Fatalf(CodeOutOfMemory,
				"out of memory: all connections together may buffer %d bytes of large messages",
				r.budget.max)
		}
		r.reserved += more
	}
	buf := make([]byte, size)
	copy(buf, r.buf[:r.end])
	r.buf = buf
	return nil
}

// shrink gives back what a large message needed once nothing of it is left.
func (r *reader) shrink() {
	if r.start == r.end {
		r.start, r.end = 0, 0
		if len(r.buf) > readKeepBytes {
			r.buf = make([]byte, readBufferBytes)
			r.release()
		}
	}
}

func (r *reader) release() {
	r.budget.give(r.reserved)
	r.reserved = 0
}

// budget is a number of bytes shared by all connections of an Endpoint.
type budget struct {
	max  int64
	used atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.max {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.used.Add(-n) }
