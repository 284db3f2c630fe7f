package wal

import (
	"errors"
	"fmt"
)

// receiveBatchMax is how much of what was received is gathered for one write.
const receiveBatchMax = 1 << 20

// intake takes the log of a standby's primary in, byte by byte as the link brings it, and makes
// whole records of it. What has been checked and not written is in stage, what is not a whole
// record yet in held: at most a batch and one record (W6), since of a filler's body and of the
// zeros at a segment's end only the number is kept.
type intake struct {
	chain chain // of the records taken, those in lead included
	pos   LSN   // the next byte wanted

	held  []byte // of the record being received; of a noop the header
	stage []byte // whole records behind written, all of the head's segment

	// lead is the filler and the segment record in front of an epoch's begin. They are not
	// written before it is whole: a primary that dies there begins another epoch, with another
	// lead, and what was flushed here could not be taken back.
	lead lead

	branch *branch // the timeline that the next record begins; nil: none
}

// lead is what may stand between an epoch's end and the begin of the next.
type lead struct {
	noop    []byte // the header of the filler, empty: none
	segment []byte // the segment record, empty: none
}

// start has the intake go on behind tail.
func (in *intake) start(segmentSize int64, tail link) {
	in.chain = chain{segmentSize: segmentSize, link: tail, anchored: true}
	in.restart()
}

// restart forgets everything behind the last whole record.
func (in *intake) restart() {
	in.chain = chain{segmentSize: in.chain.segmentSize, link: in.chain.tail(), anchored: true}
	in.pos, in.held, in.lead = in.chain.end, in.held[:0], lead{}
}

// ReceivePosition is the next byte that Receive wants.
func (l *Log) ReceivePosition() LSN {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	return l.in.pos
}

// ResetReceive forgets what a dropped link left unfinished: the part of a record, the lead to an
// epoch, and a timeline followed of which no record has come. The log goes on behind Tail.
func (l *Log) ResetReceive() {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	l.resetReceive()
}

// resetReceive is ResetReceive. REQUIRES: receiving.
func (l *Log) resetReceive() {
	l.in.restart()
	if l.in.branch != nil {
		l.dropBranch(l.in.branch)
		l.in.branch = nil
	}
}

// Receive takes raw bytes of the primary's log, which begin at pos: exactly at ReceivePosition
// (R2), else a *SequenceError. Whole records are checked and written, the rest is held. Bytes that
// are no continuation of this log are a *DivergedError: nothing of that record or behind it is
// written, and the link is to be dropped. ErrNoSpace: the bytes from ReceivePosition on have not
// been taken, and may be given again.
func (l *Log) Receive(pos LSN, b []byte) error {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	if err := l.takesLog(); err != nil {
		return err
	}
	in := &l.in
	if pos != in.pos {
		return &SequenceError{Want: in.pos, Got: pos}
	}
	// Where the record now being taken stood before this call, to give it back to the caller.
	whole, held := pos, len(in.held)
	for {
		rec, n, err := in.next(b)
		if err == nil && rec == nil {
			in.pos += LSN(n)
			return l.writeStage()
		}
		if err == nil {
			err = l.take(rec)
		}
		if err != nil {
			err = errors.Join(err, l.writeStage())
			if errors.Is(err, ErrNoSpace) {
				in.pos, in.held = whole, in.held[:held]
			} else {
				in.restart()
			}
			return err
		}
		in.pos, in.held, b = in.pos+LSN(n), in.held[:0], b[n:]
		whole, held = in.pos, 0
	}
}

// takesLog says why this log takes nothing from elsewhere, or nil.
func (l *Log) takesLog() error {
	if err := l.err(); err != nil {
		return err
	}
	if l.epoch.Load() != nil {
		return ErrNotStandby
	}
	return nil
}

// next moves bytes of b, n of them, into the record being received, and returns it once it is
// whole; nil says that b has ended.
func (in *intake) next(b []byte) (rec *Record, n int, err error) {
	size := in.chain.segmentSize
	at := in.chain.end
	if end := segmentEnd(at, size); at != segmentStart(at, size) && end-at < HeaderSize {
		// Too little for a header is left of the segment: zeros.
		if in.pos < end {
			n = min(len(b), int(end-in.pos))
		}
		if !allZero(b[:n]) {
			return nil, 0, &DivergedError{At: at, Reason: "bytes behind a segment's last record"}
		}
		at = end
	}
	n += in.hold(b[n:], HeaderSize)
	if len(in.held) < HeaderSize {
		return nil, n, nil
	}
	r, err := checkHeader(in.held[:HeaderSize], at, int64(segmentEnd(at, size)-at))
	if err != nil {
		return nil, 0, diverged(at, err)
	}
	if r.Type != TypeNoop {
		n += in.hold(b[n:], int(r.size()))
		if int64(len(in.held)) < r.size() {
			return nil, n, nil
		}
		return in.whole(&r, n)
	}
	body := min(len(b)-n, int(r.End-in.pos)-n)
	if !allZero(b[n : n+body]) {
		return nil, 0, &DivergedError{At: at, Reason: "filler is not zeros"}
	}
	if n += body; in.pos+LSN(n) < r.End {
		return nil, n, nil
	}
	return in.whole(&r, n)
}

// hold takes from b what held lacks of size bytes.
func (in *intake) hold(b []byte, size int) int {
	n := min(len(b), max(0, size-len(in.held)))
	in.held = append(in.held, b[:n]...)
	return n
}

// whole checks the record in held by itself.
func (in *intake) whole(r *Record, n int) (*Record, int, error) {
	if err := checkRecord(in.held, r); err != nil {
		return nil, n, diverged(r.LSN, err)
	}
	return r, n, nil
}

// diverged turns a frame that does not belong into what it is on a link. What a later version wrote
// stays what it is.
func diverged(at LSN, err error) error {
	var bad *frameError
	if errors.As(err, &bad) {
		return &DivergedError{At: at, Reason: bad.reason}
	}
	if errors.Is(err, errPayload) {
		return &DivergedError{At: at, Reason: err.Error()}
	}
	return fmt.Errorf("wal: received record at %s: %w", at, err)
}

// take adds a whole record, whose bytes are in held, to the log. With an error nothing of it was
// written and the chain is as it was.
func (l *Log) take(rec *Record) error {
	in := &l.in
	if rec.Type == TypeSegment {
		if err := checkSegmentRecord(rec, &l.segs); err != nil {
			return diverged(rec.LSN, err)
		}
	}
	chain := in.chain
	if err := chain.accept(rec); err != nil {
		return diverged(rec.LSN, err)
	}
	if err := in.checkTimeline(rec); err != nil {
		return err
	}
	var err error
	switch {
	case chain.leading && rec.Type == TypeNoop:
		in.lead.noop = append([]byte(nil), in.held...)
	case chain.leading:
		in.lead.segment = append([]byte(nil), in.held...)
	case rec.Type.begins():
		err = l.takeBegin(rec)
	case rec.Type == TypeSegment:
		if err = l.enterReceived(rec.EpochID); err == nil {
			err = l.stageRecord(rec)
		}
	default:
		err = l.stageRecord(rec)
	}
	if err == nil {
		in.chain = chain
	}
	return err
}

// checkTimeline refuses a timeline that nobody said begins here. The file that its first record
// goes into would not be there.
func (in *intake) checkTimeline(rec *Record) error {
	want := in.chain.id.Timeline
	if in.branch != nil {
		want = in.branch.timeline
	}
	if rec.Timeline == want || want == 0 {
		return nil
	}
	return &DivergedError{At: rec.LSN, Reason: fmt.Sprintf(
		"%s record of timeline %d where timeline %d goes on", rec.Type, rec.Timeline, want)}
}

// takeBegin adds the record that begins an epoch, and the lead to it.
func (l *Log) takeBegin(rec *Record) error {
	in := &l.in
	b, err := DecodeBegin(rec.Payload)
	if err != nil {
		return diverged(rec.LSN, err)
	}
	list := l.dir.Epochs()
	if !b.EpochID.follows(list.Last().EpochID) {
		return &DivergedError{At: rec.LSN, Reason: fmt.Sprintf(
			"epoch %s begins, the list of epochs has %s", b.EpochID, list.Last().EpochID)}
	}
	if err := l.writeStage(); err != nil {
		return err
	}
	// Both before the first byte, for they may find the disk full.
	// One that is there may have the name of a timeline that was given up with its link.
	if len(in.lead.segment) > 0 && (l.head.next == nil ||
		l.head.next.name != SegmentName(rec.Timeline, l.head.limit, l.segs.size)) {
		if err := l.openNext(rec.EpochID); err != nil {
			return err
		}
	}
	if err := l.listBegin(&b); err != nil {
		return l.refused(fullDisk(err))
	}
	return l.writeBegin(rec)
}

// listBegin puts the epoch into the list before its record can be flushed: on every node the list
// covers the log up to flushed. Recovery takes it out again if the record did not make it.
func (l *Log) listBegin(b *Begin) error {
	if l.in.branch != nil {
		if err := l.dir.beganTimeline(b); err != nil {
			return err
		}
	}
	entry := Epoch{EpochID: b.EpochID, Begin: b.Ended, Node: b.Node}
	if err := l.dir.saveEpochs(l.dir.Epochs().with(entry)); err != nil {
		return err
	}
	if l.in.branch == nil {
		return nil
	}
	l.dir.loadHistory()
	branch := l.in.branch
	l.in.branch = nil
	return l.enterBranch(branch)
}

// writeBegin writes the lead and the record in held that begins an epoch.
func (l *Log) writeBegin(rec *Record) error {
	in := &l.in
	if len(in.lead.noop) > 0 {
		if err := l.writeAt(l.head.segment, in.lead.noop, l.head.end); err != nil {
			l.poison(err)
			return l.err()
		}
	}
	if len(in.lead.segment) > 0 {
		l.enterTaken()
		in.stage = append(in.stage, in.lead.segment...)
	}
	in.lead = lead{}
	if err := l.stageRecord(rec); err != nil {
		return err
	}
	return l.writeStage()
}

// enterReceived goes on in the next segment, whose first record has been received.
func (l *Log) enterReceived(id EpochID) error {
	if err := l.writeStage(); err != nil {
		return err
	}
	if err := l.openNext(id); err != nil {
		return err
	}
	l.enterTaken()
	return nil
}

// enterTaken makes the segment that openNext got the one being written.
func (l *Log) enterTaken() {
	h := &l.head
	h.segment, h.next = h.next, nil
	h.limit += LSN(l.segs.size)
}

// stageRecord adds the record in held to what is to be written.
func (l *Log) stageRecord(rec *Record) error {
	in := &l.in
	in.stage = append(in.stage, in.held...)
	l.head.link = link{end: rec.End, lsn: rec.LSN, crc: rec.CRC, id: rec.EpochID}
	l.stats.records.Add(1)
	if len(in.stage) < receiveBatchMax {
		return nil
	}
	return l.writeStage()
}

// writeStage puts what is staged into the page cache and moves written.
func (l *Log) writeStage() error {
	in := &l.in
	if len(in.stage) == 0 {
		return nil
	}
	if err := l.err(); err != nil {
		return err
	}
	l.inserted.Store(uint64(l.head.end))
	if err := l.writeAt(l.head.segment, in.stage, l.stageStart()); err != nil {
		l.poison(err)
		return l.err()
	}
	l.written.Store(uint64(l.head.end))
	l.stats.bytes.Add(uint64(len(in.stage)))
	in.stage = in.stage[:0]
	l.flusher.appended()
	return nil
}

// stageStart is where the staged records begin: at written, or at the start of the segment when
// the filler in front of them was written with a lead, or the zeros left out.
func (l *Log) stageStart() LSN { return max(l.Written(), l.head.segment.start) }
