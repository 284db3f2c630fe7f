package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Cursor reads the log forward, up to flushed and never past it (W3). It belongs to one goroutine.
// It passes over fillers and segment records. A cursor pins nothing: whoever holds one keeps
// Recycle below it.
type Cursor struct {
	log    *Log
	reader *reader
	chain  chain
}

// Cursor begins to read at from, the beginning or the end of a record; 0 means at the oldest
// record kept.
func (l *Log) Cursor(from LSN) (*Cursor, error) {
	oldest := LSN(l.oldest.Load())
	if from == 0 {
		from = oldest
	}
	switch {
	case from < oldest:
		return nil, fmt.Errorf("%w: %s, the oldest is %s", ErrRecycled, from, oldest)
	case from > l.Flushed():
		return nil, fmt.Errorf("%w: %s, flushed is %s", ErrNotFlushed, from, l.Flushed())
	}
	c := &Cursor{log: l, chain: chainFrom(l.segs.size, from)}
	if from == firstLSN(l.segs.size) {
		c.chain = wholeChain(l.segs.size)
	}
	c.reader = newReader(l.segs, func(start LSN) (File, error) {
		return l.segs.disk.OpenRead(filepath.Join(l.segs.dir, l.segs.name(start)))
	})
	return c, nil
}

// Next returns the next record, or io.EOF at flushed, where a later call may find more. Its
// payload is valid until the next call.
func (c *Cursor) Next() (Record, error) {
	for {
		rec, err := c.next()
		if err != nil || !rec.Type.leads() {
			return rec, err
		}
	}
}

func (c *Cursor) next() (Record, error) {
	flushed := c.log.Flushed()
	if c.chain.end >= flushed {
		return Record{}, io.EOF
	}
	pos, err := c.reader.next(c.chain.end, flushed)
	if err != nil {
		return Record{}, c.failed(err, c.chain.end)
	}
	if pos >= flushed {
		return Record{}, io.EOF
	}
	rec, err := c.reader.frame(pos, flushed)
	if err == nil && rec.End > flushed {
		err = badFrame("record ends at %s, beyond flushed", rec.End)
	}
	if err == nil {
		err = c.chain.accept(&rec)
	}
	return rec, c.failed(err, pos)
}

// failed turns a bad frame below flushed into what it is: damage, unless the segment was recycled
// under the cursor.
func (c *Cursor) failed(err error, pos LSN) error {
	var bad *frameError
	if !errors.As(err, &bad) {
		return err
	}
	if oldest := LSN(c.log.oldest.Load()); pos < oldest {
		return fmt.Errorf("%w: %s, the oldest is %s", ErrRecycled, pos, oldest)
	}
	return c.reader.segs.damaged(pos, c.log.Flushed(), bad.reason)
}

// Position is where the cursor stands: the end of the last record read.
func (c *Cursor) Position() LSN { return c.chain.end }

// Wait returns when there may be more to read. It does not hurry the flusher.
func (c *Cursor) Wait(ctx context.Context) error {
	return c.log.waitPast(ctx, c.chain.end)
}

// Close gives the cursor's file back.
func (c *Cursor) Close() error { return c.reader.close() }

// ReadRecord reads the one record that begins at pos. Its payload is the caller's.
func (l *Log) ReadRecord(pos LSN) (rec Record, err error) {
	if pos >= l.Flushed() {
		return rec, fmt.Errorf("%w: %s, flushed is %s", ErrNotFlushed, pos, l.Flushed())
	}
	c, err := l.Cursor(pos)
	if err != nil {
		return rec, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return c.next()
}
