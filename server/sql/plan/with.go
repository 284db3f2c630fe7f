package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// With yields the rows of In, which reads the queries of a WITH clause by CTEScans. Whenever it is
// opened, they are to run anew.
//
// With Writes, some of them are statements that write, and In may be one. All of it reads as of one
// moment; each of these statements runs to its end, whether its rows are read or not.
type With struct {
	In     Node
	CTEs   []*CTE
	Writes bool
}

// CTE is a query of a WITH clause. It runs when it is first read, and its rows are kept for all
// who read it.
type CTE struct {
	Name   string
	Node   Node
	Width  int
	Inline bool // it is read in one place only, and runs there
	Writes bool // it is a statement that writes
	reads  int  // places that read it
	always bool // MATERIALIZED
}

// CTEScan yields the rows of a CTE.
type CTEScan struct {
	CTE    *CTE
	Alias  string
	Filter Expr
}

// cteName is a CTE while its name can be used.
type cteName struct {
	cte     *CTE
	columns []Column
	reads   []*[]openBinding // of the scopes around the WITH
	union   *RecursiveUnion  // while the part of its query that reads itself is analyzed
}

// withClause is a WITH whose names are in use.
type withClause struct {
	names  []*cteName
	mark   int // where its names begin among those of the level
	writes bool
}

// with resolves the queries of a WITH clause, each of which may use those before it.
func (a *analyzer) with(n *parse.WithClause) (*withClause, error) {
	w := &withClause{mark: len(a.ctes)}
	for i, item := range n.CTEs {
		for _, other := range n.CTEs[:i] {
			if other.Name == item.Name {
				return nil, a.errorf(item.Pos, CodeDuplicateAlias,
					"WITH query name \"%s\" specified more than once", item.Name)
			}
		}
	}
	items := make([]recursiveItem, len(n.CTEs))
	for i, item := range n.CTEs {
		items[i].CTE = item
	}
	if n.Recursive {
		var err error
		if items, err = a.recursiveItems(n); err != nil {
			return nil, err
		}
	}
	for i, item := range items {
		always := item.Materialize == parse.MaterializeAlways
		c := &cteName{cte: &CTE{Name: item.Name, always: always || item.self}}
		later := a.laterCTEs
		if !n.Recursive {
			a.laterCTEs = n.CTEs[i+1:]
		}
		err := a.cteQuery(c, item)
		if a.laterCTEs = later; err != nil {
			a.leave(w)
			return nil, err
		}
		a.ctes = append(a.ctes, c)
		w.names = append(w.names, c)
		w.writes = w.writes || c.cte.Writes
	}
	return w, nil
}

func (a *analyzer) cteQuery(c *cteName, item recursiveItem) error {
	var err error
	c.reads, err = a.nested(a.scope, func() (err error) {
		switch q := item.Query.(type) {
		case *parse.SelectStmt:
			if item.self {
				c.cte.Node, err = a.recursiveQuery(c, item.CTE, q)
				return err
			}
			c.cte.Node, c.columns, err = a.query(q)
		case *parse.InsertStmt:
			c.cte.Node, c.columns, err = a.insert(q)
		case *parse.UpdateStmt:
			c.cte.Node, c.columns, err = a.update(q)
		case *parse.DeleteStmt:
			c.cte.Node, c.columns, err = a.delete(q)
		}
		return err
	})
	if err != nil {
		return err
	}
	c.cte.Width = len(c.columns)
	_, reads := item.Query.(*parse.SelectStmt)
	switch c.cte.Writes = !reads; {
	case item.self:
		return nil // whose columns have their names
	case c.cte.Writes && a.inner:
		return a.errorf(item.Pos, types.CodeFeatureNotSupported,
			"WITH clause containing a data-modifying statement must be at the top level")
	case c.cte.Writes && c.columns == nil:
		return nil
	}
	return a.nameColumns(c, item.CTE)
}

// nameColumns gives the columns of an item the names that stand behind its own.
func (a *analyzer) nameColumns(c *cteName, item *parse.CTE) error {
	if len(item.Columns) > len(c.columns) {
		return a.errorf(item.Pos, CodeInvalidColumnRef,
			"WITH query \"%s\" has %d columns available but %d columns specified",
			item.Name, len(c.columns), len(item.Columns))
	}
	for i, name := range item.Columns {
		c.columns[i].Name = name
	}
	return nil
}

// leave takes the names of a WITH out of use.
func (a *analyzer) leave(w *withClause) { a.ctes = a.ctes[:w.mark] }

// above is around for a WITH that writes, which belongs above the whole statement.
func (w *withClause) above(statement Node) Node {
	if w == nil || !w.writes {
		return statement
	}
	return w.around(statement)
}

// below is around for a WITH that only reads, which belongs below what the statement writes.
func (w *withClause) below(in Node) Node {
	if w == nil || w.writes {
		return in
	}
	return w.around(in)
}

// around puts the WITH above the query that used it.
func (w *withClause) around(in Node) Node {
	with := &With{In: in, Writes: w.writes}
	for _, c := range w.names {
		switch cte := c.cte; {
		case cte.Writes:
			with.CTEs = append(with.CTEs, cte)
		case cte.reads == 0: // which never runs
		case cte.reads == 1 && !cte.always && !nodeVolatile(cte.Node):
			cte.Inline = true
		default:
			with.CTEs = append(with.CTEs, cte)
		}
	}
	if len(with.CTEs) == 0 {
		return in
	}
	return with
}

// findCTE looks a name of WITH up, the nearest first.
func (a *analyzer) findCTE(name string) *cteName {
	for i := len(a.ctes) - 1; i >= 0; i-- {
		if a.ctes[i].cte.Name == name {
			return a.ctes[i]
		}
	}
	return nil
}

func (a *analyzer) fromCTE(c *cteName, item *parse.RangeVar) (*joinTree, error) {
	name := c.cte.Name
	if item.Alias != nil {
		name = item.Alias.Name
	}
	if err := a.refuseLock(name, "a WITH query"); err != nil {
		return nil, err
	}
	if c.union != nil {
		return a.fromRecursion(c, item, name)
	}
	if c.cte.Writes && c.columns == nil {
		return nil, a.errorf(item.Pos, types.CodeFeatureNotSupported,
			"WITH query \"%s\" does not have a RETURNING clause", c.cte.Name)
	}
	c.cte.reads++
	for _, open := range c.reads {
		if open != a.scope.open {
			a.note(open)
		}
	}
	return a.item(querySource(c.cte.Name, c.columns, item.Alias), item.Alias,
		&CTEScan{CTE: c.cte, Alias: name})
}
