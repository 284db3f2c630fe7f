package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// codeNotInState is Postgres' object_not_in_prerequisite_state.
const codeNotInState types.Code = "55000"

// column finds a column that an action names.
func (s *altering) column(name string) (int, error) {
	if i := s.t.ColumnIndex(name); i >= 0 {
		return i, nil
	}
	return -1, types.Errorf(CodeUndefinedColumn,
		"column \"%s\" of relation \"%s\" does not exist", name, s.t.Name)
}

func (s *altering) newColumn(cmd *parse.AlterTableCmd) error {
	def := cmd.Column
	if s.t.ColumnIndex(def.Name) >= 0 {
		if !cmd.MissingOK {
			return types.Errorf(CodeDuplicateColumn,
				"column \"%s\" of relation \"%s\" already exists", def.Name, s.t.Name)
		}
		s.p.notice(CodeDuplicateColumn, "column \"%s\" of relation \"%s\" already exists, skipping",
			def.Name, s.t.Name)
		return nil
	}
	known := len(s.constraints)
	if err := s.addColumn(def); err != nil {
		return err
	}
	c := &s.t.Columns[len(s.t.Columns)-1]
	s.source = append(s.source, nil)
	s.notNull = append(s.notNull, c.Attnum)
	if err := s.settleAdded(len(s.t.Columns) - 1); err != nil {
		return err
	}
	waiting := s.constraints[known:]
	s.constraints = s.constraints[:known]
	for _, w := range waiting {
		if err := s.addNamed(w.con, w.column); err != nil {
			return err
		}
	}
	return nil
}

func (s *altering) dropColumn(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		if cmd.MissingOK {
			s.p.notice("00000", "column \"%s\" of relation \"%s\" does not exist, skipping",
				cmd.Name, s.t.Name)
			return nil
		}
		return err
	}
	c := s.t.Columns[i]
	if err := s.dependents(&c, cmd.Behavior == parse.Cascade); err != nil {
		return err
	}
	for _, q := range s.a.env.Catalog.Sequences() {
		if q.OwnerTable == s.t.OID && q.OwnerColumn == c.Attnum {
			s.node.DropSequences = append(s.node.DropSequences, q)
		}
	}
	if err := s.dropChecksOf(i); err != nil {
		return err
	}
	if err := s.dropIndexesOf(i); err != nil {
		return err
	}
	s.t.ForeignKeys = slices.DeleteFunc(s.t.ForeignKeys, func(fk catalog.ForeignKey) bool {
		return slices.Contains(fk.Columns, c.Attnum)
	})
	pk := s.t.PrimaryKey
	gone := pk != nil && slices.Contains(pk.Columns, i) && types.KeyLossless(c.Type.OID)
	s.t.DropColumn(i, gone)
	s.source = slices.Delete(s.source, i, i+1)
	return nil
}

// dependents refuses to drop a column that views read, or with CASCADE drops them too.
func (s *altering) dependents(c *catalog.Column, cascade bool) error {
	d := dependents{a: s.a}
	d.ofColumn(s.t, c)
	what := "column " + c.Name + " of table " + s.a.shown(s.t.Schema, s.t.Name)
	for _, key := range uniqueKeys(s.t) {
		if slices.Contains(key.Columns, s.t.ColumnByAttnum(c.Attnum)) {
			d.ofKey(s.t, key, what)
		}
	}
	return s.settleDependents(&d, what, cascade)
}

// settleDependents refuses to drop what others depend on, or with CASCADE drops those too.
func (s *altering) settleDependents(d *dependents, what string, cascade bool) error {
	if d.none() {
		return nil
	}
	if !cascade {
		return d.refuse(what)
	}
	s.node.DropViews = append(s.node.DropViews, d.views...)
	for _, u := range d.foreign {
		if u.Child.OID != s.t.OID {
			s.node.DropForeign = append(s.node.DropForeign, u)
			continue
		}
		s.t.ForeignKeys = slices.DeleteFunc(s.t.ForeignKeys, func(fk catalog.ForeignKey) bool {
			return fk.OID == u.Key
		})
	}
	d.announce(s.p)
	return nil
}

// dropChecksOf drops the CHECK constraints that read a column.
func (s *altering) dropChecksOf(column int) error {
	kept := s.t.Checks[:0:0]
	for i := range s.t.Checks {
		x, err := s.a.storedCheck(s.t, &s.t.Checks[i])
		if err != nil {
			return err
		}
		reads := !walk(x, func(x Expr) bool {
			f, ok := x.(*Field)
			return !ok || f.Index != column
		})
		if !reads {
			kept = append(kept, s.t.Checks[i])
		}
	}
	s.t.Checks = kept
	return nil
}

func (s *altering) setDefault(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		return err
	}
	c := &s.t.Columns[i]
	if c.Identity != "" {
		err := types.Errorf(types.CodeSyntax,
			"column \"%s\" of relation \"%s\" is an identity column", c.Name, s.t.Name)
		if cmd.Expr == nil {
			err = err.WithHint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.")
		}
		return err
	}
	if c.Default = ""; cmd.Expr == nil {
		return nil
	}
	c.Default, err = s.a.defaultText(c, cmd.Expr)
	return withoutPosition(err)
}

func (s *altering) setNotNull(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		return err
	}
	c := &s.t.Columns[i]
	if !c.NotNull {
		c.NotNull, s.notNull = true, append(s.notNull, c.Attnum)
	}
	return nil
}

func (s *altering) dropNotNull(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		return err
	}
	c := &s.t.Columns[i]
	if c.Identity != "" {
		return types.Errorf(types.CodeSyntax,
			"column \"%s\" of relation \"%s\" is an identity column", c.Name, s.t.Name)
	}
	if s.t.PrimaryKey != nil && slices.Contains(s.t.PrimaryKey.Columns, i) {
		return types.Errorf(CodeInvalidTableDef, "column \"%s\" is in a primary key", c.Name)
	}
	c.NotNull = false
	return nil
}

// setType gives a column another type. Its values are converted by the USING expression, or as an
// assignment would.
func (s *altering) setType(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		return err
	}
	c := &s.t.Columns[i]
	to, err := s.a.columnType(cmd.Column)
	if err != nil {
		return err
	}
	if err := s.retypable(c, to); err != nil {
		return err
	}
	was := c.Type
	x, err := s.converted(i, to, cmd.Column.Default)
	if err != nil {
		return err
	}
	c.Type = to
	if err := s.redefault(c); err != nil {
		return err
	}
	if cmd.Column.Default != nil || !widens(was, to) {
		s.source[i], s.node.Rewrite = x, true
	}
	if err := s.retypeIdentity(c); err != nil {
		return err
	}
	s.retyped = append(s.retyped, retyping{attnum: c.Attnum,
		changed: cmd.Column.Default != nil || !sameClass(was.OID, to.OID)})
	return s.recheck()
}

// retypable refuses what stands against another type.
func (s *altering) retypable(c *catalog.Column, to types.Type) error {
	for _, v := range s.a.env.Catalog.ViewsOf(s.t.OID) {
		if v.Uses(s.t.OID, c.Attnum) {
			return types.Errorf(types.CodeFeatureNotSupported,
				"cannot alter type of a column used by a view or rule").WithDetail(
				"rule _RETURN on view %s depends on column \"%s\"",
				s.a.shown(v.Schema, v.Name), c.Name)
		}
	}
	if c.Identity != "" && keyClass(to.OID) != types.Int8 {
		return types.Errorf(types.CodeInvalidParameter,
			"identity column type must be smallint, integer, or bigint")
	}
	return nil
}

// retieForeign sees that the foreign keys over a column can stand with its new type. If its values
// may have become others, the rows have to pass them again.
func (s *altering) retieForeign(c *catalog.Column, changed bool) error {
	for i := range s.t.ForeignKeys {
		fk := &s.t.ForeignKeys[i]
		if !slices.Contains(fk.Columns, c.Attnum) || fk.RefTable == s.t.OID {
			continue
		}
		if err := s.a.comparable(s.t, fk, s.a.usedRelation(fk.RefTable).Table); err != nil {
			return err
		}
		if changed && !fk.NotValid {
			s.node.Foreign = append(s.node.Foreign, fk.Name)
		}
	}
	for _, oid := range s.t.ReferencedBy {
		child := s.a.usedRelation(oid).Table
		if oid == s.t.OID {
			child = s.t
		}
		for _, fk := range child.Referencing(s.t.OID) {
			own := oid == s.t.OID && slices.Contains(fk.Columns, c.Attnum)
			if !slices.Contains(fk.RefColumns, c.Attnum) && !own {
				continue
			}
			if err := s.a.comparable(child, fk, s.t); err != nil {
				return err
			}
			if changed && !fk.NotValid {
				s.node.Referring = append(s.node.Referring, ForeignOf{Child: child, Name: fk.Name})
			}
		}
	}
	return nil
}

// converted gives the value of a column in its new type, over the old row.
func (s *altering) converted(i int, to types.Type, using parse.Expr) (Expr, error) {
	c := s.t.Columns[i]
	c.Type = to
	if using == nil {
		from := s.t.Columns[i].Type
		if _, ok := types.FindCast(from.OID, to.OID, types.Assignment); !ok && from.OID != to.OID {
			return nil, types.Errorf(types.CodeDatatypeMismatch,
				"column \"%s\" cannot be cast automatically to type %s", c.Name,
				types.FormatType(to.OID, to.Mod)).WithHint("You might need to specify \"USING %s::%s\".",
				catalog.QuoteIdent(c.Name), types.FormatType(to.OID, to.Mod))
		}
		return s.a.assign(s.source[i], &c, parse.NoPos)
	}
	saved := s.a.level
	defer func() { s.a.level = saved }()
	s.a.level = level{scope: newScope(nil), place: "transform expressions"}
	s.a.scope.add(tableSource(s.node.Table, nil))
	x, err := s.a.expr(using)
	if err != nil {
		return nil, err
	}
	if err := s.a.refuseInTable(x, using, "transform expression"); err != nil {
		return nil, err
	}
	from := x.Type().OID
	if _, ok := types.FindCast(from, to.OID, types.Assignment); !ok && from != to.OID &&
		from != types.Unknown {
		return nil, types.Errorf(types.CodeDatatypeMismatch, "result of USING clause for column"+
			" \"%s\" cannot be cast automatically to type %s", c.Name,
			types.FormatType(to.OID, to.Mod)).WithHint("You might need to add an explicit cast.")
	}
	return s.a.assign(x, &c, parse.NoPos)
}

// redefault sees that the default fits the column's new type.
func (s *altering) redefault(c *catalog.Column) error {
	if c.Default == "" {
		return nil
	}
	if _, err := s.a.defaultExpr(c); err != nil {
		return types.Errorf(types.CodeDatatypeMismatch,
			"default for column \"%s\" cannot be cast automatically to type %s", c.Name,
			types.FormatType(c.Type.OID, c.Type.Mod))
	}
	return nil
}

// recheck resolves the CHECK constraints anew, whose operators may be others now.
func (s *altering) recheck() error {
	for i := range s.t.Checks {
		if err := s.keepCheck(&s.t.Checks[i], sourceOf(s.t)); err != nil {
			return err
		}
	}
	return s.reindex(nil)
}

// widens says whether every stored value of one type is one of the other as it lies.
func widens(from, to types.Type) bool {
	if from.OID != to.OID {
		return false
	}
	return to.Mod == types.NoMod || from.Mod == to.Mod ||
		to.OID == types.VarChar && from.Mod != types.NoMod && from.Mod <= to.Mod
}
