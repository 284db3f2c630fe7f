package catalog

import "slices"

// ForeignColumns gives the columns of a foreign key in the order of the key they refer to: what is
// encoded of them is the key of a row of the parent.
func (t *Table) ForeignColumns(fk *ForeignKey, parent *Table) []int {
	columns := make([]int, 0, len(fk.Columns))
	for _, i := range parent.PrimaryKey.Columns {
		at := slices.Index(fk.RefColumns, parent.Columns[i].Attnum)
		columns = append(columns, t.ColumnByAttnum(fk.Columns[at]))
	}
	return columns
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
