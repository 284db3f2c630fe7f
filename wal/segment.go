package wal

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
)

// segmentNameSize is the length of a segment's file name: 24 hexadecimal digits, as Postgres has
// them, so that its tools archive and compare our segments.
const segmentNameSize = 24

// firstLSN is where a log of this segment size begins.
func firstLSN(segmentSize int64) LSN { return max(FirstLSN, LSN(segmentSize)) }

// segmentStart is the position of the first byte of the segment that holds pos.
func segmentStart(pos LSN, segmentSize int64) LSN { return pos &^ (LSN(segmentSize) - 1) }

// segmentEnd is the position behind the last byte of the segment that holds pos.
func segmentEnd(pos LSN, segmentSize int64) LSN {
	return segmentStart(pos, segmentSize) + LSN(segmentSize)
}

// SegmentName is the file name of the segment of this timeline that holds pos.
//
// For 16 MiB segments, timeline 1, position 2/0AB00000: 00000001 00000002 0000000A.
func SegmentName(timeline uint32, pos LSN, segmentSize int64) string {
	number, perHigh := uint64(pos)/uint64(segmentSize), uint64(1)<<32/uint64(segmentSize)
	return fmt.Sprintf("%08X%08X%08X", timeline, number/perHigh, number%perHigh)
}

// ParseSegmentName is the reverse of SegmentName; start is the segment's first position.
func ParseSegmentName(name string, segmentSize int64) (timeline uint32, start LSN, ok bool) {
	if len(name) != segmentNameSize {
		return 0, 0, false
	}
	var part [3]uint64
	for i := range part {
		v, err := parseHalf(name[8*i : 8*i+8])
		if err != nil {
			return 0, 0, false
		}
		part[i] = v
	}
	perHigh := uint64(1) << 32 / uint64(segmentSize)
	if part[2] >= perHigh {
		return 0, 0, false
	}
	start = LSN((part[1]*perHigh + part[2]) * uint64(segmentSize))
	timeline = uint32(part[0])
	return timeline, start, name == SegmentName(timeline, start, segmentSize)
}

// looksLikeSegment says whether a file could be a segment of any size.
func looksLikeSegment(name string) bool {
	if len(name) != segmentNameSize {
		return false
	}
	_, errA := strconv.ParseUint(name[:12], 16, 64)
	_, errB := strconv.ParseUint(name[12:], 16, 64)
	return errA == nil && errB == nil
}

// segment is one file of the log that may hold unflushed records.
type segment struct {
	start LSN
	name  string
	file  File
}

// offset is where pos stands in the segment that holds it.
func offset(pos LSN, segmentSize int64) int64 { return int64(pos) & (segmentSize - 1) }

// segments knows the files of one log by position.
type segments struct {
	disk Disk
	dir  string // the directory of the segments
	size int64

	systemID uint64

	// timeline gives the timeline in the name of the segment starting at a position. Behind a
	// promotion the fork's segment has the new timeline, the ones before it keep theirs.
	timeline func(start LSN) uint32
}

func (s *segments) name(pos LSN) string {
	start := segmentStart(pos, s.size)
	return SegmentName(s.timeline(start), start, s.size)
}

func (s *segments) path(pos LSN) string { return filepath.Join(s.dir, s.name(pos)) }

// segmentFile is one segment file there is, whatever its timeline.
type segmentFile struct {
	timeline uint32
	start    LSN
	path     string
}

// files lists every segment there is, ascending by position, then by timeline.
func (s *segments) files() ([]segmentFile, error) {
	names, err := s.disk.List(s.dir)
	if err != nil {
		return nil, fmt.Errorf("wal: list segments: %w", err)
	}
	var files []segmentFile
	for _, name := range names {
		if timeline, start, ok := ParseSegmentName(name, s.size); ok {
			files = append(files, segmentFile{timeline, start, filepath.Join(s.dir, name)})
		}
	}
	slices.SortFunc(files, func(a, b segmentFile) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.timeline, b.timeline))
	})
	return files, nil
}

// starts lists the positions of the log's segments there are, ascending.
func (s *segments) starts() ([]LSN, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	var starts []LSN
	for _, f := range files {
		if f.timeline == s.timeline(f.start) {
			starts = append(starts, f.start)
		}
	}
	return starts, nil
}

// before lists the paths of all segments that begin below start, of whatever timeline: what a fork
// left of its segment on the timeline it left goes with the copy that the log goes on in.
func (s *segments) before(start LSN) ([]string, error) {
	files, err := s.files()
	var paths []string
	for _, f := range files {
		if f.start < start {
			paths = append(paths, f.path)
		}
	}
	return paths, err
}

// damaged makes the error for damage at pos, below the durable point.
func (s *segments) damaged(pos, durable LSN, reason string) *CorruptionError {
	return &CorruptionError{
		Segment: s.name(pos), Offset: offset(pos, s.size),
		LSN: pos, Durable: durable, Reason: reason,
	}
}
