package plan

import (
	"ackdb/engine"
	"ackdb/server/sql/builtin"
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// Node is a step of a plan. A node that yields rows documents their layout.
type Node interface{ explain(x *explainer) }

// Result yields one row without columns, for a SELECT without FROM; none when Filter is not true.
type Result struct{ Filter Expr }

// Scan yields the rows of a stored table: its columns in order, and with WithKey the row's storage
// key as a bytea behind them, by which LockRows, Update and Delete find the row again.
type Scan struct {
	Table   *catalog.Table
	Alias   string
	Access  Access
	Filter  Expr // what of the WHERE the Access does not decide; nil for none (P3)
	Recheck Expr // the whole WHERE, for a row that changed before it was locked; with Access.Index
	WithKey bool
	Unread  bool // nobody looks at the columns: the rows are only counted
}

// FilterCalls says whether the filter might call the engine: by a query or a volatile function.
func (s *Scan) FilterCalls() bool {
	return s.Filter != nil && (isVolatile(s.Filter) || runsQuery(s.Filter))
}

// VirtualScan yields the rows of a virtual table.
type VirtualScan struct {
	Table  *catalog.VirtualTable
	Alias  string
	Filter Expr
}

// Values yields the rows of a VALUES list.
type Values struct{ Rows [][]Expr }

// Filter passes the rows on for which Cond is true.
type Filter struct {
	In   Node
	Cond Expr
}

// Project yields Exprs over the rows of In.
type Project struct {
	In       Node
	Exprs    []Expr
	Volatile bool // one of them is, or runs a query
}

// Aggregate yields a row for each group of rows of In that have equal Keys: the keys, the results
// of Calls, and Carry of the group's first row. Without keys there is one group, be it empty.
type Aggregate struct {
	In    Node
	Keys  []Expr
	Calls []AggregateCall
	Carry []Expr

	// Sets are the grouping sets: places in Keys. A row is grouped by each of them, the other keys
	// are NULL then, and behind all columns lies the number of the set. Nil: one set of all keys.
	Sets [][]int
}

// AggregateCall is one aggregate in an Aggregate.
type AggregateCall struct {
	Fn       builtin.AggCall
	Name     string
	Args     []Expr
	Star     bool
	Distinct bool
	Filter   Expr
	OrderBy  []SortKey
	Direct   []Expr // of WITHIN GROUP: what stands in the brackets
	Implied  int    // how many of OrderBy, the last, were not written
	T        types.Type

	pos parse.Pos
}

// SortKey is one item of ORDER BY.
type SortKey struct {
	Expr       Expr
	Desc       bool
	NullsFirst bool
}

// Sort yields the rows of In in order. Rows that compare equal keep the order they came in.
type Sort struct {
	In   Node
	Keys []SortKey
}

// Unique yields each different row of In once, the first time it comes.
type Unique struct{ In Node }

// DistinctOn yields the first of each run of rows with equal Keys.
type DistinctOn struct {
	In   Node
	Keys []Expr
}

// Limit passes Offset rows over and then yields Count, and with Ties all further rows that equal
// the last by those keys. A nil or NULL bound is none.
type Limit struct {
	In     Node
	Count  Expr
	Offset Expr
	Ties   []SortKey
}

// LockRows locks the rows that each row of In is made of, and passes on what it is then: when one
// of them changed, it is read again and Recheck decides (P3).
type LockRows struct {
	In       Node
	Tables   []LockedTable
	Strength parse.LockStrength
	Wait     parse.LockWait
	Outer    []OuterJoin // the inner before those around them
	Recheck  Expr
}

// OuterJoin is one whose condition a row that changed has to pass again: else the columns of the
// side that may be missing are NULL.
type OuterJoin struct {
	On        Expr // nil for none
	Low, High int
}

// LockedTable says where in a row the columns of a table begin; its storage key lies behind them.
type LockedTable struct {
	Table  *catalog.Table
	Offset int
}

// Insert adds a row to Table for each row of In.
type Insert struct {
	Table *catalog.Table
	Alias string
	In    Node
	// Row makes the new row out of In's, one expression a column: a value, a default, or NULL.
	Row       []Expr
	Conflict  *Conflict
	Checks    []RowCheck
	Foreign   *ForeignChecks
	Returning []Expr // over the new row; nil for none

	// Gather says that all rows of In are to be had before the first is written: In reads the
	// table it is written to, at a time of its own choosing.
	Gather bool

	// Apart says that a query in RETURNING or ON CONFLICT reads the table, which it is to see as it
	// was before the statement.
	Apart bool

	// BlindUpsert says that the conflict action overwrites the whole row with the proposed one, so
	// that nothing has to be read.
	BlindUpsert bool
}

// Conflict is what an Insert does about a row that is there already.
type Conflict struct {
	DoUpdate bool
	// Set and Where read the existing row followed by the proposed one (excluded).
	Set   []SetColumn
	Where Expr
	// Lock is how the row in the way is locked.
	Lock engine.LockMode
	// Any says that no conflict target was named.
	Any bool
	// Arbiters are the unique keys whose conflicts are meant; of others they are errors.
	Arbiters []*catalog.Index
}

// SetColumn gives a column a new value.
type SetColumn struct {
	Column int
	Expr   Expr
}

// Update changes the rows of a Target.
type Update struct {
	Target
	Set       []SetColumn // over the old row
	Returning []Expr      // over the new row
	Checks    []RowCheck  // over the new row
	Foreign   *ForeignChecks
	SetsKey   bool // a key column is among Set
}

// Delete removes the rows of a Target.
type Delete struct {
	Target
	Foreign   *ForeignChecks
	Returning []Expr // over the old row
}

// Explain yields the plan of Target as text, and with Analyze what running it showed.
type Explain struct {
	Target  *Prepared
	Analyze bool
	Timing  bool // show times
	Summary bool // and how long it took in all
}
