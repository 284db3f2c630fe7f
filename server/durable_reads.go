package server

import (
	"context"

	"ackdb/pgwire"
	"ackdb/server/sql/plan"
	"ackdb/wal"
)

// ack.read_durability = flushed: nothing leaves for the client that a power cut could take back.
//
// Plain reads never see such: the engine gives them a view that is on disk, and nothing is waited
// for but the session's own commits. A statement that locks or writes has to work on the newest
// rows, whoever committed them and whether or not they are flushed. So its results are held in the
// output (pgwire's Hold) until the log is flushed as far as it has looked, and errors likewise: a
// unique violation tells of a row as a SELECT does, and a 40001 is worth retrying only once the
// commit that was in the way stays.
//
// The wait is at the end of a message, not of a statement: a pipeline waits once, and the locks of
// an implicit transaction are gone by then.

// durableReads is what a session in that mode keeps. Connection goroutine only.
type durableReads struct {
	// ctx is of the message being handled: where the output is full, the wait is in its middle.
	ctx context.Context
	// upto is how far the log must be flushed before what is held may leave.
	upto wal.LSN
	// committed: something was committed since results are held.
	committed bool
	// own is the end of the session's last commit.
	own wal.LSN
	// release gives the engine's views back; nil in the other mode.
	release func()
}

// readsFlushed tells the mode of a transaction that begins. It stays to its end: the statements of
// one transaction must not see two histories.
func (s *session) readsFlushed() bool {
	s.followReadMode()
	return s.durable.release != nil
}

// followReadMode has the engine keep views for the session while its setting wants them, and not a
// transaction longer.
func (s *session) followReadMode() {
	flushed := s.settings.number(idReadDurability) != 0
	d := &s.durable
	switch {
	case flushed && d.release == nil:
		d.release = s.server.db.HoldFlushed()
	case !flushed && d.release != nil:
		s.noteLooked()
		s.leaveReadMode()
	}
}

func (s *session) leaveReadMode() {
	if s.durable.release != nil {
		s.durable.release()
		s.durable.release = nil
	}
}

// prepareRead makes the transaction ready for a statement, which for a plain one may wait.
func (s *session) prepareRead(ctx context.Context, p *plan.Prepared) error {
	if s.durable.release == nil {
		return nil
	}
	t := s.txn.tx.Engine()
	if p.ReadOnly {
		return t.PrepareFlushed(ctx)
	}
	t.PrepareVisible()
	return nil
}

// hold keeps the results of a statement that locks or writes.
func (s *session) hold(ctx context.Context, p *plan.Prepared, w *pgwire.Writer) {
	if s.durable.release == nil || p.ReadOnly {
		return
	}
	s.durable.ctx = ctx
	w.Hold(s.awaitHeld)
}

// awaitHeld is the gate of what is held.
func (s *session) awaitHeld() error {
	s.noteLooked()
	ctx := s.durable.ctx
	return s.asError(ctx, s.server.db.Log().WaitFlushed(ctx, s.durable.upto))
}

// noteLooked raises upto to what the transaction has looked at. It has to be asked before the
// transaction's handle is used for the next.
func (s *session) noteLooked() {
	if s.durable.release != nil {
		s.durable.upto = max(s.durable.upto, s.txn.handle.Engine().LookedAt())
	}
}

// settle lets go of what is held, and of the error that ended the message, once the log is flushed
// as far as they tell of.
func (s *session) settle(ctx context.Context, w *pgwire.Writer, err error) error {
	d := &s.durable
	if d.release == nil && d.upto == 0 {
		return err
	}
	s.noteLooked()
	upto, committed := d.upto, d.committed
	d.upto, d.committed = 0, false
	if err != nil {
		// The locks must not wait for the disk. What is failed is not failed again.
		s.fail()
	}
	failed := s.server.db.Log().WaitFlushed(ctx, upto)
	if failed == nil {
		w.Release()
		return err
	}
	w.DropHeld()
	if !committed {
		return failed
	}
	s.receipts.due = s.settings.number(idReportCommit) != 0
	e := wireError(failed)
	if e.Code != pgwire.CodeIOError {
		e = causedBy(failed, pgwire.CodeStatementCompletionUnknown,
			"canceled waiting for what was read to become durable")
		e.Detail = "The transaction is committed; its results tell of rows that are not on disk yet."
	}
	return e
}
