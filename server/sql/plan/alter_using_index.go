package plan

import (
	"slices"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// usingIndex makes a constraint of a unique index: ADD CONSTRAINT ... USING INDEX. A primary key is
// the order of the table itself, so the rows are written again and the index goes.
func (s *altering) usingIndex(con *parse.Constraint) error {
	at := slices.IndexFunc(s.t.Indexes, func(x *catalog.Index) bool {
		return x.Name == con.IndexName
	})
	if at < 0 {
		return s.a.errorf(con.Pos, types.CodeUndefinedObject,
			"index \"%s\" does not exist", con.IndexName)
	}
	index := s.t.Indexes[at]
	switch {
	case index.Constraint:
		return s.a.errorf(con.Pos, codeNotInState,
			"index \"%s\" is already associated with a constraint", index.Name)
	case !index.Unique:
		return withDetail(s.a.errorf(con.Pos, types.CodeWrongObjectType,
			"\"%s\" is not a unique index", index.Name))
	case len(index.Exprs) > 0:
		return withDetail(s.a.errorf(con.Pos, types.CodeWrongObjectType,
			"index \"%s\" contains expressions", index.Name))
	case index.Where != "":
		return withDetail(s.a.errorf(con.Pos, types.CodeWrongObjectType,
			"\"%s\" is a partial index", index.Name))
	}
	for i := range index.Columns {
		if index.Order(i) != (types.KeyOrder{}) {
			return withDetail(s.a.errorf(con.Pos, types.CodeWrongObjectType,
				"index \"%s\" column number %d does not have default sorting behavior",
				index.Name, i+1))
		}
	}
	name := con.Name
	if name == "" {
		name = index.Name
	}
	if name != index.Name {
		if s.t.ConstraintNamed(name) {
			return s.duplicate("", name)
		}
		if taken := s.a.taken(s.a.env.Catalog.Schema(s.t.Schema), name); taken != nil {
			return taken
		}
		s.p.notice("00000", "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"%s\" to"+
			" \"%s\"", index.Name, name)
	}
	if con.Kind == parse.ConstraintUnique {
		index.Name, index.Constraint = name, true
		return nil
	}
	return s.primaryUsing(index, name, con)
}

func (s *altering) primaryUsing(
	index *catalog.Index, name string, con *parse.Constraint,
) error {
	if s.t.PrimaryKey != nil {
		return types.Errorf(CodeInvalidTableDef,
			"multiple primary keys for table \"%s\" are not allowed", s.t.Name)
	}
	d := dependents{a: s.a}
	if d.ofKey(s.t, index, "index "+index.Name); !d.none() {
		return s.a.unsupported(con.Pos, "PRIMARY KEY USING INDEX of one that foreign keys refer to")
	}
	s.t.Indexes = slices.DeleteFunc(s.t.Indexes, func(x *catalog.Index) bool { return x == index })
	for _, i := range index.Columns {
		if c := &s.t.Columns[i]; !c.NotNull {
			c.NotNull, s.notNull = true, append(s.notNull, c.Attnum)
		}
	}
	s.t.PrimaryKey = &catalog.Index{Name: name, Columns: index.Columns, Include: index.Include}
	return nil
}

// withDetail says why an index is no constraint's.
func withDetail(err error) error {
	e, ok := err.(*types.Error)
	if !ok {
		return err
	}
	return e.WithDetail("Cannot create a primary key or unique constraint using such an index.")
}
