package wal

import (
	"errors"
	"fmt"
	"io"
)

// Link is where a log stands behind a whole record: what a handshake compares.
type Link struct {
	End LSN    // of the record
	CRC uint32 // of the record, 0 at the start of the log
	EpochID
}

// Tail is the last whole record of a standby's log. A filler or segment record that leads to an
// epoch which has not begun is no one's, and does not count.
func (l *Log) Tail() Link {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	return Link{End: l.head.end, CRC: l.head.crc, EpochID: l.head.id}
}

// LinkAt is the record that ends at end. It reads that record's segment up to it.
func (l *Log) LinkAt(end LSN) (link Link, err error) {
	first := firstLSN(l.segs.size)
	switch {
	case end == first:
		return Link{End: first}, nil
	case end < first:
		return link, fmt.Errorf("%w: %s", ErrNoRecord, end)
	case end > l.Flushed():
		return link, fmt.Errorf("%w: %s, flushed is %s", ErrNotFlushed, end, l.Flushed())
	}
	// A position inside a payload may read as a record, so the only way is along the records.
	c, err := l.Cursor(segmentStart(end-1, l.segs.size))
	if err != nil {
		return link, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for c.chain.end < end {
		if _, err := c.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return link, err
		}
	}
	if c.chain.end != end {
		return link, fmt.Errorf("%w: %s", ErrNoRecord, end)
	}
	return Link{End: end, CRC: c.chain.crc, EpochID: c.chain.id}, nil
}
