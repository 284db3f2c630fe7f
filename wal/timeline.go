package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// Timeline is one branch of a database's history: where it left which, and why.
type Timeline struct {
	ID     uint32
	Parent uint32 // 0 for the first
	Fork   LSN    // where Parent ended and this one begins, 0 for the first
	Reason string // of the promotion
	Time   int64  // of the promotion, microseconds since 1970, 0 when not known
}

// timelines is the history that a list of epochs tells, oldest first, without reasons.
func (l EpochList) timelines() []Timeline {
	if len(l) == 0 {
		return []Timeline{{ID: firstTimeline}}
	}
	out := []Timeline{{ID: l[0].Timeline}}
	for i, e := range l[1:] {
		if before := l[i].Timeline; e.Timeline != before {
			out = append(out, Timeline{ID: e.Timeline, Parent: before, Fork: e.Begin})
		}
	}
	return out
}

// findTimeline gives the index of a timeline in a history, or -1.
func findTimeline(history []Timeline, id uint32) int {
	return slices.IndexFunc(history, func(t Timeline) bool { return t.ID == id })
}

// sameForks says whether two histories are one. Reasons are what people wrote, and do not count.
func sameForks(a, b []Timeline) bool {
	return slices.EqualFunc(a, b, func(x, y Timeline) bool {
		return x.ID == y.ID && x.Parent == y.Parent && x.Fork == y.Fork
	})
}

// Timeline is the one that the log is on.
func (l *Log) Timeline() uint32 { return max(l.Epochs().Last().Timeline, firstTimeline) }

// Timelines is the history of this log, oldest first.
func (l *Log) Timelines() []Timeline {
	out := l.Epochs().timelines()
	for _, told := range l.dir.told() {
		if i := findTimeline(out, told.ID); i >= 0 && out[i].Fork == told.Fork {
			out[i].Reason, out[i].Time = told.Reason, told.Time
		}
	}
	return out
}

// HistoryFile is the history of a timeline as Postgres writes it. The first timeline has none.
func (l *Log) HistoryFile(timeline uint32) (name string, content []byte, err error) {
	history := l.Timelines()
	i := findTimeline(history, timeline)
	if i < 1 {
		return "", nil, fmt.Errorf("%w: %d", ErrUnknownTimeline, timeline)
	}
	content, err = l.dir.readHistory(history[1 : i+1])
	return historyName(timeline), content, err
}

// readHistory reads the history file of the last of the timelines given, which are all that led to
// it but the first. Where the file is missing or is that of another branch which once had the
// number, it is made from what is known.
func (d *Dir) readHistory(history []Timeline) ([]byte, error) {
	last := history[len(history)-1]
	content, err := readWhole(d.opts.Disk, d.historyPath(last.ID))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("wal: read history of timeline %d: %w", last.ID, err)
	}
	if err == nil {
		if has, err := parseHistory(last.ID, content); err == nil && sameForks(has, history) {
			return content, nil
		}
	}
	content = nil
	for _, t := range history {
		content = appendHistory(content, &t)
	}
	return content, nil
}

func (d *Dir) historyPath(timeline uint32) string {
	return filepath.Join(d.opts.Dir, logDirName, historyName(timeline))
}

// writeHistory makes the history file of a timeline, durably.
func (d *Dir) writeHistory(timeline uint32, content []byte) error {
	return writeWhole(d.opts.Disk, filepath.Join(d.opts.Dir, logDirName),
		historyName(timeline), content)
}

// told is what the history file of the newest timeline says, reasons included.
func (d *Dir) told() []Timeline {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.history
}

// loadHistory reads the history file of the list's last timeline, if there is one. It only adds
// words to what the list says, so what cannot be read is done without.
func (d *Dir) loadHistory() {
	history := d.Epochs().timelines()[1:]
	if len(history) == 0 {
		return
	}
	last := history[len(history)-1].ID
	content, err := d.readHistory(history)
	if err == nil {
		history, err = parseHistory(last, content)
	}
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.history = history
}

// beganTimeline makes the history of a timeline from its begin and its parent's history, unless a
// file that says the same is there. It is called before the list has the timeline.
func (d *Dir) beganTimeline(b *Begin) error {
	parents := d.Epochs().Before(b.Ended).timelines()[1:]
	for _, told := range d.told() {
		if i := findTimeline(parents, told.ID); i >= 0 && parents[i].Fork == told.Fork {
			parents[i] = told
		}
	}
	t := Timeline{
		ID: b.Timeline, Parent: b.Previous.Timeline, Fork: b.Ended, Reason: b.Reason, Time: b.Time,
	}
	history := append(parents, t)
	has, err := readWhole(d.opts.Disk, d.historyPath(t.ID))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("wal: read history of timeline %d: %w", t.ID, err)
	}
	if err == nil {
		if lines, err := parseHistory(t.ID, has); err == nil && sameForks(lines, history) {
			return nil
		}
	}
	var content []byte
	if len(parents) > 0 {
		if content, err = d.readHistory(parents); err != nil {
			return err
		}
	}
	return d.writeHistory(t.ID, appendHistory(content, &t))
}

// nextTimeline is a number above every timeline this directory has heard of. Segments and history
// files count, of whatever branch: they are how a timeline is remembered that was announced and
// never received.
func (d *Dir) nextTimeline() (uint32, error) {
	newest := max(firstTimeline, d.Epochs().Last().Timeline, d.Control().Timeline)
	names, err := d.opts.Disk.List(filepath.Join(d.opts.Dir, logDirName))
	if err != nil {
		return 0, fmt.Errorf("wal: look for timelines: %w", err)
	}
	for _, name := range names {
		if id, ok := parseHistoryName(name); ok {
			newest = max(newest, id)
		}
		if id, _, ok := ParseSegmentName(name, d.Control().SegmentSize); ok {
			newest = max(newest, id)
		}
	}
	return newest + 1, nil
}
