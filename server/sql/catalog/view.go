package catalog

import (
	"slices"
	"sort"
)

// View describes a view. Immutable once published (C1).
type View struct {
	OID       uint32   `json:"oid"`
	SchemaOID uint32   `json:"schema_oid"`
	Schema    string   `json:"schema"`
	Name      string   `json:"name"`
	Columns   []Column `json:"columns"`

	// Query is the text as it was written. Its names of relations mean what Refs says, whatever
	// the search path is and however things have been renamed since.
	Query   string    `json:"query"`
	Refs    []ViewRef `json:"refs,omitempty"`
	Options []string  `json:"options,omitempty"`
	Comment string    `json:"comment,omitempty"`
}

// ViewRef is a relation that a view reads.
type ViewRef struct {
	Schema string `json:"schema,omitempty"` // as it stands in the query
	Name   string `json:"name"`
	OID    uint32 `json:"oid"`

	// Key says that the view reads columns that the primary key decides, by which it groups: it
	// means nothing without the key.
	Key bool `json:"key,omitempty"`

	// Columns are those that the relation had when the view was made, under their names of then.
	Columns []ViewColumn `json:"columns"`
}

// ViewColumn is a column of a relation that a view reads.
type ViewColumn struct {
	Attnum int16  `json:"attnum"`
	Name   string `json:"name"`
	Used   bool   `json:"used,omitempty"` // it cannot be dropped while the view is there
}

// Ref finds the relation that a name in the query stands for; nil when it is none of the catalog's.
func (v *View) Ref(schema, name string) *ViewRef {
	for i := range v.Refs {
		if v.Refs[i].Schema == schema && v.Refs[i].Name == name {
			return &v.Refs[i]
		}
	}
	return nil
}

// Reads says whether the view reads a relation.
func (v *View) Reads(oid uint32) bool {
	for i := range v.Refs {
		if v.Refs[i].OID == oid {
			return true
		}
	}
	return false
}

// Uses says whether the view reads a column of a relation.
func (v *View) Uses(oid uint32, attnum int16) bool {
	for i := range v.Refs {
		if v.Refs[i].OID != oid {
			continue
		}
		for _, c := range v.Refs[i].Columns {
			if c.Attnum == attnum && c.Used {
				return true
			}
		}
	}
	return false
}

// NeedsKey says whether the view means nothing without the primary key of a table.
func (v *View) NeedsKey(oid uint32) bool {
	return slices.ContainsFunc(v.Refs, func(r ViewRef) bool { return r.OID == oid && r.Key })
}

// ViewByOID finds a view; nil when there is none.
func (s *Snapshot) ViewByOID(oid uint32) *View { return s.views[oid] }

// Views lists the views by oid.
func (s *Snapshot) Views() []*View {
	list := make([]*View, 0, len(s.views))
	for _, v := range s.views {
		list = append(list, v)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].OID < list[j].OID })
	return list
}

// ViewsOf lists the views that read a relation, by oid.
func (s *Snapshot) ViewsOf(oid uint32) []*View {
	var list []*View
	for _, v := range s.Views() {
		if v.Reads(oid) {
			list = append(list, v)
		}
	}
	return list
}

// RelationByOID finds a relation by its oid.
func (s *Snapshot) RelationByOID(oid uint32) Relation {
	switch {
	case s.tables[oid] != nil:
		return Relation{Table: s.tables[oid]}
	case s.views[oid] != nil:
		return Relation{View: s.views[oid]}
	case s.sequences[oid] != nil:
		return Relation{Sequence: s.sequences[oid]}
	case s.virtuals[oid] != nil:
		return Relation{Virtual: s.virtuals[oid]}
	}
	return Relation{}
}

func (s *Snapshot) putView(v *View) {
	if old := s.views[v.OID]; old != nil {
		s.dropView(old)
	}
	s.views[v.OID] = v
	s.relations[relationName{v.Schema, v.Name}] = Relation{View: v}
}

func (s *Snapshot) dropView(v *View) {
	delete(s.views, v.OID)
	delete(s.relations, relationName{v.Schema, v.Name})
}
