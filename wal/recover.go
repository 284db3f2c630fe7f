package wal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Start says what the store already holds.
type Start struct {
	Applied LSN // the durable marker: end of the last record in the store, 0 for an empty one
	Redo    LSN // where replay begins; at most Applied
}

// RecoveryReport says what OpenLog found and did.
type RecoveryReport struct {
	From      LSN    // where verification began
	End       LSN    // where the log ends now
	Durable   LSN    // the durable point D
	Stop      string // why the log ends there
	Torn      bool   // it ends in the middle of something, which was cut off
	Clean     bool   // control says the node stopped in order
	Timeline  uint32 // the log is on
	Records   int64  // verified
	Rewritten int64  // bytes from D to End
	Took      time.Duration
}

// noLimit lets a reader read ahead to the end of the segment.
const noLimit = LSN(math.MaxUint64)

// progressInterval is how often Events.Recovering is told.
const progressInterval = time.Second

// recovery is one run of OpenLog up to the moment the log goes on. Every step may be cut short by
// a crash, and run again from the start, any number of times.
type recovery struct {
	d        *Dir
	segs     segments
	start    Start
	reader   *reader
	chain    chain
	preparer *preparer

	oldest  LSN // start of the oldest segment there is
	bad     LSN // where the first frame that does not belong stands
	why     *frameError
	durable durablePoint
	begun   EpochList // epochs whose begin was read
	forks   []Begin   // of those, the ones that began a timeline
	atMark  bool      // a record ends exactly at the store's marker
	report  RecoveryReport
}

// OpenLog brings the log into the state it had at some moment after the last fsync that was
// confirmed, makes exactly that durable, and opens it. The store must have been opened: start is
// what it holds. When it fails, the Dir is still the caller's to close.
func (d *Dir) OpenLog(ctx context.Context, start Start) (*Log, RecoveryReport, error) {
	began := d.opts.Clock.Now()
	r := &recovery{d: d, start: start}
	r.report.Clean = d.Control().Clean
	l, err := r.run(ctx)
	if err != nil {
		return nil, r.report, err
	}
	r.report.Took = d.opts.Clock.Now().Sub(began)
	return l, r.report, nil
}

func (r *recovery) run(ctx context.Context) (l *Log, err error) {
	if err := r.d.finishCut(r.start); err != nil {
		return nil, err
	}
	r.segs = r.d.segments()
	r.reader = newReader(r.segs, r.openSegment)
	defer func() { err = errors.Join(err, r.reader.close()) }()
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	if err := r.judge(); err != nil {
		return nil, err
	}
	r.preparer, err = newPreparer(
		r.segs.disk, r.segs.dir, r.segs.size, r.d.opts.Events.SegmentFailed)
	if err != nil {
		return nil, err
	}
	if err = r.finish(); err == nil {
		// Only now does flushed become the end: everything below it is on the medium, and
		// nothing is above it (W2).
		l, err = newLog(r.d, r)
	}
	if err != nil {
		r.preparer.close()
	}
	return l, err
}

// openSegment opens a segment for verification. What the last run wrote is flushed first, since a
// kill leaves it in the page cache; then the cache is passed by, for after a failed fsync a clean
// page may hold bytes that never reached the medium.
func (r *recovery) openSegment(start LSN) (File, error) {
	file, err := r.segs.disk.Open(r.segs.path(start))
	if err != nil {
		return nil, err
	}
	err = file.Sync()
	if err == nil {
		err = file.DropCache()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// finish makes what was read durable, and the files beside the log say the same.
func (r *recovery) finish() error {
	if err := r.settle(); err != nil {
		return err
	}
	if err := r.finishTimelines(); err != nil {
		return err
	}
	if err := r.saveEpochs(); err != nil {
		return err
	}
	r.d.loadHistory()
	return nil
}

// from is where verification begins: at the segment with the byte before redo, whose record
// anchors the chain.
func (r *recovery) from() LSN {
	first := firstLSN(r.segs.size)
	if r.start.Redo <= first {
		return first
	}
	return segmentStart(r.start.Redo-1, r.segs.size)
}

// begin goes back to where verification begins, by the names that r.segs now has.
func (r *recovery) begin() error {
	if err := r.reader.close(); err != nil {
		return err
	}
	r.reader.segs = r.segs
	from := r.from()
	starts, err := r.segs.starts()
	if err != nil {
		return err
	}
	r.oldest = from
	for slices.Contains(starts, r.oldest-LSN(r.segs.size)) {
		r.oldest -= LSN(r.segs.size)
	}
	r.chain = chainFrom(r.segs.size, from)
	if from == firstLSN(r.segs.size) {
		r.chain = wholeChain(r.segs.size)
	}
	r.begun, r.forks, r.why = nil, nil, nil
	r.atMark = r.start.Applied <= from
	r.report.From, r.report.Records = from, 0
	return nil
}

// walk follows the chain to the first frame that does not belong.
func (r *recovery) walk(ctx context.Context) error {
	told := r.d.opts.Clock.Now()
	for n := 0; ; n++ {
		rec, err := r.step()
		if errors.As(err, &r.why) {
			return nil
		}
		if err != nil {
			return err
		}
		r.report.Records++
		r.atMark = r.atMark || rec.End == r.start.Applied
		if n%1024 != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("wal: recovery at %s: %w", rec.LSN, err)
		}
		if now := r.d.opts.Clock.Now(); now.Sub(told) >= progressInterval {
			told = now
			if r.d.opts.Events.Recovering != nil {
				r.d.opts.Events.Recovering(rec.End)
			}
		}
	}
}

// step takes one record into the chain. A *frameError is the end of the walk, at bad.
func (r *recovery) step() (Record, error) {
	r.bad = r.chain.end
	pos, err := r.reader.next(r.chain.end, noLimit)
	if err != nil {
		return Record{}, err
	}
	r.bad = pos
	rec, err := r.reader.frame(pos, noLimit)
	if err != nil {
		return rec, err
	}
	if err := r.chain.accept(&rec); err != nil {
		return rec, r.reader.placed(err, pos)
	}
	if rec.Type.begins() {
		b, err := DecodeBegin(rec.Payload)
		if err != nil {
			return rec, r.reader.placed(err, pos)
		}
		r.begun = append(r.begun, Epoch{EpochID: b.EpochID, Begin: b.Ended, Node: b.Node})
		if rec.Type == TypeTimelineBegin {
			r.forks = append(r.forks, b)
		}
	}
	return rec, nil
}

// judge applies W5: a bad frame at or above the durable point is a torn tail, one below it is
// damage, and nothing is touched.
func (r *recovery) judge() error {
	if err := r.findDurable(); err != nil {
		return err
	}
	end := r.chain.tail().end
	r.report.End, r.report.Durable, r.report.Stop = end, min(r.durable.lsn, end), r.why.reason
	r.report.Torn = r.why != errZeros && r.why != errMissing || r.chain.leading
	if r.durable.lsn > end {
		return r.segs.damaged(r.bad, r.durable.lsn,
			fmt.Sprintf("%s; the log was durable beyond it, says %s", r.why.reason, r.durable.says))
	}
	if !r.atMark {
		return fmt.Errorf("%w: its marker %s", ErrStoreForeign, r.start.Applied)
	}
	return nil
}

// saveEpochs makes the list say what the log does: a crash came between the two.
func (r *recovery) saveEpochs() error {
	list := r.list()
	for i, e := range list[min(1, len(list)):] {
		if !e.EpochID.follows(list[i].EpochID) {
			return &CorruptionError{
				Segment: epochsName, Reason: fmt.Sprintf("lacks epoch %s, which the log has", e.EpochID),
			}
		}
	}
	if slices.Equal(list, r.d.Epochs()) {
		return nil
	}
	return r.d.saveEpochs(list)
}

// list is the list of epochs as it should be: with what the log has and the file lacks, and on a
// standby, where the list goes first, without what the log does not have.
func (r *recovery) list() EpochList {
	list := r.d.Epochs()
	if r.d.Control().Role != RolePrimary {
		list = list.Before(r.chain.tail().end)
	}
	for _, e := range r.begun {
		if list.find(e.EpochID) < 0 {
			list = list.with(e)
		}
	}
	return list
}
