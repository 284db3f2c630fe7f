package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// shaping is a table while CREATE or ALTER TABLE gives it its form.
type shaping struct {
	a       *analyzer
	t       *catalog.Table // as it will be; columns and constraints without oids are new
	serials []Serial

	// constraints wait until all columns are there, since they may read any.
	constraints []*waitingConstraint
}

// waitingConstraint is a constraint as it was written, with the column it was written at.
type waitingConstraint struct {
	con    *parse.Constraint
	column string // "" when it is the table's
}

// serialTypes are the pseudo types that bring a sequence.
var serialTypes = map[string]types.OID{
	"smallserial": types.Int2, "serial2": types.Int2, "serial": types.Int4, "serial4": types.Int4,
	"bigserial": types.Int8, "serial8": types.Int8,
}

// addColumn puts a column behind those there are.
func (s *shaping) addColumn(def *parse.ColumnDef) error {
	t := s.t
	if err := systemName(def.Name); err != nil {
		return err
	}
	c := catalog.Column{Name: def.Name, Attnum: t.NextAttnum()}
	var err error
	serial, isSerial := serialTypes[def.Type.Name.Name]
	isSerial = isSerial && def.Type.Name.Schema == "" && def.Type.ArrayDims == 0
	if isSerial {
		c.Type, c.NotNull = types.Type{OID: serial, Mod: types.NoMod}, true
	} else if c.Type, err = s.a.columnType(def); err != nil {
		return err
	}
	t.Columns = append(t.Columns, c)
	if len(t.Columns) > catalog.MaxColumns {
		return types.Errorf(CodeTooManyColumns,
			"tables can have at most %d columns", catalog.MaxColumns)
	}
	if isSerial {
		s.serials = append(s.serials, newSerial(t, len(t.Columns)-1))
	}
	given := columnClauses{serial: isSerial}
	for _, con := range def.Constraints {
		if err := s.columnConstraint(&given, con); err != nil {
			return err
		}
	}
	return nil
}

// systemName refuses a column the name of one that every table has.
func systemName(name string) error {
	if !systemColumns[name] {
		return nil
	}
	return types.Errorf(CodeDuplicateColumn,
		"column name \"%s\" conflicts with a system column name", name)
}

// columnClauses is what was written of a column so far.
type columnClauses struct{ null, notNull, def, identity, serial bool }

// columnConstraint takes what was written at the last column.
func (s *shaping) columnConstraint(given *columnClauses, con *parse.Constraint) error {
	t := s.t
	c := &t.Columns[len(t.Columns)-1]
	switch con.Kind {
	case parse.ConstraintNull, parse.ConstraintNotNull:
		given.null = given.null || con.Kind == parse.ConstraintNull
		given.notNull = given.notNull || con.Kind == parse.ConstraintNotNull
		if given.null && (given.notNull || c.NotNull) {
			return s.a.errorf(con.Pos, types.CodeSyntax,
				"conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"", c.Name, t.Name)
		}
		c.NotNull = c.NotNull || given.notNull
	case parse.ConstraintDefault:
		if given.serial || given.def {
			return s.a.errorf(con.Pos, types.CodeSyntax,
				"multiple default values specified for column \"%s\" of table \"%s\"", c.Name, t.Name)
		}
		text, err := s.a.defaultText(c, con.Expr)
		if err != nil {
			return err
		}
		c.Default, given.def = text, true
	case parse.ConstraintIdentity:
		if given.identity {
			return s.a.errorf(con.Pos, types.CodeSyntax, "multiple identity specifications for"+
				" column \"%s\" of table \"%s\"", c.Name, t.Name)
		}
		if given.null {
			return s.a.errorf(con.Pos, types.CodeSyntax,
				"conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"", c.Name, t.Name)
		}
		given.identity = true
		if err := s.identity(len(t.Columns)-1, con); err != nil {
			return err
		}
	default:
		s.constraints = append(s.constraints, &waitingConstraint{con: con, column: c.Name})
	}
	if given.identity && (given.def || given.serial) {
		pos := con.Pos
		if given.serial {
			pos = parse.NoPos
		}
		return s.a.errorf(pos, types.CodeSyntax,
			"both default and identity specified for column \"%s\" of table \"%s\"", c.Name, t.Name)
	}
	return nil
}

// identity makes an identity of a column.
func (s *shaping) identity(column int, con *parse.Constraint) error {
	c := &s.t.Columns[column]
	if keyClass(c.Type.OID) != types.Int8 {
		return types.Errorf(types.CodeInvalidParameter,
			"identity column type must be smallint, integer, or bigint")
	}
	c.NotNull, c.Identity = true, catalog.IdentityByDefault
	if con.Always {
		c.Identity = catalog.IdentityAlways
	}
	serial := newSerial(s.t, column)
	var options []parse.DefElem
	for _, option := range con.Options {
		if option.Name == "sequence_name" {
			return s.a.unsupported(con.Pos, "SEQUENCE NAME")
		}
		options = append(options, option)
	}
	q := serial.Sequence
	o, err := s.a.sequenceOptions(q, options)
	if err != nil {
		return err
	}
	o.min, o.max, o.start = orZero(o.min), orZero(o.max), orZero(o.start)
	if err := s.a.settleSequence(q, o); err != nil {
		return err
	}
	s.serials = append(s.serials, serial)
	return nil
}

func newSerial(t *catalog.Table, column int) Serial {
	c := &t.Columns[column]
	q := &catalog.Sequence{SchemaOID: t.SchemaOID, Schema: t.Schema,
		Name: ObjectName(t.Name, c.Name, "seq"), TypeOID: c.Type.OID,
		Start: 1, Increment: 1, Min: 1, Max: maxOf(c.Type.OID), Cache: 1, OwnerColumn: c.Attnum}
	return Serial{Attnum: c.Attnum, Sequence: q}
}
