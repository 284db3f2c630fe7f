package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// A record, little endian, at a position that is a multiple of 8:
//
//	 0        4          8        12         16
//	+--------+----------+--------+----------+
//	| crc    | prev crc | length | timeline |
//	+--------+----------+--------+----------+
//	| lsn               | previous lsn      |  32
//	+-------------------+-------------------+
//	| epoch             | flushed           |  48
//	+----+-----+--------+-------------------+
//	|type|flags| zero x6|  56: payload, then zeros up to a multiple of 8
//	+----+-----+--------+
//
// length counts header and payload without the padding. crc is CRC-32C over everything behind it,
// padding included, so that no bit of a record can flip unseen; a noop's crc covers its header
// only, since its body may be most of a segment, and the body must read as zeros instead.
// prev crc is the crc of the record before, whatever segment that is in: the chain.
const (
	// HeaderSize is the size of a record without its payload.
	HeaderSize = 56

	// recordAlign is the alignment of a record's position and of its length on disk.
	recordAlign = 8

	// recordSizeMax bounds every record but a noop, together with a quarter of a segment.
	recordSizeMax = 1 << 20
)

// RecordType says what a record's payload is. The values are part of the format.
type RecordType uint8

// The types of record. Zero is none of them, so that zeroed space never looks like a record.
const (
	TypeCommit        RecordType = 1
	TypeData          RecordType = 2
	TypeAbort         RecordType = 3
	TypeSegment       RecordType = 4
	TypeEpochBegin    RecordType = 5
	TypeTimelineBegin RecordType = 6
	TypeNoop          RecordType = 7
)

var typeNames = [...]string{
	TypeCommit: "commit", TypeData: "data", TypeAbort: "abort", TypeSegment: "segment",
	TypeEpochBegin: "epoch-begin", TypeTimelineBegin: "timeline-begin", TypeNoop: "noop",
}

func (t RecordType) String() string {
	if !t.known() {
		return "type " + itoa(uint64(t))
	}
	return typeNames[t]
}

func (t RecordType) known() bool { return t >= TypeCommit && t <= TypeNoop }

// begins reports whether the type begins an epoch.
func (t RecordType) begins() bool { return t == TypeEpochBegin || t == TypeTimelineBegin }

// leads reports whether a record of this type may stand between the end of one epoch and the
// record that begins the next: the filler of the last segment and the first record of the new.
func (t RecordType) leads() bool { return t == TypeNoop || t == TypeSegment }

// Record is one record as it stands in the log.
type Record struct {
	LSN     LSN // where it begins
	End     LSN // where the record behind it may begin: LSN + padded length
	Prev    LSN // where the record before it begins, 0 for the first
	Flushed LSN // flushed of the node that wrote it, when it appended
	EpochID
	Type    RecordType
	Flags   uint8
	Length  uint32 // header and payload, without padding
	CRC     uint32
	PrevCRC uint32
	Payload []byte // valid until the next read of the Cursor that gave it
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// paddedSize is the space a record with this payload takes in the log.
func paddedSize(payload int) int {
	return (HeaderSize + payload + recordAlign - 1) &^ (recordAlign - 1)
}

// size is the space the record takes in the log.
func (r *Record) size() int64 {
	return (int64(r.Length) + recordAlign - 1) &^ (recordAlign - 1)
}

// MaxPayload is the largest payload of a record in a log of this segment size.
func MaxPayload(segmentSize int64) int {
	return int(min(recordSizeMax, segmentSize/4)) - HeaderSize
}

// encodeHeader fills in the header of r at the front of b, all but the crc.
func encodeHeader(b []byte, r *Record) {
	le := binary.LittleEndian
	le.PutUint32(b[4:], r.PrevCRC)
	le.PutUint32(b[8:], r.Length)
	le.PutUint32(b[12:], r.Timeline)
	le.PutUint64(b[16:], uint64(r.LSN))
	le.PutUint64(b[24:], uint64(r.Prev))
	le.PutUint64(b[32:], r.Epoch)
	le.PutUint64(b[40:], uint64(r.Flushed))
	le.PutUint64(b[48:], uint64(r.Type)|uint64(r.Flags)<<8)
}

// decodeHeader reads the header at the front of b, of at least HeaderSize bytes, and checks
// nothing: see checkHeader.
func decodeHeader(b []byte) Record {
	le := binary.LittleEndian
	r := Record{
		PrevCRC: le.Uint32(b[4:]),
		Length:  le.Uint32(b[8:]),
		LSN:     LSN(le.Uint64(b[16:])),
		Prev:    LSN(le.Uint64(b[24:])),
		EpochID: EpochID{Timeline: le.Uint32(b[12:]), Epoch: le.Uint64(b[32:])},
		Flushed: LSN(le.Uint64(b[40:])),
		Type:    RecordType(b[48]),
		Flags:   b[49],
		CRC:     le.Uint32(b[0:]),
	}
	r.End = r.LSN + LSN(r.size())
	return r
}

// AppendRecord appends the record with r's header fields and payload to dst, and sets its
// Length, End and CRC. For a noop the payload must be empty and r.Length set: only the header is
// appended, the body is the zeros that are there already.
func AppendRecord(dst []byte, r *Record) []byte {
	start := len(dst)
	if r.Type != TypeNoop {
		r.Length = uint32(HeaderSize + len(r.Payload))
	}
	r.End = r.LSN + LSN(r.size())
	var zero [HeaderSize]byte
	dst = append(dst, zero[:]...)
	encodeHeader(dst[start:], r)
	if r.Type != TypeNoop {
		dst = append(dst, r.Payload...)
		dst = append(dst, zero[:r.size()-int64(r.Length)]...)
	}
	r.CRC = crc32.Checksum(dst[start+4:], castagnoli)
	binary.LittleEndian.PutUint32(dst[start:], r.CRC)
	return dst
}
