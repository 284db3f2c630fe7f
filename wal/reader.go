package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// readerWindow is how much a reader asks of a file at once.
const readerWindow = 256 << 10

// reader reads frames by position, one segment file open at a time. It belongs to one goroutine.
type reader struct {
	segs segments

	// open opens the segment starting at a position.
	open func(start LSN) (File, error)

	file     File
	start    LSN    // of the open segment
	timeline uint32 // in its name

	window []byte
	from   LSN // position of the window's first byte
}

func newReader(segs segments, open func(start LSN) (File, error)) *reader {
	return &reader{segs: segs, open: open}
}

func (r *reader) close() error {
	if r.file == nil {
		return nil
	}
	file := r.file
	r.file, r.window = nil, r.window[:0]
	return file.Close()
}

// bytes gives n bytes at pos, all of one segment, valid until the next call. limit is where
// reading ahead must stop: bytes behind it may still change.
func (r *reader) bytes(pos LSN, n int64, limit LSN) ([]byte, error) {
	if err := r.enter(segmentStart(pos, r.segs.size)); err != nil {
		return nil, err
	}
	if pos < r.from || pos+LSN(n) > r.from+LSN(len(r.window)) {
		if err := r.fill(pos, n, limit); err != nil {
			return nil, err
		}
	}
	at := int64(pos - r.from)
	return r.window[at : at+n : at+n], nil
}

// peek gives what the window holds from pos on, at least n bytes of pos's segment.
func (r *reader) peek(pos LSN, n int64) ([]byte, error) {
	if _, err := r.bytes(pos, n, noLimit); err != nil {
		return nil, err
	}
	return r.window[pos-r.from:], nil
}

// enter opens the segment that begins at start. Behind a promotion the segment of the fork has
// another name; the file of the old name ends at the fork, so the reader changes over.
func (r *reader) enter(start LSN) error {
	timeline := r.segs.timeline(start)
	if r.file != nil && r.start == start && r.timeline == timeline {
		return nil
	}
	if err := r.close(); err != nil {
		return err
	}
	file, err := r.open(start)
	if errors.Is(err, fs.ErrNotExist) {
		return errMissing
	}
	if err != nil {
		return fmt.Errorf("wal: open segment %s: %w", r.segs.name(start), err)
	}
	r.file, r.start, r.timeline, r.window = file, start, timeline, r.window[:0]
	return nil
}

func (r *reader) fill(pos LSN, n int64, limit LSN) error {
	ahead := min(segmentEnd(pos, r.segs.size), limit) - pos
	want := max(n, min(readerWindow, int64(ahead)))
	if int64(cap(r.window)) < want {
		r.window = make([]byte, max(want, readerWindow))
	}
	r.window = r.window[:want]
	got, err := r.file.ReadAt(r.window, offset(pos, r.segs.size))
	r.from, r.window = pos, r.window[:got]
	if int64(got) >= n {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return badFrame("segment file is too short")
	}
	return fmt.Errorf("wal: read segment %s: %w", r.segs.name(pos), err)
}

// frame reads and verifies the record at pos by itself; whether it belongs there is for a chain
// to say. What is no record is a *frameError, whose position is pos.
func (r *reader) frame(pos, limit LSN) (Record, error) {
	room := int64(segmentEnd(pos, r.segs.size) - pos)
	head, err := r.bytes(pos, HeaderSize, limit)
	if err != nil {
		return Record{}, err
	}
	rec, err := checkHeader(head, pos, room)
	if err != nil {
		return rec, err
	}
	body := head
	if rec.Type != TypeNoop {
		if body, err = r.bytes(pos, rec.size(), limit); err != nil {
			return rec, err
		}
	}
	if err := checkRecord(body, &rec); err != nil {
		return rec, r.placed(err, pos)
	}
	if rec.Type == TypeNoop {
		return rec, r.zeros(pos+HeaderSize, rec.End, limit)
	}
	if rec.Type == TypeSegment {
		return rec, r.placed(checkSegmentRecord(&rec, &r.segs), pos)
	}
	return rec, nil
}

// zeros checks that the log reads as zeros from pos to end, both of one segment.
func (r *reader) zeros(pos, end, limit LSN) error {
	for pos < end {
		n := min(int64(end-pos), readerWindow)
		b, err := r.bytes(pos, n, limit)
		if err != nil {
			return err
		}
		if !allZero(b) {
			return badFrame("filler is not zeros")
		}
		pos += LSN(n)
	}
	return nil
}

// checkSegmentRecord checks that the segment record rec is of this log.
func checkSegmentRecord(rec *Record, segs *segments) error {
	h, err := DecodeSegment(rec.Payload)
	if err != nil {
		return err
	}
	if h.SegmentSize != segs.size {
		return &MismatchError{
			File: segs.name(rec.LSN), What: "segment size",
			Got: uint64(h.SegmentSize), Want: uint64(segs.size),
		}
	}
	if h.SystemID != segs.systemID {
		return &MismatchError{
			File: segs.name(rec.LSN), What: "system identifier",
			Got: h.SystemID, Want: segs.systemID,
		}
	}
	return nil
}

// placed says where err was met, unless it is one of those that lead to a position by themselves.
func (r *reader) placed(err error, pos LSN) error {
	if errors.Is(err, errPayload) {
		return fmt.Errorf("wal: segment %s offset %d: %w",
			r.segs.name(pos), offset(pos, r.segs.size), err)
	}
	var unsupported *UnsupportedError
	if errors.As(err, &unsupported) && unsupported.Segment == "" {
		unsupported.Segment = r.segs.name(pos)
		unsupported.Offset = offset(pos, r.segs.size)
	}
	return err
}

// next finds where the record behind the log's position end begins: there, or in the next segment
// when what is left of this one is less than a header. That rest must be zeros.
func (r *reader) next(end, limit LSN) (LSN, error) {
	if end == segmentStart(end, r.segs.size) {
		return end, nil
	}
	segEnd := segmentEnd(end, r.segs.size)
	if segEnd-end >= HeaderSize {
		return end, nil
	}
	if err := r.zeros(end, segEnd, limit); err != nil {
		return end, err
	}
	return segEnd, nil
}
