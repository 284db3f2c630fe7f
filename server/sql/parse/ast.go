package parse

// Pos is a byte offset into the Text of the statement a node belongs to. Stmt.Position turns it
// into what a client is told: characters, counted from 1, in the whole query it sent.
type Pos int32

// NoPos is the position of a node that the grammar made up.
const NoPos Pos = -1

// Stmt is one statement of a query. Empty statements do not appear.
type Stmt struct {
	Tree   Statement
	Text   string // from the first token to the last, without the semicolon
	Offset int    // where Text starts in the query, in bytes

	charOffset int // where Text starts in the query, in characters
}

// Statement is any of the *Stmt types of this package, always behind a pointer.
type Statement interface{ statement() }

// Expr is any expression node, always behind a pointer.
type Expr interface {
	// Position is where an error about this expression points.
	Position() Pos
}

// TableExpr is an item of FROM: RangeVar, RangeSubselect, RangeFunction or JoinExpr.
type TableExpr interface{ tableExpr() }

// QName is a name with up to two qualifiers. Unwritten qualifiers are empty.
type QName struct {
	Catalog string
	Schema  string
	Name    string
}

// String gives the dotted form, unquoted, as messages show it.
func (n QName) String() string {
	switch {
	case n.Catalog != "":
		return n.Catalog + "." + n.Schema + "." + n.Name
	case n.Schema != "":
		return n.Schema + "." + n.Name
	}
	return n.Name
}

// TypeName is a type as it was written: int is already pg_catalog.int4, as the grammar has it.
type TypeName struct {
	Name      QName
	Typmods   []Expr // constants, except for types of users' own; interval's field mask comes first
	ArrayDims int    // pairs of brackets; their bounds mean nothing
	SetOf     bool
	PctType   bool // name%TYPE
	Pos       Pos
}

// DefElem is an option written by name, as in WITH (fillfactor = 100) or COPY's (FORMAT csv).
// Arg is nil when none was written, else *Const (numbers, strings, words as ConstString),
// *TypeName for a bare word in a type's place, *DefList for a list.
type DefElem struct {
	Namespace string
	Name      string
	Arg       DefArg
	Pos       Pos
}

// DefArg is the argument of a DefElem.
type DefArg interface{ defArg() }

// DefList is an option's list of words or constants, as FORCE_QUOTE's (a, b) or * (Star).
type DefList struct {
	Items []DefArg
	Star  bool
}

func (*Const) defArg()    {}
func (*TypeName) defArg() {}
func (*DefList) defArg()  {}
func (*RoleSpec) defArg() {}
func (*OptRoles) defArg() {}

// OptRoles is a list of roles inside an option (CREATE ROLE ... IN ROLE a, b).
type OptRoles struct{ Roles []RoleSpec }

// RoleKind says how a role was named.
type RoleKind uint8

// The ways to name a role.
const (
	RoleNamed RoleKind = iota
	RoleCurrentRole
	RoleCurrentUser
	RoleSessionUser
	RolePublic
)

// RoleSpec names a role.
type RoleSpec struct {
	Kind RoleKind
	Name string
	Pos  Pos
}

// Behavior is the RESTRICT or CASCADE of a DROP.
type Behavior uint8

// RESTRICT is the default.
const (
	Restrict Behavior = iota
	Cascade
)

// ObjectKind is the sort of object a DROP, COMMENT, GRANT, RENAME or OWNER TO is about.
type ObjectKind uint8

// The sorts of objects.
const (
	ObjectTable ObjectKind = iota
	ObjectIndex
	ObjectSequence
	ObjectView
	ObjectMatView
	ObjectSchema
	ObjectDatabase
	ObjectRole
	ObjectColumn
	ObjectConstraint // TableConstraint in COMMENT and RENAME
	ObjectFunction
	ObjectProcedure
	ObjectType
	ObjectDomain
	ObjectExtension
	ObjectTablespace
	ObjectLanguage
	ObjectTrigger
	ObjectAggregate
	ObjectOperator
	ObjectCollation
	ObjectPolicy
	ObjectRule
	ObjectPublication
	ObjectSubscription
	ObjectEventTrigger
	ObjectForeignTable
	ObjectParameter
	ObjectLargeObject
	ObjectStatistics
	ObjectOther
)
