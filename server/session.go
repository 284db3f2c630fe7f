package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// session is one client. It implements pgwire.Backend; all its methods run on the connection's
// goroutine.
type session struct {
	// Immutable.
	server   *Server
	conn     *pgwire.Conn
	user     string
	started  time.Time
	commonID uint64 // the pid, as the engine knows the session

	commitWaiting func(engine.WaitKind) // commitWaits, made once

	// Connection goroutine only.
	settings     layers
	txn          transaction
	exec         *exec.Session
	env          exec.Env
	text         textEnv
	tokens       parse.Tokens
	args         []types.Datum
	parsed       map[string]*statement // texts parsed lately
	spare        *portal               // of the last unnamed portal, to be used again
	timers       timers
	reported     reported
	writer       *pgwire.Writer // of the call in progress, for notices
	receipts     receipts
	durable      durableReads
	outbox       outbox
	channels     map[string]struct{}   // listened on
	ownsSlot     bool                  // made a temporary one
	cursorMemory builtin.Share         // of the rows that cursors keep
	advisory     *engine.AdvisoryLocks // nil until the first is asked for
	temp         tempSchema
	// durableSent is the watermark the client has seen.
	durableSent wal.LSN

	// Any goroutine.
	inbox      inbox
	durableDue atomic.Bool // the watermark has moved

	mu sync.Mutex
	// Guarded by mu: what pg_stat_activity shows.
	activity activity
}

// activity is what a session is seen to do.
type activity struct {
	state       string
	query       string
	queryStart  time.Time
	txnStart    time.Time
	stateChange time.Time
	app         string
	// of a wait that is no lock's
	waitType, waitEvent string
}

func newSession(
	srv *Server, info *pgwire.StartupInfo, conn *pgwire.Conn,
) (*session, *pgwire.Error) {
	s := &session{server: srv, conn: conn, user: info.Params["user"], started: time.Now(),
		commonID: uint64(info.PID), settings: newLayers(&srv.settings)}
	if err := s.applyStartup(info.Params); err != nil {
		return nil, err
	}
	s.exec = srv.executor.NewSession((*host)(s))
	s.cursorMemory.Open(srv.executor.Memory())
	s.exec.VirtualHost = s
	s.env.Session = s.exec
	s.env.Notice, s.env.Temp = s.noticeSQL, s.tempSchema
	s.commitWaiting = s.commitWaits
	s.timers.init(s)
	s.followReadMode()
	s.activity = activity{state: "idle", stateChange: s.started, app: s.appName()}
	return s, nil
}

func (s *session) appName() string { return s.settings.get(idApplicationName).text }

// Greet sends what drivers rely on to know the server.
func (s *session) Greet(w *pgwire.Writer) { s.reportSettings(w) }

// TxStatus implements pgwire.Backend.
func (s *session) TxStatus() pgwire.TxStatus {
	switch s.txn.block {
	case blockOpen:
		return pgwire.TxOpen
	case blockFailed:
		return pgwire.TxFailed
	}
	return pgwire.TxIdle
}

// Ready implements pgwire.Backend.
func (s *session) Ready(w *pgwire.Writer) {
	s.timers.stopStatement()
	// A commit whose waiting was cancelled has a receipt all the same.
	s.reportCommit(w)
	s.reportSettings(w)
	s.deliver(w)
	s.becomeIdle()
}

// Woken implements pgwire.Backend: a reload may have changed what was reported, or notifications
// have come.
func (s *session) Woken(w *pgwire.Writer) {
	s.reportSettings(w)
	s.deliver(w)
}

// Fail implements pgwire.Backend.
func (s *session) Fail(err *pgwire.Error) {
	s.fail()
	s.server.logStatementError(s, err)
}

// IdleLimit implements pgwire.Backend.
func (s *session) IdleLimit() (time.Duration, *pgwire.Error) {
	if s.txn.block == blockNone {
		return milliseconds(s.settings.number(idIdleSessionTimeout)), errIdleSession
	}
	return milliseconds(s.settings.number(idIdleInTxnTimeout)), errIdleInTxn
}

var (
	errIdleSession = pgwire.Fatalf(pgwire.CodeIdleSessionTimeout,
		"terminating connection due to idle-session timeout")
	errIdleInTxn = pgwire.Fatalf(pgwire.CodeIdleInTransactionTimeout,
		"terminating connection due to idle-in-transaction timeout")
)

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// Close implements pgwire.Backend.
func (s *session) Close() {
	s.timers.stopAll()
	s.rollback()
	s.leaveReadMode()
	s.endTemp()
	s.cursorMemory.Close()
	s.unlistenAll()
	if s.advisory != nil {
		s.advisory.Close()
	}
	if s.ownsSlot {
		s.server.hub.ReleaseSession(s.conn.PID())
	}
	s.server.forget(s)
}

// begins notes that a message is at work; every entry from the wire passes here.
func (s *session) begins(w *pgwire.Writer) {
	s.writer = w
	s.timers.startStatement()
}

// becomesActive is for pg_stat_activity.
func (s *session) becomesActive(query string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.activity.state, s.activity.query = "active", query
	s.activity.queryStart, s.activity.stateChange = now, now
	s.activity.txnStart = s.txn.started
}

func (s *session) becomeIdle() {
	state := "idle"
	switch s.txn.block {
	case blockOpen:
		state = "idle in transaction"
	case blockFailed:
		state = "idle in transaction (aborted)"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.activity.state == state {
		return
	}
	s.activity.state, s.activity.stateChange = state, time.Now()
	s.activity.txnStart = s.txn.started
}

// notice sends a notice or a warning if the client wants it.
func (s *session) notice(e *pgwire.Error) {
	if s.writer == nil || !s.wantsNotice(e.Severity) {
		return
	}
	s.writer.Notice(e)
}

// wantsNotice compares with client_min_messages, whose levels are in ascending order.
func (s *session) wantsNotice(severity string) bool {
	const notice, warn = 6, 7 // places in messageLevels
	level := s.settings.number(idClientMinMessages)
	if severity == pgwire.SeverityWarning {
		return level <= warn
	}
	return level <= notice
}

func (s *session) noticeSQL(e *types.Error) {
	wire := sqlError(e)
	wire.Severity = pgwire.SeverityNotice
	s.notice(wire)
}

// planEnv is what names and literals mean now.
func (s *session) planEnv() plan.Env {
	s.refreshText()
	s.refreshCatalog()
	s.text.env.Now = types.MicrosOf(time.Now())
	if !s.txn.started.IsZero() {
		s.text.env.Now = types.MicrosOf(s.txn.started)
	}
	return plan.Env{Catalog: s.snapshot(), SearchPath: s.text.path, User: s.user,
		Types: &s.text.env, Implicit: s.text.implicit, Temp: s.env.Temp}
}

// snapshot is the catalog as the transaction sees it.
func (s *session) snapshot() *catalog.Snapshot {
	if s.txn.tx != nil {
		return s.txn.tx.Catalog()
	}
	return s.server.catalog.Snapshot()
}

// commitOptions are what the session's commits wait for, and what the log says of them.
func (s *session) commitOptions() engine.CommitOptions {
	return engine.CommitOptions{
		Level: levelOf(s.settings.number(idSynchronousCommit)), User: s.user, App: s.appName(),
		Wait:    time.Duration(s.settings.number(idCommitWait)) * time.Microsecond,
		Limit:   s.lossLimit(),
		OnLimit: engine.LimitAction(s.settings.number(idOnLossLimit)),
		Waiting: s.commitWaiting,
	}
}

// Sync implements pgwire.Backend.
func (s *session) Sync(ctx context.Context, w *pgwire.Writer) error {
	s.writer = w
	if s.txn.block != blockNone || s.txn.tx == nil {
		s.endImplicit()
		return s.asError(ctx, s.settle(ctx, w, nil))
	}
	s.timers.startStatement()
	err := s.commit(ctx)
	s.reportCommit(w)
	return s.asError(ctx, s.settle(ctx, w, err))
}

// asError gives an error its shape for the wire. What a cancelled context made fail is answered
// with the reason for the cancelling, unless it already says something more precise.
func (s *session) asError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if isConnectionError(err) {
		return err
	}
	e := wireError(err)
	vague := e.Code == pgwire.CodeQueryCanceled || e.Code == pgwire.CodeInternalError
	if ctx.Err() != nil && vague {
		return context.Cause(ctx)
	}
	return e
}
