package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
)

// Planner makes plans, and keeps those of statements that come again with other literals. One a
// server, safe for concurrent use.
type Planner struct {
	catalog *catalog.Catalog
	cache   *cache
}

// Options of a Planner.
type Options struct {
	// CacheEntries bounds the plans kept by fingerprint; 0 means DefaultCacheEntries.
	CacheEntries int
}

// DefaultCacheEntries is the usual bound of the fingerprint cache.
const DefaultCacheEntries = 4096

// New makes a planner over a catalog.
func New(c *catalog.Catalog, opt Options) *Planner {
	if opt.CacheEntries == 0 {
		opt.CacheEntries = DefaultCacheEntries
	}
	return &Planner{catalog: c, cache: newCache(opt.CacheEntries)}
}

// Prepare plans one statement. declared are the parameter types the client gave, 0 for those it
// left open. What this floor does not run (SET, BEGIN, ...) is the caller's; it never comes here.
func (pl *Planner) Prepare(env Env, stmt *parse.Stmt, declared []uint32) (*Prepared, error) {
	return pl.finish(newAnalyzer(env, stmt, declared), env, stmt, declared)
}

// Default gives the default of a column as it is now: of a table that is being altered.
func (pl *Planner) Default(env Env, c *catalog.Column) (Expr, error) {
	return newAnalyzer(env, new(parse.Stmt), nil).defaultExpr(c)
}

// replan plans again what a plan was made of. A client that was told parameter types keeps them.
func (pl *Planner) replan(env Env, p *Prepared) (*Prepared, error) {
	if p.holes != nil {
		return pl.prepareTemplate(env, p.tmpl)
	}
	return pl.Prepare(env, p.stmt, p.ParamOIDs)
}

// finish analyzes the statement and fills in what every plan has.
func (pl *Planner) finish(
	a *analyzer, env Env, stmt *parse.Stmt, declared []uint32,
) (*Prepared, error) {
	p, err := pl.analyze(a, stmt)
	if err != nil {
		return nil, err
	}
	if err := a.settleParams(); err != nil {
		return nil, err
	}
	p.ParamOIDs = make([]uint32, len(a.params))
	for i, oid := range a.params {
		p.ParamOIDs[i] = uint32(oid)
	}
	p.slots, p.subplans = a.slots, a.subplans
	p.Locks = locks(p.Root)
	p.Uses, p.Owns = uses(p.Locks, a.used), owns(p.Locks)
	p.Point = p.subplans == 0 && isPoint(p.Root)
	p.Late = readsLate(p.Root)
	p.stmt, p.declared, p.path, p.used = stmt, declared, env.SearchPath, a.used
	p.version.Store(env.Catalog.Version())
	return p, nil
}

// Handles says whether Prepare plans that statement; all else is the session's.
func Handles(stmt parse.Statement) bool {
	switch s := stmt.(type) {
	case *parse.SelectStmt, *parse.InsertStmt, *parse.UpdateStmt, *parse.DeleteStmt,
		*parse.ExplainStmt, *parse.CopyStmt, *parse.CreateTableStmt, *parse.TruncateStmt,
		*parse.CreateSchemaStmt, *parse.CreateSequenceStmt, *parse.AlterSequenceStmt,
		*parse.AlterTableStmt, *parse.IndexStmt, *parse.RenameStmt, *parse.ViewStmt,
		*parse.CreateTableAsStmt, *parse.AlterSchemaStmt, *parse.AlterOwnerStmt,
		*parse.CommentStmt:
		return true
	case *parse.DropStmt:
		return s.Kind != parse.ObjectExtension
	}
	return false
}

// analyze plans a statement with an analyzer made for it.
func (pl *Planner) analyze(a *analyzer, stmt *parse.Stmt) (*Prepared, error) {
	switch n := stmt.Tree.(type) {
	case *parse.SelectStmt:
		if into, ok := takeInto(n); ok {
			return a.createTableAs(into)
		}
		return a.planSelect(n)
	case *parse.CreateTableAsStmt:
		return a.createTableAs(n)
	case *parse.InsertStmt:
		return dml("INSERT")(a.insert(n))
	case *parse.UpdateStmt:
		return dml("UPDATE")(a.update(n))
	case *parse.DeleteStmt:
		return dml("DELETE")(a.delete(n))
	case *parse.ExplainStmt:
		return a.explainStmt(pl, n)
	case *parse.CopyStmt:
		return a.copyStmt(pl, n)
	}
	return a.definition(stmt.Tree)
}

func (a *analyzer) planSelect(n *parse.SelectStmt) (*Prepared, error) {
	node, columns, err := a.query(n)
	if err != nil {
		return nil, err
	}
	p := &Prepared{Kind: KindRows, Tag: "SELECT", Refusal: "SELECT", Root: node,
		Columns: columns, ReadOnly: true}
	if columns == nil {
		p.Columns = []Column{}
	}
	if with, ok := node.(*With); ok && with.Writes {
		p.Kind, p.ReadOnly = KindDMLReturning, false
		return p, nil
	}
	visit(node, func(n Node) bool { // a query inside may lock rows, too
		if lock, ok := n.(*LockRows); ok {
			p.ReadOnly, p.Refusal = false, "SELECT "+lockName(lock.Strength)
		}
		return p.ReadOnly
	})
	return p, nil
}

// dml wraps what the DML analyzers give.
func dml(tag string) func(Node, []Column, error) (*Prepared, error) {
	return func(node Node, columns []Column, err error) (*Prepared, error) {
		if err != nil {
			return nil, err
		}
		kind := KindDML
		if columns != nil {
			kind = KindDMLReturning
		}
		return &Prepared{Kind: kind, Tag: tag, Refusal: tag, Root: node, Columns: columns}, nil
	}
}
