package parse

// OnCommit is what becomes of a temporary table.
type OnCommit uint8

// OnCommitNone: the clause was not written.
const (
	OnCommitNone OnCommit = iota
	OnCommitPreserve
	OnCommitDelete
	OnCommitDrop
)

// CreateTableStmt is CREATE TABLE. Columns carry constraints of their own; Constraints are the
// table's.
type CreateTableStmt struct {
	Table        *RangeVar
	IfNotExists  bool
	Columns      []*ColumnDef
	Constraints  []*Constraint
	Likes        []*TableLike
	Inherits     []*RangeVar
	PartitionBy  bool // PARTITION BY or PARTITION OF was written
	Options      []DefElem
	OnCommit     OnCommit
	Tablespace   string
	AccessMethod string
}

// TableLike is LIKE table inside CREATE TABLE. Options is Postgres' bit set.
type TableLike struct {
	Table   *RangeVar
	Options uint32
	Behind  int // so many of the columns that are written out
}

// ColumnDef is a column of CREATE TABLE, ADD COLUMN, or a function's column list.
type ColumnDef struct {
	Name        string
	Type        *TypeName
	Collation   *QName
	Storage     string
	Compression string
	Constraints []*Constraint
	Default     Expr // only in ALTER COLUMN ... TYPE: the USING expression
	Pos         Pos
}

// ConstraintKind is the sort of a Constraint.
type ConstraintKind uint8

// The sorts of constraints.
const (
	ConstraintNull ConstraintKind = iota
	ConstraintNotNull
	ConstraintDefault
	ConstraintIdentity
	ConstraintGenerated
	ConstraintCheck
	ConstraintPrimary
	ConstraintUnique
	ConstraintExclusion
	ConstraintForeign
)

// ForeignAction is what a foreign key does when the row it points to goes.
type ForeignAction uint8

// NoAction is the default.
const (
	NoAction ForeignAction = iota
	ActionRestrict
	ActionCascade
	ActionSetNull
	ActionSetDefault
)

// Constraint belongs to a column or a table.
type Constraint struct {
	Kind             ConstraintKind
	Name             string
	Expr             Expr     // CHECK, DEFAULT, GENERATED
	Keys             []string // PRIMARY KEY, UNIQUE of a table
	Including        []string
	Options          []DefElem // WITH (...); of ConstraintIdentity: the sequence's
	IndexName        string    // USING INDEX
	Tablespace       string
	NullsNotDistinct bool
	NoInherit        bool
	NotValid         bool
	Deferrable       bool
	InitiallyDefer   bool
	Always           bool // GENERATED ALWAYS

	RefTable    *RangeVar
	Columns     []string // FOREIGN KEY of a table
	RefColumns  []string
	MatchType   byte // 's' simple, 'f' full, 'p' partial
	OnUpdate    ForeignAction
	OnDelete    ForeignAction
	SetNullCols []string

	Pos Pos
}

// IndexElem is a column or an expression of an index or of ON CONFLICT (...).
type IndexElem struct {
	Name      string
	Expr      Expr
	Collation *QName
	OpClass   *QName
	Dir       SortDir
	Nulls     NullsOrder
}

// IndexStmt is CREATE INDEX.
type IndexStmt struct {
	Name             string // empty: to be chosen
	Table            *RangeVar
	Unique           bool
	Concurrently     bool
	IfNotExists      bool
	NullsNotDistinct bool
	AccessMethod     string
	Columns          []IndexElem
	Including        []IndexElem
	Options          []DefElem
	Tablespace       string
	Where            Expr
}

// DropStmt is DROP of anything that has a name. A role or a database has a statement of its own.
type DropStmt struct {
	Kind         ObjectKind
	Names        []QName
	IfExists     bool
	Behavior     Behavior
	Concurrently bool
}

// TruncateStmt is TRUNCATE.
type TruncateStmt struct {
	Tables          []*RangeVar
	RestartIdentity bool
	Behavior        Behavior
}

// AlterTableStmt is ALTER TABLE, INDEX, SEQUENCE or VIEW with a list of commands.
type AlterTableStmt struct {
	Kind     ObjectKind
	Table    *RangeVar
	IfExists bool
	Commands []AlterTableCmd
}

// AlterKind is the sort of an AlterTableCmd.
type AlterKind uint8

// The commands of ALTER TABLE. AlterOther is known by its words (Text) only and gets a refusal.
const (
	AlterAddColumn AlterKind = iota
	AlterDropColumn
	AlterColumnDefault // Expr nil: DROP DEFAULT
	AlterSetNotNull
	AlterDropNotNull
	AlterColumnType
	AlterAddConstraint
	AlterDropConstraint
	AlterValidateConstraint
	AlterOwner
	AlterSetOptions
	AlterResetOptions
	AlterSetTablespace
	AlterSetLogged
	AlterSetUnlogged
	AlterReplicaIdentity
	AlterClusterOn
	AlterSetStatistics
	AlterSetStorage
	AlterAddIdentity
	AlterSetIdentity
	AlterDropIdentity
	AlterEnableRowSecurity
	AlterDisableRowSecurity
	AlterOther
)

// AlterTableCmd is one command of ALTER TABLE.
type AlterTableCmd struct {
	Kind       AlterKind
	Name       string // of the column, constraint, tablespace or index
	Column     *ColumnDef
	Constraint *Constraint
	Expr       Expr
	Owner      *RoleSpec
	Options    []DefElem
	Behavior   Behavior
	MissingOK  bool   // IF EXISTS, IF NOT EXISTS of the command
	Text       string // for AlterOther: what to name in the refusal
}

// RenameStmt is ALTER ... RENAME. Old is the column or constraint; else Table or Object is renamed.
type RenameStmt struct {
	Kind     ObjectKind // what is renamed
	Table    *RangeVar
	Object   *QName // for what is not a relation
	Old      string
	New      string
	IfExists bool
	OfView   bool // a column, by ALTER VIEW
}

// AlterOwnerStmt is ALTER ... OWNER TO of what is not a relation.
type AlterOwnerStmt struct {
	Kind   ObjectKind
	Object QName
	Owner  RoleSpec
}

// AlterSchemaStmt is ALTER ... SET SCHEMA.
type AlterSchemaStmt struct {
	Kind     ObjectKind
	Table    *RangeVar
	Object   *QName
	Schema   string
	IfExists bool
}

// CreateSequenceStmt is CREATE SEQUENCE.
type CreateSequenceStmt struct {
	Sequence    *RangeVar
	Options     []DefElem
	IfNotExists bool
}

// AlterSequenceStmt is ALTER SEQUENCE with options.
type AlterSequenceStmt struct {
	Sequence *RangeVar
	Options  []DefElem
	IfExists bool
}

// CreateSchemaStmt is CREATE SCHEMA without elements.
type CreateSchemaStmt struct {
	Name        string
	Owner       *RoleSpec
	IfNotExists bool
}

// CreateTableAsStmt is CREATE TABLE AS, CREATE MATERIALIZED VIEW and SELECT INTO.
type CreateTableAsStmt struct {
	Kind        ObjectKind
	Into        *IntoClause
	Query       Statement // SelectStmt or ExecuteStmt
	SelectInto  bool
	IfNotExists bool
}

// ViewStmt is CREATE VIEW.
type ViewStmt struct {
	View        *RangeVar
	Columns     []string
	Query       *SelectStmt
	Replace     bool
	Options     []DefElem
	CheckOption bool
}

// CommentStmt is COMMENT ON. An empty comment removes one, as IS NULL does.
type CommentStmt struct {
	Kind    ObjectKind
	Object  []string // the name's parts; for a column the table's and then its own
	Comment string
}

// CreateDatabaseStmt is CREATE DATABASE.
type CreateDatabaseStmt struct {
	Name    string
	Options []DefElem
}

// DropDatabaseStmt is DROP DATABASE.
type DropDatabaseStmt struct {
	Name     string
	IfExists bool
	Options  []DefElem
}

// CreateExtensionStmt is CREATE EXTENSION.
type CreateExtensionStmt struct {
	Name        string
	IfNotExists bool
	Options     []DefElem
}

func (*CreateTableStmt) statement()     {}
func (*IndexStmt) statement()           {}
func (*DropStmt) statement()            {}
func (*TruncateStmt) statement()        {}
func (*AlterTableStmt) statement()      {}
func (*RenameStmt) statement()          {}
func (*AlterOwnerStmt) statement()      {}
func (*AlterSchemaStmt) statement()     {}
func (*CreateSequenceStmt) statement()  {}
func (*AlterSequenceStmt) statement()   {}
func (*CreateSchemaStmt) statement()    {}
func (*CreateTableAsStmt) statement()   {}
func (*ViewStmt) statement()            {}
func (*CommentStmt) statement()         {}
func (*CreateDatabaseStmt) statement()  {}
func (*DropDatabaseStmt) statement()    {}
func (*CreateExtensionStmt) statement() {}
