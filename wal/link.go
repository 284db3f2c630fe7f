package wal

import "errors"

// Link is where a log stands behind a whole record: what a handshake compares.
type Link struct {
	End LSN    // of the record
	CRC uint32 // of the record, 0 at the start of the log
	EpochID
}

// Tail is the last whole record.
func (l *Log) Tail() Link { return Link{End: l.head.end, CRC: l.head.crc, EpochID: l.head.id} }

// LinkAt is the record that ends at end.
func (l *Log) LinkAt(end LSN) (Link, error) { return Link{}, errors.New("wal: not yet: LinkAt") }
