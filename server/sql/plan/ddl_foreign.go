package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// codeInvalidForeignKey is the SQLSTATE of a foreign key to what is no key.
const codeInvalidForeignKey types.Code = "42830"

// foreignKey gives the table a foreign key.
func (s *shaping) foreignKey(con *parse.Constraint, column string) error {
	if con.MatchType == 'p' {
		return s.a.unsupported(con.Pos, "MATCH PARTIAL")
	}
	names := con.Columns
	if column != "" {
		names = []string{column}
	}
	parent, err := s.referenced(con)
	if err != nil {
		return err
	}
	if err := oneLifetime(s.t, parent); err != nil {
		return err
	}
	fk := catalog.ForeignKey{Name: con.Name, RefTable: parent.OID, NotValid: con.NotValid,
		OnDelete: foreignActions[con.OnDelete], OnUpdate: foreignActions[con.OnUpdate],
		MatchFull: con.MatchType == 'f'}
	if fk.Columns, err = foreignColumns(s.t, names); err != nil {
		return err
	}
	if fk.RefColumns, err = s.refColumns(parent, con); err != nil {
		return err
	}
	if len(fk.Columns) != len(fk.RefColumns) {
		return types.Errorf(codeInvalidForeignKey,
			"number of referencing and referenced columns for foreign key disagree")
	}
	key := parent.KeyOver(fk.RefColumns)
	if key == nil {
		return types.Errorf(codeInvalidForeignKey,
			"there is no unique constraint matching given keys for referenced table \"%s\"", parent.Name)
	}
	fk.RefIndex = key.OID
	if fk.SetColumns, err = s.setColumns(con, &fk); err != nil {
		return err
	}
	if fk.Name == "" {
		fk.Name = s.freeName(strings.Join(names, "_"), "fkey")
	} else if s.t.ConstraintNamed(fk.Name) {
		return s.duplicate("", fk.Name)
	}
	s.t.ForeignKeys = append(s.t.ForeignKeys, fk)
	return s.a.comparable(s.t, &fk, parent)
}

var foreignActions = map[parse.ForeignAction]catalog.ForeignAction{
	parse.NoAction: catalog.NoAction, parse.ActionRestrict: catalog.Restrict,
	parse.ActionCascade: catalog.Cascade, parse.ActionSetNull: catalog.SetNull,
	parse.ActionSetDefault: catalog.SetDefault,
}

// setColumns gives the columns that ON DELETE SET NULL (...) names, which must be among those of
// the foreign key.
func (s *shaping) setColumns(con *parse.Constraint, fk *catalog.ForeignKey) ([]int16, error) {
	if len(con.SetNullCols) == 0 {
		return nil, nil
	}
	attnums, err := foreignColumns(s.t, con.SetNullCols)
	if err != nil {
		return nil, err
	}
	for i, attnum := range attnums {
		if !slices.Contains(fk.Columns, attnum) {
			return nil, types.Errorf(CodeInvalidColumnRef, "column \"%s\" referenced in ON DELETE"+
				" SET action must be part of foreign key", con.SetNullCols[i])
		}
	}
	var once []int16
	for _, attnum := range attnums {
		if !slices.Contains(once, attnum) {
			once = append(once, attnum)
		}
	}
	return once, nil
}

// referenced finds the table that a foreign key refers to, which may be the one it belongs to.
func (s *shaping) referenced(con *parse.Constraint) (*catalog.Table, error) {
	name := con.RefTable.Name
	if name.Name == s.t.Name && (name.Schema == "" || name.Schema == s.t.Schema) && s.t.OID == 0 {
		return s.t, nil
	}
	rel := s.a.resolve(name)
	switch {
	case !rel.Exists():
		return nil, withoutPosition(s.a.noRelation(con.RefTable))
	case rel.Table == nil:
		return nil, types.Errorf(types.CodeWrongObjectType,
			"referenced relation \"%s\" is not a table", name.Name)
	case rel.Table.OID == s.t.OID:
		return s.t, nil
	}
	return rel.Table, nil
}

func foreignColumns(t *catalog.Table, names []string) ([]int16, error) {
	var attnums []int16
	for _, name := range names {
		i := t.ColumnIndex(name)
		if i < 0 && systemColumns[name] {
			return nil, types.Errorf(types.CodeFeatureNotSupported,
				"system columns cannot be used in foreign keys")
		}
		if i < 0 {
			return nil, types.Errorf(CodeUndefinedColumn,
				"column \"%s\" referenced in foreign key constraint does not exist", name)
		}
		attnums = append(attnums, t.Columns[i].Attnum)
	}
	return attnums, nil
}

func (s *shaping) refColumns(parent *catalog.Table, con *parse.Constraint) ([]int16, error) {
	if len(con.RefColumns) > 0 {
		return foreignColumns(parent, con.RefColumns)
	}
	if parent.PrimaryKey == nil {
		return nil, types.Errorf(types.CodeUndefinedObject,
			"there is no primary key for referenced table \"%s\"", parent.Name)
	}
	var attnums []int16
	for _, i := range parent.PrimaryKey.Columns {
		attnums = append(attnums, parent.Columns[i].Attnum)
	}
	return attnums, nil
}

// comparable sees that the columns can be compared with those they refer to, as keys.
func (a *analyzer) comparable(t *catalog.Table, fk *catalog.ForeignKey, parent *catalog.Table) error {
	for j := range fk.Columns {
		c := &t.Columns[t.ColumnByAttnum(fk.Columns[j])]
		ref := &parent.Columns[parent.ColumnByAttnum(fk.RefColumns[j])]
		if sameClass(c.Type.OID, ref.Type.OID) {
			continue
		}
		from, to := types.FormatType(c.Type.OID, types.NoMod), types.FormatType(ref.Type.OID, types.NoMod)
		if _, ok := types.FindCast(c.Type.OID, ref.Type.OID, types.Implicit); ok {
			return a.unsupported(parse.NoPos, "a foreign key from "+from+" to "+to)
		}
		return types.Errorf(types.CodeDatatypeMismatch,
			"foreign key constraint \"%s\" cannot be implemented", fk.Name).WithDetail(
			"Key columns \"%s\" and \"%s\" are of incompatible types: %s and %s.",
			c.Name, ref.Name, from, to)
	}
	return nil
}

// parentsOf lists the tables that the foreign keys of the forms of a table refer to.
func (a *analyzer) parentsOf(forms ...*catalog.Table) []*catalog.Table {
	var list []*catalog.Table
	for _, t := range forms {
		for _, oid := range t.Parents() {
			parent := a.env.Catalog.TableByOID(oid)
			if parent != nil && !slices.Contains(list, parent) {
				list = append(list, parent)
			}
		}
	}
	return list
}

// ofTable adds the foreign keys of other tables that refer to one.
func (d *dependents) ofTable(t *catalog.Table, what string) {
	for _, oid := range t.ReferencedBy {
		child := d.a.env.Catalog.TableByOID(oid)
		if child == nil || oid == t.OID || slices.Contains(d.tables, child) {
			continue
		}
		for _, fk := range child.Referencing(t.OID) {
			d.addForeign(child, fk, what)
		}
	}
}

// ofKey adds the foreign keys that refer to a unique key of a table.
func (d *dependents) ofKey(t *catalog.Table, key *catalog.Index, what string) {
	for _, oid := range t.ReferencedBy {
		child := d.a.usedRelation(oid).Table
		for _, fk := range child.Referencing(t.OID) {
			if fk.RefIndex == key.OID {
				d.addForeign(child, fk, what)
			}
		}
	}
}

func (d *dependents) addForeign(child *catalog.Table, fk *catalog.ForeignKey, what string) {
	u := Unreferenced{Child: child, Key: fk.OID}
	if slices.Contains(d.foreign, u) {
		return
	}
	d.foreign = append(d.foreign, u)
	d.lines = append(d.lines, "constraint "+catalog.QuoteIdent(fk.Name)+" on table "+
		d.a.shown(child.Schema, child.Name)+" depends on "+what)
}

// Unreferenced is a foreign key that CASCADE takes from its table.
type Unreferenced struct {
	Child *catalog.Table
	Key   uint32
}

// checkTruncate refuses to empty a table whose rows others refer to, unless they are emptied too.
func (a *analyzer) checkTruncate(p *Prepared, node *Truncate, behavior parse.Behavior) error {
	for i := 0; i < len(node.Tables); i++ {
		t := node.Tables[i]
		for _, oid := range t.ReferencedBy {
			child := a.usedRelation(oid).Table
			if child == nil || slices.Contains(node.Tables, child) {
				continue
			}
			if behavior != parse.Cascade {
				return types.Errorf(types.CodeFeatureNotSupported,
					"cannot truncate a table referenced in a foreign key constraint").
					WithDetail("Table \"%s\" references \"%s\".", child.Name, t.Name).
					WithHint("Truncate table \"%s\" at the same time, or use TRUNCATE ... CASCADE.",
						child.Name)
			}
			p.notice("00000", "truncate cascades to table \"%s\"", child.Name)
			node.Tables = append(node.Tables, child)
		}
	}
	return nil
}
