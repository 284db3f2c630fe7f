package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// rename plans ALTER ... RENAME.
func (a *analyzer) rename(p *Prepared, n *parse.RenameStmt) (Node, error) {
	p.Tag = "ALTER TABLE"
	if n.OfView {
		p.Tag = "ALTER VIEW"
	}
	switch n.Kind {
	case parse.ObjectSequence:
		p.Tag = "ALTER SEQUENCE"
		return a.renameSequence(p, n)
	case parse.ObjectView:
		p.Tag = "ALTER VIEW"
		return a.renameView(p, n)
	case parse.ObjectIndex:
		return a.renameIndex(p, n)
	case parse.ObjectTable, parse.ObjectColumn:
		if v := a.resolve(n.Table.Name).View; v != nil {
			return a.renamePartOfView(p, n, v)
		}
	case parse.ObjectConstraint:
	default:
		return nil, a.unsupported(parse.NoPos, "this ALTER ... RENAME")
	}
	if n.Kind == parse.ObjectTable { // Postgres renames whatever has a name like a table's
		switch rel := a.resolve(n.Table.Name); {
		case rel.Sequence != nil:
			return a.renameSequence(p, n)
		case rel.View != nil:
			return a.renameView(p, n)
		case rel.Index != nil:
			node, err := a.renameIndex(p, n)
			p.Tag = "ALTER TABLE"
			return node, err
		}
	}
	t, err := a.alteredTable(p, parse.ObjectTable, n.Table, n.IfExists)
	if t == nil || err != nil {
		return &Nothing{}, err
	}
	s := newAltering(a, p, t)
	switch n.Kind {
	case parse.ObjectColumn:
		err = s.renameColumn(n.Old, n.New)
	case parse.ObjectConstraint:
		err = s.renameConstraint(n.Old, n.New)
	default:
		if taken := a.taken(a.env.Catalog.Schema(t.Schema), n.New); taken != nil {
			return nil, taken
		}
		s.t.Name = n.New
	}
	return s.node, err
}

// renameColumn gives a column another name, also in the expressions that read it.
func (s *altering) renameColumn(from, to string) error {
	i := s.t.ColumnIndex(from)
	if i < 0 {
		return types.Errorf(CodeUndefinedColumn, "column \"%s\" does not exist", from)
	}
	if err := systemName(to); err != nil {
		return err
	}
	if s.t.ColumnIndex(to) >= 0 {
		return types.Errorf(CodeDuplicateColumn,
			"column \"%s\" of relation \"%s\" already exists", to, s.t.Name)
	}
	renamed := func(x Expr) Expr {
		f, ok := x.(*Field)
		if !ok || f.Index != i {
			return nil
		}
		as := *f
		as.Name = to
		return &as
	}
	for j := range s.t.Checks {
		src := sourceOf(s.t)
		src.shown.columns[i] = to
		if err := s.keepCheck(&s.t.Checks[j], src); err != nil {
			return err
		}
	}
	err := s.reindex(renamed)
	s.t.Columns[i].Name = to
	return err
}

// keepCheck writes the condition of a CHECK anew, over the table as it is now.
func (s *altering) keepCheck(c *catalog.Check, src *definedSource) error {
	inner, n, err := s.a.stored(c.Expr, "constraint \""+c.Name+"\"")
	if err != nil {
		return err
	}
	c.Expr, err = inner.kept(src, n, func(x Expr) (Expr, error) { return x, nil })
	return withoutPosition(err)
}

func (s *altering) renameConstraint(from, to string) error {
	if !s.t.ConstraintNamed(from) {
		return types.Errorf(types.CodeUndefinedObject,
			"constraint \"%s\" for table \"%s\" does not exist", from, s.t.Name)
	}
	if s.t.ConstraintNamed(to) {
		return s.duplicate("", to)
	}
	if x := s.t.IndexNamed(from); x != nil {
		if taken := s.a.taken(s.a.env.Catalog.Schema(s.t.Schema), to); taken != nil {
			return taken
		}
		x.Name = to
	}
	for i := range s.t.Checks {
		if s.t.Checks[i].Name == from {
			s.t.Checks[i].Name = to
		}
	}
	slices.SortFunc(s.t.Checks, func(a, b catalog.Check) int {
		return strings.Compare(a.Name, b.Name)
	})
	for i := range s.t.ForeignKeys {
		if s.t.ForeignKeys[i].Name == from {
			s.t.ForeignKeys[i].Name = to
		}
	}
	return nil
}

func (a *analyzer) renameSequence(p *Prepared, n *parse.RenameStmt) (Node, error) {
	rel := a.resolve(n.Table.Name)
	switch {
	case !rel.Exists() && n.IfExists:
		p.notice("00000", "relation \"%s\" does not exist, skipping", n.Table.Name.Name)
		return &Nothing{}, nil
	case !rel.Exists():
		return nil, withoutPosition(a.noRelation(n.Table))
	case rel.Sequence == nil:
		return nil, types.Errorf(types.CodeWrongObjectType,
			"\"%s\" is not a sequence", n.Table.Name.Name)
	}
	q := *rel.Sequence
	if taken := a.taken(a.env.Catalog.Schema(q.Schema), n.New); taken != nil {
		return nil, taken
	}
	if err := a.refuseDefaultsOf(&q, "ALTER SEQUENCE ... RENAME"); err != nil {
		return nil, err
	}
	q.Name = n.New
	return &AlterSequence{Sequence: &q, Rename: true}, nil
}

// defaultUses says whether a column's default draws from a sequence.
func (a *analyzer) defaultUses(c *catalog.Column, sequence uint32) (bool, error) {
	x, err := a.defaultExpr(c)
	if err != nil {
		return false, err
	}
	return !walk(x, func(x Expr) bool {
		k, ok := x.(*Const)
		return !ok || k.T.OID != types.RegClass || k.Value.Int() != int64(sequence)
	}), nil
}
