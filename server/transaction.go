package server

import (
	"context"
	"errors"
	"time"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/exec"
	"ackdb/wal"
)

// blockState is where a session stands between BEGIN and COMMIT.
type blockState uint8

const (
	// blockNone: outside. A transaction that is open nevertheless ends with the statement, or at
	// Sync.
	blockNone blockState = iota
	// blockImplicit: inside a simple query of several statements, which stand or fall together.
	blockImplicit
	blockOpen
	blockFailed
)

// transaction is a session's transaction. Connection goroutine only.
type transaction struct {
	block blockState
	// tx is nil until a statement needs it. Characteristics may change as long as it is.
	tx         *exec.Txn
	handle     exec.Txn  // what tx points to, used again and again
	started    time.Time // of the first statement; now() answers it
	modes      modes
	savepoints []savepoint
	// portals whose cursors read through tx, to be closed before it goes.
	portals []*portal
	// holds are the cursors that stay when the commit under way succeeds.
	holds []*cursor
	// pipelined: something ran since the last Sync.
	pipelined bool
	// number is what txid_current() answers; 0 until it was asked.
	number uint64
}

// modes are a transaction's characteristics.
type modes struct {
	isolation  string
	readOnly   bool
	deferrable bool
}

type savepoint struct {
	name     string
	id       exec.Savepoint
	settings int
	readOnly bool
	outbox   outboxMark
}

// savepointsMax bounds nesting; ON_ERROR_ROLLBACK and ORMs stay far below it.
const savepointsMax = 10000

// enter notes that a transaction is under way, explicit or not.
func (s *session) enter() {
	t := &s.txn
	if !t.started.IsZero() {
		return
	}
	t.started = time.Now()
	t.modes = modes{
		isolation:  s.settings.get(idDefaultIsolation).text,
		readOnly:   s.settings.number(idDefaultReadOnly) != 0 || s.server.inRecovery(),
		deferrable: s.settings.number(idDefaultDeferrable) != 0,
	}
	s.timers.startTransaction()
}

// open gives the transaction its engine's.
func (s *session) open() {
	s.enter()
	t := &s.txn
	if t.tx == nil {
		s.server.executor.BeginInto(&t.handle, engine.TxnOptions{
			Isolation:   isolationOf(t.modes.isolation),
			ReadOnly:    t.modes.readOnly,
			Session:     s.commonID,
			ReadFlushed: s.readsFlushed(),
			OwnCommit:   s.durable.own,
		})
		t.tx = &t.handle
		if s.advisory != nil {
			s.advisory.Join(t.tx.Engine())
		}
	}
	t.tx.Engine().SetLockTimeout(milliseconds(s.settings.number(idLockTimeout)))
}

const isolationSerializable = "serializable"

func isolationOf(level string) engine.Isolation {
	switch level {
	case isolationSerializable:
		return engine.Serializable
	case "repeatable read":
		return engine.RepeatableRead
	}
	// READ UNCOMMITTED is READ COMMITTED, as in Postgres.
	return engine.ReadCommitted
}

// levelOf maps the place of a word in synchronous_commit's enum, which is in Postgres' order.
func levelOf(place int64) wal.Level {
	return [...]wal.Level{wal.LevelLocal, wal.LevelRemoteWrite, wal.LevelRemoteApply, wal.LevelOn,
		wal.LevelOff}[place]
}

// commit ends the transaction well, or rolls it back and says why.
func (s *session) commit(ctx context.Context) error {
	t := &s.txn
	if t.tx == nil {
		s.finish(true)
		return nil
	}
	err := s.holdCursors(ctx)
	if err == nil && s.temp.name != "" && t.tx.Engine().Writes() {
		err = t.tx.EndTemp(ctx, s.temp.name)
	}
	if err != nil {
		s.rollback()
		return err
	}
	s.closeCursors(0)
	options := s.commitOptions()
	writes := t.tx.Engine().Writes()
	began := time.Now()
	result, err := t.tx.Commit(ctx, options)
	committed := err == nil || errors.Is(err, engine.ErrCommitWaitCancelled)
	if committed {
		s.noteCommit(result)
		t.keepHeld()
	}
	if committed && err != nil {
		s.outbox.after = result.End
	}
	s.server.metrics.ended(committed)
	if writes {
		s.server.metrics.committed(options.Level, committed, time.Since(began))
	}
	t.tx = nil
	s.finish(committed)
	return err
}

// rollback ends the transaction without a trace.
func (s *session) rollback() {
	if tx := s.txn.tx; tx != nil {
		s.closeCursors(0)
		tx.Rollback()
		s.txn.tx = nil
		s.server.metrics.ended(false)
	}
	s.finish(false)
}

// finish clears what belonged to the transaction. S3.
func (s *session) finish(committed bool) {
	if committed {
		s.settings.commit()
	} else {
		s.settings.rollbackTo(0)
	}
	s.endOutbox(committed)
	s.noteLooked()
	s.followReadMode()
	t := &s.txn
	if t.started.IsZero() && t.block == blockNone {
		return
	}
	t.block = blockNone
	t.started = time.Time{}
	t.savepoints = t.savepoints[:0]
	t.pipelined = false
	t.number = 0
	t.holds = nil
	s.timers.stopTransaction()
	s.conn.ClosePortals()
}

// endImplicit is Sync with nothing to commit.
func (s *session) endImplicit() {
	s.txn.pipelined = false
	if s.txn.block == blockNone {
		s.finish(true)
	}
}

// fail is what an error does to the transaction: a block waits for its end with nothing but its
// savepoints left, anything else is over.
func (s *session) fail() {
	t := &s.txn
	if t.block != blockOpen {
		if t.block != blockFailed {
			s.rollback()
		}
		return
	}
	t.block = blockFailed
	n := len(t.savepoints)
	if n == 0 {
		// Locks go at once, not when the client gets around to its ROLLBACK.
		s.closeCursors(0)
		if t.tx != nil {
			t.tx.Rollback()
			t.tx = nil
		}
		s.settings.rollbackTo(0)
		s.outbox.rollbackTo(outboxMark{})
		return
	}
	s.returnTo(n - 1)
}

// returnTo undoes what happened since savepoint i.
func (s *session) returnTo(i int) {
	t := &s.txn
	s.closeCursors(i + 1)
	sp := t.savepoints[i]
	// The savepoint is one of this transaction's: it cannot be missing.
	if err := t.tx.RollbackTo(sp.id); err != nil {
		panic("server: savepoint lost: " + err.Error())
	}
	s.settings.rollbackTo(sp.settings)
	s.outbox.rollbackTo(sp.outbox)
	t.modes.readOnly = sp.readOnly
}

// closeCursors closes the cursors opened with at least depth savepoints standing. The names that
// DECLARE gave are free again.
func (s *session) closeCursors(depth int) {
	var names []string
	kept := s.txn.portals[:0]
	for _, p := range s.txn.portals {
		if p.depth < depth {
			kept = append(kept, p)
			continue
		}
		p.closeCursor()
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	clear(s.txn.portals[len(kept):])
	s.txn.portals = kept
	for _, name := range names {
		_ = s.conn.ClosePortal(name) // one that is being executed goes when the transaction does
	}
}

// requireBlock answers for what makes sense between BEGIN and COMMIT only.
func (s *session) requireBlock(what string) error {
	if s.txn.block == blockOpen || s.txn.block == blockFailed {
		return nil
	}
	return pgwire.Errorf(pgwire.CodeNoActiveSQLTransaction,
		"%s can only be used in transaction blocks", what)
}

// forbidBlock answers for what commits by itself and so cannot be part of anything.
func (s *session) forbidBlock(what string) error {
	if s.txn.block == blockNone && s.txn.tx == nil {
		return nil
	}
	return pgwire.Errorf(pgwire.CodeActiveSQLTransaction,
		"%s cannot run inside a transaction block", what)
}

func (s *session) showIsolation() string {
	if s.txn.started.IsZero() {
		return s.settings.get(idDefaultIsolation).text
	}
	return s.txn.modes.isolation
}

func (s *session) showReadOnly() string {
	if s.txn.started.IsZero() {
		return boolValue(s.settings.number(idDefaultReadOnly) != 0 || s.server.inRecovery()).text
	}
	return boolValue(s.txn.modes.readOnly).text
}

func (s *session) showDeferrable() string {
	if s.txn.started.IsZero() {
		return s.settings.get(idDefaultDeferrable).text
	}
	return boolValue(s.txn.modes.deferrable).text
}
