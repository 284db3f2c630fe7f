package catalog

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"ackdb/engine"
	"ackdb/server/sql/types"
)

// Index describes the primary key, or an index beside it. The primary key is the order in which
// the table itself is stored; any other index has a storage of its own.
type Index struct {
	OID     uint32 `json:"oid"`
	Name    string `json:"name"`
	Columns []int  `json:"columns"`           // positions in Table.Columns, in key order
	Include []int  `json:"include,omitempty"` // positions of columns that are named and not in the key
	Comment string `json:"comment,omitempty"`

	// What follows is zero for a primary key.

	Storage    engine.TableID   `json:"storage,omitempty"`
	Orders     []types.KeyOrder `json:"orders,omitempty"` // of each column; nil: all ascending
	Unique     bool             `json:"unique,omitempty"`
	Constraint bool             `json:"constraint,omitempty"` // a UNIQUE constraint, dropped as one
	Options    []string         `json:"options,omitempty"`
	Tablespace string           `json:"tablespace,omitempty"`

	Exprs   []IndexExpr `json:"exprs,omitempty"`   // in the order of the ExprColumn in Columns
	Where   string      `json:"where,omitempty"`   // which rows have an entry, as plan.Print; "" all
	Classes []string    `json:"classes,omitempty"` // operator classes by column; nil: the default ones

	NullsNotDistinct bool `json:"nulls_not_distinct,omitempty"`

	// derived is what the planner has read of Exprs and Where. Set by finish() if there are any.
	derived *atomic.Value
}

// hasLateIndexes says whether one of the indexes is of a kind that the second format did not know.
func (t *Table) hasLateIndexes() bool {
	return slices.ContainsFunc(t.Indexes, func(x *Index) bool {
		return x.Where != "" || len(x.Exprs) > 0 || x.NullsNotDistinct
	})
}

// ExprColumn stands in Columns for an expression.
const ExprColumn = -1

// IndexExpr is an expression in an index.
type IndexExpr struct {
	SQL  string     `json:"sql"`  // as plan.Print writes it, over the columns by their names
	Name string     `json:"name"` // of the column that it is in the index
	Type types.Type `json:"type"`
}

// Derive gives what make makes of the index's texts. Of a published descriptor, which never changes,
// it is kept.
func (x *Index) Derive(make func() (any, error)) (any, error) {
	if x.derived == nil {
		return make()
	}
	if v := x.derived.Load(); v != nil {
		return v, nil
	}
	v, err := make()
	if err == nil {
		x.derived.Store(v)
	}
	return v, err
}

// Clone gives a copy that may be changed.
func (x *Index) Clone() *Index {
	c := *x
	c.Columns, c.Orders = slices.Clone(x.Columns), slices.Clone(x.Orders)
	c.Options, c.Include = slices.Clone(x.Options), slices.Clone(x.Include)
	c.Exprs, c.Classes, c.derived = slices.Clone(x.Exprs), slices.Clone(x.Classes), nil
	return &c
}

// ColumnNames gives what the columns of the index are called in it: each another name.
func (x *Index) ColumnNames(t *Table) []string {
	var names []string
	exprs := x.Exprs
	for _, at := range slices.Concat(x.Columns, x.Include) {
		name := ""
		if at == ExprColumn {
			name, exprs = exprs[0].Name, exprs[1:]
		} else {
			name = t.Columns[at].Name
		}
		free := name
		for n := 1; slices.Contains(names, free); n++ {
			free = name + strconv.Itoa(n)
		}
		names = append(names, free)
	}
	return names
}

// Order says how the i-th column of the index lies in its keys.
func (x *Index) Order(i int) types.KeyOrder {
	if x.Orders == nil {
		return types.KeyOrder{}
	}
	return x.Orders[i]
}

// keys lists the primary key, if there is one, and the indexes beside it.
func (t *Table) keys() []*Index {
	if t.PrimaryKey == nil {
		return t.Indexes
	}
	return append([]*Index{t.PrimaryKey}, t.Indexes...)
}

// IndexNamed finds the primary key or an index by its name; nil when there is none.
func (t *Table) IndexNamed(name string) *Index {
	for _, x := range t.keys() {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// IndexByOID finds the primary key or an index by its oid; nil when there is none.
func (t *Table) IndexByOID(oid uint32) *Index {
	for _, x := range t.keys() {
		if x.OID == oid {
			return x
		}
	}
	return nil
}

// dropIndexColumn takes a column away from the indexes: those that have it go with it.
func (t *Table) dropIndexColumn(column int) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x *Index) bool {
		return slices.Contains(x.Columns, column) || slices.Contains(x.Include, column)
	})
	for _, x := range t.Indexes {
		x.dropColumn(column)
	}
}

// dropColumn renumbers the columns behind one that is dropped.
func (x *Index) dropColumn(column int) {
	for _, columns := range [][]int{x.Columns, x.Include} {
		for i, at := range columns {
			if at > column {
				columns[i]--
			}
		}
	}
}

// validate checks what the rest of the code takes for granted of an index that was read.
func (x *Index) validate(columns int) error {
	exprs := 0
	for _, i := range slices.Concat(x.Columns, x.Include) {
		if i == ExprColumn {
			exprs++
		} else if i < 0 || i >= columns {
			return fmt.Errorf("index %s names column %d of %d", x.Name, i, columns)
		}
	}
	switch {
	case exprs != len(x.Exprs) || slices.Contains(x.Include, ExprColumn):
		return fmt.Errorf("index %s has %d expressions for %d places", x.Name, len(x.Exprs), exprs)
	case x.Orders != nil && len(x.Orders) != len(x.Columns):
		return fmt.Errorf("index %s has %d orders of %d columns", x.Name, len(x.Orders), len(x.Columns))
	case x.Classes != nil && len(x.Classes) != len(x.Columns):
		return fmt.Errorf("index %s has %d classes of %d columns", x.Name, len(x.Classes),
			len(x.Columns))
	}
	return nil
}

// forgetIndexes gives back the names of the keys that the old form of a table had and its new form
// has not, and removes the entries of those that are gone.
func (x *Tx) forgetIndexes(old, t *Table) error {
	for _, index := range old.keys() {
		now := t.IndexByOID(index.OID)
		if now != nil && now.Name == index.Name && t.SchemaOID == old.SchemaOID {
			continue
		}
		if now != nil {
			if err := x.remove(nameTable, nameKey(old.SchemaOID, index.Name)); err != nil {
				return err
			}
		} else if err := x.forgetIndex(old, index); err != nil {
			return err
		}
	}
	return nil
}

// nameIndexes writes the names of a table's keys. One that has its name already keeps the row: by
// it a transaction knows whether its snapshot has the index (HasIndex).
func (x *Tx) nameIndexes(t *Table) error {
	old := x.Snapshot().TableByOID(t.OID)
	for _, index := range t.keys() {
		if old != nil && old.SchemaOID == t.SchemaOID {
			if was := old.IndexByOID(index.OID); was != nil && was.Name == index.Name {
				continue
			}
		}
		if err := x.putName(t.SchemaOID, index.Name, index.OID); err != nil {
			return err
		}
	}
	return nil
}

// forgetIndex removes an index's name, and its entries where they are not the table itself.
func (x *Tx) forgetIndex(t *Table, index *Index) error {
	if err := x.remove(nameTable, nameKey(t.SchemaOID, index.Name)); err != nil {
		return err
	}
	if index.Storage == 0 {
		return nil
	}
	if err := x.txn.DeleteTable(index.Storage); err != nil {
		return fmt.Errorf("catalog: delete the entries of %q: %w", index.Name, err)
	}
	return nil
}

// HasIndex says whether an index was there, under its present name, in what a transaction sees. One
// whose snapshot is older than the index would find none of its entries.
func HasIndex(ctx context.Context, txn *engine.Txn, t *Table, index *Index) (bool, error) {
	oid, found, err := txn.Get(ctx, nameTable, nameKey(t.SchemaOID, index.Name))
	if err != nil {
		return false, fmt.Errorf("catalog: look for index %q: %w", index.Name, err)
	}
	return found && binary.BigEndian.Uint32(oid) == index.OID, nil
}
