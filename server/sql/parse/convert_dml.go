package parse

import pg "github.com/pganalyze/pg_query_go/v6"

func (c *converter) insert(n *pg.InsertStmt) Statement {
	out := &InsertStmt{
		With:       c.with(n.WithClause),
		Table:      c.rangeVar(n.Relation),
		OnConflict: c.onConflict(n.OnConflictClause),
		Returning:  c.targets(n.ReturningList),
	}
	for _, col := range n.Cols {
		out.Columns = append(out.Columns, c.targetColumn(col.GetResTarget()))
	}
	if n.SelectStmt.GetNode() != nil {
		out.Query = c.query(n.SelectStmt)
	}
	switch n.Override {
	case pg.OverridingKind_OVERRIDING_USER_VALUE:
		out.Overriding = OverridingUser
	case pg.OverridingKind_OVERRIDING_SYSTEM_VALUE:
		out.Overriding = OverridingSystem
	}
	return out
}

func (c *converter) targetColumn(t *pg.ResTarget) InsertColumn {
	return InsertColumn{
		Name: t.GetName(), Steps: c.indirection(t.GetIndirection()), Pos: c.pos(t.GetLocation()),
	}
}

func (c *converter) onConflict(n *pg.OnConflictClause) *OnConflict {
	if n == nil {
		return nil
	}
	out := &OnConflict{
		DoUpdate: n.Action == pg.OnConflictAction_ONCONFLICT_UPDATE,
		Set:      c.assignments(n.TargetList),
		Where:    c.expr(n.WhereClause),
		InferPos: NoPos,
		Pos:      c.pos(n.Location),
	}
	if n.Infer != nil {
		c.equalized(func() {
			out.Inferred = len(n.Infer.IndexElems) > 0
			out.Infer = c.indexElems(n.Infer.IndexElems)
			out.InferWhere = c.expr(n.Infer.WhereClause)
		})
		out.Constraint = n.Infer.Conname
		out.InferPos = c.pos(n.Infer.Location)
	}
	return out
}

// assignments converts SET. The grammar repeats the source of (a, b) = source at each of its
// columns; we take the first and skip the others.
func (c *converter) assignments(nodes []*pg.Node) []Assignment {
	var out []Assignment
	for i := 0; i < len(nodes); {
		t := nodes[i].GetResTarget()
		multi := t.GetVal().GetMultiAssignRef()
		if multi == nil {
			out = append(out, Assignment{
				Targets: []InsertColumn{c.targetColumn(t)}, Value: c.expr(t.GetVal()),
			})
			i++
			continue
		}
		a := Assignment{Multi: true, Value: c.expr(multi.Source)}
		end := min(i+max(int(multi.Ncolumns), 1), len(nodes))
		for ; i < end; i++ {
			a.Targets = append(a.Targets, c.targetColumn(nodes[i].GetResTarget()))
		}
		out = append(out, a)
	}
	return out
}

func (c *converter) update(n *pg.UpdateStmt) Statement {
	return &UpdateStmt{
		With:      c.with(n.WithClause),
		Table:     c.rangeVar(n.Relation),
		Set:       c.assignments(n.TargetList),
		From:      c.from(n.FromClause),
		Where:     c.expr(n.WhereClause),
		Returning: c.targets(n.ReturningList),
	}
}

func (c *converter) delete(n *pg.DeleteStmt) Statement {
	return &DeleteStmt{
		With:      c.with(n.WithClause),
		Table:     c.rangeVar(n.Relation),
		Using:     c.from(n.UsingClause),
		Where:     c.expr(n.WhereClause),
		Returning: c.targets(n.ReturningList),
	}
}

func (c *converter) copyStmt(n *pg.CopyStmt) Statement {
	out := &CopyStmt{
		Table:    c.rangeVar(n.Relation),
		Columns:  words(n.Attlist),
		From:     n.IsFrom,
		Program:  n.IsProgram,
		Filename: n.Filename,
		Options:  c.options(n.Options),
		Where:    c.expr(n.WhereClause),
	}
	if n.Query.GetNode() != nil {
		out.Query = c.statement(n.Query)
	}
	return out
}
