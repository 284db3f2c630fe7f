package wal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// branch is the segment that a new timeline begins in, made and not yet in use: what the old
// timeline's has below the fork, and zeros. A power cut leaves a segment without timeline-begin,
// which recovery removes.
type branch struct {
	timeline uint32
	segment  *segment // nil when the fork is a segment's end: the next one has the new name anyway
}

// makeBranch makes the segment in which timeline begins at the log's tail, which must be flushed.
// With an error nothing is left of it but perhaps a file without meaning.
func (l *Log) makeBranch(timeline uint32) (*branch, error) {
	at := l.head.end
	b := &branch{timeline: timeline}
	start := segmentStart(at, l.segs.size)
	if at == start {
		return b, nil
	}
	name := SegmentName(timeline, at, l.segs.size)
	file, err := l.preparer.take(l.ctx, filepath.Join(l.segs.dir, name))
	if err != nil {
		return nil, l.refused(err)
	}
	b.segment = &segment{start: start, name: name, file: file}
	if err := l.copyBelow(at, file); err != nil {
		l.dropBranch(b)
		return nil, fmt.Errorf("wal: copy segment %s to %s: %w", l.segs.name(at), name, err)
	}
	return b, nil
}

// copyBelow copies what the segment with pos has below it to another, durably.
func (l *Log) copyBelow(pos LSN, to File) (err error) {
	from, err := l.segs.disk.OpenRead(l.segs.path(pos))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	step := make([]byte, readerWindow)
	for at, end := int64(0), offset(pos, l.segs.size); at < end; at += int64(len(step)) {
		step = step[:min(end-at, readerWindow)]
		if n, err := from.ReadAt(step, at); n < len(step) {
			return errors.Join(err, io.ErrUnexpectedEOF)
		}
		if _, err := to.WriteAt(step, at); err != nil {
			return err
		}
	}
	return to.Sync()
}

// dropBranch takes a branch back of which no record was written. Nobody reads it, and a file that
// stays behind is removed by the next recovery, so errors do not matter. The file is removed and
// not recycled: its name has not been in use long enough to be durable.
func (l *Log) dropBranch(b *branch) {
	if b.segment == nil {
		return
	}
	_ = b.segment.file.Close()
	_ = l.segs.disk.Remove(filepath.Join(l.segs.dir, b.segment.name))
}

// enterBranch has the log go on in the branch's segment. Everything below is flushed, so the
// flusher has nothing to do with the file of the old name, and will not look for it either: it
// looks for files only when written is above flushed.
func (l *Log) enterBranch(b *branch) error {
	if b.segment == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.head.segment
	for i, s := range l.unflushed {
		if s == old {
			l.unflushed[i] = b.segment
		}
	}
	l.head.segment = b.segment
	if err := old.file.Close(); err != nil {
		return fmt.Errorf("close segment %s: %w", old.name, err)
	}
	return nil
}
