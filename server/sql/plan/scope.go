package plan

import (
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// scope is the set of sources whose columns an expression may name. Its row is the rows of the
// sources one behind another.
type scope struct{ sources []*source }

// source is one item of FROM, or a pseudo table such as excluded.
type source struct {
	name      string // the alias, else the table's name
	schema    string // "" once an alias hides the table's own name
	columns   []sourceColumn
	offset    int  // of its first column in the scope's row
	qualified bool // its columns are found only with the name in front
}

type sourceColumn struct {
	name     string
	t        types.Type
	tableOID uint32
	attnum   int16
}

func tableSource(t *catalog.Table, alias *parse.Alias) *source {
	s := &source{name: t.Name, schema: t.Schema}
	for i := range t.Columns {
		c := &t.Columns[i]
		s.columns = append(s.columns, sourceColumn{c.Name, c.Type, t.OID, c.Attnum})
	}
	s.rename(alias)
	return s
}

func virtualSource(t *catalog.VirtualTable, alias *parse.Alias) *source {
	s := &source{name: t.Name, schema: t.Schema}
	for i := range t.Columns {
		c := &t.Columns[i]
		s.columns = append(s.columns, sourceColumn{c.Name, c.Type, t.OID, c.Attnum})
	}
	s.rename(alias)
	return s
}

func (s *source) rename(alias *parse.Alias) {
	if alias == nil {
		return
	}
	s.name, s.schema = alias.Name, ""
	for i, name := range alias.Columns {
		if i < len(s.columns) {
			s.columns[i].name = name
		}
	}
}

// width is the number of columns of the scope's row.
func (s *scope) width() int {
	n := 0
	for _, src := range s.sources {
		n += len(src.columns)
	}
	return n
}

// add puts a source behind the ones there are.
func (s *scope) add(src *source) {
	src.offset = s.width()
	s.sources = append(s.sources, src)
}

// column makes the expression for the i-th column of a source.
func (s *source) column(i int) *Field {
	c := s.columns[i]
	return &Field{Index: s.offset + i, T: c.t, Table: s.name, Name: c.name}
}

// find looks a bare column name up in every source.
func (a *analyzer) findColumn(name string, pos parse.Pos) (*Field, error) {
	var found *Field
	for _, src := range a.scope.sources {
		if src.qualified {
			continue
		}
		for i := range src.columns {
			if src.columns[i].name != name {
				continue
			}
			if found != nil {
				return nil, a.errorf(pos, CodeAmbiguousColumn,
					"column reference \"%s\" is ambiguous", name)
			}
			found = src.column(i)
		}
	}
	return found, nil
}

// findSource looks a table name of a reference up, as in t.a or s.t.a.
func (a *analyzer) findSource(schema, name string, pos parse.Pos) (*source, error) {
	for _, src := range a.scope.sources {
		if src.name == name && (schema == "" || schema == src.schema) {
			return src, nil
		}
	}
	err := types.Errorf(types.CodeUndefinedTable,
		"missing FROM-clause entry for table \"%s\"", name)
	for _, src := range a.scope.sources {
		if src.schema != name && a.hidden[src.name] == name {
			err = types.Errorf(types.CodeUndefinedTable,
				"invalid reference to FROM-clause entry for table \"%s\"", name).WithHint(
				"Perhaps you meant to reference the table alias \"%s\".", src.name)
		}
	}
	return nil, err.At(a.stmt.Position(pos))
}

// columnRef resolves a, t.a and s.t.a.
func (a *analyzer) columnRef(ref *parse.ColumnRef) (Expr, error) {
	fields := ref.Fields
	if len(fields) == 1 {
		c, err := a.findColumn(fields[0], ref.Pos)
		if err != nil {
			return nil, err
		}
		if c != nil {
			return c, nil
		}
		for _, src := range a.scope.sources {
			if src.name == fields[0] {
				return nil, a.unsupported(ref.Pos, "a whole row as a value")
			}
		}
		return nil, a.noColumn(a.scope.sources, fields[0], ref.Pos,
			"column \"%s\" does not exist", fields[0])
	}
	if len(fields) > 3 {
		return nil, a.unsupported(ref.Pos, "a column reference across databases")
	}
	schema := ""
	if len(fields) == 3 {
		schema = fields[0]
	}
	table, name := fields[len(fields)-2], fields[len(fields)-1]
	src, err := a.findSource(schema, table, ref.Pos)
	if err != nil {
		return nil, err
	}
	for i := range src.columns {
		if src.columns[i].name == name {
			return src.column(i), nil
		}
	}
	return nil, a.noColumn([]*source{src}, name, ref.Pos,
		"column %s.%s does not exist", table, name)
}

// noColumn is the error of a name that no source has, with a hint when one differs in case alone.
func (a *analyzer) noColumn(
	sources []*source, name string, pos parse.Pos, format string, args ...any,
) error {
	err := types.Errorf(CodeUndefinedColumn, format, args...).At(a.stmt.Position(pos))
	for _, src := range sources {
		for _, c := range src.columns {
			if strings.EqualFold(c.name, name) {
				return err.WithHint("Perhaps you meant to reference the column \"%s.%s\".",
					src.name, c.name)
			}
		}
	}
	return err
}

// origin finds which table column an expression is, for the row description.
func (s *scope) origin(x Expr) (uint32, int16) {
	c, ok := x.(*Field)
	if !ok {
		return 0, 0
	}
	for _, src := range s.sources {
		if i := c.Index - src.offset; i >= 0 && i < len(src.columns) {
			return src.columns[i].tableOID, src.columns[i].attnum
		}
	}
	return 0, 0
}
