package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (s *altering) addConstraint(con *parse.Constraint) error { return s.addNamed(con, "") }

// addNamed gives the table a constraint that its rows have to pass.
func (s *altering) addNamed(con *parse.Constraint, column string) error {
	had := len(s.t.Checks)
	names := map[string]bool{}
	for i := range s.t.Checks {
		names[s.t.Checks[i].Name] = true
	}
	null := map[int16]bool{}
	for i := range s.t.Columns {
		null[s.t.Columns[i].Attnum] = !s.t.Columns[i].NotNull
	}
	if con.IndexName != "" {
		return s.usingIndex(con)
	}
	keyed := s.t.PrimaryKey != nil
	unique := con.Kind == parse.ConstraintPrimary || con.Kind == parse.ConstraintUnique
	if unique && con.Name != "" && s.t.ConstraintNamed(con.Name) {
		return types.Errorf(CodeDuplicateObject,
			"constraint \"%s\" for relation \"%s\" already exists", con.Name, s.t.Name)
	}
	if err := s.constraint(con, column); err != nil {
		if con.Kind == parse.ConstraintCheck {
			return withoutPosition(err)
		}
		if keyed && con.Kind == parse.ConstraintPrimary {
			return withoutPosition(err)
		}
		return err
	}
	for i := range s.t.Columns {
		if c := &s.t.Columns[i]; c.NotNull && null[c.Attnum] {
			s.notNull = append(s.notNull, c.Attnum)
		}
	}
	if con.Kind == parse.ConstraintForeign && !con.NotValid {
		last := s.t.ForeignKeys[len(s.t.ForeignKeys)-1]
		s.node.Foreign = append(s.node.Foreign, last.Name)
	}
	if len(s.t.Checks) == had || con.NotValid {
		return nil
	}
	for i := range s.t.Checks {
		if name := s.t.Checks[i].Name; !names[name] {
			s.checks = append(s.checks, name)
		}
	}
	return nil
}

func (s *altering) noConstraint(name string) *types.Error {
	return types.Errorf(types.CodeUndefinedObject,
		"constraint \"%s\" of relation \"%s\" does not exist", name, s.t.Name)
}

func (s *altering) dropConstraint(cmd *parse.AlterTableCmd) error {
	for i := range s.t.Checks {
		if s.t.Checks[i].Name == cmd.Name {
			s.t.Checks = slices.Delete(s.t.Checks, i, i+1)
			return nil
		}
	}
	for i := range s.t.ForeignKeys {
		if s.t.ForeignKeys[i].Name == cmd.Name {
			s.t.ForeignKeys = slices.Delete(s.t.ForeignKeys, i, i+1)
			return nil
		}
	}
	if s.t.PrimaryKey != nil && s.t.PrimaryKey.Name == cmd.Name {
		if err := s.unreferred(s.t.PrimaryKey, cmd); err != nil {
			return err
		}
		s.t.PrimaryKey = nil
		return nil
	}
	if x := s.t.IndexNamed(cmd.Name); x != nil && x.Constraint {
		if err := s.unreferred(x, cmd); err != nil {
			return err
		}
		s.t.Indexes = slices.DeleteFunc(s.t.Indexes, func(i *catalog.Index) bool { return i == x })
		return nil
	}
	if !cmd.MissingOK {
		return s.noConstraint(cmd.Name)
	}
	s.p.notice("00000", "constraint \"%s\" of relation \"%s\" does not exist, skipping",
		cmd.Name, s.t.Name)
	return nil
}

// unreferred sees that no foreign key refers to a unique key that is to be dropped, and no view
// groups by it.
func (s *altering) unreferred(key *catalog.Index, cmd *parse.AlterTableCmd) error {
	d := dependents{a: s.a}
	d.ofKey(s.t, key, "index "+s.a.shown(s.t.Schema, cmd.Name))
	what := "constraint " + catalog.QuoteIdent(cmd.Name) + " on table " +
		s.a.shown(s.t.Schema, s.t.Name)
	for _, v := range s.a.env.Catalog.ViewsOf(s.t.OID) {
		if key == s.t.PrimaryKey && v.NeedsKey(s.t.OID) {
			d.addView(v, what)
		}
	}
	return s.settleDependents(&d, what, cmd.Behavior == parse.Cascade)
}

// validateConstraint has the rows pass a constraint that was NOT VALID.
func (s *altering) validateConstraint(cmd *parse.AlterTableCmd) error {
	for i := range s.t.Checks {
		if c := &s.t.Checks[i]; c.Name == cmd.Name {
			if c.NotValid {
				c.NotValid, s.checks = false, append(s.checks, c.Name)
			}
			return nil
		}
	}
	for i := range s.t.ForeignKeys {
		if fk := &s.t.ForeignKeys[i]; fk.Name == cmd.Name {
			if fk.NotValid {
				fk.NotValid, s.node.Foreign = false, append(s.node.Foreign, fk.Name)
			}
			return nil
		}
	}
	if s.t.ConstraintNamed(cmd.Name) {
		return types.Errorf(types.CodeWrongObjectType, "constraint \"%s\" of relation \"%s\" is not"+
			" a foreign key or check constraint", cmd.Name, s.t.Name)
	}
	return s.noConstraint(cmd.Name)
}
