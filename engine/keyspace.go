package engine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ackdb/wal"
)

// TableID names a table in the store. Ids below FirstUserTable belong to the catalog.
type TableID uint32

const (
	// metaTable lies below every table, so that no DeleteRange a caller can ask for reaches the
	// marker: tables start at 1 and a range never leaves its table.
	metaTable TableID = 0

	// FirstUserTable is the first id that is not a system table.
	FirstUserTable TableID = 100

	// MaxTableID leaves one id above every table, so that a table always has an upper bound.
	MaxTableID TableID = 1<<32 - 2

	tablePrefixSize = 4
	rowLSNSize      = 8
)

// A key of the store:
//
//	 0        4
//	+--------+----------------+
//	| table  | row key ...    |   table big endian, so tables lie one after the other
//	+--------+----------------+
//
// and a value:
//
//	 0          8
//	+----------+--------------+
//	| commit   | value ...    |   end of the commit record that wrote it, big endian
//	+----------+--------------+
//
// The layout is part of the on-disk format.

// appendRowKey appends the store's key of a row.
func appendRowKey(dst []byte, table TableID, key []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(table))
	return append(dst, key...)
}

// tableSpan returns the bounds [lo, hi) of a table's keys in the store.
func tableSpan(table TableID) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint32(nil, uint32(table))
	hi = binary.BigEndian.AppendUint32(nil, uint32(table)+1)
	return lo, hi
}

// rowKey returns the row's part of a store key.
func rowKey(key []byte) []byte { return key[tablePrefixSize:] }

// splitValue takes a stored value apart. A value shorter than its LSN was not written by apply.
func splitValue(raw []byte) (wal.LSN, []byte, error) {
	if len(raw) < rowLSNSize {
		return 0, nil, fmt.Errorf("%w: stored value of %d bytes has no commit LSN",
			ErrCorruptStore, len(raw))
	}
	return wal.LSN(binary.BigEndian.Uint64(raw)), raw[rowLSNSize:], nil
}

// markerKey holds the marker {applied, redo} (E1).
var markerKey = []byte{0, 0, 0, 0, 'm'}

const markerSize = 16

// marker says what the store contains: every record that ends at or below applied, and that a
// replay has to begin at redo to know the pieces of transactions still open there.
type marker struct {
	applied wal.LSN
	redo    wal.LSN
}

func (m marker) put(dst []byte) {
	binary.BigEndian.PutUint64(dst, uint64(m.applied))
	binary.BigEndian.PutUint64(dst[8:], uint64(m.redo))
}

var errMarkerSize = errors.New("marker has a wrong size")

func decodeMarker(raw []byte) (marker, error) {
	if len(raw) != markerSize {
		return marker{}, fmt.Errorf("%w: %w: %d bytes", ErrCorruptStore, errMarkerSize, len(raw))
	}
	m := marker{
		applied: wal.LSN(binary.BigEndian.Uint64(raw)),
		redo:    wal.LSN(binary.BigEndian.Uint64(raw[8:])),
	}
	if m.redo > m.applied {
		return marker{}, fmt.Errorf("%w: marker redo %s above applied %s",
			ErrCorruptStore, m.redo, m.applied)
	}
	return m, nil
}
