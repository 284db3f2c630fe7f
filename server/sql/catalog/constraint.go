package catalog

import (
	"fmt"
	"slices"

	"ackdb/server/sql/types"
)

// Check is a CHECK constraint.
type Check struct {
	OID       uint32 `json:"oid"`
	Name      string `json:"name"`
	Expr      string `json:"expr"` // as plan.Print writes it, over the columns by their names
	NoInherit bool   `json:"no_inherit,omitempty"`
	NotValid  bool   `json:"not_valid,omitempty"` // rows that were there were not looked at
	Comment   string `json:"comment,omitempty"`
}

// What Column.Identity says: GENERATED ALWAYS or BY DEFAULT AS IDENTITY.
const (
	IdentityAlways    = "a"
	IdentityByDefault = "d"
)

// DroppedColumn is what is kept of a column that was dropped: its number is not given again, and
// rows from before may hold a value of it.
type DroppedColumn struct {
	Attnum int16     `json:"attnum"`
	Type   types.OID `json:"type"`
	// Gone says that the table was rewritten since, so that no row holds it.
	Gone bool `json:"gone,omitempty"`
}

// NextAttnum is the number of the next column.
func (t *Table) NextAttnum() int16 {
	last := int16(0)
	for i := range t.Columns {
		last = max(last, t.Columns[i].Attnum)
	}
	for _, d := range t.Dropped {
		last = max(last, d.Attnum)
	}
	return last + 1
}

// ColumnByAttnum finds a column by its number; -1 when it has been dropped.
func (t *Table) ColumnByAttnum(attnum int16) int {
	for i := range t.Columns {
		if t.Columns[i].Attnum == attnum {
			return i
		}
	}
	return -1
}

// DropColumn takes a column away, and with it the primary key and the indexes that have it. gone
// says that no row holds it.
func (t *Table) DropColumn(column int, gone bool) {
	c := t.Columns[column]
	t.Columns = slices.Delete(t.Columns, column, column+1)
	t.Dropped = append(t.Dropped, DroppedColumn{Attnum: c.Attnum, Type: c.Type.OID, Gone: gone})
	slices.SortFunc(t.Dropped, func(a, b DroppedColumn) int { return int(a.Attnum) - int(b.Attnum) })
	t.dropIndexColumn(column)
	if t.PrimaryKey == nil {
		return
	}
	if slices.Contains(t.PrimaryKey.Columns, column) || slices.Contains(t.PrimaryKey.Include, column) {
		t.PrimaryKey = nil
		return
	}
	t.PrimaryKey.dropColumn(column)
}

// ConstraintNamed says whether a constraint of the table has that name.
func (t *Table) ConstraintNamed(name string) bool {
	if x := t.IndexNamed(name); x != nil && (x == t.PrimaryKey || x.Constraint) {
		return true
	}
	for i := range t.Checks {
		if t.Checks[i].Name == name {
			return true
		}
	}
	for i := range t.ForeignKeys {
		if t.ForeignKeys[i].Name == name {
			return true
		}
	}
	return false
}

// MissingValue gives the row form of a value that rows from before a column read as.
func MissingValue(v types.Datum) []byte { return types.AppendRow(nil, []types.Datum{v}) }

// layOut finds out where the columns lie in the value of a row: in the order of their numbers, the
// dropped ones included.
func (t *Table) layOut() error {
	t.stored, t.storedOIDs, t.missing = nil, nil, nil
	dropped := t.Dropped
	slot := func(column int, oid types.OID, missing types.Datum) {
		t.stored = append(t.stored, column)
		t.storedOIDs = append(t.storedOIDs, oid)
		t.missing = append(t.missing, missing)
	}
	before := func(attnum int16) {
		for ; len(dropped) > 0 && dropped[0].Attnum < attnum; dropped = dropped[1:] {
			if !dropped[0].Gone {
				slot(-1, dropped[0].Type, types.Null)
			}
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		before(c.Attnum)
		if t.inKey[i] && types.KeyLossless(c.Type.OID) {
			continue
		}
		missing, err := c.missing()
		if err != nil {
			return err
		}
		slot(i, c.Type.OID, missing)
	}
	before(t.NextAttnum())
	return nil
}

func (c *Column) missing() (types.Datum, error) {
	if c.Missing == nil {
		return types.Null, nil
	}
	row := make([]types.Datum, 1)
	n, err := types.DecodeRow(c.Missing, []types.OID{c.Type.OID}, row)
	if err == nil && n != 1 {
		err = fmt.Errorf("%d values", n)
	}
	if err != nil {
		return types.Null, fmt.Errorf("value of column %q in older rows: %w", c.Name, err)
	}
	return row[0], nil
}

// Missing gives what each of the Stored columns reads as in a row from before it was added.
func (t *Table) Missing() []types.Datum { return t.missing }
