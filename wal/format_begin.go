package wal

import (
	"encoding/binary"
)

// FormatVersion is the version of the log's format, in every segment's first record.
const FormatVersion = 1

// segmentMagic is "ackdbLOG" read as a little endian number.
const segmentMagic = 0x474f4c6264_6b6361

// SegmentHeader is the payload of a segment record, the first of every segment:
//
//	 0       8         12     16                  24             32
//	+-------+---------+------+-------------------+--------------+
//	| magic | version | zero | system identifier | segment size |
//	+-------+---------+------+-------------------+--------------+
type SegmentHeader struct {
	Version     uint32
	SystemID    uint64
	SegmentSize int64
}

const segmentHeaderSize = 32

// segmentRecordSize is what the first record of a segment takes.
const segmentRecordSize = HeaderSize + segmentHeaderSize

// AppendSegment appends a segment payload to dst.
func AppendSegment(dst []byte, h *SegmentHeader) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, segmentMagic)
	dst = le.AppendUint64(dst, uint64(h.Version))
	dst = le.AppendUint64(dst, h.SystemID)
	return le.AppendUint64(dst, uint64(h.SegmentSize))
}

// DecodeSegment is the reverse of AppendSegment. The magic is judged first, then the version,
// then the rest, so that a later version is named and not taken for damage.
func DecodeSegment(src []byte) (h SegmentHeader, err error) {
	le := binary.LittleEndian
	if len(src) < 12 || le.Uint64(src) != segmentMagic {
		return h, payloadError(TypeSegment, "no magic")
	}
	h.Version = le.Uint32(src[8:])
	if h.Version != FormatVersion {
		return h, &UnsupportedError{What: "log format version " + itoa(uint64(h.Version))}
	}
	if len(src) != segmentHeaderSize || le.Uint32(src[12:]) != 0 {
		return h, payloadError(TypeSegment, "wrong length")
	}
	h.SystemID = le.Uint64(src[16:])
	h.SegmentSize = int64(le.Uint64(src[24:]))
	return h, nil
}

// Begin is the payload of an epoch-begin and of a timeline-begin record, which differ in their
// type alone: the first is a primary's start, the second a promotion.
//
//	 0       8            16         20            24       32     40     48      52     56
//	+-------+------------+----------+-------------+--------+------+------+-------+------+--------+
//	| epoch | prev epoch | timeline | prev timel. | ended  | node | time | flags | zero | reason |
//	+-------+------------+----------+-------------+--------+------+------+-------+------+--------+
type Begin struct {
	EpochID
	Previous EpochID
	Ended    LSN    // where the previous epoch ended and this one begins
	Node     uint64 // the node that began it
	Time     int64  // microseconds since 1970
	Clean    bool   // the previous epoch ended by a clean stop of this node
	Reason   string // of a promotion, for the history file
}

const (
	beginSize     = 56
	beginClean    = 1
	reasonSizeMax = 255
)

// AppendBegin appends a begin payload to dst; a reason longer than 255 bytes is cut.
func AppendBegin(dst []byte, b *Begin) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, b.Epoch)
	dst = le.AppendUint64(dst, b.Previous.Epoch)
	dst = le.AppendUint32(dst, b.Timeline)
	dst = le.AppendUint32(dst, b.Previous.Timeline)
	dst = le.AppendUint64(dst, uint64(b.Ended))
	dst = le.AppendUint64(dst, b.Node)
	dst = le.AppendUint64(dst, uint64(b.Time))
	var flags uint64
	if b.Clean {
		flags = beginClean
	}
	dst = le.AppendUint64(dst, flags)
	return append(dst, b.Reason[:min(len(b.Reason), reasonSizeMax)]...)
}

// DecodeBegin is the reverse of AppendBegin.
func DecodeBegin(src []byte) (b Begin, err error) {
	if len(src) < beginSize || len(src) > beginSize+reasonSizeMax {
		return b, payloadError(TypeEpochBegin, "wrong length")
	}
	le := binary.LittleEndian
	flags := le.Uint64(src[48:])
	if flags&^uint64(beginClean) != 0 {
		return b, &UnsupportedError{What: "flag " + itoa(flags) + " of an epoch's begin"}
	}
	return Begin{
		EpochID:  EpochID{Epoch: le.Uint64(src), Timeline: le.Uint32(src[16:])},
		Previous: EpochID{Epoch: le.Uint64(src[8:]), Timeline: le.Uint32(src[20:])},
		Ended:    LSN(le.Uint64(src[24:])),
		Node:     le.Uint64(src[32:]),
		Time:     int64(le.Uint64(src[40:])),
		Clean:    flags&beginClean != 0,
		Reason:   string(src[beginSize:]),
	}, nil
}
