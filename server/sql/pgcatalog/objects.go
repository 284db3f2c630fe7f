package pgcatalog

import (
	"slices"
	"sort"

	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Numbers of the catalogs, by which pg_depend and pg_description name objects.
const (
	classOfRelations   = 1259
	classOfDefaults    = 2604
	classOfConstraints = 2606
	classOfSchemas     = 2615
	classOfRules       = 2618
)

// Oids of PostgreSQL's own that have no row in a fact file.
const (
	databaseOwnerRole = 6171 // pg_database_owner, whose the schema public is
	internalLanguage  = 12
	defaultSpace      = 1663 // pg_default
	globalSpace       = 1664 // pg_global
	defaultCollation  = 100
	cCollation        = 950
)

const databaseOwner = "pg_database_owner"

// holder is a relation with columns a query can read: a table or a view.
type holder struct {
	oid     uint32
	schema  string
	name    string
	kind    byte // pg_class.relkind
	shared  bool
	columns []catalog.Column
	table   *catalog.Table // of a stored table
	view    *catalog.View  // of a view that somebody made
}

// holders lists the tables and views, the system's first.
func holders(s *catalog.Snapshot) []holder {
	var list []holder
	for _, v := range s.Virtuals() {
		list = append(list, virtualHolder(v))
	}
	for _, t := range s.Tables() {
		list = append(list, tableHolder(t))
	}
	for _, v := range s.Views() {
		list = append(list, viewHolder(v))
	}
	return list
}

func virtualHolder(v *catalog.VirtualTable) holder {
	h := holder{oid: v.OID, schema: v.Schema, name: v.Name, kind: 'v', columns: v.Columns}
	if known := relations()[[2]string{v.Schema, v.Name}]; known != nil {
		h.kind, h.shared = known.kind, known.shared
	}
	return h
}

func tableHolder(t *catalog.Table) holder {
	return holder{oid: t.OID, schema: t.Schema, name: t.Name, kind: 'r', columns: t.Columns,
		table: t}
}

func viewHolder(v *catalog.View) holder {
	return holder{oid: v.OID, schema: v.Schema, name: v.Name, kind: 'v', columns: v.Columns,
		view: v}
}

// holders lists the tables and views that the rows asked for are about, by the column that tells.
func (e *env) holders(w *writer, column string) []holder {
	oid, ok := e.onlyOID(w, column)
	if !ok {
		return holders(e.Snapshot)
	}
	if t := e.Snapshot.TableByOID(oid); t != nil {
		return []holder{tableHolder(t)}
	}
	if v := e.Snapshot.ViewByOID(oid); v != nil {
		return []holder{viewHolder(v)}
	}
	if v := e.Snapshot.VirtualByOID(oid); v != nil {
		return []holder{virtualHolder(v)}
	}
	return nil
}

// tables is holders for what stored tables alone have.
func (e *env) tables(w *writer, column string) []*catalog.Table {
	oid, ok := e.onlyOID(w, column)
	if !ok {
		return e.Snapshot.Tables()
	}
	if t := e.Snapshot.TableByOID(oid); t != nil {
		return []*catalog.Table{t}
	}
	return nil
}

// sequences is holders for sequences.
func (e *env) sequences(w *writer, column string) []*catalog.Sequence {
	oid, ok := e.onlyOID(w, column)
	if !ok {
		return e.Snapshot.Sequences()
	}
	if q := e.Snapshot.SequenceByOID(oid); q != nil {
		return []*catalog.Sequence{q}
	}
	return nil
}

// index is an index of a stored table.
type index struct {
	*catalog.Index
	table   *catalog.Table
	unique  bool
	primary bool
}

// indexesOf lists a table's indexes, its primary key first.
func indexesOf(t *catalog.Table) []index {
	var list []index
	if t.PrimaryKey != nil {
		list = append(list, index{Index: t.PrimaryKey, table: t, unique: true, primary: true})
	}
	for _, x := range t.Indexes {
		list = append(list, index{Index: x, table: t, unique: x.Unique})
	}
	return list
}

// constraint is a constraint of a stored table.
type constraint struct {
	table    *catalog.Table
	oid      uint32
	name     string
	kind     byte // pg_constraint.contype
	index    uint32
	columns  []int16
	notValid bool
	comment  string
	check    *catalog.Check
	foreign  *catalog.ForeignKey
}

// constraintsOf lists constraints by name. The one an index stands for bears its oid (G2).
func constraintsOf(t *catalog.Table) []constraint {
	var list []constraint
	for _, i := range indexesOf(t) {
		c := constraint{table: t, oid: i.OID, name: i.Name, kind: 'p', index: i.OID,
			columns: i.attnums()}
		switch {
		case i.Constraint:
			c.kind = 'u'
		case !i.primary:
			continue
		}
		list = append(list, c)
	}
	for i := range t.Checks {
		c := &t.Checks[i]
		list = append(list, constraint{table: t, oid: c.OID, name: c.Name, kind: 'c', check: c,
			columns: columnsIn(t, c.Expr), notValid: c.NotValid, comment: c.Comment})
	}
	for i := range t.ForeignKeys {
		f := &t.ForeignKeys[i]
		list = append(list, constraint{table: t, oid: f.OID, name: f.Name, kind: 'f', foreign: f,
			index: f.RefIndex, columns: f.Columns, notValid: f.NotValid, comment: f.Comment})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}

// attnums are the numbers of the key's columns in its table, 0 for an expression.
func (i *index) attnums() []int16 { return i.numbers(i.Columns) }

// included are the numbers of the columns beside the key.
func (i *index) included() []int16 { return i.numbers(i.Include) }

func (i *index) numbers(columns []int) []int16 {
	numbers := make([]int16, len(columns))
	for n, at := range columns {
		if at != catalog.ExprColumn {
			numbers[n] = i.table.Columns[at].Attnum
		}
	}
	return numbers
}

// columnsIn finds which columns an expression reads, as the numbers of those whose names stand in
// its text: outside literals, and neither called nor cast to.
func columnsIn(t *catalog.Table, expr string) []int16 {
	var numbers []int16
	seen := map[int]bool{}
	for _, w := range namesIn(expr) {
		if at := t.ColumnIndex(w); at >= 0 && !seen[at] {
			seen[at] = true
			numbers = append(numbers, t.Columns[at].Attnum)
		}
	}
	return numbers
}

// defaultOID numbers a default, which has no oid of its own: above the half of the numbers that
// objects get first, and different for every column of a table.
func defaultOID(t *catalog.Table, c *catalog.Column) uint32 {
	return 1<<31 | (t.OID*(catalog.MaxColumns+1)+uint32(c.Attnum))&(1<<31-1)
}

// typeInfo describes a type, the unknown one where there is none.
func typeInfo(oid types.OID) *types.Info {
	if info := types.Lookup(oid); info != nil {
		return info
	}
	return types.Lookup(types.Unknown)
}

// accessible lists what information_schema shows: not the temporary relations of other sessions.
func (e *env) accessible() []holder {
	own := ""
	if h, ok := e.Host.(interface{ TempSchema() string }); ok {
		own = h.TempSchema()
	}
	return slices.DeleteFunc(holders(e.Snapshot), func(h holder) bool {
		return catalog.IsTemp(h.schema) && h.schema != own
	})
}
