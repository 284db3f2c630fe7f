package catalog

import "slices"

// ForeignKey is a FOREIGN KEY constraint of the table that refers. It names columns by attnum, and
// tables by oid, so that no renaming touches it. The other table lists this one in ReferencedBy.
type ForeignKey struct {
	OID        uint32        `json:"oid"`
	Name       string        `json:"name"`
	Columns    []int16       `json:"columns"`
	RefTable   uint32        `json:"ref_table"`
	RefColumns []int16       `json:"ref_columns"`
	RefIndex   uint32        `json:"ref_index"` // the unique key of RefTable over RefColumns
	MatchFull  bool          `json:"match_full,omitempty"`
	OnUpdate   ForeignAction `json:"on_update,omitempty"`
	OnDelete   ForeignAction `json:"on_delete,omitempty"`
	// SetColumns are those that ON DELETE SET NULL or SET DEFAULT sets; nil for all.
	SetColumns []int16 `json:"set_columns,omitempty"`
	NotValid   bool    `json:"not_valid,omitempty"`
	Comment    string  `json:"comment,omitempty"`
}

// ForeignAction is what becomes of a row when the one it refers to goes or gets another key.
type ForeignAction string

// NoAction and Restrict refuse it, the one at the end of the statement and the other before any
// action. The others delete the row or change what it refers to.
const (
	NoAction   ForeignAction = ""
	Restrict   ForeignAction = "restrict"
	Cascade    ForeignAction = "cascade"
	SetNull    ForeignAction = "set null"
	SetDefault ForeignAction = "set default"
)

// Refuses says whether the action is to change nothing and fail.
func (a ForeignAction) Refuses() bool { return a == NoAction || a == Restrict }

// ReferredKey gives the unique key that a foreign key refers to.
func (t *Table) ReferredKey(fk *ForeignKey) *Index {
	if fk.RefIndex == 0 { // of a table that is being made
		return t.KeyOver(fk.RefColumns)
	}
	return t.IndexByOID(fk.RefIndex)
}

// KeyOver finds the unique key over just those columns, in any order; nil when there is none.
func (t *Table) KeyOver(attnums []int16) *Index {
	for _, index := range t.keys() {
		if index != t.PrimaryKey && !index.Unique || len(index.Columns) != len(attnums) ||
			index.Where != "" {
			continue
		}
		over := func(i int) bool {
			return i != ExprColumn && slices.Contains(attnums, t.Columns[i].Attnum)
		}
		if !slices.ContainsFunc(index.Columns, func(i int) bool { return !over(i) }) {
			return index
		}
	}
	return nil
}

// ForeignColumns gives the columns of a foreign key in the order of the key they refer to: what is
// encoded of them is that key. Beside them stand the columns of the parent.
func (t *Table) ForeignColumns(fk *ForeignKey, parent *Table) (columns, referred []int) {
	for _, i := range parent.ReferredKey(fk).Columns {
		at := slices.Index(fk.RefColumns, parent.Columns[i].Attnum)
		columns = append(columns, t.ColumnByAttnum(fk.Columns[at]))
		referred = append(referred, i)
	}
	return columns, referred
}

// Referencing lists the foreign keys of a table that refer to another.
func (t *Table) Referencing(parent uint32) []*ForeignKey {
	var list []*ForeignKey
	for i := range t.ForeignKeys {
		if t.ForeignKeys[i].RefTable == parent {
			list = append(list, &t.ForeignKeys[i])
		}
	}
	return list
}

// Parents lists the tables that the foreign keys of a table refer to, itself left out.
func (t *Table) Parents() []uint32 {
	var list []uint32
	for i := range t.ForeignKeys {
		oid := t.ForeignKeys[i].RefTable
		if oid != 0 && oid != t.OID && !slices.Contains(list, oid) {
			list = append(list, oid)
		}
	}
	return list
}

// Children lists the tables with foreign keys to a table, itself among them, by oid.
func (s *Snapshot) Children(parent uint32) []uint32 {
	var list []uint32
	for _, t := range s.Tables() {
		if len(t.Referencing(parent)) > 0 {
			list = append(list, t.OID)
		}
	}
	return list
}
