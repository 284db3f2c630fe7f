package pgwire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgproto3/v2"
)

// Severities, as the protocol spells them.
const (
	SeverityError   = "ERROR"
	SeverityFatal   = "FATAL"
	SeverityWarning = "WARNING"
	SeverityNotice  = "NOTICE"
)

// ErrClientGone is what a Writer and a CopyReader return once the connection cannot be used any
// more. The loop closes the connection without another word.
var ErrClientGone = errors.New("pgwire: client connection lost")

// ErrEndSession is what a Backend's Query returns to end the connection without an error, once what
// it has written is sent.
var ErrEndSession = errors.New("pgwire: session over")

// ErrCopyOver is what the halves of a copy return once it is over or has been closed.
var ErrCopyOver = errors.New("pgwire: copy is over")

// Error is an error or a notice as a client sees it. A zero Severity means ERROR; FATAL closes the
// connection after it was sent.
type Error struct {
	Severity   string
	Code       string
	Message    string
	Detail     string
	Hint       string
	Position   int32 // 1-based, in characters; 0 means none
	Where      string
	Schema     string
	Table      string
	Column     string
	DataType   string
	Constraint string

	// Cause is not sent.
	Cause error
}

// Errorf makes an error of severity ERROR.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Severity: SeverityError, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Fatalf makes an error that ends the connection.
func Fatalf(code, format string, args ...any) *Error {
	return &Error{Severity: SeverityFatal, Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (SQLSTATE %s)", e.severity(), e.Message, e.Code)
}

func (e *Error) Unwrap() error { return e.Cause }

// Fatal tells whether the connection ends with this error.
func (e *Error) Fatal() bool { return e.Severity == SeverityFatal }

func (e *Error) severity() string {
	if e.Severity == "" {
		return SeverityError
	}
	return e.Severity
}

// AsError gives err the shape the wire needs. An error that no floor below has given a code is one
// of ours, not the client's: XX000, never a code that a client might retry on.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Severity: SeverityError, Code: CodeInternalError, Message: err.Error(), Cause: err}
}

// fields fills the library's message. A NUL inside a field would end it early and shift every
// field behind it, and messages quote what clients send.
func (e *Error) fields() pgproto3.ErrorResponse {
	return pgproto3.ErrorResponse{
		Severity:            e.severity(),
		SeverityUnlocalized: e.severity(),
		Code:                withoutNUL(e.Code),
		Message:             withoutNUL(e.Message),
		Detail:              withoutNUL(e.Detail),
		Hint:                withoutNUL(e.Hint),
		Position:            e.Position,
		Where:               withoutNUL(e.Where),
		SchemaName:          withoutNUL(e.Schema),
		TableName:           withoutNUL(e.Table),
		ColumnName:          withoutNUL(e.Column),
		DataTypeName:        withoutNUL(e.DataType),
		ConstraintName:      withoutNUL(e.Constraint),
	}
}

func withoutNUL(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "")
}
