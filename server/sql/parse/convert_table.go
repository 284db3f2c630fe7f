package parse

import pg "github.com/pganalyze/pg_query_go/v6"

func (c *converter) createTable(n *pg.CreateStmt) Statement {
	out := &CreateTableStmt{
		Table:        c.rangeVar(n.Relation),
		IfNotExists:  n.IfNotExists,
		Inherits:     c.rangeVars(n.InhRelations),
		PartitionBy:  n.Partspec != nil || n.Partbound != nil,
		Options:      c.options(n.Options),
		OnCommit:     onCommit(n.Oncommit),
		Tablespace:   n.Tablespacename,
		AccessMethod: n.AccessMethod,
	}
	if n.OfTypename != nil {
		c.fail("CREATE TABLE OF", n.OfTypename.Location)
	}
	for _, elt := range n.TableElts {
		switch e := elt.GetNode().(type) {
		case *pg.Node_ColumnDef:
			out.Columns = append(out.Columns, c.columnDef(e.ColumnDef))
		case *pg.Node_Constraint:
			out.Constraints = append(out.Constraints, c.constraint(e.Constraint))
		case *pg.Node_TableLikeClause:
			out.Likes = append(out.Likes, &TableLike{
				Table: c.rangeVar(e.TableLikeClause.Relation), Options: e.TableLikeClause.Options,
				Behind: len(out.Columns),
			})
		}
	}
	for _, k := range n.Constraints {
		out.Constraints = append(out.Constraints, c.constraint(k.GetConstraint()))
	}
	return out
}

func (c *converter) columnDefs(nodes []*pg.Node) []*ColumnDef {
	var out []*ColumnDef
	for _, n := range nodes {
		if def := n.GetColumnDef(); def != nil {
			out = append(out, c.columnDef(def))
		}
	}
	return out
}

func (c *converter) columnDef(n *pg.ColumnDef) *ColumnDef {
	if n == nil {
		return nil
	}
	return &ColumnDef{
		Name:        n.Colname,
		Type:        c.typeName(n.TypeName),
		Collation:   c.namePointer(n.CollClause.GetCollname()),
		Storage:     n.StorageName,
		Compression: n.Compression,
		Constraints: c.columnConstraints(n.Constraints),
		Default:     c.expr(n.RawDefault),
		Pos:         c.pos(n.Location),
	}
}

// columnConstraints folds DEFERRABLE and its kin, which the grammar gives as constraints of their
// own, into the constraint before them.
func (c *converter) columnConstraints(nodes []*pg.Node) []*Constraint {
	var out []*Constraint
	for _, node := range nodes {
		n := node.GetConstraint()
		var last *Constraint
		if len(out) > 0 {
			last = out[len(out)-1]
		}
		switch n.GetContype() {
		case pg.ConstrType_CONSTR_ATTR_DEFERRABLE, pg.ConstrType_CONSTR_ATTR_DEFERRED:
			if last == nil {
				c.fail("misplaced DEFERRABLE", n.GetLocation())
				continue
			}
			last.Deferrable = true
			last.InitiallyDefer = last.InitiallyDefer ||
				n.GetContype() == pg.ConstrType_CONSTR_ATTR_DEFERRED
		case pg.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE, pg.ConstrType_CONSTR_ATTR_IMMEDIATE:
		default:
			out = append(out, c.constraint(n))
		}
	}
	return out
}

var constraintKinds = map[pg.ConstrType]ConstraintKind{
	pg.ConstrType_CONSTR_NULL:      ConstraintNull,
	pg.ConstrType_CONSTR_NOTNULL:   ConstraintNotNull,
	pg.ConstrType_CONSTR_DEFAULT:   ConstraintDefault,
	pg.ConstrType_CONSTR_IDENTITY:  ConstraintIdentity,
	pg.ConstrType_CONSTR_GENERATED: ConstraintGenerated,
	pg.ConstrType_CONSTR_CHECK:     ConstraintCheck,
	pg.ConstrType_CONSTR_PRIMARY:   ConstraintPrimary,
	pg.ConstrType_CONSTR_UNIQUE:    ConstraintUnique,
	pg.ConstrType_CONSTR_EXCLUSION: ConstraintExclusion,
	pg.ConstrType_CONSTR_FOREIGN:   ConstraintForeign,
}

func (c *converter) constraint(n *pg.Constraint) *Constraint {
	return &Constraint{
		Kind:             constraintKinds[n.GetContype()],
		Name:             n.GetConname(),
		Expr:             c.expr(n.GetRawExpr()),
		Keys:             words(n.GetKeys()),
		Including:        words(n.GetIncluding()),
		Options:          c.options(n.GetOptions()),
		IndexName:        n.GetIndexname(),
		Tablespace:       n.GetIndexspace(),
		NullsNotDistinct: n.GetNullsNotDistinct(),
		NoInherit:        n.GetIsNoInherit(),
		NotValid:         n.GetSkipValidation(),
		Deferrable:       n.GetDeferrable(),
		InitiallyDefer:   n.GetInitdeferred(),
		Always:           n.GetGeneratedWhen() == "a",
		RefTable:         c.rangeVar(n.GetPktable()),
		Columns:          words(n.GetFkAttrs()),
		RefColumns:       words(n.GetPkAttrs()),
		MatchType:        letter(n.GetFkMatchtype()),
		OnUpdate:         foreignAction(n.GetFkUpdAction()),
		OnDelete:         foreignAction(n.GetFkDelAction()),
		SetNullCols:      words(n.GetFkDelSetCols()),
		Pos:              c.pos(n.GetLocation()),
	}
}

func letter(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func foreignAction(s string) ForeignAction {
	switch letter(s) {
	case 'r':
		return ActionRestrict
	case 'c':
		return ActionCascade
	case 'n':
		return ActionSetNull
	case 'd':
		return ActionSetDefault
	}
	return NoAction
}

func (c *converter) indexElems(nodes []*pg.Node) []IndexElem {
	var out []IndexElem
	for _, node := range nodes {
		n := node.GetIndexElem()
		out = append(out, IndexElem{
			Name:      n.GetName(),
			Expr:      c.expr(n.GetExpr()),
			Collation: c.namePointer(n.GetCollation()),
			OpClass:   c.namePointer(n.GetOpclass()),
			Dir:       sortDirs[n.GetOrdering()],
			Nulls:     nullsOrder(n.GetNullsOrdering()),
		})
	}
	return out
}

func (c *converter) index(n *pg.IndexStmt) Statement {
	return &IndexStmt{
		Name:             n.Idxname,
		Table:            c.rangeVar(n.Relation),
		Unique:           n.Unique,
		Concurrently:     n.Concurrent,
		IfNotExists:      n.IfNotExists,
		NullsNotDistinct: n.NullsNotDistinct,
		AccessMethod:     n.AccessMethod,
		Columns:          c.indexElems(n.IndexParams),
		Including:        c.indexElems(n.IndexIncludingParams),
		Options:          c.options(n.Options),
		Tablespace:       n.TableSpace,
		Where:            c.expr(n.WhereClause),
	}
}
