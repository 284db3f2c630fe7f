package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// RawReader reads the log of one timeline as it stands on disk, up to flushed and never past it
// (W3). It belongs to one goroutine. Like a Cursor it pins nothing.
type RawReader struct {
	log      *Log
	timeline uint32
	pos      LSN

	file  File // nil: none is open
	start LSN  // of the open segment
}

// RawReader begins to read a timeline at from, any position that is kept. What the timeline
// inherited from the ones before it belongs to it.
func (l *Log) RawReader(timeline uint32, from LSN) (*RawReader, error) {
	r := &RawReader{log: l, timeline: timeline, pos: from}
	if findTimeline(l.Epochs().timelines(), timeline) < 0 {
		return nil, fmt.Errorf("%w: %d", ErrUnknownTimeline, timeline)
	}
	if oldest := l.Oldest(); from < oldest {
		return nil, fmt.Errorf("%w: %s, the oldest is %s", ErrRecycled, from, oldest)
	}
	if limit, end := r.limit(); from > limit {
		if end != nil {
			return nil, fmt.Errorf("%w: %s, timeline %d ended at %s",
				ErrNotOnTimeline, from, timeline, end.Fork)
		}
		return nil, fmt.Errorf("%w: %s, flushed is %s", ErrNotFlushed, from, limit)
	}
	return r, nil
}

// limit is how far the timeline can be read now, and, once that is for good, how it ended.
//
// The order of the three loads matters. A fork is known as pending before flushed can pass it, and
// listed before it is forgotten as pending; so whoever sees flushed beyond it finds it in one of
// the places looked at afterwards, and never sends a byte of the new timeline as the old one's.
func (r *RawReader) limit() (LSN, *TimelineEndError) {
	flushed := r.log.Flushed()
	fork := r.log.dir.fork.Load()
	history := r.log.Epochs().timelines()
	i := findTimeline(history, r.timeline)
	if i+1 < len(history) {
		at := history[i+1].Fork
		if flushed <= at {
			return flushed, nil // timeline-begin is not durable: a power cut may take it back
		}
		return at, &TimelineEndError{Next: history[i+1].ID, Fork: at}
	}
	if fork != nil {
		return min(flushed, fork.at), nil
	}
	return flushed, nil
}

// Read fills buf with what stands at the reader's position, never across a segment's end. With n 0
// and no error there is nothing now. A *TimelineEndError comes exactly at the end of a timeline
// that another one followed.
func (r *RawReader) Read(buf []byte) (pos LSN, n int, err error) {
	limit, end := r.limit()
	if r.pos >= limit {
		if end != nil {
			return r.pos, 0, end
		}
		return r.pos, 0, nil
	}
	want := min(int64(len(buf)), int64(min(limit, segmentEnd(r.pos, r.log.segs.size))-r.pos))
	n, err = r.read(buf[:want])
	// Looked at behind the read: a segment is taken off this figure before it is zeroed, so bytes
	// read while it is still above are the log's.
	if oldest := r.log.Oldest(); r.pos < oldest {
		return r.pos, 0, fmt.Errorf("%w: %s, the oldest is %s", ErrRecycled, r.pos, oldest)
	}
	if err != nil {
		return r.pos, 0, err
	}
	pos = r.pos
	r.pos += LSN(n)
	return pos, n, nil
}

// read fills b from the segment that holds the position.
func (r *RawReader) read(b []byte) (int, error) {
	segs := &r.log.segs
	if start := segmentStart(r.pos, segs.size); r.file == nil || r.start != start {
		if err := r.Close(); err != nil {
			return 0, err
		}
		// Where two timelines share a segment the newer one's file is read for both: up to the
		// fork, which limit keeps to, they are equal.
		file, err := segs.disk.OpenRead(segs.path(r.pos))
		if errors.Is(err, fs.ErrNotExist) {
			return 0, segs.damaged(r.pos, r.log.Flushed(), errMissing.reason)
		}
		if err != nil {
			return 0, fmt.Errorf("wal: open segment %s: %w", segs.name(r.pos), err)
		}
		r.file, r.start = file, start
	}
	n, err := r.file.ReadAt(b, offset(r.pos, segs.size))
	switch {
	case n == len(b):
		return n, nil
	case err == nil || errors.Is(err, io.EOF):
		return 0, segs.damaged(r.pos+LSN(n), r.log.Flushed(), "segment file is too short")
	}
	return 0, fmt.Errorf("wal: read segment %s: %w", segs.name(r.pos), err)
}

// Wait returns when Read has something to say. It does not hurry the flusher.
func (r *RawReader) Wait(ctx context.Context) error {
	return r.log.follow(ctx, func() bool {
		limit, end := r.limit()
		return r.pos < limit || end != nil
	})
}

// Position is the next byte to be read.
func (r *RawReader) Position() LSN { return r.pos }

// Close gives the reader's file back.
func (r *RawReader) Close() error {
	if r.file == nil {
		return nil
	}
	file := r.file
	r.file = nil
	return file.Close()
}
