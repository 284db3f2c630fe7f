package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Epoch is one entry of the list of epochs: from Begin on the log was written in this epoch, by
// this node, up to the Begin of the next entry.
type Epoch struct {
	EpochID
	Begin LSN
	Node  uint64
}

// EpochList is every epoch of a log, oldest first. It is never recycled, so a receipt can be
// judged long after the log it names is gone. A list is not changed once it has been given out.
type EpochList []Epoch

// Last is the newest epoch, the zero Epoch for an empty list.
func (l EpochList) Last() Epoch {
	if len(l) == 0 {
		return Epoch{}
	}
	return l[len(l)-1]
}

// find returns the index of the entry of id, or -1.
func (l EpochList) find(id EpochID) int {
	return slices.IndexFunc(l, func(e Epoch) bool { return e.EpochID == id })
}

// with returns the list with e behind it.
func (l EpochList) with(e Epoch) EpochList {
	return append(slices.Clip(slices.Clone(l)), e)
}

// Before returns the list without the epochs that begin at or above pos.
func (l EpochList) Before(pos LSN) EpochList {
	n := slices.IndexFunc(l, func(e Epoch) bool { return e.Begin >= pos })
	if n < 0 {
		return l
	}
	return l[:n:n]
}

// timelineOf is the timeline in the name of the segment from start to end: the newest that begins
// before the segment's end.
func (l EpochList) timelineOf(end LSN) uint32 {
	for _, e := range slices.Backward(l) {
		if e.Begin < end {
			return e.Timeline
		}
	}
	return firstTimeline
}

const firstTimeline = 1

// Token is what a commit's receipt names: the end of its record, in the history that wrote it.
type Token struct {
	EpochID
	LSN LSN
}

// String prints a token as it is shown to a session: timeline.epoch/X/X.
func (t Token) String() string { return t.EpochID.String() + "/" + t.LSN.String() }

// ParseToken reads the form that String prints.
func ParseToken(s string) (Token, error) {
	fail := func() (Token, error) {
		return Token{}, fmt.Errorf("wal: parse token %q: want timeline.epoch/X/X", s)
	}
	id, position, ok := strings.Cut(s, "/")
	tli, epoch, okID := strings.Cut(id, ".")
	if !ok || !okID {
		return fail()
	}
	timeline, err := strconv.ParseUint(tli, 10, 32)
	if err != nil {
		return fail()
	}
	e, err := strconv.ParseUint(epoch, 16, 64)
	if err != nil {
		return fail()
	}
	lsn, err := ParseLSN(position)
	if err != nil {
		return fail()
	}
	return Token{EpochID: EpochID{Timeline: uint32(timeline), Epoch: e}, LSN: lsn}, nil
}

// Status is what can be said about a commit from its token.
type Status uint8

// The verdicts on a token.
const (
	StatusUnknown Status = iota
	StatusDurable
	StatusLost
)

func (s Status) String() string { return [...]string{"unknown", "durable", "lost"}[s] }

// Judge says what became of the commit a token names, in the history this list describes, whose
// log is flushed up to flushed. It needs no log.
func (l EpochList) Judge(t Token, flushed LSN) Status {
	i := l.find(t.EpochID)
	if i < 0 {
		return l.judgeStranger(t)
	}
	if i+1 < len(l) && t.LSN > l[i+1].Begin {
		return StatusLost // its epoch ended below it
	}
	if t.LSN > l[i].Begin && t.LSN <= flushed {
		return StatusDurable
	}
	return StatusUnknown
}

// judgeStranger judges a token of an epoch that is not in the list. The list has every epoch of
// its history, and counters and timelines only grow along one: an epoch that would have to stand
// before the last entry stands in no future of this history. A later one may, once it gets here. So
// may any of a later timeline, however its counter compares: a node that was deposed and has
// started again has counted on by itself, and what it did is what goes when it rejoins.
func (l EpochList) judgeStranger(t Token) Status {
	last := l.Last()
	switch {
	case t.Timeline > last.Timeline:
		return StatusUnknown
	case t.Timeline < last.Timeline || t.Counter() <= last.Counter():
		return StatusLost
	}
	return StatusUnknown
}

// The file epochs:
//
//	 0       8     12        16
//	+-------+-----+---------+---------------------------------------------------+-----
//	| magic | crc | version | timeline u32, zero u32, epoch, begin, node: u64s  | ...
//	+-------+-----+---------+---------------------------------------------------+-----
//
// crc is CRC-32C over everything behind itself. The number of entries follows from the size. The
// file is replaced as a whole: it grows by one entry a start.
const (
	epochsName       = "epochs"
	epochsMagic      = 0x48434f5045_6b6361 // "ackEPOCH"
	epochsVersion    = 1
	epochsHeaderSize = 16
	epochSize        = 32
)

// EncodeEpochs makes the file epochs of a list.
func EncodeEpochs(l EpochList) []byte {
	le := binary.LittleEndian
	b := make([]byte, epochsHeaderSize, epochsHeaderSize+len(l)*epochSize)
	le.PutUint64(b, epochsMagic)
	le.PutUint32(b[12:], epochsVersion)
	for _, e := range l {
		b = le.AppendUint64(b, uint64(e.Timeline))
		b = le.AppendUint64(b, e.Epoch)
		b = le.AppendUint64(b, uint64(e.Begin))
		b = le.AppendUint64(b, e.Node)
	}
	le.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli))
	return b
}

func decodeEpochs(b []byte) (EpochList, error) {
	le := binary.LittleEndian
	switch {
	case len(b) < epochsHeaderSize || le.Uint64(b) != epochsMagic:
		return nil, badFrame("no list of epochs")
	case crc32.Checksum(b[12:], castagnoli) != le.Uint32(b[8:]):
		return nil, badFrame("crc of the list of epochs does not match")
	case le.Uint32(b[12:]) != epochsVersion:
		return nil, &UnsupportedError{What: "epochs version " + itoa(uint64(le.Uint32(b[12:])))}
	case (len(b)-epochsHeaderSize)%epochSize != 0:
		return nil, badFrame("list of epochs ends inside an entry")
	}
	var list EpochList
	for b = b[epochsHeaderSize:]; len(b) > 0; b = b[epochSize:] {
		e := Epoch{
			EpochID: EpochID{Timeline: le.Uint32(b), Epoch: le.Uint64(b[8:])},
			Begin:   LSN(le.Uint64(b[16:])),
			Node:    le.Uint64(b[24:]),
		}
		last := list.Last()
		if le.Uint32(b[4:]) != 0 || !e.EpochID.follows(last.EpochID) || e.Begin < last.Begin {
			return nil, badFrame("entry %d of the list of epochs does not follow the one before",
				len(list))
		}
		list = append(list, e)
	}
	return list, nil
}

// readEpochs reads the list; a directory without the file gives an empty one.
func readEpochs(disk Disk, dir string) (EpochList, error) {
	b, err := readWhole(disk, filepath.Join(dir, epochsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wal: read epochs: %w", err)
	}
	list, err := decodeEpochs(b)
	var unsupported *UnsupportedError
	if errors.As(err, &unsupported) {
		unsupported.Segment = epochsName
		return nil, err
	}
	if err != nil {
		return nil, &CorruptionError{Segment: epochsName, Reason: err.Error()}
	}
	return list, nil
}

func readWhole(disk Disk, path string) (b []byte, err error) {
	file, err := disk.OpenRead(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	b = make([]byte, size)
	if _, err := file.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}
