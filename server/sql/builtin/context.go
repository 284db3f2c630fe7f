package builtin

import (
	"context"
	"time"

	"ackdb/server/sql/types"
)

// Context is what a function may look at besides its arguments. One belongs to one statement of one
// session.
type Context struct {
	// Ctx ends when the statement is cancelled or times out; nil never ends.
	Ctx context.Context
	// Env is the session's part in text forms; nil is the default one.
	Env *types.Env
	// Host is the server; nil makes functions that need it answer 0A000.
	Host Host
	// Memory bounds the values made; nil bounds nothing.
	Memory *Memory
	// TxnTime and StmtTime are the starts of transaction and statement, in microseconds since
	// 2000-01-01 UTC.
	TxnTime, StmtTime int64
	// Clock is the time of day; nil is the system's.
	Clock func() time.Time
	// Rand yields uniform numbers in [0, 1); nil is the system's generator.
	Rand func() float64

	turn     turn
	reserved int64 // of Memory, for the result of the call at work
}

// Begin readies a Context that is used again for the next statement.
func (c *Context) Begin(ctx context.Context) { c.Ctx, c.turn = ctx, 0 }

// Host is what functions ask of the server and the session. A method's error reaches the client as
// it is, so it should be a *types.Error.
type Host interface {
	Identity() Identity
	// Setting returns a configuration parameter as SHOW prints it.
	Setting(name string) (value string, ok bool)
	// SetSetting sets one for the session or, if local, the transaction, and returns its new value.
	SetSetting(name, value string, local bool) (string, error)
	// SearchPath is the schemas searched, without the implicit ones.
	SearchPath() []string

	// TempSchema names the schema of the session's temporary relations; "" while it has none.
	TempSchema() string
	// Positions are those of the log.
	Positions() (LogPositions, error)
	// SwitchSegment ends the current segment of the log and returns where.
	SwitchSegment() (uint64, error)
	// Signal cancels the statement of another session, or ends it; false when there is none.
	Signal(pid int32, terminate bool) (bool, error)
	// TxnID is the number of the current transaction, given to it now if need be and if assign.
	TxnID(assign bool) (id uint64, ok bool)
	// Notify sends a notification when the transaction commits.
	Notify(channel, payload string) error
	// Catalog answers what functions ask about tables and other objects.
	Catalog() Catalog
	// Sequence runs nextval, currval, setval and lastval.
	Sequence(ctx context.Context, op SequenceOp) (int64, error)
	// Promote makes a standby a primary.
	Promote(ctx context.Context, wait bool, timeout time.Duration) (bool, error)
	// AdvisoryLock takes or releases an advisory lock.
	AdvisoryLock(ctx context.Context, op AdvisoryOp) (bool, error)
}

// Identity is who and where a session is.
type Identity struct {
	User, SessionUser, Database string
	Version                     string // of version()
	PID                         int32
	ServerStart, ConfigLoad     time.Time
	ClientAddr, ServerAddr      string // empty on a Unix socket
	ClientPort, ServerPort      int
}

// LogPositions are the positions of the log that functions show.
type LogPositions struct {
	InRecovery             bool
	Insert, Write, Flush   uint64
	Receive, Replay        uint64
	LastReplay             time.Time // commit time of the last transaction replayed
	ReplayPaused           bool
	Timeline               uint32
	SegmentSize            uint64
	SystemID               uint64
	CheckpointLSN, RedoLSN uint64
}

// SequenceOp is one call on a sequence.
type SequenceOp struct {
	Kind     SequenceKind
	Sequence types.OID // 0 for lastval
	Value    int64     // of setval
	IsCalled bool      // of setval
}

// SequenceKind tells the sequence functions apart.
type SequenceKind uint8

// The sequence functions.
const (
	NextVal SequenceKind = iota
	CurrVal
	SetVal
	LastVal
)

// AdvisoryOp is one call on advisory locks. Two int4 keys are packed with Pair set, as PostgreSQL
// keeps them apart from one int8.
type AdvisoryOp struct {
	Key                                       int64
	Pair, Shared, Txn, Try, Unlock, UnlockAll bool
}

// Catalog answers what functions ask about objects. Empty strings and false mean that there is no
// such object; the functions then give NULL, as PostgreSQL's do.
type Catalog interface {
	// Visible reports whether the object is found by its bare name. Kind is the catalog's type:
	// RegClass, RegType, RegProc, RegNamespace.
	Visible(kind, object types.OID) (visible, exists bool)
	// TypeName names a type the system does not know by itself.
	TypeName(oid types.OID) (string, bool)
	RoleName(oid types.OID) (string, bool)
	// IndexDef, ConstraintDef and ViewDef print definitions; column 0 is the whole index, and wrap
	// how long a line of a view's query may be for several columns to stand on it.
	IndexDef(index types.OID, column int, pretty bool) (string, bool)
	ConstraintDef(constraint types.OID, pretty bool) (string, bool)
	ViewDef(view types.OID, pretty bool, wrap int) (string, bool)
	// Expression prints an expression that is kept in a catalog, over the columns of a relation.
	Expression(kept string, relation types.OID, pretty bool) string
	// FunctionDef prints a part of a function's definition.
	FunctionDef(function types.OID, part FunctionPart) (string, bool)
	// Comment is what COMMENT ON gave; catalog is the name of the catalog, empty for any.
	Comment(object types.OID, catalog string, column int) (string, bool)
	// SerialSequence names the sequence a column owns.
	SerialSequence(table, column string) (string, bool, error)
	// Size estimates the bytes of a relation, or of the whole database for 0.
	Size(relation types.OID, kind SizeKind) (int64, bool)
}

// FunctionPart says what of a function's definition is printed.
type FunctionPart uint8

// The parts of a function's definition.
const (
	FunctionResult FunctionPart = iota
	FunctionArguments
	FunctionIdentity  // the arguments that tell it from others of its name
	FunctionWhole     // CREATE FUNCTION
	FunctionAggregate // the name, of aggregates alone
)

// SizeKind says what of a relation is measured.
type SizeKind uint8

// The sizes of a relation.
const (
	SizeMain SizeKind = iota
	SizeTable
	SizeIndexes
	SizeTotal
)

// Check returns why the statement must stop, nil when it need not (B4). If the statement has run
// for a while it lets others run first.
func (c *Context) Check() error {
	if c.Ctx == nil {
		return nil
	}
	c.turn.giveWay()
	return c.Ctx.Err()
}

func (c *Context) now() time.Time {
	if c.Clock != nil {
		return c.Clock()
	}
	return time.Now()
}

func (c *Context) context() context.Context {
	if c.Ctx != nil {
		return c.Ctx
	}
	return context.Background()
}

// host returns the server or the error of a function that cannot do without.
func (c *Context) host(function string) (Host, error) {
	if c.Host == nil {
		return nil, types.Errorf(types.CodeFeatureNotSupported,
			"%s is not available without a server", function)
	}
	return c.Host, nil
}
