package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// frameError says why the bytes at a position are no record that belongs there. Whether that is
// the log's end or damage is for the reader to judge (W5).
type frameError struct{ reason string }

func (e *frameError) Error() string { return e.reason }

func badFrame(format string, args ...any) error {
	return &frameError{reason: fmt.Sprintf(format, args...)}
}

// errZeros: there is nothing here, not even a header.
var errZeros = &frameError{reason: "zeros, no record begins here"}

// errMissing: there is no file for this position.
var errMissing = &frameError{reason: "segment file is missing"}

// checkHeader reads the header in b, at position pos with room bytes left in its segment, and
// checks what can be known before the payload is read: that length may be trusted to read it.
func checkHeader(b []byte, pos LSN, room int64) (Record, error) {
	if allZero(b[:HeaderSize]) {
		return Record{}, errZeros
	}
	r := decodeHeader(b)
	switch {
	case r.LSN != pos:
		return r, badFrame("header names position %s", r.LSN)
	case r.Length < HeaderSize || r.size() > room:
		return r, badFrame("length %d does not fit the %d bytes left", r.Length, room)
	case r.Type != TypeNoop && r.size() > recordSizeMax:
		return r, badFrame("length %d is above the limit", r.Length)
	}
	return r, nil
}

// checkRecord verifies r, which checkHeader gave, against b, its padded bytes or, for a noop, its
// header, and fills in its payload. Types and flags are judged behind the crc: what a later
// version wrote is intact, and must not be called damage.
func checkRecord(b []byte, r *Record) error {
	if crc := crc32.Checksum(b[4:], castagnoli); crc != r.CRC {
		return badFrame("crc is %08x, the header says %08x", crc, r.CRC)
	}
	if !r.Type.known() {
		return &UnsupportedError{What: "record " + r.Type.String()}
	}
	if r.Flags != 0 || !allZero(b[50:HeaderSize]) {
		return &UnsupportedError{What: fmt.Sprintf("flag %#x of a %s record", b[49:56], r.Type)}
	}
	if r.Type == TypeNoop {
		return nil
	}
	if !allZero(b[r.Length:]) {
		return &UnsupportedError{What: "padding of a record that is not zeros"}
	}
	r.Payload = b[HeaderSize:r.Length:r.Length]
	return nil
}

func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// link is where a log stands behind one of its records.
type link struct {
	end LSN     // where the record ended
	lsn LSN     // where it began, 0 at the start of the log
	crc uint32  // of it
	id  EpochID // it carries
}

// chain follows a log record by record and knows what may come next.
type chain struct {
	segmentSize int64

	link
	// base is where the log stood when records that lead to a new epoch began; it counts only
	// while leading. A log that stops there ends at base: the leading records are no one's.
	base    link
	leading bool

	// anchored is false before the first record when reading starts inside a log: what that
	// record says of the one before it must be taken on faith. doubtful is true behind a filler
	// or segment record read that way, for nobody knows whether it leads to a new epoch.
	anchored bool
	doubtful bool
}

// wholeChain follows a log from its first byte on.
func wholeChain(segmentSize int64) chain {
	return chain{
		segmentSize: segmentSize, anchored: true, link: link{end: firstLSN(segmentSize)},
	}
}

// chainFrom follows a log from the record at pos on.
func chainFrom(segmentSize int64, pos LSN) chain {
	return chain{segmentSize: segmentSize, link: link{end: pos}}
}

// tail is where the log stands when it ends here.
func (c *chain) tail() link {
	if c.leading {
		return c.base
	}
	return c.link
}

// accept takes r as the next record, or says why it cannot be (a *frameError).
func (c *chain) accept(r *Record) error {
	if err := c.checkPlace(r); err != nil {
		return err
	}
	if c.anchored && (r.Prev != c.lsn || r.PrevCRC != c.crc) {
		return badFrame("chain broken: it follows %s crc %08x, before it is %s crc %08x",
			r.Prev, r.PrevCRC, c.lsn, c.crc)
	}
	if err := c.checkEpoch(r); err != nil {
		return err
	}
	c.link = link{end: r.End, lsn: r.LSN, crc: r.CRC, id: r.EpochID}
	c.anchored = true
	return nil
}

// checkPlace knows which types belong where in a segment.
func (c *chain) checkPlace(r *Record) error {
	atStart := r.LSN == segmentStart(r.LSN, c.segmentSize)
	if atStart != (r.Type == TypeSegment) {
		return badFrame("%s record at %s: a segment record stands first in a segment and only there",
			r.Type, r.LSN)
	}
	if r.Type == TypeNoop && r.End != segmentEnd(r.LSN, c.segmentSize) {
		return badFrame("noop ends at %s, before its segment does", r.End)
	}
	return nil
}

// checkEpoch lets (timeline, epoch) change only upwards, and only at a record that begins an
// epoch or at the filler and segment record leading to it. Stale bytes of an epoch that was cut
// off would otherwise come back to life wherever they happen to fit.
func (c *chain) checkEpoch(r *Record) error {
	if !c.anchored {
		c.doubtful = r.Type.leads()
		return nil
	}
	wasLeading, wasDoubtful := c.leading, c.doubtful
	c.doubtful = false
	if r.EpochID != c.id {
		return c.changeEpoch(r, wasLeading)
	}
	switch {
	case wasLeading && !r.Type.leads() && !r.Type.begins():
		return badFrame("%s record in epoch %s, which has not begun", r.Type, r.EpochID)
	case wasLeading && r.Type.begins():
		return c.begin(r, c.base)
	case r.Type.begins() && !wasDoubtful:
		return badFrame("%s in the epoch %s it should end", r.Type, r.EpochID)
	}
	c.doubtful = wasDoubtful && r.Type.leads()
	return nil
}

func (c *chain) changeEpoch(r *Record, wasLeading bool) error {
	switch {
	case wasLeading || !r.EpochID.follows(c.id):
		return badFrame("epoch changes from %s to %s", c.id, r.EpochID)
	case r.Type.leads():
		c.base, c.leading = c.link, true
		return nil
	case r.Type.begins():
		return c.begin(r, c.link)
	}
	return badFrame("epoch changes from %s to %s at a %s record", c.id, r.EpochID, r.Type)
}

// begin checks that r begins its epoch exactly where the log stood at base.
func (c *chain) begin(r *Record, base link) error {
	b, err := DecodeBegin(r.Payload)
	if err != nil {
		return err
	}
	if b.EpochID != r.EpochID || b.Previous != base.id || b.Ended != base.end {
		return badFrame("%s says %s ended at %s, but %s ended at %s",
			r.Type, b.Previous, b.Ended, base.id, base.end)
	}
	branches := r.Timeline > base.id.Timeline
	if branches != (r.Type == TypeTimelineBegin) && base.id != (EpochID{}) {
		return badFrame("%s leads from timeline %d to %d", r.Type, base.id.Timeline, r.Timeline)
	}
	c.leading = false
	return nil
}
