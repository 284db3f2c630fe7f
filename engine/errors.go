package engine

import (
	"errors"
	"fmt"

	"ackdb/wal"
)

// Errors of opening a directory.
var (
	// ErrCorruptStore says that the store holds something apply never writes.
	ErrCorruptStore = errors.New("engine: store is damaged")
)

// Errors of a transaction and its commit. Where no sentence says otherwise, nothing of the
// transaction is committed when one of them is returned.
var (
	// ErrClosed says that the database is closing or closed.
	ErrClosed = errors.New("engine: database is closed")

	// ErrStandby says that the node is a standby, and the transaction was to write or lock.
	ErrStandby = errors.New("engine: this node is a standby")

	// ErrTxnTooLarge says that a write set passed max_transaction_size.
	ErrTxnTooLarge = errors.New("engine: transaction is too large")

	// ErrRowTooLarge says that one key and value passed MaxRowSize.
	ErrRowTooLarge = errors.New("engine: row is too large")

	// ErrNoSpace says that the log's disk is full. Nothing was appended.
	ErrNoSpace = errors.New("engine: no space left for the log")
)

// ErrNotStandby says that what only a standby does was asked of a primary.
var ErrNotStandby = errors.New("engine: this node is not a standby")

// CommitWaitError says that a commit is appended and applied, and that waiting for its level
// ended before the level was reached: by the context, or because the log died. It unwraps to
// ErrCommitWaitCancelled and to the reason.
type CommitWaitError struct {
	Result CommitResult
	Level  wal.Level
	Cause  error
}

// ErrCommitWaitCancelled is what every CommitWaitError unwraps to.
var ErrCommitWaitCancelled = errors.New(
	"engine: the commit is applied, its durability is not confirmed")

func (e *CommitWaitError) Error() string {
	return fmt.Sprintf("%v: commit at %s: %v", ErrCommitWaitCancelled, e.Result.End, e.Cause)
}

// Unwrap gives both: callers ask for either.
func (e *CommitWaitError) Unwrap() []error { return []error{ErrCommitWaitCancelled, e.Cause} }
