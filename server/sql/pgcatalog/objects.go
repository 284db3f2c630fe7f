package pgcatalog

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/types"
)

// Numbers of the catalogs, by which pg_depend and pg_description name objects.
const (
	classOfRelations   = 1259
	classOfDefaults    = 2604
	classOfConstraints = 2606
	classOfSchemas     = 2615
)

// Oids of PostgreSQL's own that have no row in a fact file.
const (
	databaseOwnerRole = 6171 // pg_database_owner, whose the schema public is
	internalLanguage  = 12
	defaultSpace      = 1663 // pg_default
	globalSpace       = 1664 // pg_global
	defaultCollation  = 100
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
}

// holders lists the tables and views, the system's first.
func holders(s *catalog.Snapshot) []holder {
	var list []holder
	for _, v := range s.Virtuals() {
		h := holder{oid: v.OID, schema: v.Schema, name: v.Name, kind: 'v', columns: v.Columns}
		if known := relations()[[2]string{v.Schema, v.Name}]; known != nil {
			h.kind, h.shared = known.kind, known.shared
		}
		list = append(list, h)
	}
	for _, t := range s.Tables() {
		list = append(list, holder{oid: t.OID, schema: t.Schema, name: t.Name, kind: 'r',
			columns: t.Columns, table: t})
	}
	return list
}

// index is an index of a stored table.
type index struct {
	table   *catalog.Table
	oid     uint32
	name    string
	columns []int // positions in the table's columns
	unique  bool
	primary bool
}

func indexesOf(t *catalog.Table) []index {
	if t.PrimaryKey == nil {
		return nil
	}
	return []index{{table: t, oid: t.PrimaryKey.OID, name: t.PrimaryKey.Name,
		columns: t.PrimaryKey.Columns, unique: true, primary: true}}
}

// constraint is a constraint of a stored table.
type constraint struct {
	table   *catalog.Table
	oid     uint32
	name    string
	kind    byte // pg_constraint.contype
	index   uint32
	columns []int // positions in the table's columns
}

// constraintsOf lists constraints. The one an index stands for bears its oid (G2).
func constraintsOf(t *catalog.Table) []constraint {
	var list []constraint
	for _, i := range indexesOf(t) {
		if i.primary {
			list = append(list, constraint{table: t, oid: i.oid, name: i.name, kind: 'p',
				index: i.oid, columns: i.columns})
		}
	}
	return list
}

// attnums are the numbers of a table's columns at some positions.
func attnums(t *catalog.Table, positions []int) []any {
	numbers := make([]any, len(positions))
	for i, at := range positions {
		numbers[i] = t.Columns[at].Attnum
	}
	return numbers
}

// defaultOID numbers a default, which has no oid of its own: above the half of the numbers that
// objects get first, and different for every column of a table.
func defaultOID(t *catalog.Table, c *catalog.Column) uint32 {
	return 1<<31 | (t.OID*(catalog.MaxColumns+1)+uint32(c.Attnum))&(1<<31-1)
}

// ownedSequences maps a table's columns, by number, to the sequences dropped with them.
func ownedSequences(s *catalog.Snapshot, t *catalog.Table) map[int16]*catalog.Sequence {
	owned := map[int16]*catalog.Sequence{}
	for _, q := range s.Sequences() {
		if q.OwnerTable == t.OID {
			owned[q.OwnerColumn] = q
		}
	}
	return owned
}

// typeInfo describes a type, the unknown one where there is none.
func typeInfo(oid types.OID) *types.Info {
	if info := types.Lookup(oid); info != nil {
		return info
	}
	return types.Lookup(types.Unknown)
}
