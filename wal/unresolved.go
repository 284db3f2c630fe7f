package wal

import (
	"errors"
	"fmt"
	"time"
)

// UnresolvedGraceMax is how long the process outlives the failure of its disk, so that sessions
// can be told. Nothing is acknowledged in it, so it costs only time to the restart.
const UnresolvedGraceMax = 2 * time.Second

// UnresolvedError says that a write or fsync has failed and what nobody knows since: whether the
// commits that end above First, up to Last, are on the medium. The kernel may have written any of
// them. Only the restart decides, and the list of epochs keeps its verdict: commits up to First
// are durable whatever happens.
type UnresolvedError struct {
	First LSN // flushed when the disk failed
	Last  LSN // the end of the last record that was given a position
	Cause error
}

func (e *UnresolvedError) Error() string {
	return fmt.Sprintf("%v: %v; commits from %s to %s are unresolved until the restart",
		ErrPoisoned, e.Cause, e.First, e.Last)
}

// Unwrap gives both: callers ask for either.
func (e *UnresolvedError) Unwrap() []error { return []error{ErrPoisoned, e.Cause} }

// covering returns err so that its range has lsn in it. A group whose write was under way when the
// fsync failed gets its position too late for the range that everybody else is told.
func covering(err error, lsn LSN) error {
	var u *UnresolvedError
	if !errors.As(err, &u) || lsn <= u.Last {
		return err
	}
	wider := *u
	wider.Last = lsn
	return &wider
}

// Halted says that a write or fsync has failed, and that nothing may be acknowledged any more. It
// is true before Err says why:
//
//	who acknowledges            poison
//	----------------            ------
//	append, written moves
//	Halted: no
//	                            halted
//	                            last = inserted: covers it
//	acknowledge                 failure: (flushed, last]
//
// With the failure alone to look at, the range would have to be measured before it is published,
// and a commit acknowledged in between would be missing from it.
func (l *Log) Halted() bool { return l.halted.Load() }

// poison ends the log (W4). After a failed write or fsync nobody knows what the medium holds: the
// kernel may have marked the pages clean, so a retry that succeeds would prove nothing.
func (l *Log) poison(cause error) {
	if l.halted.Swap(true) {
		<-l.ended // it is being said already; who comes second must not run ahead of it
		return
	}
	u := &UnresolvedError{First: l.Flushed(), Last: l.Inserted(), Cause: cause}
	// Confirmations stop before the process does: telling the sessions and Fatal take their time.
	first := l.fail(u)
	close(l.ended)
	if !first {
		return // closed before
	}
	l.tellUnresolved(u)
	l.opts.Fatal(u)
}

// tellUnresolved lets the sessions be told, for a while. The one who tells must not keep a dead
// server standing: it may be waiting for a client that does not read.
func (l *Log) tellUnresolved(u *UnresolvedError) {
	if l.opts.Unresolved == nil {
		return
	}
	grace, stop := l.opts.Clock.Timer(UnresolvedGraceMax)
	defer stop()
	told := make(chan struct{})
	go func() {
		defer close(told)
		l.opts.Unresolved(u)
	}()
	select {
	case <-told:
	case <-grace:
	}
}
