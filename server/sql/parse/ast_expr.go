package parse

// ConstKind says which of Const's fields holds the value, and its type before any coercion.
type ConstKind uint8

// The kinds of constants. Numbers have the type Postgres gives the literal: int4 if it fits, then
// int8, then numeric; a sign directly before the literal belongs to it.
const (
	ConstNull    ConstKind = iota
	ConstBool              // Int is 0 or 1
	ConstInt4              // Int
	ConstInt8              // Int
	ConstNumeric           // Str, with its sign
	ConstString            // Str, of type unknown until something coerces it
	ConstBit               // Str, the digits after a leading b or x
)

// NoLit is the Lit of a constant that no literal of the text stands for.
const NoLit int32 = -1

// Const is a literal, NULL, TRUE or FALSE.
//
// A template's constant with Lit >= 0 is a hole: another statement with the same template has
// another value there, of the same kind, which StmtTokens.Const gives. A plan kept for a template
// must not have looked at the value of such a constant.
type Const struct {
	Kind    ConstKind
	Negated bool  // the literal has a minus before it (already in the value)
	Lit     int32 // index of the literal in the statement's literal vector, or NoLit
	Int     int64
	Str     string
	Pos     Pos
}

// ColumnRef is a, t.a, s.t.a, or with Star *, t.*, s.t.*.
type ColumnRef struct {
	Fields []string
	Star   bool
	Pos    Pos
}

// ParamRef is $n.
type ParamRef struct {
	Number int
	Pos    Pos
}

// OpExpr is a binary operator, or a prefix one when Left is nil. Op.Schema is set by OPERATOR().
type OpExpr struct {
	Op    QName
	Left  Expr
	Right Expr
	Pos   Pos // of the operator
}

// AnyAllExpr is left op ANY (array), left op ALL (array).
type AnyAllExpr struct {
	Op    QName
	All   bool
	Left  Expr
	Array Expr
	Pos   Pos
}

// DistinctExpr is left IS [NOT] DISTINCT FROM right.
type DistinctExpr struct {
	Not   bool
	Left  Expr
	Right Expr
	Pos   Pos
}

// NullIfExpr is NULLIF(left, right).
type NullIfExpr struct {
	Left  Expr
	Right Expr
	Pos   Pos
}

// InExpr is left [NOT] IN (list). A subquery in the list's place is a SubLink.
type InExpr struct {
	Not  bool
	Left Expr
	List []Expr
	Pos  Pos
}

// LikeKind tells LIKE from ILIKE and SIMILAR TO.
type LikeKind uint8

// The kinds of pattern matches that have syntax of their own.
const (
	Like LikeKind = iota
	ILike
	SimilarTo
)

// LikeExpr is left [NOT] LIKE pattern [ESCAPE escape].
type LikeExpr struct {
	Kind    LikeKind
	Not     bool
	Left    Expr
	Pattern Expr
	Escape  Expr // nil when none was written
	Pos     Pos
}

// BetweenExpr is arg [NOT] BETWEEN [SYMMETRIC] low AND high.
type BetweenExpr struct {
	Not       bool
	Symmetric bool
	Arg       Expr
	Low       Expr
	High      Expr
	Pos       Pos
}

// BoolOp is AND, OR or NOT.
type BoolOp uint8

// The boolean operators.
const (
	BoolAnd BoolOp = iota
	BoolOr
	BoolNot
)

// BoolExpr is a chain of AND or of OR (two or more arguments), or NOT (one).
type BoolExpr struct {
	Op   BoolOp
	Args []Expr
	Pos  Pos
}

// NullTest is arg IS [NOT] NULL.
type NullTest struct {
	Not bool
	Arg Expr
	Pos Pos
}

// BoolTestKind is the word after IS [NOT].
type BoolTestKind uint8

// The words of a BooleanTest.
const (
	IsTrue BoolTestKind = iota
	IsFalse
	IsUnknown
)

// BooleanTest is arg IS [NOT] TRUE, FALSE, UNKNOWN.
type BooleanTest struct {
	Kind BoolTestKind
	Not  bool
	Arg  Expr
	Pos  Pos
}

// CaseExpr is CASE [arg] WHEN cond THEN result ... [ELSE else] END.
type CaseExpr struct {
	Arg   Expr
	Whens []CaseWhen
	Else  Expr
	Pos   Pos
}

// CaseWhen is one arm of a CaseExpr.
type CaseWhen struct {
	Cond   Expr
	Result Expr
	Pos    Pos
}

// CoalesceExpr is COALESCE(args).
type CoalesceExpr struct {
	Args []Expr
	Pos  Pos
}

// MinMaxExpr is GREATEST(args) or LEAST(args).
type MinMaxExpr struct {
	Least bool
	Args  []Expr
	Pos   Pos
}

// FuncCall is a call of a function, an aggregate or a window function. Syntax such as EXTRACT,
// SUBSTRING ... FROM, TRIM, OVERLAY, POSITION, AT TIME ZONE arrives as a call in pg_catalog.
type FuncCall struct {
	Name        QName
	Args        []Expr // NamedArg only after positional ones
	Star        bool   // count(*)
	Distinct    bool
	Variadic    bool // the last argument is VARIADIC
	WithinGroup bool // OrderBy came from WITHIN GROUP
	SQLSyntax   bool // written in SQL's own syntax, not as name(args)
	OrderBy     []SortBy
	Filter      Expr
	Over        *WindowDef
	Pos         Pos
}

// NamedArg is name => arg inside a call.
type NamedArg struct {
	Name string
	Arg  Expr
	Pos  Pos
}

// ValueFunction is one of the functions written without brackets.
type ValueFunction uint8

// The functions written without brackets, some with a precision.
const (
	CurrentDate ValueFunction = iota
	CurrentTime
	CurrentTimestamp
	LocalTime
	LocalTimestamp
	CurrentRole
	CurrentUser
	User
	SessionUser
	CurrentCatalog
	CurrentSchema
)

// SQLValueFunction is CURRENT_TIMESTAMP and its kin.
type SQLValueFunction struct {
	Func      ValueFunction
	Precision int // -1 when none was written
	Pos       Pos
}

// CastExpr is CAST(arg AS type), arg::type or type 'literal'.
type CastExpr struct {
	Arg  Expr
	Type TypeName
	Pos  Pos
}

// CollateExpr is arg COLLATE name.
type CollateExpr struct {
	Arg       Expr
	Collation QName
	Pos       Pos
}

// SubLinkKind says what is done with the rows of a subquery.
type SubLinkKind uint8

// The uses of a subquery in an expression.
const (
	SubExists SubLinkKind = iota
	SubAny                // test op ANY (query); IN when Op.Name is empty
	SubAll                // test op ALL (query)
	SubScalar             // (query)
	SubArray              // ARRAY(query)
	SubMulti              // (a, b) = (query) in UPDATE
	SubRow                // (a, b) op (query), of at most one row
)

// SubLink is a subquery in an expression. NOT IN arrives as NOT of an IN.
type SubLink struct {
	Kind  SubLinkKind
	Test  Expr
	Op    QName
	Query *SelectStmt
	Pos   Pos
}

// ArrayExpr is ARRAY[elements]; inner brackets are ArrayExprs themselves.
type ArrayExpr struct {
	Elements []Expr
	Pos      Pos
}

// RowExpr is ROW(args) or (a, b, ...).
type RowExpr struct {
	Explicit bool // ROW was written
	Args     []Expr
	Pos      Pos
}

// Indirection is one step after a value: .field, .*, [i] or [lower:upper].
type Indirection struct {
	Field     string
	Star      bool
	Subscript bool
	Slice     bool
	Lower     Expr // only in slices; nil when left out
	Upper     Expr // the subscript, or a slice's upper bound; nil when left out
}

// IndirectionExpr is (arg).field, arg[i] and longer chains.
type IndirectionExpr struct {
	Arg   Expr
	Steps []Indirection
}

// SetToDefault is DEFAULT in the place of a value.
type SetToDefault struct{ Pos Pos }

// CurrentOfExpr is WHERE CURRENT OF cursor.
type CurrentOfExpr struct{ Cursor string }

// GroupingFunc is GROUPING(args).
type GroupingFunc struct {
	Args []Expr
	Pos  Pos
}

// GroupingSetKind tells the forms of GROUP BY apart that are not plain expressions.
type GroupingSetKind uint8

// The forms of a GroupingSet.
const (
	GroupingEmpty GroupingSetKind = iota // ()
	GroupingRollup
	GroupingCube
	GroupingSets
)

// GroupingSet appears only in SelectStmt.GroupBy.
type GroupingSet struct {
	Kind  GroupingSetKind
	Items []Expr
	Pos   Pos
}

// Position of each expression: where Postgres' errors about it point.
func (e *Const) Position() Pos            { return e.Pos }
func (e *ColumnRef) Position() Pos        { return e.Pos }
func (e *ParamRef) Position() Pos         { return e.Pos }
func (e *OpExpr) Position() Pos           { return e.Pos }
func (e *AnyAllExpr) Position() Pos       { return e.Pos }
func (e *DistinctExpr) Position() Pos     { return e.Pos }
func (e *NullIfExpr) Position() Pos       { return e.Pos }
func (e *InExpr) Position() Pos           { return e.Pos }
func (e *LikeExpr) Position() Pos         { return e.Pos }
func (e *BetweenExpr) Position() Pos      { return e.Pos }
func (e *BoolExpr) Position() Pos         { return e.Pos }
func (e *NullTest) Position() Pos         { return e.Pos }
func (e *BooleanTest) Position() Pos      { return e.Pos }
func (e *CaseExpr) Position() Pos         { return e.Pos }
func (e *CoalesceExpr) Position() Pos     { return e.Pos }
func (e *MinMaxExpr) Position() Pos       { return e.Pos }
func (e *FuncCall) Position() Pos         { return e.Pos }
func (e *NamedArg) Position() Pos         { return e.Pos }
func (e *SQLValueFunction) Position() Pos { return e.Pos }
func (e *CastExpr) Position() Pos         { return e.Pos }
func (e *CollateExpr) Position() Pos      { return e.Pos }
func (e *SubLink) Position() Pos          { return e.Pos }
func (e *ArrayExpr) Position() Pos        { return e.Pos }
func (e *RowExpr) Position() Pos          { return e.Pos }
func (e *IndirectionExpr) Position() Pos  { return e.Arg.Position() }
func (e *SetToDefault) Position() Pos     { return e.Pos }
func (e *CurrentOfExpr) Position() Pos    { return NoPos }
func (e *GroupingFunc) Position() Pos     { return e.Pos }
func (e *GroupingSet) Position() Pos      { return e.Pos }
