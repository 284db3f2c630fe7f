package replica

import (
	"errors"
	"fmt"

	"ackdb/wal"
)

// Error is what a peer or a session is told, in the words and with the SQLSTATE Postgres would use.
type Error struct {
	Code    string // SQLSTATE
	Message string
	Detail  string
	Hint    string
}

func (e *Error) Error() string { return e.Message }

// The SQLSTATEs of this package.
const (
	codeSyntax           = "42601"
	codeInvalidName      = "42602"
	codeNameTooLong      = "42622"
	codeUndefinedObject  = "42704"
	codeDuplicateObject  = "42710"
	codeOutOfRange       = "22003"
	codeInvalidParameter = "22023"
	codeNotSupported     = "0A000"
	codeTooMany          = "53300"
	codeLimitExceeded    = "53400"
	codeNotInState       = "55000"
	codeInUse            = "55006"
	codeFileGone         = "58P01"
)

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// These errors can come from either end of a stream.
var (
	// ErrProtocol: the peer sent what the protocol does not allow.
	ErrProtocol = errors.New("replica: malformed message")
	// ErrPeerSilent: nothing was heard from the peer within the timeout.
	ErrPeerSilent = errors.New("replica: peer has fallen silent")
)

// These errors can come from the primary side.
var (
	// ErrNotCommand: the text is no replication command; it may be SQL.
	ErrNotCommand = errors.New("replica: not a replication command")
	// ErrHubClosed: the node is shutting down.
	ErrHubClosed = errors.New("replica: closed")
)

// ErrMustReseed: what this standby needs next is gone from its upstream; only a base backup helps.
var ErrMustReseed = errors.New("replica: the log needed is gone from the upstream")

// DivergedError says that this node's log and its upstream's have parted (R4). Nothing is cut off
// and nothing merged; a person decides which of the two goes.
type DivergedError struct {
	Ours     wal.Token // the end of our log
	Theirs   wal.Token // how far the upstream's is flushed
	Upstream uint64    // the node that said so
	Fork     wal.LSN   // where the histories part, at the latest
	Message  string    // in the upstream's words
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf(
		"replica: our log, which ends at %s, diverged from node %016x, which is at %s, at %s: %s",
		e.Ours, e.Upstream, e.Theirs, e.Fork, e.Message)
}
