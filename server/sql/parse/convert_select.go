package parse

import pg "github.com/pganalyze/pg_query_go/v6"

// query converts a subquery.
func (c *converter) query(node *pg.Node) *SelectStmt {
	n := node.GetSelectStmt()
	if n == nil {
		c.fail("a subquery that is not a SELECT", -1)
		return nil
	}
	return c.selectStmt(n)
}

var setOps = map[pg.SetOperation]SetOp{
	pg.SetOperation_SETOP_UNION:     SetUnion,
	pg.SetOperation_SETOP_INTERSECT: SetIntersect,
	pg.SetOperation_SETOP_EXCEPT:    SetExcept,
}

func (c *converter) selectStmt(n *pg.SelectStmt) *SelectStmt {
	out := &SelectStmt{
		With:          c.with(n.WithClause),
		Targets:       c.targets(n.TargetList),
		Into:          c.into(n.IntoClause),
		From:          c.from(n.FromClause),
		Where:         c.expr(n.WhereClause),
		GroupDistinct: n.GroupDistinct,
		Having:        c.expr(n.HavingClause),
		Op:            setOps[n.Op],
		All:           n.All,
		WithTies:      n.LimitOption == pg.LimitOption_LIMIT_OPTION_WITH_TIES,
		Locking:       c.locking(n.LockingClause),
	}
	for _, w := range n.WindowClause {
		out.Windows = append(out.Windows, c.window(w.GetWindowDef()))
	}
	for _, row := range n.ValuesLists {
		out.Values = append(out.Values, c.exprs(row.GetList().GetItems()))
	}
	c.equalized(func() {
		out.Distinct = len(n.DistinctClause) > 0
		if out.Distinct && n.DistinctClause[0].GetNode() != nil {
			out.DistinctOn = c.exprs(n.DistinctClause)
		}
		out.GroupBy = c.exprs(n.GroupClause)
		out.OrderBy = c.sortBy(n.SortClause)
	})
	c.pinning++
	out.Limit, out.Offset = c.expr(n.LimitCount), c.expr(n.LimitOffset)
	c.pinning--
	if out.Op != SetNone {
		out.Left, out.Right = c.selectStmt(n.Larg), c.selectStmt(n.Rarg)
	}
	return out
}

// equalized converts what is matched to other parts of the statement by being equal to them, or
// counts as an ordinal. Were a literal of it a hole, two statements could share a template and
// differ in which parts match.
func (c *converter) equalized(convert func()) {
	c.sealing++
	convert()
	c.sealing--
}

func (c *converter) targets(nodes []*pg.Node) []ResTarget {
	var out []ResTarget
	for _, n := range nodes {
		t := n.GetResTarget()
		out = append(out, ResTarget{
			Name: t.GetName(), Val: c.expr(t.GetVal()), Pos: c.pos(t.GetLocation()),
		})
	}
	return out
}

func (c *converter) into(n *pg.IntoClause) *IntoClause {
	if n == nil {
		return nil
	}
	out := &IntoClause{
		Table:        c.rangeVar(n.Rel),
		Columns:      words(n.ColNames),
		AccessMethod: n.AccessMethod,
		Options:      c.options(n.Options),
		OnCommit:     onCommit(n.OnCommit),
		Tablespace:   n.TableSpaceName,
		NoData:       n.SkipData,
	}
	return out
}

func onCommit(a pg.OnCommitAction) OnCommit {
	switch a {
	case pg.OnCommitAction_ONCOMMIT_PRESERVE_ROWS:
		return OnCommitPreserve
	case pg.OnCommitAction_ONCOMMIT_DELETE_ROWS:
		return OnCommitDelete
	case pg.OnCommitAction_ONCOMMIT_DROP:
		return OnCommitDrop
	}
	return OnCommitNone
}

var sortDirs = map[pg.SortByDir]SortDir{
	pg.SortByDir_SORTBY_ASC:   SortAsc,
	pg.SortByDir_SORTBY_DESC:  SortDesc,
	pg.SortByDir_SORTBY_USING: SortUsing,
}

// sortBy converts ORDER BY, also that of an aggregate or a window.
func (c *converter) sortBy(nodes []*pg.Node) []SortBy {
	var out []SortBy
	for _, node := range nodes {
		n := node.GetSortBy()
		out = append(out, SortBy{
			Expr:  c.expr(n.GetNode()),
			Dir:   sortDirs[n.GetSortbyDir()],
			Nulls: nullsOrder(n.GetSortbyNulls()),
			Using: c.name(n.GetUseOp()),
			Pos:   c.pos(n.GetLocation()),
		})
	}
	return out
}

func nullsOrder(n pg.SortByNulls) NullsOrder {
	switch n {
	case pg.SortByNulls_SORTBY_NULLS_FIRST:
		return NullsFirst
	case pg.SortByNulls_SORTBY_NULLS_LAST:
		return NullsLast
	}
	return NullsDefault
}

var groupingKinds = map[pg.GroupingSetKind]GroupingSetKind{
	pg.GroupingSetKind_GROUPING_SET_ROLLUP: GroupingRollup,
	pg.GroupingSetKind_GROUPING_SET_CUBE:   GroupingCube,
	pg.GroupingSetKind_GROUPING_SET_SETS:   GroupingSets,
}

func (c *converter) groupingSet(n *pg.GroupingSet) Expr {
	return &GroupingSet{
		Kind: groupingKinds[n.Kind], Items: c.exprs(n.Content), Pos: c.pos(n.Location),
	}
}

var lockStrengths = map[pg.LockClauseStrength]LockStrength{
	pg.LockClauseStrength_LCS_FORKEYSHARE:    ForKeyShare,
	pg.LockClauseStrength_LCS_FORSHARE:       ForShare,
	pg.LockClauseStrength_LCS_FORNOKEYUPDATE: ForNoKeyUpdate,
	pg.LockClauseStrength_LCS_FORUPDATE:      ForUpdate,
}

var lockWaits = map[pg.LockWaitPolicy]LockWait{
	pg.LockWaitPolicy_LockWaitSkip:  LockSkip,
	pg.LockWaitPolicy_LockWaitError: LockNoWait,
}

func (c *converter) locking(nodes []*pg.Node) []LockingClause {
	var out []LockingClause
	for _, node := range nodes {
		n := node.GetLockingClause()
		out = append(out, LockingClause{
			Of:       c.rangeVars(n.GetLockedRels()),
			Strength: lockStrengths[n.GetStrength()],
			Wait:     lockWaits[n.GetWaitPolicy()],
		})
	}
	return out
}

var materializeKinds = map[pg.CTEMaterialize]Materialize{
	pg.CTEMaterialize_CTEMaterializeAlways: MaterializeAlways,
	pg.CTEMaterialize_CTEMaterializeNever:  MaterializeNever,
}

func (c *converter) with(n *pg.WithClause) *WithClause {
	if n == nil {
		return nil
	}
	out := &WithClause{Recursive: n.Recursive, Pos: c.pos(n.Location)}
	for _, node := range n.Ctes {
		cte := node.GetCommonTableExpr()
		if cte.GetSearchClause() != nil || cte.GetCycleClause() != nil {
			c.fail("SEARCH and CYCLE in WITH", cte.GetLocation())
		}
		out.CTEs = append(out.CTEs, &CTE{
			Name:        cte.GetCtename(),
			Columns:     words(cte.GetAliascolnames()),
			Materialize: materializeKinds[cte.GetCtematerialized()],
			Query:       c.statement(cte.GetCtequery()),
			Pos:         c.pos(cte.GetLocation()),
		})
	}
	return out
}
