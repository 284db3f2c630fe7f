package catalog

import (
	"fmt"
	"sync/atomic"

	"ackdb/engine"
	"ackdb/server/sql/types"
)

// Schema is a namespace.
type Schema struct {
	OID     uint32 `json:"oid"`
	Name    string `json:"name"`
	Comment string `json:"comment,omitempty"`
}

// Table describes a stored table. Immutable once published (C1).
type Table struct {
	OID       uint32 `json:"oid"`
	SchemaOID uint32 `json:"schema_oid"`
	Schema    string `json:"schema"`
	Name      string `json:"name"`

	// Storage is where the rows are. It differs from OID once the table was re-keyed, as
	// relfilenode differs from oid in Postgres.
	Storage engine.TableID `json:"storage"`

	Columns []Column        `json:"columns"` // in the order of their numbers
	Dropped []DroppedColumn `json:"dropped,omitempty"`

	// PrimaryKey is nil for a table without one; its rows are keyed by a hidden row id.
	PrimaryKey *Index `json:"primary_key,omitempty"`

	Checks       []Check      `json:"checks,omitempty"` // by name, the order they are checked in
	ForeignKeys  []ForeignKey `json:"foreign_keys,omitempty"`
	ReferencedBy []uint32     `json:"referenced_by,omitempty"` // tables with foreign keys to this one

	// Indexes are those beside the primary key, in the order of their oids.
	Indexes []*Index `json:"indexes,omitempty"`

	Unlogged   bool     `json:"unlogged,omitempty"`
	Options    []string `json:"options,omitempty"` // reloptions, "fillfactor=100"
	Tablespace string   `json:"tablespace,omitempty"`
	Comment    string   `json:"comment,omitempty"`
	OnCommit   string   `json:"on_commit,omitempty"` // of a temporary table

	// derived by finish(); not stored
	inKey      []bool
	stored     []int
	storedOIDs []types.OID
	missing    []types.Datum
}

// Column describes a column. A VirtualTable needs Name and Type only.
type Column struct {
	Name    string     `json:"name"`
	Attnum  int16      `json:"attnum"` // 1-based
	Type    types.Type `json:"type"`
	NotNull bool       `json:"not_null,omitempty"`
	// Default is the SQL of the default expression, in the form EXPLAIN prints expressions; ""
	// for none.
	Default string `json:"default,omitempty"`

	// Identity says that the column is one; its values come from the sequence.
	Identity         string `json:"identity,omitempty"`
	IdentitySequence uint32 `json:"identity_sequence,omitempty"`

	// Missing is the row form of what the column is in rows from before it was added; nil for NULL.
	Missing []byte `json:"missing,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// Sequence describes a sequence; its state is a row of SequenceTable.
type Sequence struct {
	OID       uint32    `json:"oid"`
	SchemaOID uint32    `json:"schema_oid"`
	Schema    string    `json:"schema"`
	Name      string    `json:"name"`
	TypeOID   types.OID `json:"type_oid"`

	Start     int64 `json:"start"`
	Increment int64 `json:"increment"`
	Min       int64 `json:"min"`
	Max       int64 `json:"max"`
	Cache     int64 `json:"cache"`
	Cycle     bool  `json:"cycle,omitempty"`

	// The SERIAL column or OWNED BY column it is dropped with; zero for none.
	OwnerTable  uint32 `json:"owner_table,omitempty"`
	OwnerColumn int16  `json:"owner_column,omitempty"`
	Comment     string `json:"comment,omitempty"`
}

// Clone gives a copy whose columns, key and constraints may be changed.
func (t *Table) Clone() *Table {
	c := *t
	c.Columns = append([]Column(nil), t.Columns...)
	c.Dropped = append([]DroppedColumn(nil), t.Dropped...)
	c.Checks = append([]Check(nil), t.Checks...)
	c.ForeignKeys = append([]ForeignKey(nil), t.ForeignKeys...)
	c.ReferencedBy = append([]uint32(nil), t.ReferencedBy...)
	c.Options = append([]string(nil), t.Options...)
	if t.PrimaryKey != nil {
		c.PrimaryKey = t.PrimaryKey.Clone()
	}
	c.Indexes = nil
	for _, x := range t.Indexes {
		c.Indexes = append(c.Indexes, x.Clone())
	}
	return &c
}

// validate checks what the rest of the code takes for granted of a descriptor that was read.
func (t *Table) validate() error {
	for _, x := range t.keys() {
		if err := x.validate(len(t.Columns)); err != nil {
			return err
		}
	}
	if x := t.PrimaryKey; x != nil && (len(x.Exprs) > 0 || x.Where != "") {
		return fmt.Errorf("primary key %s is not of columns alone", x.Name)
	}
	return nil
}

// finish computes what is derived from the stored fields.
func (t *Table) finish() error {
	t.inKey = make([]bool, len(t.Columns))
	if t.PrimaryKey != nil {
		for _, i := range t.PrimaryKey.Columns {
			t.inKey[i] = true
		}
	}
	for _, x := range t.Indexes {
		if len(x.Exprs) > 0 || x.Where != "" {
			x.derived = new(atomic.Value)
		}
	}
	return t.layOut()
}

// Stored lists the columns a row's value holds, in order; -1 stands for one that was dropped. A key
// column is among them when its key encoding does not give back what was written: numeric 1.0 and
// 1.00 are one key.
func (t *Table) Stored() []int { return t.stored }

// StoredOIDs lists the types of the Stored columns.
func (t *Table) StoredOIDs() []types.OID { return t.storedOIDs }

// InKey says whether a column is part of the primary key.
func (t *Table) InKey(column int) bool { return t.inKey[column] }

// ColumnIndex finds a column by name; -1 when there is none.
func (t *Table) ColumnIndex(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}
