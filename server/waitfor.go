package server

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/wal"
)

// codeCommitLost is ours, in the class of what the present state does not allow: no driver takes it
// for something to retry blindly.
const codeCommitLost = "55L01"

// The status words of WAIT FOR.
const (
	waitSuccess       = "success"
	waitTimeout       = "timeout"
	waitNotInRecovery = "not in recovery"
)

// Modes of WAIT FOR. The standby ones are Postgres' and need recovery in progress; the default is
// Postgres' too.
const (
	modePrimaryFlush  = "primary_flush"
	modeStandbyReplay = "standby_replay"
	modeStandbyWrite  = "standby_write"
	modeStandbyFlush  = "standby_flush"
	modeReplicaFlush  = "replica_flush"
)

// standbyModes and what each waits for, as messages have it.
var standbyModes = map[string]string{
	modeStandbyReplay: "replayed", modeStandbyWrite: "written", modeStandbyFlush: "flushed"}

// waitEvents are what pg_stat_activity shows, by mode.
var waitEvents = map[string]string{
	modeStandbyReplay: "WaitForWalReplay", modeStandbyWrite: "WaitForWalWrite",
	modeStandbyFlush: "WaitForWalFlush", modePrimaryFlush: "WaitForWalFlush",
	modeReplicaFlush: "WaitForReplicaFlush"}

// replicasMax is the most replicas that replica_flush can ask for.
const replicasMax = 1000

// waitOptions are the options of a WAIT FOR, checked.
type waitOptions struct {
	mode     string
	replicas int           // of replica_flush
	timeout  time.Duration // 0 is for ever
	noThrow  bool
}

// waitFor runs WAIT FOR LSN and returns its tag.
func (s *session) waitFor(
	ctx context.Context, stmt *parse.Stmt, n *parse.WaitForStmt, w *pgwire.Writer,
) (string, error) {
	receipt, err := parseReceipt(n.LSN)
	if err != nil {
		return "", err
	}
	options, err := readWaitOptions(stmt, n.Options)
	if err != nil {
		return "", err
	}
	if s.holdsSnapshot() {
		e := pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState,
			"WAIT FOR must be called without an active or registered snapshot")
		e.Detail = "WAIT FOR cannot be executed within a transaction with an isolation level " +
			"higher than READ COMMITTED."
		return "", e
	}
	s.waitsFor("IPC", waitEvents[options.mode])
	defer s.waitsFor("", "")
	status, err := s.server.awaitReceipt(ctx, receipt, &options)
	if err != nil {
		return "", err
	}
	w.BeginRow(1)
	w.Value([]byte(status))
	return "WAIT", w.EndRow()
}

// waitsFor is for pg_stat_activity.
func (s *session) waitsFor(eventType, event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.activity.waitType, s.activity.waitEvent = eventType, event
}

// holdsSnapshot tells a transaction that reads on a snapshot from statement to statement, or a
// portal that is half read: what has to be waited for could need it gone.
func (s *session) holdsSnapshot() bool {
	t := &s.txn
	return len(t.portals) > 0 ||
		t.tx != nil && isolationOf(t.modes.isolation) != engine.ReadCommitted
}

// awaitReceipt waits as the options say and returns the status word.
func (srv *Server) awaitReceipt(
	ctx context.Context, r receiptText, options *waitOptions,
) (string, error) {
	_, standby := standbyModes[options.mode]
	if standby && srv.inRecovery() {
		return srv.awaitStandby(ctx, r, options)
	}
	if err := srv.refuseEnded(r); err != nil {
		return "", err
	}
	if standby {
		if options.noThrow {
			return waitNotInRecovery, nil
		}
		e := pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState, "recovery is not in progress")
		e.Hint = "Waiting for the " + options.mode + " LSN can only be executed during recovery. " +
			"On a primary wait WITH (MODE '" + modePrimaryFlush + "')."
		return "", e
	}
	if options.mode == modeReplicaFlush {
		return srv.awaitReplicas(ctx, r, options)
	}
	if srv.inRecovery() {
		e := pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState, "recovery is in progress")
		e.Hint = "Waiting for " + modePrimaryFlush + " can only be done on a primary server. Use " +
			modeStandbyFlush + " mode on a standby server."
		return "", e
	}
	return srv.awaitFlush(ctx, r.LSN, options)
}

// refuseEnded answers at once for a token that no waiting can help: of a commit that is lost, and
// of a history this node does not know.
func (srv *Server) refuseEnded(r receiptText) error {
	if r.bare {
		return nil
	}
	switch status := srv.judge(r); {
	case status == wal.StatusDurable:
		return nil
	case status == wal.StatusLost:
		return errCommitLost(r)
	case r.EpochID != srv.db.Log().Epochs().Last().EpochID:
		return errUnknownEpoch(r)
	}
	return nil
}

func (srv *Server) awaitFlush(
	ctx context.Context, lsn wal.LSN, options *waitOptions,
) (string, error) {
	log := srv.db.Log()
	reached := true
	var err error
	if options.timeout > 0 {
		reached, err = log.WaitFlushedFor(ctx, lsn, options.timeout)
	} else {
		err = log.WaitFlushed(ctx, lsn)
	}
	switch {
	case errors.Is(err, wal.ErrBeyondEnd):
		return "", errBeyondEnd(lsn, log.Inserted())
	case err != nil:
		return "", err
	case reached:
		return waitSuccess, nil
	case options.noThrow:
		return waitTimeout, nil
	}
	return "", pgwire.Errorf(pgwire.CodeQueryCanceled,
		"timed out while waiting for target LSN %s to be flushed; current primary_flush LSN %s",
		lsn, log.Flushed())
}

// readWaitOptions checks the options, in the words of Postgres 19.
func readWaitOptions(stmt *parse.Stmt, list []parse.DefElem) (waitOptions, error) {
	options := waitOptions{mode: modeStandbyReplay}
	seen := make(map[string]bool)
	for i := range list {
		d := &list[i]
		if seen[d.Name] {
			return options, atOption(stmt, d,
				pgwire.Errorf(pgwire.CodeSyntaxError, "conflicting or redundant options"))
		}
		seen[d.Name] = true
		var bad *pgwire.Error
		switch d.Name {
		case "mode":
			bad = options.setMode(d)
		case "timeout":
			bad = options.setTimeout(d)
		case "no_throw":
			bad = options.setNoThrow(d)
		default:
			bad = pgwire.Errorf(pgwire.CodeSyntaxError, "option \"%s\" not recognized", d.Name)
		}
		if bad != nil {
			return options, atOption(stmt, d, bad)
		}
	}
	return options, nil
}

func atOption(stmt *parse.Stmt, d *parse.DefElem, e *pgwire.Error) *pgwire.Error {
	e.Position = int32(stmt.Position(d.Pos))
	return e
}

// optionText is an option's argument as text; an option without one has none.
func optionText(d *parse.DefElem) (string, *pgwire.Error) {
	c, ok := d.Arg.(*parse.Const)
	if !ok {
		return "", pgwire.Errorf(pgwire.CodeSyntaxError, "%s requires a parameter", d.Name)
	}
	if c.Kind == parse.ConstInt4 || c.Kind == parse.ConstInt8 {
		return strconv.FormatInt(c.Int, 10), nil
	}
	return c.Str, nil
}

func (o *waitOptions) setMode(d *parse.DefElem) *pgwire.Error {
	text, bad := optionText(d)
	if bad != nil {
		return bad
	}
	o.mode = strings.ToLower(text)
	if _, standby := standbyModes[o.mode]; standby || o.mode == modePrimaryFlush {
		return nil
	}
	mode, count, counted := strings.Cut(o.mode, ":")
	n, err := strconv.Atoi(count)
	if mode == modeReplicaFlush && counted && err == nil && n >= 1 && n <= replicasMax {
		o.mode, o.replicas = mode, n
		return nil
	}
	e := pgwire.Errorf(pgwire.CodeInvalidParameterValue,
		"unrecognized value for WAIT option \"mode\": \"%s\"", text)
	e.Hint = "Modes are standby_replay, standby_write, standby_flush, primary_flush and " +
		"replica_flush:n."
	return e
}

// waitTimeoutUnit reads a timeout as a setting of milliseconds is read.
var waitTimeoutUnit = setting{name: "timeout", kind: kindReal, unit: unitMillisecond,
	min: -math.MaxFloat64, max: math.MaxFloat64}

func (o *waitOptions) setTimeout(d *parse.DefElem) *pgwire.Error {
	text, bad := optionText(d)
	if bad != nil {
		return bad
	}
	v, bad := waitTimeoutUnit.parse(text)
	if bad != nil {
		e := pgwire.Errorf(pgwire.CodeInvalidParameterValue, "invalid timeout value: \"%s\"", text)
		e.Hint = bad.Hint
		return e
	}
	ms, err := strconv.ParseFloat(v.text, 64)
	ms = math.RoundToEven(ms)
	const most = math.MaxInt64 / float64(time.Millisecond)
	switch {
	case err != nil || ms >= most || ms <= -most:
		return pgwire.Errorf(pgwire.CodeNumericValueOutOfRange, "timeout value is out of range")
	case ms < 0:
		return pgwire.Errorf(pgwire.CodeInvalidParameterValue, "timeout cannot be negative")
	}
	o.timeout = time.Duration(ms) * time.Millisecond
	return nil
}

func (o *waitOptions) setNoThrow(d *parse.DefElem) *pgwire.Error {
	if d.Arg == nil {
		o.noThrow = true
		return nil
	}
	text, bad := optionText(d)
	if bad != nil {
		return bad
	}
	on, ok := parseBool(text)
	if !ok {
		return pgwire.Errorf(pgwire.CodeSyntaxError, "%s requires a Boolean value", d.Name)
	}
	o.noThrow = on
	return nil
}
