package server

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/replica"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// Codes that only this floor answers.
const (
	codeInvalidName = "42602"
)

// wireError is the one table from errors to SQLSTATE (S4). The order matters where errors wrap one
// another: what says most comes first.
func wireError(err error) *pgwire.Error {
	if err == nil {
		return nil
	}
	if e := commitWaitError(err); e != nil {
		return e
	}
	var wire *pgwire.Error
	if errors.As(err, &wire) {
		return wire
	}
	var peer *replica.Error
	if errors.As(err, &peer) {
		e := causedBy(err, peer.Code, peer.Message)
		e.Detail, e.Hint = peer.Detail, peer.Hint
		return e
	}
	if e := sqlError(err); e != nil {
		return e
	}
	if e := engineError(err); e != nil {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return causedBy(err, pgwire.CodeQueryCanceled, "canceling statement due to user request")
	}
	return pgwire.AsError(err)
}

// causedBy keeps the error for the log; the client gets the words it knows.
func causedBy(err error, code, message string) *pgwire.Error {
	return &pgwire.Error{
		Severity: pgwire.SeverityError, Code: code, Message: message, Cause: err}
}

// sqlError maps what the SQL floors answer. They have SQLSTATEs of their own.
func sqlError(err error) *pgwire.Error {
	var sql *types.Error
	if errors.As(err, &sql) {
		return &pgwire.Error{
			Severity: pgwire.SeverityError, Code: string(sql.Code), Message: sql.Message,
			Detail: sql.Detail, Hint: sql.Hint, Where: sql.Context,
			Position: int32(sql.Position), Schema: sql.Schema, Table: sql.Table, Column: sql.Column, DataType: sql.DataType,
			Constraint: sql.Constraint, Cause: err,
		}
	}
	var syntax *parse.SyntaxError
	if errors.As(err, &syntax) {
		return &pgwire.Error{Severity: pgwire.SeverityError, Code: syntax.SQLSTATE,
			Message: syntax.Message, Hint: syntax.Hint, Position: int32(syntax.Position), Cause: err}
	}
	var feature *parse.FeatureError
	if errors.As(err, &feature) {
		return &pgwire.Error{Severity: pgwire.SeverityError, Code: feature.SQLSTATE(),
			Message: feature.Error(), Position: int32(feature.Position), Cause: err}
	}
	return nil
}

// engineErrors maps the sentinels of engine and wal. The message is Postgres' where Postgres has
// the error, the sentinel's own where it has not.
var engineErrors = []struct {
	is      error
	code    string
	message string
}{
	{wal.ErrPoisoned, pgwire.CodeIOError, "the log has failed; the server stops"},
	{engine.ErrSerialization, pgwire.CodeSerializationFailure, ""},
	{engine.ErrDeadlock, pgwire.CodeDeadlockDetected, "deadlock detected"},
	{engine.ErrLockTimeout, pgwire.CodeLockNotAvailable,
		"canceling statement due to lock timeout"},
	{engine.ErrLockNotAvailable, pgwire.CodeLockNotAvailable, "could not obtain lock on row"},
	{engine.ErrTooManyLocks, pgwire.CodeOutOfMemory, "out of shared memory"},
	{engine.ErrStandby, pgwire.CodeReadOnlySQLTransaction,
		"cannot execute a writing statement during recovery"},
	{engine.ErrNotStandby, pgwire.CodeObjectNotInPrerequisiteState, "recovery is not in progress"},
	{engine.ErrReadOnly, pgwire.CodeReadOnlySQLTransaction,
		"cannot execute a writing statement in a read-only transaction"},
	{engine.ErrTxnTooLarge, pgwire.CodeProgramLimitExceeded,
		"transaction is too large (max_transaction_size)"},
	{engine.ErrRowTooLarge, pgwire.CodeProgramLimitExceeded, "row is too large"},
	{engine.ErrNoSpace, pgwire.CodeDiskFull, "could not extend the log: no space left on device"},
	{wal.ErrNoSpace, pgwire.CodeDiskFull, "could not extend the log: no space left on device"},
	{engine.ErrTxnDone, pgwire.CodeNoActiveSQLTransaction, "transaction has ended"},
	{engine.ErrNoSavepoint, pgwire.CodeInvalidSavepoint, "savepoint does not exist"},
	{engine.ErrClosed, pgwire.CodeCannotConnectNow, "the database system is shutting down"},
	{wal.ErrClosed, pgwire.CodeCannotConnectNow, "the database system is shutting down"},
	{engine.ErrLossLimit, pgwire.CodeConfigurationLimitExceeded, ""},
	// Last: a read of the store that the disk refused. Whoever wrapped it says what it means.
	{syscall.EIO, pgwire.CodeIOError, "the disk failed while the store was read"},
}

func engineError(err error) *pgwire.Error {
	for _, m := range engineErrors {
		if !errors.Is(err, m.is) {
			continue
		}
		e := causedBy(err, m.code, m.message)
		describeEngineError(e, err)
		return e
	}
	return nil
}

// commitWaitError answers for a commit that has happened and whose waiting ended before it had
// reached its level: what the client is told is the commit's state, and not why the wait ended. A
// commit that waited when the disk failed is no such commit.
func commitWaitError(err error) *pgwire.Error {
	var wait *engine.CommitWaitError
	if !errors.As(err, &wait) || errors.Is(err, wal.ErrPoisoned) {
		return nil
	}
	token := wal.Token{EpochID: wait.Result.EpochID, LSN: wait.Result.End}
	if wait.Result.Reached < engine.ReachedFlushed {
		e := causedBy(err, pgwire.CodeStatementCompletionUnknown,
			"canceled waiting for the commit to become durable")
		e.Detail = "Commit " + token.String() + " is visible here; it is not known yet whether it " +
			"would survive a crash."
		return e
	}
	e := causedBy(err, pgwire.CodeStatementCompletionUnknown,
		"canceled waiting for synchronous replication")
	e.Detail = "Commit " + token.String() + " has already committed locally, but might not have " +
		"been replicated to the standby."
	return e
}

// describeEngineError adds what the typed errors know.
func describeEngineError(e *pgwire.Error, err error) {
	var serialization *engine.SerializationError
	var deadlock *engine.DeadlockError
	var unresolved *wal.UnresolvedError
	var limit *engine.LossLimitError
	switch {
	case errors.As(err, &limit):
		e.Message = fmt.Sprintf("commit refused: the oldest commit not on disk is %d ms old, "+
			"and %d bytes would be", limit.Age.Milliseconds(), limit.Bytes)
		e.Detail = "The limit, ack.max_async_loss, is " + formatLossLimit(limit.Limit) + "."
		e.Hint = "Nothing was written. ack.on_loss_limit = delay would wait for the disk."
	case errors.As(err, &unresolved):
		e.Detail = unresolvedDetail(unresolved)
		e.Hint = unresolvedHint
	case errors.As(err, &serialization):
		e.Message = fmt.Sprintf("could not serialize access due to %v", serialization.Reason)
	case errors.As(err, &deadlock):
		e.Detail = deadlockDetail(deadlock)
		e.Hint = "See server log for query details."
	case e.Message == "":
		e.Message = err.Error()
	}
}

func deadlockDetail(d *engine.DeadlockError) (detail string) {
	for i, w := range d.Cycle {
		next := d.Cycle[(i+1)%len(d.Cycle)]
		if i > 0 {
			detail += "\n"
		}
		detail += fmt.Sprintf("Process %d waits for %s on %s; blocked by process %d.",
			w.Session, w.Mode, w.Target(), next.Session)
	}
	return detail
}

// errAborted is S2's answer.
func errAborted() *pgwire.Error {
	return pgwire.Errorf(pgwire.CodeInFailedSQLTransaction,
		"current transaction is aborted, commands ignored until end of transaction block")
}

func errUnsupported(format string, args ...any) *pgwire.Error {
	return pgwire.Errorf(pgwire.CodeFeatureNotSupported, format+" is not supported", args...)
}

func warning(code, format string, args ...any) *pgwire.Error {
	e := pgwire.Errorf(code, format, args...)
	e.Severity = pgwire.SeverityWarning
	return e
}
