package engine

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of a running transaction. After any of them the transaction stands as it stood before
// the call, except where a sentence says otherwise; the caller rolls it back, whole or to a
// savepoint.
var (
	// ErrSerialization says that the transaction's snapshot has been overtaken (40001). Only a new
	// transaction can succeed.
	ErrSerialization = errors.New("engine: could not serialize access")

	// ErrDeadlock says that the transaction was chosen to break a circle of waiters (40P01).
	ErrDeadlock = errors.New("engine: deadlock detected")

	// ErrLockNotAvailable says that a lock is held by another transaction (55P03).
	ErrLockNotAvailable = errors.New("engine: lock is not available")

	// ErrLockTimeout is an ErrLockNotAvailable after waiting for lock_timeout.
	ErrLockTimeout = fmt.Errorf("%w: lock timeout", ErrLockNotAvailable)

	// ErrTooManyLocks says that the lock table is full (53200).
	ErrTooManyLocks = errors.New("engine: too many locks")

	// ErrReadOnly says that a READ ONLY transaction was asked to write or to lock (25006).
	ErrReadOnly = errors.New("engine: transaction is read-only")

	// ErrTxnDone says that the transaction was committed or rolled back before.
	ErrTxnDone = errors.New("engine: transaction has ended")

	// ErrNoSavepoint says that a savepoint was released or rolled back past.
	ErrNoSavepoint = errors.New("engine: savepoint does not exist")
)

// SerializationReason says what overtook a snapshot; clients see it as a part of the message.
type SerializationReason uint8

// The reasons for which a transaction cannot be serialized.
const (
	// ConcurrentUpdate: the first updater won.
	ConcurrentUpdate SerializationReason = iota

	// ConcurrentDelete: the first updater won, and the row is gone.
	ConcurrentDelete

	// ReadWriteDependency: a later commit changed what a SERIALIZABLE transaction has read.
	ReadWriteDependency

	// WindowOverflow: so much was committed since the snapshot that the write sets to compare
	// with are no longer kept.
	WindowOverflow
)

func (r SerializationReason) String() string {
	switch r {
	case ConcurrentUpdate:
		return "concurrent update"
	case ConcurrentDelete:
		return "concurrent delete"
	case ReadWriteDependency:
		return "read/write dependencies among transactions"
	case WindowOverflow:
		return "too many commits since the snapshot"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// SerializationError is an ErrSerialization with its reason.
type SerializationError struct {
	Reason SerializationReason
}

func (e *SerializationError) Error() string {
	return fmt.Sprintf("%v due to %v", ErrSerialization, e.Reason)
}

// Unwrap makes errors.Is(err, ErrSerialization) true.
func (e *SerializationError) Unwrap() error { return ErrSerialization }

// DeadlockError is an ErrDeadlock with the circle: each transaction waits for the next, the last
// for the first.
type DeadlockError struct {
	Cycle []LockInfo
}

func (e *DeadlockError) Error() string {
	var b strings.Builder
	b.WriteString(ErrDeadlock.Error())
	for i, w := range e.Cycle {
		next := e.Cycle[(i+1)%len(e.Cycle)]
		fmt.Fprintf(&b, "; session %d waits for %s on %s, blocked by session %d",
			w.Session, w.Mode, w.Target(), next.Session)
	}
	return b.String()
}

// Unwrap makes errors.Is(err, ErrDeadlock) true.
func (e *DeadlockError) Unwrap() error { return ErrDeadlock }
