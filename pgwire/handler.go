package pgwire

import (
	"context"
	"net"
	"time"
)

// Server makes a Backend for each client that gets through start-up.
type Server interface {
	// Connect is called once the start-up packet is read and before anything is answered. The
	// Backend may use conn from other goroutines for Cancel, Terminate and Wake only. An error is
	// sent as FATAL.
	Connect(ctx context.Context, info *StartupInfo, conn *Conn) (Backend, error)
}

// StartupInfo is what a client said of itself.
type StartupInfo struct {
	// Params holds the start-up parameters, names as sent. Names that begin with "_pq_." are
	// protocol options and have been answered already.
	Params map[string]string
	// Minor is the protocol's minor version in use: 0 or 2.
	Minor      int
	RemoteAddr net.Addr
	PID        int32
}

// TxStatus is the transaction state ReadyForQuery reports.
type TxStatus byte

const (
	TxIdle   TxStatus = 'I'
	TxOpen   TxStatus = 'T'
	TxFailed TxStatus = 'E'
)

// Backend answers one client. All its methods but none of its neighbours' are called from the
// connection's goroutine, one at a time.
//
// The context of a call is cancelled by a cancel request, by Conn.Cancel and by Conn.Terminate; its
// cause is the *Error to answer with. A context outlives its call, and is shared by calls until it
// has been cancelled once: keep nothing that waits on it.
type Backend interface {
	// Greet writes the ParameterStatus messages a new client is owed.
	Greet(w *Writer)

	// Query runs every statement of sql and writes their results. The implicit transaction of a
	// simple query ends inside.
	Query(ctx context.Context, sql string, w *Writer) error

	// Parse makes a prepared statement of sql, which holds one statement or none.
	Parse(ctx context.Context, sql string, paramOIDs []uint32) (Statement, error)

	// Bind makes a portal. The counts of args have been checked against the statement. Params and
	// ParamFormats are valid during the call, ResultFormats as long as the portal.
	Bind(ctx context.Context, stmt Statement, args *BindArgs) (Portal, error)

	// Sync ends the implicit transaction. It is not called for Query.
	Sync(ctx context.Context, w *Writer) error

	// Fail tells that err is about to be sent, so that an open transaction is now a failed one. It
	// is called for the Backend's own errors too.
	Fail(err *Error)

	// TxStatus is asked often, and must be cheap.
	TxStatus() TxStatus

	// Ready is called before each ReadyForQuery: the place to report settings that changed.
	Ready(w *Writer)

	// Woken is called between messages after Conn.Wake: the place to send notifications.
	Woken(w *Writer)

	// IdleLimit tells how long the client may now stay silent and which error ends it then. Zero
	// means for ever.
	IdleLimit() (time.Duration, *Error)

	// Close is the last call. The transaction, if any, is rolled back.
	Close()
}

// Statement is a prepared statement. It may outlive its name: portals keep it.
type Statement interface {
	ParamOIDs() []uint32
	// Columns is nil when the statement returns no rows.
	Columns() []Column
}

// Portal is a statement with its parameters, ready to run or half run.
type Portal interface {
	// Columns is nil when the portal returns no rows.
	Columns() []Column
	// Execute writes at most maxRows rows (0 means all) and then, unless it stopped because of
	// that limit, the completion (CommandComplete or EmptyQueryResponse). A portal that returns no
	// rows ignores the limit.
	Execute(ctx context.Context, w *Writer, maxRows int) (Execution, error)
	Close()
}

// HeldPortal is a Portal that may outlive its transaction.
type HeldPortal interface {
	Portal
	Held() bool
}

// Execution tells how a call of Portal.Execute ended.
type Execution int

const (
	// Completed: the completion has been written.
	Completed Execution = iota
	// Suspended: exactly maxRows rows have been written, whether or not more are to come.
	Suspended
)

// Column describes a column of a result.
type Column struct {
	Name     string
	TableOID uint32
	AttNum   int16
	TypeOID  uint32
	TypeSize int16
	TypeMod  int32
}

// Format codes.
const (
	FormatText   int16 = 0
	FormatBinary int16 = 1
)

// BindArgs is the body of a Bind message.
type BindArgs struct {
	// Portal is the portal's name, for errors.
	Portal []byte
	// ParamFormats has no, one or len(Params) entries, each FormatText or FormatBinary.
	ParamFormats []int16
	// Params holds nil for NULL.
	Params [][]byte
	// ResultFormats has no, one or as many entries as the result has columns.
	ResultFormats []int16
}

// ParamFormat is the format of parameter i.
func (a *BindArgs) ParamFormat(i int) int16 { return formatOf(a.ParamFormats, i) }

// ResultFormat is the format of result column i.
func (a *BindArgs) ResultFormat(i int) int16 { return formatOf(a.ResultFormats, i) }

func formatOf(formats []int16, i int) int16 {
	switch len(formats) {
	case 0:
		return FormatText
	case 1:
		return formats[0]
	}
	return formats[i]
}
