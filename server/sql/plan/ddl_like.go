package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// What LIKE takes over besides columns, as Postgres numbers it.
const (
	likeComments = 1 << iota
	_            // COMPRESSION
	likeConstraints
	likeDefaults
	likeGenerated
	likeIdentity
	likeIndexes
)

// like gives the table the columns of another relation, and what else is asked for.
func (s *shaping) like(n *parse.TableLike) error {
	rel := s.a.resolve(n.Table.Name)
	switch {
	case !rel.Exists():
		return s.a.noRelation(n.Table)
	case rel.Table != nil:
		return s.likeTable(rel.Table, n.Options)
	case rel.View != nil:
		return s.likeColumns(rel.View.Columns, n.Options)
	case rel.Virtual != nil:
		return s.likeColumns(rel.Virtual.Columns, n.Options)
	}
	kind := "index"
	if rel.Sequence != nil {
		kind = "sequence"
	}
	return types.Errorf(types.CodeWrongObjectType,
		"relation \"%s\" is invalid in LIKE clause", n.Table.Name.Name).
		WithDetail("This operation is not supported for %s.", plural(kind))
}

func plural(kind string) string {
	if kind == "index" {
		return "indexes"
	}
	return kind + "s"
}

func (s *shaping) likeColumns(columns []catalog.Column, options uint32) error {
	for i := range columns {
		from := &columns[i]
		if s.t.ColumnIndex(from.Name) >= 0 {
			return types.Errorf(CodeDuplicateColumn,
				"column \"%s\" specified more than once", from.Name)
		}
		c := catalog.Column{Name: from.Name, Attnum: s.t.NextAttnum(), Type: from.Type,
			NotNull: from.NotNull}
		if options&likeDefaults != 0 {
			c.Default = from.Default
		}
		if options&likeComments != 0 {
			c.Comment = from.Comment
		}
		s.t.Columns = append(s.t.Columns, c)
		if options&likeIdentity != 0 && from.Identity != "" {
			s.likeIdentity(from)
		}
	}
	return nil
}

// likeIdentity gives the last column a sequence of its own, like that of an identity column.
func (s *shaping) likeIdentity(from *catalog.Column) {
	at := len(s.t.Columns) - 1
	s.t.Columns[at].Identity = from.Identity
	serial := newSerial(s.t, at)
	if q := s.a.usedRelation(from.IdentitySequence).Sequence; q != nil {
		mine := serial.Sequence
		mine.Start, mine.Increment, mine.Min, mine.Max = q.Start, q.Increment, q.Min, q.Max
		mine.Cache, mine.Cycle = q.Cache, q.Cycle
	}
	s.serials = append(s.serials, serial)
}

func (s *shaping) likeTable(from *catalog.Table, options uint32) error {
	if err := s.likeColumns(from.Columns, options); err != nil {
		return err
	}
	if options&likeConstraints != 0 {
		for _, c := range from.Checks {
			if s.t.ConstraintNamed(c.Name) {
				return s.duplicate("check ", c.Name)
			}
			c.OID = 0
			if options&likeComments == 0 {
				c.Comment = ""
			}
			s.t.Checks = append(s.t.Checks, c)
		}
		slices.SortFunc(s.t.Checks, func(a, b catalog.Check) int {
			return strings.Compare(a.Name, b.Name)
		})
	}
	if options&likeIndexes == 0 {
		return nil
	}
	if from.PrimaryKey != nil {
		if s.t.PrimaryKey != nil {
			return types.Errorf(CodeInvalidTableDef,
				"multiple primary keys for table \"%s\" are not allowed", s.t.Name)
		}
		s.t.PrimaryKey = s.likeIndex(from, from.PrimaryKey, options)
	}
	for _, index := range from.Indexes {
		s.t.Indexes = append(s.t.Indexes, s.likeIndex(from, index, options))
	}
	return nil
}

// likeIndex gives an index over the columns of the same names, with a name of its own.
func (s *shaping) likeIndex(
	from *catalog.Table, index *catalog.Index, options uint32,
) *catalog.Index {
	c := index.Clone()
	c.OID, c.Storage, c.Name = 0, 0, ""
	if options&likeComments == 0 {
		c.Comment = ""
	}
	for _, columns := range [][]int{c.Columns, c.Include} {
		for n, i := range columns {
			if i != catalog.ExprColumn {
				columns[n] = s.t.ColumnIndex(from.Columns[i].Name)
			}
		}
	}
	return c
}
