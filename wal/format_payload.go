package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// The payloads, each a function to bytes and one back. Numbers are little endian.

// NameSizeMax bounds the user and application names in a commit record.
const NameSizeMax = 63

// errPayload is wrapped by every decoder below: the record's crc held but its payload does not
// read, so a bug or another version wrote it.
var errPayload = errors.New("wal: malformed payload")

func payloadError(t RecordType, why string) error {
	return fmt.Errorf("%w of %s record: %s", errPayload, t, why)
}

func itoa(v uint64) string { return strconv.FormatUint(v, 10) }

// Level is the durability a commit promised, in the order of strength.
type Level uint8

// The values of synchronous_commit. The numbers are part of the format.
const (
	LevelOff         Level = 0
	LevelLocal       Level = 1
	LevelRemoteWrite Level = 2
	LevelOn          Level = 3
	LevelRemoteApply Level = 4
)

var levelNames = [...]string{"off", "local", "remote_write", "on", "remote_apply"}

func (l Level) String() string {
	if int(l) >= len(levelNames) {
		return "level " + itoa(uint64(l))
	}
	return levelNames[l]
}

// CommitHeader is what a commit record says before its operations:
//
//	 0      8            16         20      21       22      23     24
//	+------+------------+----------+-------+--------+-------+------+------+-----+-----+
//	| time | first data | op count | level | user n | app n | zero | user | app | ops |
//	+------+------------+----------+-------+--------+-------+------+------+-----+-----+
type CommitHeader struct {
	Time      int64 // microseconds since 1970
	Level     Level
	FirstData LSN    // of the transaction's first data record, 0 when it has none
	OpCount   uint32 // operations of the whole transaction, those in data records included
	User      string
	App       string
}

const commitHeaderSize = 24

// AppendCommit appends a commit payload to dst. ops are operations already encoded by AppendOp.
// Names longer than NameSizeMax are cut, as Postgres cuts them.
func AppendCommit(dst []byte, h *CommitHeader, ops []byte) []byte {
	user, app := clipName(h.User), clipName(h.App)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.Time))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.FirstData))
	dst = binary.LittleEndian.AppendUint32(dst, h.OpCount)
	dst = append(dst, byte(h.Level), byte(len(user)), byte(len(app)), 0)
	dst = append(dst, user...)
	dst = append(dst, app...)
	return append(dst, ops...)
}

// clipName cuts s to NameSizeMax bytes, never inside a character.
func clipName(s string) string {
	if len(s) <= NameSizeMax {
		return s
	}
	end := NameSizeMax
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// DecodeCommit is the reverse of AppendCommit; ops aliases src.
func DecodeCommit(src []byte) (h CommitHeader, ops []byte, err error) {
	if len(src) < commitHeaderSize {
		return h, nil, payloadError(TypeCommit, "shorter than its header")
	}
	userEnd := commitHeaderSize + int(src[21])
	appEnd := userEnd + int(src[22])
	if src[21] > NameSizeMax || src[22] > NameSizeMax || appEnd > len(src) {
		return h, nil, payloadError(TypeCommit, "names longer than allowed")
	}
	if src[23] != 0 {
		return h, nil, &UnsupportedError{What: "flag " + itoa(uint64(src[23])) + " of a commit"}
	}
	h = CommitHeader{
		Time:      int64(binary.LittleEndian.Uint64(src)),
		FirstData: LSN(binary.LittleEndian.Uint64(src[8:])),
		OpCount:   binary.LittleEndian.Uint32(src[16:]),
		Level:     Level(src[20]),
		User:      string(src[commitHeaderSize:userEnd]),
		App:       string(src[userEnd:appEnd]),
	}
	return h, src[appEnd:], nil
}

// OpKind says what an operation does.
type OpKind uint8

// The kinds of operation. The numbers are part of the format.
const (
	OpSet         OpKind = 1
	OpDelete      OpKind = 2
	OpDeleteRange OpKind = 3
)

// Op is one change to one table: a set, a delete, or a delete of the range [Key, Value).
type Op struct {
	Kind  OpKind
	Table uint32
	Key   []byte
	Value []byte
}

// ErrOpIncomplete: the bytes end inside an operation. In a stream cut into data records the rest
// of it begins the next piece.
var ErrOpIncomplete = errors.New("wal: operation continues in the next piece")

// opPartSizeMax bounds a key or a value, so that a damaged length cannot ask for memory. It is
// above the largest row there may be.
const opPartSizeMax = 1 << 27

// AppendOp appends kind, table, key and, except for a delete, value; numbers as uvarints.
func AppendOp(dst []byte, op Op) []byte {
	dst = append(dst, byte(op.Kind))
	dst = binary.AppendUvarint(dst, uint64(op.Table))
	dst = appendPart(dst, op.Key)
	if op.Kind == OpDelete {
		return dst
	}
	return appendPart(dst, op.Value)
}

func appendPart(dst, part []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(part)))
	return append(dst, part...)
}

// DecodeOp reads the operation at the front of src, which it aliases, and returns what is behind
// it. ErrOpIncomplete says that src ends too early.
func DecodeOp(src []byte) (op Op, rest []byte, err error) {
	if len(src) == 0 {
		return op, nil, ErrOpIncomplete
	}
	op.Kind = OpKind(src[0])
	if op.Kind < OpSet || op.Kind > OpDeleteRange {
		return op, nil, &UnsupportedError{What: "operation kind " + itoa(uint64(op.Kind))}
	}
	table, n := binary.Uvarint(src[1:])
	if n == 0 {
		return op, nil, ErrOpIncomplete
	}
	if n < 0 || table > 1<<32-1 {
		return op, nil, fmt.Errorf("%w: table id of an operation", errPayload)
	}
	op.Table = uint32(table)
	if op.Key, rest, err = decodePart(src[1+n:]); err != nil || op.Kind == OpDelete {
		return op, rest, err
	}
	op.Value, rest, err = decodePart(rest)
	return op, rest, err
}

func decodePart(src []byte) (part, rest []byte, err error) {
	size, n := binary.Uvarint(src)
	if n < 0 || size > opPartSizeMax {
		return nil, nil, fmt.Errorf("%w: length of a key or value", errPayload)
	}
	if n == 0 || uint64(len(src)-n) < size {
		return nil, nil, ErrOpIncomplete
	}
	end := n + int(size)
	return src[n:end:end], src[end:], nil
}

// DataHeader is what a data record says before its bytes: {first u64, piece u32, zero u32}.
// The first piece cannot know its own position when it is encoded, so it says 0.
type DataHeader struct {
	First LSN // of the transaction's piece 0
	Piece uint32
}

// DataHeaderSize is what a data record spends besides its bytes.
const DataHeaderSize = 16

// AppendData appends a data payload to dst.
func AppendData(dst []byte, h DataHeader, piece []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.First))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.Piece))
	return append(dst, piece...)
}

// DecodeData is the reverse of AppendData. It fills in First of a piece 0 from the record.
func DecodeData(r *Record) (h DataHeader, piece []byte, err error) {
	src := r.Payload
	if len(src) < DataHeaderSize {
		return h, nil, payloadError(TypeData, "shorter than its header")
	}
	h.First = LSN(binary.LittleEndian.Uint64(src))
	h.Piece = binary.LittleEndian.Uint32(src[8:])
	if flags := binary.LittleEndian.Uint32(src[12:]); flags != 0 {
		return h, nil, &UnsupportedError{What: "flag " + itoa(uint64(flags)) + " of a data record"}
	}
	if (h.Piece == 0) != (h.First == 0) {
		return h, nil, payloadError(TypeData, "piece 0 and only piece 0 has no first position")
	}
	if h.Piece == 0 {
		h.First = r.LSN
	}
	return h, src[DataHeaderSize:], nil
}

// AppendAbort appends an abort payload: the first data LSN of the transaction that failed.
func AppendAbort(dst []byte, first LSN) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(first))
}

// DecodeAbort is the reverse of AppendAbort.
func DecodeAbort(src []byte) (first LSN, err error) {
	if len(src) != 8 {
		return 0, payloadError(TypeAbort, "length is not 8")
	}
	return LSN(binary.LittleEndian.Uint64(src)), nil
}
