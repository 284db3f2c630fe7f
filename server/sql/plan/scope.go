package plan

import (
	"slices"
	"strings"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// scope is the set of sources whose columns an expression may name. Its row is the rows of the
// sources one behind another.
type scope struct {
	sources []*source
	width   int    // of the row
	parent  *scope // what the query around this one names; nil for the outermost

	// open are the columns of this scope that queries inside it read, which nobody has bound yet.
	// Views of one scope share the list.
	open *[]openBinding
}

// openBinding is a Binding that waits for the step that will set its slot, with where the column
// was first named.
type openBinding struct {
	Binding
	table string
	pos   parse.Pos
}

// source is one item of FROM, or a pseudo table such as excluded.
type source struct {
	name      string // the alias, else the table's name
	schema    string // "" once an alias hides the table's own name
	columns   []sourceColumn
	offset    int            // of its first column in the scope's row
	qualified bool           // its columns are found only with the name in front
	hidden    bool           // not even so: an alias of the join around it hides it
	inline    bool           // not a part of the row: its columns have expressions
	table     *catalog.Table // stored; else nil
	key       bool           // the row's storage key lies behind the columns
	nullable  bool           // of an outer join, the side that may be missing
	merged    bool           // a join, not something that was named in FROM
	scalar    bool           // a function that gives one value a row

	// reads, when set, is told which columns are read.
	reads func(column int)
}

type sourceColumn struct {
	name     string // "" for one that cannot be named, and is not among those of a star
	t        types.Type
	tableOID uint32
	attnum   int16
	expr     Expr   // of a column of a join: what it stands for
	read     func() // likewise: tells the source that has the column
	fields   []Column
}

func newScope(parent *scope) *scope {
	return &scope{parent: parent, open: new([]openBinding)}
}

func tableSource(t *catalog.Table, alias *parse.Alias) *source {
	s := &source{name: t.Name, schema: t.Schema, table: t}
	for i := range t.Columns {
		c := &t.Columns[i]
		s.columns = append(s.columns, sourceColumn{name: c.Name, t: c.Type, tableOID: t.OID,
			attnum: c.Attnum})
	}
	s.rename(alias)
	return s
}

func virtualSource(t *catalog.VirtualTable, alias *parse.Alias) *source {
	s := &source{name: t.Name, schema: t.Schema}
	for i := range t.Columns {
		c := &t.Columns[i]
		s.columns = append(s.columns, sourceColumn{name: c.Name, t: c.Type, tableOID: t.OID,
			attnum: c.Attnum})
	}
	s.rename(alias)
	return s
}

// querySource is a query in FROM.
func querySource(name string, columns []Column, alias *parse.Alias) *source {
	s := &source{name: name}
	for _, c := range columns {
		s.columns = append(s.columns, sourceColumn{name: c.Name, t: c.Type, tableOID: c.TableOID,
			attnum: c.Attnum, fields: c.fields})
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

// add puts a source behind the ones there are.
func (s *scope) add(src *source) {
	src.offset = s.width
	s.sources = append(s.sources, src)
	if src.inline {
		return
	}
	if s.width += len(src.columns); src.key {
		s.width++
	}
}

// view gives the scope with only its sources from the first-th on to be named.
func (s *scope) view(first int) *scope {
	v := *s
	v.sources = s.sources[first:]
	return &v
}

// column makes the expression for the i-th column of a source.
func (s *source) column(i int, pos parse.Pos) Expr {
	s.noteRead(i)
	return s.unread(i, pos)
}

func (s *source) noteRead(i int) {
	if s.reads != nil {
		s.reads(i)
	}
	if read := s.columns[i].read; read != nil {
		read()
	}
}

// unread is column without a word to anybody.
func (s *source) unread(i int, pos parse.Pos) Expr {
	c := s.columns[i]
	if c.expr != nil {
		if f, ok := c.expr.(*Field); ok {
			placed := *f
			placed.pos = pos
			return &placed
		}
		return c.expr
	}
	return &Field{Index: s.offset + i, T: c.t, Table: s.name, Name: c.name, pos: pos,
		fields: c.fields}
}

// find looks a bare column name up in every source of one scope.
func (s *scope) find(name string, pos parse.Pos) (found Expr, ambiguous bool) {
	for _, src := range s.sources {
		if src.qualified || src.hidden {
			continue
		}
		for i := range src.columns {
			if src.columns[i].name != name {
				continue
			}
			if found != nil {
				return nil, true
			}
			found = src.column(i, pos)
		}
	}
	return found, false
}

// findColumn looks a bare column name up, from the innermost query outwards.
func (a *analyzer) findColumn(name string, pos parse.Pos) (Expr, error) {
	for s := a.scope; s != nil; s = s.parent {
		x, ambiguous := s.find(name, pos)
		if ambiguous {
			return nil, a.errorf(pos, CodeAmbiguousColumn,
				"column reference \"%s\" is ambiguous", name)
		}
		if x != nil {
			return a.outer(s, x, name, pos), nil
		}
	}
	return nil, nil
}

// outer makes of a column of a scope what the query being analyzed reads it by: itself, or for a
// scope further out a slot, which is to be set from there.
func (a *analyzer) outer(s *scope, x Expr, name string, pos parse.Pos) Expr {
	if s.open == a.scope.open || a.defines != nil {
		return x
	}
	a.note(s.open)
	table := ""
	if f, ok := x.(*Field); ok {
		table = f.Table
	}
	text := exactly(x)
	for _, b := range *s.open {
		if exactly(b.Expr) == text {
			return &Outer{Slot: b.Slot, T: x.Type(), Table: table, Name: name,
				fields: rowFields(x)}
		}
	}
	slot := a.newSlot()
	*s.open = append(*s.open, openBinding{Binding{Slot: slot, Expr: x}, table, pos})
	return &Outer{Slot: slot, T: x.Type(), Table: table, Name: name, fields: rowFields(x)}
}

func (a *analyzer) newSlot() int {
	a.slots++
	return a.slots - 1
}

// findSource looks a table name of a reference up, as in t.a or s.t.a.
func (a *analyzer) findSource(schema, name string, pos parse.Pos) (*source, *scope, error) {
	for s := a.scope; s != nil; s = s.parent {
		for _, src := range s.sources {
			if !src.hidden && src.name == name && (schema == "" || schema == src.schema) {
				return src, s, nil
			}
		}
	}
	return nil, nil, a.noSource(name, pos)
}

// noSource is the error of a table name that cannot be referenced, with a hint when it is there but
// hidden behind an alias or out of reach.
func (a *analyzer) noSource(name string, pos parse.Pos) error {
	err := types.Errorf(types.CodeUndefinedTable,
		"missing FROM-clause entry for table \"%s\"", name)
	invalid := func() *types.Error {
		return types.Errorf(types.CodeUndefinedTable,
			"invalid reference to FROM-clause entry for table \"%s\"", name)
	}
	for s := a.scope; s != nil; s = s.parent {
		for _, src := range s.sources {
			if src.schema != name && a.hidden[src.name] == name {
				err = invalid().WithHint(
					"Perhaps you meant to reference the table alias \"%s\".", src.name)
			}
		}
	}
	for _, src := range append(slices.Clone(a.unreachable), a.scope.sources...) {
		if src.name == name {
			err = invalid().WithHint("There is an entry for table \"%s\", but it cannot be"+
				" referenced from this part of the query.", name)
		}
	}
	return err.At(a.stmt.Position(pos))
}

// columnRef resolves a, t.a and s.t.a.
func (a *analyzer) columnRef(ref *parse.ColumnRef) (Expr, error) {
	fields := ref.Fields
	if a.place == placeDefault {
		return nil, a.errorf(ref.Pos, types.CodeFeatureNotSupported,
			"cannot use column reference in DEFAULT expression")
	}
	if len(fields) == 1 {
		return a.bareColumn(fields[0], ref.Pos)
	}
	if len(fields) > 3 {
		return nil, a.unsupported(ref.Pos, "a column reference across databases")
	}
	schema := ""
	if len(fields) == 3 {
		schema = fields[0]
	}
	table, name := fields[len(fields)-2], fields[len(fields)-1]
	src, in, err := a.findSource(schema, table, ref.Pos)
	if err != nil {
		return nil, err
	}
	found := -1
	for i := range src.columns {
		if src.columns[i].name != name {
			continue
		}
		if found >= 0 {
			return nil, a.errorf(ref.Pos, CodeAmbiguousColumn,
				"column reference \"%s\" is ambiguous", name)
		}
		found = i
	}
	if found < 0 && systemColumns[name] {
		return a.systemColumn(src, name, ref.Pos)
	}
	if found < 0 {
		return nil, a.noColumn([]*source{src}, name, ref.Pos,
			"column %s.%s does not exist", table, name)
	}
	return a.outer(in, src.column(found, ref.Pos), name, ref.Pos), nil
}

func (a *analyzer) bareColumn(name string, pos parse.Pos) (Expr, error) {
	c, err := a.findColumn(name, pos)
	if err != nil || c != nil {
		return c, err
	}
	var all []*source
	for s := a.scope; s != nil; s = s.parent {
		for _, src := range s.sources {
			if src.name == name && !src.hidden {
				return a.wholeRow(src, s, pos), nil
			}
		}
		all = append(all, s.sources...)
	}
	if len(a.scope.sources) == 1 && systemColumns[name] {
		return a.systemColumn(a.scope.sources[0], name, pos)
	}
	return nil, a.noColumn(all, name, pos, "column \"%s\" does not exist", name)
}

// systemColumns are what every table of Postgres has besides its own columns.
var systemColumns = map[string]bool{"tableoid": true, "ctid": true, "xmin": true, "xmax": true,
	"cmin": true, "cmax": true}

// systemColumn gives tableoid, the one system column that means something here: it is the same in
// all rows of a table.
func (a *analyzer) systemColumn(src *source, name string, pos parse.Pos) (Expr, error) {
	if a.defines != nil && len(src.columns) > 0 && name == "tableoid" {
		if v, ok := src.columns[0].expr.(*Var); ok && v.source.kind == ofTable {
			return &Var{source: v.source, at: -1, T: types.Of(types.Oid)}, nil
		}
	}
	if name != "tableoid" || src.nullable {
		return nil, a.unsupported(pos, "the system column "+name)
	}
	if len(src.columns) == 0 || src.columns[0].tableOID == 0 || src.merged {
		return nil, a.noColumn([]*source{src}, name, pos, "column \"%s\" does not exist", name)
	}
	oid := types.NewOID(types.OID(src.columns[0].tableOID))
	return &Const{Value: oid, T: types.Type{OID: types.Oid, Mod: types.NoMod}}, nil
}

// noColumn is the error of a name that no source has, with a hint when one differs in case alone.
func (a *analyzer) noColumn(
	sources []*source, name string, pos parse.Pos, format string, args ...any,
) error {
	err := types.Errorf(CodeUndefinedColumn, format, args...).At(a.stmt.Position(pos))
	for _, src := range sources {
		for _, c := range src.columns {
			if strings.EqualFold(c.name, name) && !src.merged {
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
		for _, column := range src.columns {
			if f, ok := column.expr.(*Field); ok && f.Index == c.Index && !src.merged {
				return column.tableOID, column.attnum
			}
		}
		if src.inline {
			continue
		}
		if i := c.Index - src.offset; i >= 0 && i < len(src.columns) {
			return src.columns[i].tableOID, src.columns[i].attnum
		}
	}
	return 0, 0
}
