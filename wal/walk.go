package wal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
)

// walker reads the log of a directory from its oldest segment on, without taking the lock and
// without changing a byte: for people who look at a log, not for the node that owns it. It
// belongs to one goroutine.
type walker struct {
	segs    segments
	starts  []LSN
	control *Control // nil when the directory has none that can be read
	noCtrl  error    // why

	reader *reader
	chain  chain
	begun  EpochList // epochs whose begin was read
	bad    LSN       // where the first frame that does not belong stands
	stop   error     // why next gave io.EOF: a *frameError
}

// openWalker finds the log of dir: a data directory, or a directory of segments such as
// pg_receivewal fills.
func openWalker(disk Disk, dir string) (*walker, error) {
	w := &walker{segs: segments{disk: disk, dir: dir}}
	if names, err := disk.List(filepath.Join(dir, logDirName)); err == nil && names != nil {
		w.segs.dir = filepath.Join(dir, logDirName)
	}
	if err := w.readControl(dir); err != nil {
		return nil, err
	}
	if err := w.findSegments(); err != nil {
		return nil, err
	}
	w.reader = newReader(w.segs, func(start LSN) (File, error) {
		return disk.OpenRead(w.segs.path(start))
	})
	w.chain = chainFrom(w.segs.size, w.starts[0])
	if w.starts[0] == firstLSN(w.segs.size) {
		w.chain = wholeChain(w.segs.size)
	}
	return w, nil
}

// readControl takes what control knows of the log. One that is missing or damaged is no reason
// not to look: that is when people look.
func (w *walker) readControl(dir string) error {
	b, err := readWhole(w.segs.disk, filepath.Join(dir, controlName))
	if err != nil {
		w.noCtrl = err
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("wal: read control: %w", err)
	}
	newest := uint64(0)
	for i := range controlCopies {
		lo, hi := i*controlBlockSize, (i+1)*controlBlockSize
		c, seq, err := decodeControl(b[min(lo, len(b)):min(hi, len(b))])
		if err != nil {
			w.noCtrl = err
			continue
		}
		if seq > newest {
			newest, w.control = seq, &c
		}
	}
	return nil
}

// findSegments lists the segments there are, and takes from control, else from the oldest of
// them, what all must agree on.
func (w *walker) findSegments() error {
	names, err := w.segs.disk.List(w.segs.dir)
	if err != nil {
		return fmt.Errorf("wal: list segments: %w", err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !looksLikeSegment(n) })
	if len(names) == 0 {
		return fmt.Errorf("wal: no segments in %s: %w", w.segs.dir, fs.ErrNotExist)
	}
	if w.control != nil {
		w.segs.size, w.segs.systemID = w.control.SegmentSize, w.control.SystemID
	} else if err := w.askSegment(names[0]); err != nil {
		return err
	}
	files, err := w.segs.files()
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("wal: %s has no segments of %d bytes", w.segs.dir, w.segs.size)
	}
	if files, err = w.live(files); err != nil {
		return err
	}
	// Where two timelines have the same segment the newer has the history that goes on.
	newest := map[LSN]uint32{}
	for _, f := range files {
		newest[f.start] = max(newest[f.start], f.timeline)
	}
	for start := range newest {
		w.starts = append(w.starts, start)
	}
	slices.Sort(w.starts)
	w.segs.timeline = func(start LSN) uint32 {
		if timeline, ok := newest[start]; ok {
			return timeline
		}
		// A gap: name the missing file as its neighbours are named.
		i, _ := slices.BinarySearch(w.starts, start)
		return newest[w.starts[max(0, i-1)]]
	}
	return nil
}

// live leaves out the segments of timelines that have not begun: a promotion, or a follower's
// switch, that was cut off, which the next start removes.
func (w *walker) live(files []segmentFile) ([]segmentFile, error) {
	for {
		newest := slices.MaxFunc(files, func(a, b segmentFile) int {
			return cmp.Compare(a.timeline, b.timeline)
		}).timeline
		begun, err := w.hasBegun(files, newest)
		if begun || err != nil {
			return files, err
		}
		files = slices.DeleteFunc(files, func(f segmentFile) bool { return f.timeline == newest })
	}
}

// hasBegun says whether the segments of a timeline have its timeline-begin. If no older segment
// leads up to them, they do not have to: it was recycled.
func (w *walker) hasBegun(files []segmentFile, timeline uint32) (begun bool, err error) {
	i := slices.IndexFunc(files, func(f segmentFile) bool { return f.timeline == timeline })
	first := files[i].start
	if !slices.ContainsFunc(files, func(f segmentFile) bool {
		return f.timeline < timeline && (f.start == first || f.start+LSN(w.segs.size) == first)
	}) {
		return true, nil
	}
	segs := w.segs
	segs.timeline = func(LSN) uint32 { return timeline }
	r := newReader(segs, func(start LSN) (File, error) { return segs.disk.OpenRead(segs.path(start)) })
	defer func() { err = errors.Join(err, r.close()) }()
	// In the fork's segment, or behind a filler in the next.
	for c := chainFrom(segs.size, first); c.end < first+2*LSN(segs.size); {
		pos, err := r.next(c.end, noLimit)
		if err != nil {
			return false, unlessBad(err)
		}
		rec, err := r.frame(pos, noLimit)
		if err == nil {
			err = c.accept(&rec)
		}
		if err != nil {
			return false, unlessBad(err)
		}
		if rec.Type == TypeTimelineBegin && rec.Timeline == timeline {
			return true, nil
		}
	}
	return false, nil
}

// askSegment reads the first record of a segment for its size and system.
func (w *walker) askSegment(name string) error {
	file, err := w.segs.disk.OpenRead(filepath.Join(w.segs.dir, name))
	if err != nil {
		return fmt.Errorf("wal: open segment %s: %w", name, err)
	}
	b := make([]byte, segmentRecordSize)
	_, err = file.ReadAt(b, 0)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("wal: read segment %s: %w", name, err)
	}
	rec := decodeHeader(b)
	if rec.Type != TypeSegment || rec.Length != segmentRecordSize {
		return &CorruptionError{Segment: name, Reason: "no control, and no segment record here"}
	}
	if err := checkRecord(b, &rec); err != nil {
		return w.placed(name, err)
	}
	h, err := DecodeSegment(rec.Payload)
	if err != nil {
		return w.placed(name, err)
	}
	w.segs.size, w.segs.systemID = h.SegmentSize, h.SystemID
	return nil
}

func (w *walker) placed(name string, err error) error {
	var unsupported *UnsupportedError
	if errors.As(err, &unsupported) {
		unsupported.Segment = name
		return err
	}
	return &CorruptionError{Segment: name, Reason: err.Error()}
}

// next gives the next record of the log, valid until the one after; io.EOF where the log ends,
// for the reason in stop. Any other error is of reading, or of a version not known.
func (w *walker) next() (Record, error) {
	limit := w.starts[len(w.starts)-1] + LSN(w.segs.size)
	if w.chain.end >= limit {
		w.bad, w.stop = w.chain.end, errLastFull
		return Record{}, io.EOF
	}
	w.bad = w.chain.end
	pos, err := w.reader.next(w.chain.end, limit)
	if err != nil {
		return w.ended(err)
	}
	w.bad = pos
	rec, err := w.reader.frame(pos, limit)
	if err == nil {
		err = w.chain.accept(&rec)
	}
	if err != nil {
		return w.ended(err)
	}
	if rec.Type.begins() {
		b, err := DecodeBegin(rec.Payload)
		if err != nil {
			return rec, err
		}
		w.begun = append(w.begun, Epoch{EpochID: b.EpochID, Begin: b.Ended, Node: b.Node})
	}
	return rec, nil
}

// errLastFull: the log ends with its last segment, and the next was not needed yet.
var errLastFull = &frameError{reason: "the last segment is full"}

func (w *walker) ended(err error) (Record, error) {
	var frame *frameError
	if errors.As(err, &frame) {
		w.stop = err
		return Record{}, io.EOF
	}
	return Record{}, err
}

// end is where the log ends, once next has said so.
func (w *walker) end() LSN { return w.chain.tail().end }

func (w *walker) close() error { return w.reader.close() }
