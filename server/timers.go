package server

import (
	"sync/atomic"
	"time"

	"ackdb/pgwire"
)

// timers are a session's statement_timeout and transaction_timeout. The timers are made once, at
// their first use, and their functions run on goroutines of their own: what they read is atomic.
type timers struct {
	session *session

	statement *time.Timer
	// armed is the statement's timeout being measured; 0 when none is.
	armed time.Duration
	// generation grows when a measurement begins or ends: a timer of another one does nothing.
	generation atomic.Uint64

	transaction *time.Timer
}

func (t *timers) init(s *session) { t.session = s }

var (
	errStatementTimeout = pgwire.Errorf(pgwire.CodeQueryCanceled,
		"canceling statement due to statement timeout")
	errTransactionTimeout = pgwire.Fatalf(pgwire.CodeTransactionTimeout,
		"terminating connection due to transaction timeout")
)

// startStatement begins to measure. In a pipeline the clock runs from the first message to Sync or
// the end of an Execute; starting it again changes nothing.
func (t *timers) startStatement() {
	limit := milliseconds(t.session.settings.number(idStatementTimeout))
	if limit == 0 || t.armed != 0 {
		return
	}
	t.armed = limit
	generation := t.generation.Add(1)
	// A new timer each time: its function carries the generation, so that one that fires as its
	// statement ends cannot cancel the next.
	t.statement = time.AfterFunc(limit, func() {
		t.session.conn.CancelPipeline(errStatementTimeout, func() bool {
			return t.generation.Load() == generation
		})
	})
}

func (t *timers) restartStatement() {
	t.stopStatement()
	t.startStatement()
}

func (t *timers) stopStatement() {
	if t.armed == 0 {
		return
	}
	t.armed = 0
	t.generation.Add(1)
	t.statement.Stop()
	t.session.conn.ForgetCancel()
}

// startTransaction: the session ends when its transaction takes longer.
func (t *timers) startTransaction() {
	limit := milliseconds(t.session.settings.number(idTransactionTimeout))
	if limit == 0 {
		return
	}
	conn := t.session.conn
	t.transaction = time.AfterFunc(limit, func() { conn.Terminate(errTransactionTimeout) })
}

func (t *timers) stopTransaction() {
	if t.transaction != nil {
		t.transaction.Stop()
		t.transaction = nil
	}
}

func (t *timers) stopAll() {
	t.stopStatement()
	t.stopTransaction()
}
