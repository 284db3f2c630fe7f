package wal

import (
	"errors"
	"fmt"
)

// These errors can come from Append and SwitchSegment; nothing was appended.
var (
	// ErrNoSpace: the disk is full and no prepared segment is left. Appending resumes by itself
	// once the preparing task finds space again.
	ErrNoSpace = errors.New("wal: no space left for another log segment")
	// ErrRecordTooLarge: a record is longer than MaxPayload allows.
	ErrRecordTooLarge = errors.New("wal: record too large")
	// ErrGroupTooLarge: a group is longer than MaxGroup allows.
	ErrGroupTooLarge = errors.New("wal: group too large")
	// ErrNoEpoch: BeginEpoch has not been called, so a record would carry no epoch.
	ErrNoEpoch = errors.New("wal: append before the epoch has begun")
)

// These errors can come from every method of a Log.
var (
	// ErrClosed: the log was closed.
	ErrClosed = errors.New("wal: log is closed")
	// ErrPoisoned: a write or fsync failed; the log takes and confirms nothing any more (W4). It
	// comes as an UnresolvedError.
	ErrPoisoned = errors.New("wal: log is poisoned by a failed write or fsync")
)

// These errors can come from waiting.
var (
	// ErrBeyondEnd: no record that ends so high has been appended.
	ErrBeyondEnd = errors.New("wal: position is beyond the end of the log")
)

// These errors can come from reading: a Cursor and ReadRecord.
var (
	// ErrRecycled: the position lies in a segment that is no longer kept.
	ErrRecycled = errors.New("wal: log segment is no longer kept")
	// ErrNotFlushed: the position lies at or above flushed (W3).
	ErrNotFlushed = errors.New("wal: position is not flushed yet")
)

// These errors can come from RawReader and LinkAt too.
var (
	// ErrUnknownTimeline: this node's history has no such timeline.
	ErrUnknownTimeline = errors.New("wal: timeline is not in this node's history")
	// ErrNotOnTimeline: the position is beyond the fork at which the timeline ended.
	ErrNotOnTimeline = errors.New("wal: position is beyond the end of the timeline")
	// ErrNoRecord: no record ends at the position.
	ErrNoRecord = errors.New("wal: no record ends at the position")
)

// ErrNotStandby: only a standby takes its log from elsewhere, and only one can be promoted.
var ErrNotStandby = errors.New("wal: the log of a primary is its own")

// SequenceError says that received bytes are not those wanted next (R2). Nothing was taken.
type SequenceError struct {
	Want LSN
	Got  LSN
}

func (e *SequenceError) Error() string {
	return fmt.Sprintf("wal: received log at %s, expected it at %s", e.Got, e.Want)
}

// DivergedError says that received bytes are no continuation of this log (R2): another history, or
// bytes that were damaged on the way. Nothing of the record at At was written.
type DivergedError struct {
	At     LSN
	Reason string
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("wal: received log does not continue this one at %s: %s", e.At, e.Reason)
}

// TimelineEndError says that a RawReader has read all of its timeline, which ended at Fork.
type TimelineEndError struct {
	Next uint32 // the timeline that goes on there
	Fork LSN
}

func (e *TimelineEndError) Error() string {
	return fmt.Sprintf("wal: the timeline ended at %s, timeline %d goes on", e.Fork, e.Next)
}

// These errors can come from OpenDir and OpenLog.
var (
	// ErrStoreAhead: the store holds commits that a decided cut takes out of the log.
	ErrStoreAhead = errors.New("wal: store is ahead of the log")
	// ErrStoreForeign: the store's marker is not the end of a record of this log.
	ErrStoreForeign = errors.New("wal: store does not belong to this log")
)

// CorruptionError says that bytes which were durable no longer read as they were written (W5).
type CorruptionError struct {
	Segment string // file name, or a file of the directory such as control
	Offset  int64  // byte offset in that file
	LSN     LSN    // position in the log, 0 when the file is no segment
	Durable LSN    // the durable point that makes this damage rather than a torn tail
	Reason  string
}

func (e *CorruptionError) Error() string {
	s := fmt.Sprintf("wal: %s is damaged at offset %d: %s", e.Segment, e.Offset, e.Reason)
	if e.LSN == 0 {
		return s
	}
	return s + fmt.Sprintf(" (at %s, the log was durable up to %s)", e.LSN, e.Durable)
}

// UnsupportedError says that valid bytes were written by a version this one does not know. It is
// never called corruption: the remedy is another binary, not a backup.
type UnsupportedError struct {
	Segment string
	Offset  int64
	What    string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("wal: %s offset %d: %s is not supported by this version",
		e.Segment, e.Offset, e.What)
}

// MismatchError says that a file belongs to another system or was made with other settings.
type MismatchError struct {
	File string
	What string
	Got  uint64
	Want uint64
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("wal: %s has %s %d, expected %d", e.File, e.What, e.Got, e.Want)
}
