package wal

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Entry is one record to append. LSN and End are filled in by Append.
type Entry struct {
	Type    RecordType
	Payload []byte
	LSN     LSN
	End     LSN
}

const (
	// groupSizeMax bounds a group, together with half a segment: with records of at most a
	// quarter of one, a group then meets at most one segment's end.
	groupSizeMax = 4 << 20

	// arenaSizeMin is what the arena starts with; it grows up to a group's bound and stays.
	arenaSizeMin = 64 << 10
)

// head is where the log is being written. It belongs to the leader.
type head struct {
	link
	limit   LSN      // end of the segment being written; equal to end when there is none
	segment *segment // nil until the first record after start-up needs one
	arena   []byte   // encoded records of one group, reused by the next
	split   int      // bytes of arena that belong to segment; the rest to next
	next    *segment // entered by the group being encoded
	clean   bool     // the epoch before this one ended in order
}

// MaxPayload is the largest payload of one record.
func (l *Log) MaxPayload() int { return MaxPayload(l.segs.size) }

// MaxGroup is the largest sum of a group's records, each with its header and padding.
func (l *Log) MaxGroup() int { return int(min(groupSizeMax, l.segs.size/2)) }

// RecordSize is what a record with this payload counts for in a group.
func RecordSize(payload int) int { return paddedSize(payload) }

// NextLSN is where a record with a payload of this size would begin if it were appended next.
func (l *Log) NextLSN(payload int) LSN {
	if l.head.end+LSN(paddedSize(payload)) <= l.head.limit {
		return l.head.end
	}
	return l.head.limit + segmentRecordSize
}

// Append gives every entry of the group its position and writes them all into the page cache with
// one write, two where a segment ends. On return written has passed the last of them. With an
// error that is not ErrPoisoned nothing was appended.
func (l *Log) Append(group []Entry) error {
	id := l.epoch.Load()
	if id == nil {
		return ErrNoEpoch
	}
	return l.append(*id, group)
}

func (l *Log) append(id EpochID, group []Entry) error {
	if err := l.reserve(id, group); err != nil {
		return err
	}
	return l.put(id, group)
}

// reserve gives the entries their positions and gets the segment they need. Nothing is encoded
// yet: a full disk must find the log untouched.
func (l *Log) reserve(id EpochID, group []Entry) error {
	if err := l.err(); err != nil {
		return err
	}
	switches, err := l.layout(group)
	if err != nil || !switches {
		return err
	}
	return l.openNext(id)
}

// put encodes and writes a group that reserve has made room for.
func (l *Log) put(id EpochID, group []Entry) error {
	l.encode(id, group)
	if err := l.write(); err != nil {
		l.poison(err)
		return l.err()
	}
	l.stats.appended(group, len(l.head.arena))
	l.flusher.appended()
	return nil
}

// layout gives the entries their positions and says whether they meet the segment's end.
func (l *Log) layout(group []Entry) (switches bool, err error) {
	end, limit, sum := l.head.end, l.head.limit, 0
	for i := range group {
		e := &group[i]
		size := paddedSize(len(e.Payload))
		if len(e.Payload) > l.MaxPayload() {
			return false, fmt.Errorf("%w: payload of %d bytes, at most %d",
				ErrRecordTooLarge, len(e.Payload), l.MaxPayload())
		}
		if sum += size; sum > l.MaxGroup() {
			return false, fmt.Errorf("%w: over %d bytes", ErrGroupTooLarge, l.MaxGroup())
		}
		if end+LSN(size) > limit {
			end, limit = limit+segmentRecordSize, limit+LSN(l.segs.size)
			switches = true
		}
		e.LSN, e.End = end, end+LSN(size)
		end = e.End
	}
	return switches, nil
}

// openNext gets the file of the segment behind limit, under its name and durably so.
func (l *Log) openNext(id EpochID) error {
	start := l.head.limit
	name := SegmentName(id.Timeline, start, l.segs.size)
	file, err := l.preparer.take(l.ctx, filepath.Join(l.segs.dir, name))
	if err != nil {
		return l.refused(err)
	}
	next := &segment{start: start, name: name, file: file}
	// Known to the flusher before its first byte is written, so that no fsync round whose target
	// lies in it can miss it (W2).
	l.mu.Lock()
	l.unflushed = append(l.unflushed, next)
	l.mu.Unlock()
	l.head.next = next
	return nil
}

// refused turns the failure to get a segment into what Append answers. A full disk leaves the log
// as it was; anything else leaves the directory in doubt.
func (l *Log) refused(err error) error {
	switch {
	case l.ctx.Err() != nil:
		return ErrClosed
	case errors.Is(err, ErrNoSpace):
		return err
	}
	l.poison(err)
	return l.err()
}

// encode puts the group, a filler and a segment record where they are needed, into the arena.
func (l *Log) encode(id EpochID, group []Entry) {
	h := &l.head
	h.arena, h.split = h.arena[:0], -1
	flushed := l.Flushed()
	for i := range group {
		e := &group[i]
		if e.LSN >= h.limit {
			l.fill(id, flushed)
			l.enterNext(id, flushed)
		}
		h.put(&Record{Type: e.Type, EpochID: id, Flushed: flushed, Payload: e.Payload})
		if h.lsn != e.LSN || h.end != e.End {
			panic("wal: layout and encoding of a group disagree")
		}
	}
	l.inserted.Store(uint64(h.end))
}

// put encodes one record behind the log's end.
func (h *head) put(r *Record) {
	r.LSN, r.Prev, r.PrevCRC = h.end, h.lsn, h.crc
	h.arena = AppendRecord(h.arena, r)
	h.link = link{end: r.End, lsn: r.LSN, crc: r.CRC, id: r.EpochID}
}

// fill ends the segment with a noop, or with the zeros that are there if a header does not fit.
func (l *Log) fill(id EpochID, flushed LSN) {
	h := &l.head
	if left := h.limit - h.end; left >= HeaderSize {
		h.put(&Record{Type: TypeNoop, EpochID: id, Flushed: flushed, Length: uint32(left)})
	}
	h.end = h.limit
}

// enterNext begins the segment behind limit with its first record.
func (l *Log) enterNext(id EpochID, flushed LSN) {
	h := &l.head
	h.split = len(h.arena)
	h.limit += LSN(l.segs.size)
	var payload [segmentHeaderSize]byte
	h.put(&Record{
		Type: TypeSegment, EpochID: id, Flushed: flushed,
		Payload: AppendSegment(payload[:0], &SegmentHeader{
			Version: FormatVersion, SystemID: l.segs.systemID, SegmentSize: l.segs.size,
		}),
	})
}

// write puts the arena into the page cache and moves written.
func (l *Log) write() error {
	h := &l.head
	first := h.arena
	if h.split >= 0 {
		first = h.arena[:h.split]
	}
	if len(first) > 0 {
		if err := l.writeAt(h.segment, first, l.Written()); err != nil {
			return err
		}
	}
	if h.split >= 0 {
		h.segment, h.next = h.next, nil
		if err := l.writeAt(h.segment, h.arena[h.split:], h.segment.start); err != nil {
			return err
		}
	}
	l.written.Store(uint64(h.end))
	return nil
}

func (l *Log) writeAt(s *segment, b []byte, pos LSN) error {
	if _, err := s.file.WriteAt(b, offset(pos, l.segs.size)); err != nil {
		return fmt.Errorf("write %d bytes at %s in segment %s: %w", len(b), pos, s.name, err)
	}
	return nil
}

// SwitchSegment fills up the segment being written, so that its file is complete and the next
// record begins another. It returns where the log ends then. A segment that nothing but its first
// record has been written to is left as it is.
func (l *Log) SwitchSegment() (LSN, error) {
	id := l.epoch.Load()
	if id == nil {
		return 0, ErrNoEpoch
	}
	if err := l.err(); err != nil {
		return 0, err
	}
	h := &l.head
	if h.limit-h.end < HeaderSize || offset(h.end, l.segs.size) == segmentRecordSize {
		return h.end, nil
	}
	h.arena, h.split = h.arena[:0], -1
	l.fill(*id, l.Flushed())
	l.inserted.Store(uint64(h.end))
	if err := l.write(); err != nil {
		l.poison(err)
		return 0, l.err()
	}
	l.flusher.appended()
	return h.end, nil
}
