package server

import (
	"context"
	"errors"
	"time"

	"ackdb/pgwire"
	"ackdb/wal"
)

// errPromoted ends the waits for a standby's progress, errWaitTimeout those that took too long.
var (
	errPromoted    = errors.New("server: recovery has ended")
	errWaitTimeout = errors.New("server: timed out")
)

// writtenInterval is how often standby_write looks. The log wakes nobody when bytes are in the page
// cache; on a standby they are flushed at once, so little is gained by knowing sooner.
const writtenInterval = 2 * time.Millisecond

// standbyWait is one WAIT FOR on a standby.
type standbyWait struct {
	srv     *Server
	receipt receiptText
	options *waitOptions
}

// position is how far this node is, as the mode counts.
func (w *standbyWait) position() wal.LSN {
	log := w.srv.db.Log()
	switch w.options.mode {
	case modeStandbyWrite:
		return log.Written()
	case modeStandbyFlush:
		return log.Flushed()
	}
	return w.srv.db.Applied()
}

// awaitStandby waits for this standby's progress and returns the status word.
func (srv *Server) awaitStandby(
	ctx context.Context, r receiptText, options *waitOptions,
) (string, error) {
	w := &standbyWait{srv: srv, receipt: r, options: options}
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if options.timeout > 0 {
		var stop context.CancelFunc
		waiting, stop = context.WithTimeoutCause(waiting, options.timeout, errWaitTimeout)
		defer stop()
	}
	defer context.AfterFunc(srv.promoted, func() { cancel(errPromoted) })()
	err := w.run(waiting)
	switch {
	case err == nil:
		return waitSuccess, nil
	case waiting.Err() == nil || ctx.Err() != nil:
		return "", err
	case errors.Is(context.Cause(waiting), errWaitTimeout):
		return w.timedOut()
	}
	return w.promoted()
}

// run waits for the position, and that the receipt's history is this node's. A commit that is lost
// is told so as soon as this node hears of it: its position may never come.
func (w *standbyWait) run(ctx context.Context) error {
	log := w.srv.db.Log()
	for {
		// Both before the receipt is judged: behind that the log may reach the receipt's position on
		// another timeline.
		at, flushed := w.position(), log.Flushed()
		if err := w.refuse(flushed); err != nil {
			return err
		}
		if at >= w.receipt.LSN {
			return nil
		}
		if flushed >= w.receipt.LSN {
			return w.srv.db.AwaitApplied(ctx, w.receipt.LSN)
		}
		if err := w.advance(ctx, flushed); err != nil {
			return err
		}
	}
}

// refuse judges the receipt by the epochs of what is flushed. One that this node has not heard of
// may yet come, as long as its position has not.
func (w *standbyWait) refuse(flushed wal.LSN) error {
	if w.receipt.bare {
		return nil
	}
	switch w.srv.judge(w.receipt) {
	case wal.StatusDurable:
		return nil
	case wal.StatusLost:
		return errCommitLost(w.receipt)
	}
	if flushed >= w.receipt.LSN {
		return errUnknownEpoch(w.receipt)
	}
	return nil
}

// advance waits for more log.
func (w *standbyWait) advance(ctx context.Context, flushed wal.LSN) error {
	if w.options.mode != modeStandbyWrite {
		_, err := w.srv.db.Log().AwaitFlushed(ctx, flushed)
		return err
	}
	look := time.NewTimer(writtenInterval)
	defer look.Stop()
	select {
	case <-look.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *standbyWait) timedOut() (string, error) {
	if w.options.noThrow {
		return waitTimeout, nil
	}
	return "", pgwire.Errorf(pgwire.CodeQueryCanceled,
		"timed out while waiting for target LSN %s to be %s; current %s LSN %s",
		w.receipt.LSN, standbyModes[w.options.mode], w.options.mode, w.position())
}

// promoted answers for a wait that a promotion ended. What was reached by then was reached.
func (w *standbyWait) promoted() (string, error) {
	at := w.position()
	switch {
	case w.receipt.bare && at >= w.receipt.LSN:
		return waitSuccess, nil
	case !w.receipt.bare && w.srv.judge(w.receipt) == wal.StatusDurable:
		return waitSuccess, nil
	case w.options.noThrow:
		return waitNotInRecovery, nil
	}
	e := pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState, "recovery is not in progress")
	e.Detail = "Recovery ended before target LSN " + w.receipt.LSN.String() + " was " +
		standbyModes[w.options.mode] + "; last " + w.options.mode + " LSN " + at.String() + "."
	return "", e
}

func errCommitLost(r receiptText) *pgwire.Error {
	e := pgwire.Errorf(codeCommitLost, "commit %s is lost", r.Token)
	e.Detail = "Its epoch ended below it: the commit was acknowledged and did not survive."
	return e
}

func errUnknownEpoch(r receiptText) *pgwire.Error {
	e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
		"commit token %s names an epoch that this server does not know", r.Token)
	e.Hint = "SELECT * FROM ack_epochs shows those it knows."
	return e
}

// awaitReplicas waits until so many replicas have flushed the position.
func (srv *Server) awaitReplicas(
	ctx context.Context, r receiptText, options *waitOptions,
) (string, error) {
	lsn := r.LSN
	if end := srv.db.Log().Inserted(); lsn > end && !srv.inRecovery() {
		return "", errBeyondEnd(lsn, end)
	}
	waiting := ctx
	if options.timeout > 0 {
		var stop context.CancelFunc
		waiting, stop = context.WithTimeoutCause(ctx, options.timeout, errWaitTimeout)
		defer stop()
	}
	err := srv.hub.AwaitFlushedBy(waiting, options.replicas, lsn)
	switch {
	case err == nil:
		// They have the position. On a node that was a standby when the wait began another history
		// than the receipt's may have come there.
		if err := srv.refuseEnded(r); err != nil {
			return "", err
		}
		return waitSuccess, nil
	case waiting.Err() == nil || ctx.Err() != nil:
		return "", err
	case options.noThrow:
		return waitTimeout, nil
	}
	return "", pgwire.Errorf(pgwire.CodeQueryCanceled,
		"timed out while waiting for target LSN %s to be flushed by %d replicas; %d have",
		lsn, options.replicas, srv.hub.CountFlushed(lsn))
}

func errBeyondEnd(lsn, end wal.LSN) *pgwire.Error {
	e := pgwire.Errorf(pgwire.CodeInvalidParameterValue, "LSN %s is beyond the end of the log", lsn)
	e.Detail = "The log ends at " + end.String() + "."
	return e
}
