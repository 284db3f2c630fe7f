package parse

// Overriding is INSERT's OVERRIDING clause.
type Overriding uint8

// OverridingNone: the clause was not written.
const (
	OverridingNone Overriding = iota
	OverridingUser
	OverridingSystem
)

// InsertStmt is INSERT. Query nil means DEFAULT VALUES; a plain VALUES is a SelectStmt with Values,
// in which SetToDefault may stand for an expression.
type InsertStmt struct {
	With       *WithClause
	Table      *RangeVar
	Columns    []InsertColumn // none written: all
	Query      *SelectStmt
	Overriding Overriding
	OnConflict *OnConflict
	Returning  []ResTarget
}

// InsertColumn names a target column; Steps are subscripts or fields of it.
type InsertColumn struct {
	Name  string
	Steps []Indirection
	Pos   Pos
}

// OnConflict is ON CONFLICT: DO NOTHING, or DO UPDATE with Set and Where.
type OnConflict struct {
	DoUpdate   bool
	Inferred   bool        // a (column, ...) list was written
	Infer      []IndexElem // its items
	InferWhere Expr
	InferPos   Pos
	Constraint string // ON CONSTRAINT name
	Set        []Assignment
	Where      Expr
	Pos        Pos
}

// Assignment is an item of SET: one column, or with Multi several as (a, b) = value.
type Assignment struct {
	Targets []InsertColumn
	Multi   bool
	Value   Expr // SetToDefault for DEFAULT; for Multi a RowExpr or a SubLink of SubMulti
}

// UpdateStmt is UPDATE.
type UpdateStmt struct {
	With      *WithClause
	Table     *RangeVar
	Set       []Assignment
	From      []TableExpr
	Where     Expr
	Returning []ResTarget
}

// DeleteStmt is DELETE.
type DeleteStmt struct {
	With      *WithClause
	Table     *RangeVar
	Using     []TableExpr
	Where     Expr
	Returning []ResTarget
}

// CopyStmt is COPY. Options hold both spellings: the old words arrive as DefElems of the names the
// new ones have (format, freeze, delimiter, null, header, quote, escape, force_quote,
// force_not_null, force_null, encoding).
type CopyStmt struct {
	Table    *RangeVar // nil when a query is copied
	Query    Statement
	Columns  []string
	From     bool
	Program  bool
	Filename string // empty for STDIN and STDOUT
	Options  []DefElem
	Where    Expr
}

func (*InsertStmt) statement() {}
func (*UpdateStmt) statement() {}
func (*DeleteStmt) statement() {}
func (*CopyStmt) statement()   {}
