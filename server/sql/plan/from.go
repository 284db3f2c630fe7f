package plan

import (
	"slices"

	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// joinTree is FROM as it was written: an item, or a join of two trees. Its conditions read the
// scope's row, of which the tree covers the columns from lo to hi.
type joinTree struct {
	lo, hi int
	leaf   Node   // of an item
	terms  []Expr // conditions of its own: the WHERE of a query that was merged into this one

	// Of an item that is a query whose outputs are computed: those, and the tree they read.
	outs []Expr
	of   *joinTree

	kind        parse.JoinKind
	left, right *joinTree
	on          []Expr
	binds       []Binding // what right reads of left (LATERAL), over the scope's row
}

// fromClause resolves FROM; items between commas are joined without a condition.
func (a *analyzer) fromClause(
	items []parse.TableExpr, locking []parse.LockingClause,
) (*joinTree, error) {
	a.locking = locking
	var tree *joinTree
	for _, item := range items {
		mark := len(*a.scope.open)
		right, err := a.fromItem(item)
		if err != nil {
			return nil, err
		}
		if tree, err = a.joined(tree, right, mark); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// joined puts right, whose open bindings begin at mark, beside left.
func (a *analyzer) joined(left, right *joinTree, mark int) (*joinTree, error) {
	if left == nil {
		return right, nil
	}
	t := &joinTree{lo: left.lo, hi: right.hi, left: left, right: right}
	return t, a.bindRight(t, mark)
}

// bindRight takes over what the right side of a join reads of its left; what it reads of sources
// still further left stays open.
func (a *analyzer) bindRight(t *joinTree, mark int) error {
	open := *a.scope.open
	rest := open[:mark:mark]
	for _, b := range open[mark:] {
		if !within(b.Expr, t.left.lo, t.left.hi) {
			rest = append(rest, b)
			continue
		}
		if t.kind == parse.JoinRight || t.kind == parse.JoinFull {
			return types.Errorf(CodeInvalidColumnRef,
				"invalid reference to FROM-clause entry for table \"%s\"", b.table).WithDetail(
				"The combining JOIN type must be INNER or LEFT for a LATERAL reference.").At(
				a.stmt.Position(b.pos))
		}
		t.binds = append(t.binds, b.Binding)
	}
	*a.scope.open = rest
	return nil
}

func (a *analyzer) fromItem(item parse.TableExpr) (*joinTree, error) {
	switch item := item.(type) {
	case *parse.RangeVar:
		return a.fromTable(item)
	case *parse.RangeFunction:
		return a.fromFunction(item)
	case *parse.RangeSubselect:
		return a.fromQuery(item)
	case *parse.JoinExpr:
		return a.join(item)
	}
	return nil, a.unsupported(parse.NoPos, "this item of FROM")
}

// item makes the tree of one source.
func (a *analyzer) item(src *source, alias *parse.Alias, leaf Node) (*joinTree, error) {
	if err := a.checkAlias(src, alias); err != nil {
		return nil, err
	}
	a.scope.add(src)
	return &joinTree{lo: src.offset, hi: a.scope.width, leaf: leaf}, nil
}

func (a *analyzer) checkAlias(src *source, alias *parse.Alias) error {
	if alias != nil && len(alias.Columns) > len(src.columns) {
		what := "table"
		if src.merged {
			what = "join expression"
		}
		return types.Errorf(CodeInvalidColumnRef,
			"%s \"%s\" has %d columns available but %d columns specified",
			what, alias.Name, len(src.columns), len(alias.Columns))
	}
	for _, other := range a.scope.sources {
		if other.name == src.name && other.schema == src.schema && !other.hidden && src.name != "" {
			return types.Errorf(CodeDuplicateAlias,
				"table name \"%s\" specified more than once", src.name)
		}
	}
	return nil
}

func (a *analyzer) fromTable(item *parse.RangeVar) (*joinTree, error) {
	if item.Name.Schema == "" {
		if cte := a.findCTE(item.Name.Name); cte != nil {
			return a.fromCTE(cte, item)
		}
	}
	rel, err := a.named(item)
	if err != nil {
		return nil, err
	}
	alias := func(name string) string {
		if item.Alias == nil {
			return name
		}
		a.hidden[item.Alias.Name] = name
		return item.Alias.Name
	}
	switch {
	case rel.Table != nil:
		src := a.tableInFrom(item, rel.Table)
		src.key = a.locks(src.name)
		scan := &Scan{Table: rel.Table, Alias: alias(rel.Table.Name), WithKey: src.key}
		return a.item(src, item.Alias, scan)
	case rel.View != nil:
		return a.fromView(item, rel.View)
	case rel.Virtual != nil:
		if a.making != nil {
			a.noteRef(item.Name, rel.Virtual.OID, nil)
		}
		scan := &VirtualScan{Table: rel.Virtual, Alias: alias(rel.Virtual.Name)}
		return a.item(virtualSource(rel.Virtual, item.Alias), item.Alias, scan)
	case rel.Sequence != nil:
		if a.making != nil {
			return nil, a.unsupported(item.Pos, "a view of a sequence")
		}
		row := rel.Sequence.Row()
		scan := &VirtualScan{Table: row, Alias: alias(row.Name)}
		return a.item(virtualSource(row, item.Alias), item.Alias, scan)
	}
	return nil, a.errorf(item.Pos, types.CodeWrongObjectType,
		"cannot open relation \"%s\"", item.Name.Name).(*types.Error).WithDetail(
		"This operation is not supported for indexes.")
}

// locks says whether the rows of a table in FROM are to be locked.
func (a *analyzer) locks(name string) bool {
	for _, clause := range a.locking {
		if len(clause.Of) == 0 {
			return true
		}
		for _, of := range clause.Of {
			if of.Name.Name == name {
				return true
			}
		}
	}
	return false
}

// refuseLock is the error of a locking clause that names what has no rows to lock. One that names
// nothing passes it over.
func (a *analyzer) refuseLock(name, what string) error {
	for _, clause := range a.locking {
		for _, of := range clause.Of {
			if of.Name.Name == name {
				return a.errorf(of.Pos, types.CodeFeatureNotSupported,
					"%s cannot be applied to %s", lockName(clause.Strength), what)
			}
		}
	}
	return nil
}

// locked gives a query in FROM with the locking clauses that are about it: it is within it that the
// rows are locked.
func (a *analyzer) locked(name string, q *parse.SelectStmt) *parse.SelectStmt {
	if q.Values != nil {
		return q
	}
	out := *q
	for _, clause := range a.locking {
		named := slices.ContainsFunc(clause.Of, func(r *parse.RangeVar) bool {
			return r.Name.Name == name
		})
		if named || len(clause.Of) == 0 {
			out.Locking = append(slices.Clip(out.Locking),
				parse.LockingClause{Strength: clause.Strength, Wait: clause.Wait})
		}
	}
	if len(out.Locking) == len(q.Locking) {
		return q
	}
	return &out
}

// fromQuery resolves a query in FROM. Only with LATERAL it sees what stands to its left.
func (a *analyzer) fromQuery(item *parse.RangeSubselect) (*joinTree, error) {
	parent := a.scope.parent
	if item.Lateral {
		parent = a.scope
	}
	saved := a.unreachable
	a.unreachable = a.scope.sources
	name := ""
	if item.Alias != nil {
		name = item.Alias.Name
	}
	q, err := a.resolveInFrom(parent, a.locked(name, item.Query))
	a.unreachable = saved
	if err != nil {
		return nil, err
	}
	return a.beside(querySource(name, q.columns, item.Alias), q, item.Alias, name)
}

// queryInFrom is a query in FROM: planned, or to be merged into the one around it.
type queryInFrom struct {
	columns []Column
	node    Node
	s       *selecting
	inner   *joinTree // nil: node yields the rows
}

func (a *analyzer) resolveInFrom(parent *scope, n *parse.SelectStmt) (*queryInFrom, error) {
	q := &queryInFrom{}
	_, err := a.nested(parent, func() (err error) {
		if !mergeable(n) {
			q.node, q.columns, err = a.query(n)
			return err
		}
		if q.s, q.columns, err = a.resolveSelect(n); err != nil {
			return err
		}
		if q.inner = q.s.merged(a.scope.width); q.inner == nil {
			q.node, err = a.assemble(q.s)
		}
		return err
	})
	return q, err
}

// beside puts a query in FROM beside what is there.
func (a *analyzer) beside(
	src *source, q *queryInFrom, alias *parse.Alias, name string,
) (*joinTree, error) {
	if q.inner != nil {
		return a.merge(src, q.s, q.inner, alias)
	}
	return a.item(src, alias, &SubqueryScan{In: q.node, Alias: name, Width: len(q.columns)})
}
