package catalog

import (
	"maps"
	"sort"
	"sync/atomic"
)

// Snapshot is the catalog at one moment, immutable (C1). Two snapshots with one Version are one.
type Snapshot struct {
	version   uint64
	relations map[relationName]Relation
	schemas   map[string]*Schema
	tables    map[uint32]*Table
	sequences map[uint32]*Sequence
	views     map[uint32]*View
	virtuals  map[uint32]*VirtualTable
}

type relationName struct{ schema, name string }

// Relation is what a name in a schema stands for: exactly one field is set.
type Relation struct {
	Table    *Table
	Sequence *Sequence
	View     *View
	Virtual  *VirtualTable
	Index    *Table // the table one of whose indexes has that name
}

// Exists says whether the name stands for anything.
func (r Relation) Exists() bool {
	return r.Table != nil || r.Sequence != nil || r.View != nil || r.Virtual != nil || r.Index != nil
}

// versions numbers snapshots, committed or not, over the life of the process: a plan remembers the
// number it was made under, and equality means that nothing at all has changed.
var versions atomic.Uint64

func newSnapshot() *Snapshot {
	s := &Snapshot{
		version:   versions.Add(1),
		relations: map[relationName]Relation{},
		schemas:   map[string]*Schema{},
		tables:    map[uint32]*Table{},
		sequences: map[uint32]*Sequence{},
		views:     map[uint32]*View{},
		virtuals:  map[uint32]*VirtualTable{},
	}
	s.putSchema(&Schema{OID: PgCatalogOID, Name: PgCatalog})
	s.putSchema(&Schema{OID: PublicOID, Name: Public})
	s.putSchema(&Schema{OID: InformationSchemaOID, Name: InformationSchema})
	return s
}

// clone copies the maps, not the descriptors. DDL is rare enough for that to be the whole of the
// concurrency story: readers hold a pointer and lock nothing.
func (s *Snapshot) clone() *Snapshot {
	return &Snapshot{
		version:   versions.Add(1),
		relations: maps.Clone(s.relations),
		schemas:   maps.Clone(s.schemas),
		tables:    maps.Clone(s.tables),
		sequences: maps.Clone(s.sequences),
		views:     maps.Clone(s.views),
		virtuals:  maps.Clone(s.virtuals),
	}
}

// Version differs between any two snapshots that differ.
func (s *Snapshot) Version() uint64 { return s.version }

// Relation looks a name up in one schema.
func (s *Snapshot) Relation(schema, name string) Relation {
	return s.relations[relationName{schema, name}]
}

// Schema looks a schema up; nil when there is none.
func (s *Snapshot) Schema(name string) *Schema { return s.schemas[name] }

// TableByOID finds a stored table; nil when there is none.
func (s *Snapshot) TableByOID(oid uint32) *Table { return s.tables[oid] }

// SequenceByOID finds a sequence; nil when there is none.
func (s *Snapshot) SequenceByOID(oid uint32) *Sequence { return s.sequences[oid] }

// VirtualByOID finds a virtual table; nil when there is none.
func (s *Snapshot) VirtualByOID(oid uint32) *VirtualTable { return s.virtuals[oid] }

// Resolve finds a relation by its possibly unqualified name: pg_catalog first, unless the path
// names it elsewhere, then the schemas of the path in order.
func (s *Snapshot) Resolve(path []string, schema, name string) Relation {
	if schema == TempAlias {
		schema = TempIn(path)
		return s.Relation(schema, name)
	}
	if schema != "" {
		return s.Relation(schema, name)
	}
	for _, p := range path {
		if p == PgCatalog {
			return s.first(path, name)
		}
	}
	if r := s.Relation(PgCatalog, name); r.Exists() {
		return r
	}
	return s.first(path, name)
}

func (s *Snapshot) first(path []string, name string) Relation {
	for _, p := range path {
		if r := s.Relation(p, name); r.Exists() {
			return r
		}
	}
	return Relation{}
}

// Tables lists the stored tables by oid.
func (s *Snapshot) Tables() []*Table {
	list := make([]*Table, 0, len(s.tables))
	for _, t := range s.tables {
		list = append(list, t)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].OID < list[j].OID })
	return list
}

// Sequences lists the sequences by oid.
func (s *Snapshot) Sequences() []*Sequence {
	list := make([]*Sequence, 0, len(s.sequences))
	for _, q := range s.sequences {
		list = append(list, q)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].OID < list[j].OID })
	return list
}

// Schemas lists the schemas by oid.
func (s *Snapshot) Schemas() []*Schema {
	list := make([]*Schema, 0, len(s.schemas))
	for _, c := range s.schemas {
		list = append(list, c)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].OID < list[j].OID })
	return list
}

// Virtuals lists the virtual tables by oid.
func (s *Snapshot) Virtuals() []*VirtualTable {
	list := make([]*VirtualTable, 0, len(s.virtuals))
	for _, v := range s.virtuals {
		list = append(list, v)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].OID < list[j].OID })
	return list
}

func (s *Snapshot) putSchema(c *Schema) { s.schemas[c.Name] = c }

func (s *Snapshot) putTable(t *Table) {
	if old := s.tables[t.OID]; old != nil {
		s.dropTable(old)
	}
	s.tables[t.OID] = t
	s.relations[relationName{t.Schema, t.Name}] = Relation{Table: t}
	for _, x := range t.keys() {
		s.relations[relationName{t.Schema, x.Name}] = Relation{Index: t}
	}
}

func (s *Snapshot) dropTable(t *Table) {
	delete(s.tables, t.OID)
	delete(s.relations, relationName{t.Schema, t.Name})
	for _, x := range t.keys() {
		delete(s.relations, relationName{t.Schema, x.Name})
	}
}

func (s *Snapshot) putSequence(q *Sequence) {
	if old := s.sequences[q.OID]; old != nil {
		s.dropSequence(old)
	}
	s.sequences[q.OID] = q
	s.relations[relationName{q.Schema, q.Name}] = Relation{Sequence: q}
}

func (s *Snapshot) dropSequence(q *Sequence) {
	delete(s.sequences, q.OID)
	delete(s.relations, relationName{q.Schema, q.Name})
}

func (s *Snapshot) putVirtual(v *VirtualTable) {
	s.virtuals[v.OID] = v
	s.relations[relationName{v.Schema, v.Name}] = Relation{Virtual: v}
}
