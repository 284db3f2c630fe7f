package wal

import (
	"context"
	"errors"
)

// RawReader reads the log as it stands on disk, up to flushed and never past it (W3).
type RawReader struct {
	log      *Log
	timeline uint32
	pos      LSN
}

// RawReader begins to read timeline at from.
func (l *Log) RawReader(timeline uint32, from LSN) (*RawReader, error) {
	return &RawReader{log: l, timeline: timeline, pos: from}, nil
}

// Read fills buf.
func (r *RawReader) Read(buf []byte) (pos LSN, n int, err error) {
	return r.pos, 0, errors.New("wal: not yet: RawReader")
}

// Wait returns when there may be more to read.
func (r *RawReader) Wait(ctx context.Context) error { return r.log.waitPast(ctx, r.pos) }

// Position is the next byte to be read.
func (r *RawReader) Position() LSN { return r.pos }

// Close gives the reader's file back.
func (r *RawReader) Close() error { return nil }
