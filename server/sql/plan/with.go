package plan

import (
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// With yields the rows of In, which reads the queries of a WITH clause by CTEScans. Whenever it is
// opened, they are to run anew.
type With struct {
	In   Node
	CTEs []*CTE
}

// CTE is a query of a WITH clause. It runs when it is first read, and its rows are kept for all
// who read it.
type CTE struct {
	Name   string
	Node   Node
	Width  int
	Inline bool // it is read in one place only, and runs there
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
	pending bool             // its own query is being analyzed
}

// withClause is a WITH whose names are in use.
type withClause struct {
	names []*cteName
	mark  int // where its names begin among those of the level
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
		always := item.Materialize == parse.MaterializeAlways
		c := &cteName{cte: &CTE{Name: item.Name, always: always}}
		if n.Recursive {
			c.pending = true
			a.ctes = append(a.ctes, c)
		}
		later := a.laterCTEs
		a.laterCTEs = n.CTEs[i+1:]
		err := a.cteQuery(c, item)
		if a.laterCTEs = later; err != nil {
			return nil, err
		}
		if c.pending = false; !n.Recursive {
			a.ctes = append(a.ctes, c)
		}
		w.names = append(w.names, c)
	}
	return w, nil
}

func (a *analyzer) cteQuery(c *cteName, item *parse.CTE) error {
	q, ok := item.Query.(*parse.SelectStmt)
	if !ok {
		return a.unsupported(item.Pos, "a statement that writes in WITH")
	}
	var err error
	c.reads, err = a.nested(a.scope, func() (err error) {
		c.cte.Node, c.columns, err = a.query(q)
		return err
	})
	if err != nil {
		return err
	}
	if len(item.Columns) > len(c.columns) {
		return a.errorf(item.Pos, CodeInvalidColumnRef,
			"WITH query \"%s\" has %d columns available but %d columns specified",
			item.Name, len(c.columns), len(item.Columns))
	}
	for i, name := range item.Columns {
		c.columns[i].Name = name
	}
	c.cte.Width = len(c.columns)
	return nil
}

// leave takes the names of a WITH out of use.
func (a *analyzer) leave(w *withClause) { a.ctes = a.ctes[:w.mark] }

// around puts the WITH above the query that used it.
func (w *withClause) around(in Node) Node {
	with := &With{In: in}
	for _, c := range w.names {
		switch cte := c.cte; {
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
	if c.pending {
		return nil, a.unsupported(item.Pos, "a recursive query")
	}
	name := c.cte.Name
	if item.Alias != nil {
		name = item.Alias.Name
	}
	if len(a.locking) > 0 && a.locks(name) {
		return nil, a.errorf(a.lockPos(name), types.CodeFeatureNotSupported,
			"%s cannot be applied to a WITH query", lockName(a.locking[0].Strength))
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
