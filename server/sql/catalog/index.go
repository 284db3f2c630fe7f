package catalog

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"ackdb/engine"
	"ackdb/server/sql/types"
)

// Index describes the primary key, or an index beside it. The primary key is the order in which
// the table itself is stored; any other index has a storage of its own.
type Index struct {
	OID     uint32 `json:"oid"`
	Name    string `json:"name"`
	Columns []int  `json:"columns"` // positions in Table.Columns, in key order
	Comment string `json:"comment,omitempty"`

	// What follows is zero for a primary key.

	Storage    engine.TableID   `json:"storage,omitempty"`
	Orders     []types.KeyOrder `json:"orders,omitempty"` // of each column; nil: all ascending
	Unique     bool             `json:"unique,omitempty"`
	Constraint bool             `json:"constraint,omitempty"` // a UNIQUE constraint, dropped as one
	Options    []string         `json:"options,omitempty"`
	Tablespace string           `json:"tablespace,omitempty"`
}

func (x *Index) clone() *Index {
	c := *x
	c.Columns, c.Orders = slices.Clone(x.Columns), slices.Clone(x.Orders)
	c.Options = slices.Clone(x.Options)
	return &c
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
		return slices.Contains(x.Columns, column)
	})
	for _, x := range t.Indexes {
		for i, at := range x.Columns {
			if at > column {
				x.Columns[i]--
			}
		}
	}
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
