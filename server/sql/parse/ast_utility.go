package parse

// TransactionKind is the command of a TransactionStmt.
type TransactionKind uint8

// The transaction commands. START TRANSACTION differs from BEGIN in its command tag.
const (
	TransBegin TransactionKind = iota
	TransStart
	TransCommit
	TransRollback
	TransSavepoint
	TransRelease
	TransRollbackTo
	TransPrepare
	TransCommitPrepared
	TransRollbackPrepared
)

// TransactionStmt is BEGIN, COMMIT, SAVEPOINT and their kin.
type TransactionStmt struct {
	Kind      TransactionKind
	Modes     TransactionModes
	Savepoint string
	GID       string // of the prepared ones
	Chain     bool   // AND CHAIN
	Pos       Pos
}

// TransactionModes are the modes of BEGIN, SET TRANSACTION and SESSION CHARACTERISTICS. What was
// not written is empty or nil; of several, the last counts.
type TransactionModes struct {
	Isolation  string // "read committed" and so on
	ReadOnly   *bool
	Deferrable *bool
}

// SetKind is the form of a VariableSetStmt.
type SetKind uint8

// The forms of SET and RESET.
const (
	SetValue SetKind = iota
	SetDefault
	SetFromCurrent // only in ALTER ROLE and functions
	SetTransaction // also SET SESSION CHARACTERISTICS (Session) and SET TRANSACTION SNAPSHOT
	SetReset
	SetResetAll
)

// VariableSetStmt is SET and RESET. Names are as written, folded; SET TIME ZONE is timezone.
// Args are constants; an INTERVAL argument of SET TIME ZONE is a CastExpr of one.
type VariableSetStmt struct {
	Kind     SetKind
	Name     string
	Args     []Expr
	Local    bool
	Session  bool // SetTransaction: SESSION CHARACTERISTICS
	Modes    TransactionModes
	Snapshot string
}

// VariableShowStmt is SHOW name; SHOW ALL has the name "all".
type VariableShowStmt struct{ Name string }

// AlterSystemStmt is ALTER SYSTEM SET and RESET.
type AlterSystemStmt struct{ Set *VariableSetStmt }

// PrepareStmt is PREPARE.
type PrepareStmt struct {
	Name  string
	Types []TypeName
	Query Statement
}

// ExecuteStmt is EXECUTE.
type ExecuteStmt struct {
	Name string
	Args []Expr
}

// DeallocateStmt is DEALLOCATE.
type DeallocateStmt struct {
	Name string
	All  bool
}

// ExplainStmt is EXPLAIN. The words VERBOSE and ANALYZE before the query are options too.
type ExplainStmt struct {
	Query   Statement
	Options []DefElem
}

// VacuumStmt is VACUUM, or ANALYZE alone (Vacuum false).
type VacuumStmt struct {
	Vacuum  bool
	Options []DefElem
	Tables  []VacuumTable
}

// VacuumTable is one table of VACUUM or ANALYZE.
type VacuumTable struct {
	Table   *RangeVar
	Columns []string
}

// CheckPointStmt is CHECKPOINT.
type CheckPointStmt struct{}

// DiscardKind is the object of DISCARD.
type DiscardKind uint8

// The objects of DISCARD.
const (
	DiscardAll DiscardKind = iota
	DiscardPlans
	DiscardSequences
	DiscardTemp
)

// DiscardStmt is DISCARD.
type DiscardStmt struct{ Target DiscardKind }

// LockStmt is LOCK TABLE. Mode is Postgres' number, 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE).
type LockStmt struct {
	Tables []*RangeVar
	Mode   int
	NoWait bool
}

// ListenStmt is LISTEN.
type ListenStmt struct{ Channel string }

// UnlistenStmt is UNLISTEN; * has an empty channel.
type UnlistenStmt struct{ Channel string }

// NotifyStmt is NOTIFY.
type NotifyStmt struct {
	Channel string
	Payload string
}

// DeclareCursorStmt is DECLARE CURSOR.
type DeclareCursorStmt struct {
	Name        string
	Binary      bool
	Scroll      bool
	NoScroll    bool
	Hold        bool
	Insensitive bool
	Asensitive  bool
	Query       *SelectStmt
}

// FetchDirection is the direction of FETCH and MOVE.
type FetchDirection uint8

// The directions of FETCH.
const (
	FetchForward FetchDirection = iota
	FetchBackward
	FetchAbsolute
	FetchRelative
)

// FetchAll is the Count of FETCH ALL.
const FetchAll int64 = 1<<63 - 1

// FetchStmt is FETCH or MOVE.
type FetchStmt struct {
	Cursor    string
	Direction FetchDirection
	Count     int64
	Move      bool
}

// ClosePortalStmt is CLOSE; an empty name is CLOSE ALL.
type ClosePortalStmt struct{ Name string }

// CreateRoleStmt is CREATE ROLE, USER (Kind RoleUser) or GROUP.
type CreateRoleStmt struct {
	Kind    RoleStmtKind
	Name    string
	Options []DefElem
}

// RoleStmtKind is the word after CREATE or ALTER.
type RoleStmtKind uint8

// CREATE USER differs from CREATE ROLE by LOGIN.
const (
	RoleStmtRole RoleStmtKind = iota
	RoleStmtUser
	RoleStmtGroup
)

// AlterRoleStmt is ALTER ROLE with options, and ALTER GROUP ADD or DROP USER (Action +1, -1).
type AlterRoleStmt struct {
	Role    RoleSpec
	Options []DefElem
	Action  int
}

// AlterRoleSetStmt is ALTER ROLE SET and ALTER DATABASE SET. Role nil means ALL, or a database's.
type AlterRoleSetStmt struct {
	Role     *RoleSpec
	Database string
	Set      *VariableSetStmt
}

// DropRoleStmt is DROP ROLE.
type DropRoleStmt struct {
	Roles    []RoleSpec
	IfExists bool
}

// Privilege is one word of GRANT, perhaps for some columns only. ALL is the name "".
type Privilege struct {
	Name    string
	Columns []string
}

// GrantStmt is GRANT and REVOKE of privileges on objects.
type GrantStmt struct {
	Revoke      bool
	AllInSchema bool // Objects are schemas
	Defaults    bool
	Kind        ObjectKind
	Objects     []QName
	Privileges  []Privilege // none: ALL
	Grantees    []RoleSpec
	GrantOption bool
	Behavior    Behavior
}

// GrantRoleStmt is GRANT and REVOKE of membership.
type GrantRoleStmt struct {
	Revoke   bool
	Roles    []Privilege
	Grantees []RoleSpec
	Options  []DefElem
	Behavior Behavior
}

// SetConstraintsStmt is SET CONSTRAINTS; no names mean ALL.
type SetConstraintsStmt struct {
	Constraints []QName
	Deferred    bool
}

// ReindexStmt is REINDEX. Table is set for INDEX and TABLE, Name for the wider ones.
type ReindexStmt struct {
	Table   *RangeVar
	Name    string
	Options []DefElem
}

// ClusterStmt is CLUSTER.
type ClusterStmt struct {
	Table *RangeVar
	Index string
}

// CallStmt is CALL.
type CallStmt struct{ Call *FuncCall }

func (*TransactionStmt) statement()    {}
func (*VariableSetStmt) statement()    {}
func (*VariableShowStmt) statement()   {}
func (*AlterSystemStmt) statement()    {}
func (*PrepareStmt) statement()        {}
func (*ExecuteStmt) statement()        {}
func (*DeallocateStmt) statement()     {}
func (*ExplainStmt) statement()        {}
func (*VacuumStmt) statement()         {}
func (*CheckPointStmt) statement()     {}
func (*DiscardStmt) statement()        {}
func (*LockStmt) statement()           {}
func (*ListenStmt) statement()         {}
func (*UnlistenStmt) statement()       {}
func (*NotifyStmt) statement()         {}
func (*DeclareCursorStmt) statement()  {}
func (*FetchStmt) statement()          {}
func (*ClosePortalStmt) statement()    {}
func (*CreateRoleStmt) statement()     {}
func (*AlterRoleStmt) statement()      {}
func (*AlterRoleSetStmt) statement()   {}
func (*DropRoleStmt) statement()       {}
func (*GrantStmt) statement()          {}
func (*GrantRoleStmt) statement()      {}
func (*SetConstraintsStmt) statement() {}
func (*ReindexStmt) statement()        {}
func (*ClusterStmt) statement()        {}
func (*CallStmt) statement()           {}

// UnsupportedStmt is a statement that Postgres' grammar accepts and this package cannot hold.
// Running it answers Err.
type UnsupportedStmt struct{ Err *FeatureError }

func (*UnsupportedStmt) statement() {}
