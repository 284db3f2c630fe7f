package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
)

// settleStep is how much is rewritten or zeroed at once.
const settleStep = readerWindow

// settle makes the log durable exactly as it was read: bytes from D to the end are written again,
// since a clean page in the cache proves nothing about the medium (W4), everything behind the end
// becomes zeros, and segments behind it lose their names. Bytes below the end are only ever
// replaced by themselves, so a crash in the middle changes nothing that counts.
func (r *recovery) settle() error {
	end := r.chain.tail().end
	from := max(r.report.From, min(r.durable.lsn, end))
	r.report.Rewritten = int64(end - from)
	start := segmentStart(from, r.segs.size)
	for ; start < end; start += LSN(r.segs.size) {
		if err := r.settleSegment(start, max(from, start), end); err != nil {
			return fmt.Errorf("wal: settle segment %s: %w", r.segs.name(start), err)
		}
	}
	if err := r.settleForks(); err != nil {
		return err
	}
	if err := r.dropOutside(end); err != nil {
		return fmt.Errorf("wal: drop segments behind %s: %w", end, err)
	}
	if err := r.segs.disk.SyncDir(r.segs.dir); err != nil {
		return fmt.Errorf("wal: settle: %w", err)
	}
	return nil
}

// settleSegment settles the segment that begins at start: from is the first byte to write again,
// end where the log ends, here or in a later segment.
func (r *recovery) settleSegment(start, from, end LSN) (err error) {
	if err := r.reader.close(); err != nil {
		return err
	}
	file, err := r.segs.disk.Open(r.segs.path(start))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err == nil && size < r.segs.size {
		err = file.Truncate(r.segs.size)
	}
	if err != nil {
		return err
	}
	segEnd := start + LSN(r.segs.size)
	same := func(b []byte) []byte { return b }
	if err := r.rewrite(file, from, min(end, segEnd), same); err != nil {
		return err
	}
	zeros := make([]byte, settleStep)
	zeroed := func(b []byte) []byte {
		if allZero(b) {
			return nil // on the medium already: it was read past the cache
		}
		return zeros[:len(b)]
	}
	if err := r.rewrite(file, max(end, start), segEnd, zeroed); err != nil {
		return err
	}
	return file.Sync()
}

// rewrite reads the medium from pos to end, all of one segment, and writes back what with makes of
// each piece; nil leaves the piece alone.
func (r *recovery) rewrite(file File, pos, end LSN, with func([]byte) []byte) error {
	for pos < end {
		n := min(int64(end-pos), settleStep)
		b, err := r.reader.bytes(pos, n, noLimit)
		if err != nil {
			return err
		}
		if b = with(b); b != nil {
			if _, err := file.WriteAt(b, offset(pos, r.segs.size)); err != nil {
				return err
			}
		}
		pos += LSN(n)
	}
	return nil
}

// dropOutside takes the names from the segments wholly behind the end, highest first, from those in
// front of a gap, which a crash in the middle of Recycle leaves, and from those of timelines that
// never began. The preparer gets the files, and zeroes them before they are used again.
func (r *recovery) dropOutside(end LSN) error {
	files, err := r.segs.files()
	if err != nil {
		return err
	}
	history := r.list().timelines()
	var paths []string
	for _, f := range slices.Backward(files) {
		inside := f.start < end && f.start >= r.oldest
		if !inside || f.timeline != r.segs.timeline(f.start) && !leftBehind(history, f, r.segs.size) {
			paths = append(paths, f.path)
		}
	}
	return r.preparer.recycle(paths...)
}

// leftBehind says whether f is what a fork left of its segment on the timeline it left: the log
// goes on in a copy, and this file ends at the fork for ever.
func leftBehind(history []Timeline, f segmentFile, size int64) bool {
	return slices.ContainsFunc(history, func(t Timeline) bool {
		return t.Parent == f.timeline && f.start < t.Fork && t.Fork < f.start+LSN(size)
	})
}

// settleForks zeroes what stands from each fork on in the segments left behind. Nothing should: a
// standby has no byte there. But these files are compared between nodes, and archived.
func (r *recovery) settleForks() error {
	for _, b := range r.forks {
		if b.Ended == segmentStart(b.Ended, r.segs.size) {
			continue
		}
		name := SegmentName(b.Previous.Timeline, b.Ended, r.segs.size)
		if err := r.settleFork(filepath.Join(r.segs.dir, name), b.Ended); err != nil {
			return fmt.Errorf("wal: settle segment %s: %w", name, err)
		}
	}
	return nil
}

// settleFork zeroes one segment left behind from pos on. One that is not there, as in a base
// backup, is not missed.
func (r *recovery) settleFork(path string, pos LSN) (err error) {
	file, err := r.segs.disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := errors.Join(file.Sync(), file.DropCache()); err != nil {
		return err
	}
	rest := make([]byte, r.segs.size-offset(pos, r.segs.size))
	n, err := file.ReadAt(rest, offset(pos, r.segs.size))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n == len(rest) && allZero(rest) {
		return nil
	}
	clear(rest)
	if _, err := file.WriteAt(rest, offset(pos, r.segs.size)); err != nil {
		return err
	}
	return file.Sync()
}

// finishCut finishes a shortening of the log that control says was decided: segments from the
// highest down, zeros from the cut on, the list of epochs, and only then the word in control.
func (d *Dir) finishCut(start Start) error {
	cut := d.Control().Cut
	if cut.At == 0 {
		return nil
	}
	if start.Applied > cut.At {
		return fmt.Errorf("%w: its marker %s is beyond the cut at %s",
			ErrStoreAhead, start.Applied, cut.At)
	}
	segs := d.segments()
	segs.timeline = func(LSN) uint32 { return cut.Timeline }
	if err := segs.removeFrom(cut.At); err != nil {
		return fmt.Errorf("wal: cut the log at %s: %w", cut.At, err)
	}
	if err := d.saveEpochs(d.Epochs().Before(cut.At)); err != nil {
		return fmt.Errorf("wal: cut the log at %s: %w", cut.At, err)
	}
	// Both copies: were the older one left to say "cut", damage to the newer would have the next
	// start cut off what has been written since.
	return d.control.updateBoth(func(c *Control) { c.Cut, c.Flushed = Cut{}, cut.At })
}

// removeFrom removes the log from pos on.
func (s *segments) removeFrom(pos LSN) error {
	starts, err := s.starts()
	if err != nil {
		return err
	}
	for _, start := range slices.Backward(starts) {
		switch {
		case start >= pos:
			err = s.disk.Remove(filepath.Join(s.dir, s.name(start)))
		case start+LSN(s.size) > pos:
			err = s.zeroFrom(pos)
		}
		if err != nil {
			return err
		}
	}
	return s.disk.SyncDir(s.dir)
}

// zeroFrom zeroes the segment that holds pos from there on, durably.
func (s *segments) zeroFrom(pos LSN) (err error) {
	file, err := s.disk.Open(s.path(pos))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zeros := make([]byte, settleStep)
	for end := segmentEnd(pos, s.size); pos < end; pos += settleStep {
		n := min(end-pos, settleStep)
		if _, err := file.WriteAt(zeros[:n], offset(pos, s.size)); err != nil {
			return err
		}
	}
	return file.Sync()
}
