package parse

// SetOp is how a SelectStmt combines its two sides.
type SetOp uint8

// SetNone is a plain SELECT or VALUES.
const (
	SetNone SetOp = iota
	SetUnion
	SetIntersect
	SetExcept
)

// SelectStmt is SELECT, VALUES, TABLE, or two of them combined.
//
// VALUES has Values alone; a set operation has Op, All, Left, Right; all three may have With,
// OrderBy, Limit, Offset and Locking.
type SelectStmt struct {
	With          *WithClause
	Distinct      bool   // DISTINCT, with or without ON
	DistinctOn    []Expr // nil without ON
	Targets       []ResTarget
	Into          *IntoClause
	From          []TableExpr
	Where         Expr
	GroupBy       []Expr // GroupingSet among them
	GroupDistinct bool
	Having        Expr
	Windows       []*WindowDef

	Values [][]Expr

	Op    SetOp
	All   bool
	Left  *SelectStmt
	Right *SelectStmt

	OrderBy  []SortBy
	Limit    Expr // nil when absent; LIMIT ALL is a ConstNull
	Offset   Expr
	WithTies bool
	Locking  []LockingClause
}

// ResTarget is an item of a select list or of RETURNING. A star is a ColumnRef with Star.
type ResTarget struct {
	Name string // the alias, or empty
	Val  Expr
	Pos  Pos
}

// SortDir is the direction of a SortBy.
type SortDir uint8

// The directions.
const (
	SortDefault SortDir = iota
	SortAsc
	SortDesc
	SortUsing // by the operator in Using
)

// NullsOrder is where NULLs go.
type NullsOrder uint8

// NullsDefault is last for ascending, first for descending.
const (
	NullsDefault NullsOrder = iota
	NullsFirst
	NullsLast
)

// SortBy is an item of ORDER BY.
type SortBy struct {
	Expr  Expr
	Dir   SortDir
	Nulls NullsOrder
	Using QName
	Pos   Pos
}

// FrameOptions is Postgres' bit set of a window frame, taken over as it is.
type FrameOptions int32

// The bits of FrameOptions.
const (
	FrameNonDefault              FrameOptions = 0x00001
	FrameRange                   FrameOptions = 0x00002
	FrameRows                    FrameOptions = 0x00004
	FrameGroups                  FrameOptions = 0x00008
	FrameBetween                 FrameOptions = 0x00010
	FrameStartUnboundedPreceding FrameOptions = 0x00020
	FrameEndUnboundedPreceding   FrameOptions = 0x00040
	FrameStartUnboundedFollowing FrameOptions = 0x00080
	FrameEndUnboundedFollowing   FrameOptions = 0x00100
	FrameStartCurrentRow         FrameOptions = 0x00200
	FrameEndCurrentRow           FrameOptions = 0x00400
	FrameStartOffsetPreceding    FrameOptions = 0x00800
	FrameEndOffsetPreceding      FrameOptions = 0x01000
	FrameStartOffsetFollowing    FrameOptions = 0x02000
	FrameEndOffsetFollowing      FrameOptions = 0x04000
	FrameExcludeCurrentRow       FrameOptions = 0x08000
	FrameExcludeGroup            FrameOptions = 0x10000
	FrameExcludeTies             FrameOptions = 0x20000
)

// WindowDef is OVER (...), OVER name, or an item of WINDOW.
type WindowDef struct {
	Name        string // of an item of WINDOW; of the window meant by OVER name
	RefName     string // the window that an inline definition starts from
	PartitionBy []Expr
	OrderBy     []SortBy
	Frame       FrameOptions
	StartOffset Expr
	EndOffset   Expr
	Pos         Pos
}

// LockStrength is the row lock a SELECT asks for.
type LockStrength uint8

// The row locks, weakest first.
const (
	ForKeyShare LockStrength = iota + 1
	ForShare
	ForNoKeyUpdate
	ForUpdate
)

// LockWait is what to do about a row that is locked already.
type LockWait uint8

// LockBlock waits.
const (
	LockBlock LockWait = iota
	LockSkip
	LockNoWait
)

// LockingClause is FOR UPDATE and its kin.
type LockingClause struct {
	Of       []*RangeVar // all sources when empty
	Strength LockStrength
	Wait     LockWait
}

// IntoClause is where SELECT INTO and CREATE TABLE AS put their rows.
type IntoClause struct {
	Table        *RangeVar
	Columns      []string
	AccessMethod string
	Options      []DefElem
	OnCommit     OnCommit
	Tablespace   string
	NoData       bool
}

// WithClause is WITH [RECURSIVE].
type WithClause struct {
	Recursive bool
	CTEs      []*CTE
	Pos       Pos
}

// Materialize is what WITH says about keeping the rows of a CTE.
type Materialize uint8

// MaterializeDefault leaves it to the planner.
const (
	MaterializeDefault Materialize = iota
	MaterializeAlways
	MaterializeNever
)

// CTE is one name of a WITH.
type CTE struct {
	Name        string
	Columns     []string
	Materialize Materialize
	Query       Statement // SelectStmt, InsertStmt, UpdateStmt or DeleteStmt
	Pos         Pos
}

// Alias is AS name (columns).
type Alias struct {
	Name    string
	Columns []string
}

// RangeVar is a table by name, in FROM or as the object of a statement.
type RangeVar struct {
	Name        QName
	Only        bool
	Persistence Persistence // in CREATE and INTO
	Alias       *Alias
	Pos         Pos
}

// Persistence is PERMANENT, UNLOGGED or TEMPORARY.
type Persistence uint8

// Permanent is the default.
const (
	Permanent Persistence = iota
	Unlogged
	Temporary
)

// RangeSubselect is (query) in FROM; the query may be VALUES.
type RangeSubselect struct {
	Lateral bool
	Query   *SelectStmt
	Alias   *Alias // nil when none was written
}

// RangeFunction is a function in FROM, or ROWS FROM(...).
type RangeFunction struct {
	Lateral    bool
	Ordinality bool
	RowsFrom   bool
	Funcs      []RangeFunctionItem
	Alias      *Alias
	Columns    []*ColumnDef // AS (a int, ...)
}

// RangeFunctionItem is one function of a RangeFunction. Func is mostly a FuncCall, but syntax
// such as CURRENT_DATE or a cast may stand there too.
type RangeFunctionItem struct {
	Func    Expr
	Columns []*ColumnDef
}

// JoinKind is the sort of a join.
type JoinKind uint8

// The sorts of joins. CROSS JOIN is an inner join without a condition.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinFull
	JoinRight
)

// JoinExpr is left JOIN right.
type JoinExpr struct {
	Kind       JoinKind
	Natural    bool
	Left       TableExpr
	Right      TableExpr
	Using      []string
	UsingAlias *Alias
	On         Expr
	Alias      *Alias // of a join in brackets
}

func (*RangeVar) tableExpr()       {}
func (*RangeSubselect) tableExpr() {}
func (*RangeFunction) tableExpr()  {}
func (*JoinExpr) tableExpr()       {}

func (*SelectStmt) statement() {}
