package wal

import "errors"

// Timeline is one branch of a database's history: where it left which, and why.
type Timeline struct {
	ID     uint32
	Parent uint32 // 0 for the first
	Fork   LSN    // where Parent ended and this one begins, 0 for the first
	Reason string // of the promotion
	Time   int64  // of the promotion, microseconds since 1970, 0 when not known
}

// Timeline is the one that the log is on.
func (l *Log) Timeline() uint32 { return max(l.Epochs().Last().Timeline, firstTimeline) }

// Timelines is the history of this log, oldest first.
func (l *Log) Timelines() []Timeline { return []Timeline{{ID: firstTimeline}} }

// HistoryFile is the history of a timeline as Postgres writes it.
func (l *Log) HistoryFile(timeline uint32) (name string, content []byte, err error) {
	return "", nil, errors.New("wal: not yet: HistoryFile")
}
