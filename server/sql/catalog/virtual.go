package catalog

import (
	"context"

	"ackdb/server/sql/types"
)

// VirtualTable is a table whose rows are made up when it is read: pg_class, pg_settings.
type VirtualTable struct {
	Schema  string
	Name    string
	OID     uint32
	Columns []Column

	// Keys are columns that Rows can look rows up by: see VirtualEnv.Value.
	Keys []int

	// Rows yields every row, in Columns' order. The row may be reused after yield returns. It stops
	// at the first error of yield and returns that error.
	Rows func(ctx context.Context, env *VirtualEnv, yield func(row []types.Datum) error) error
}

// VirtualEnv is what a virtual table may look at.
type VirtualEnv struct {
	Snapshot *Snapshot // the asking transaction's view of the catalog
	Host     any       // the session, as the server registered it with the executor

	// Value is what the rows that are wanted have in column Key, one of the table's Keys; NULL when
	// all are wanted. Others may be yielded too.
	Key   int
	Value types.Datum
}

// Register adds a virtual table. To be called before the server serves.
func (c *Catalog) Register(v *VirtualTable) {
	for i := range v.Columns {
		v.Columns[i].Attnum = int16(i + 1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.current.Load().clone()
	next.putVirtual(v)
	c.virtuals = append(c.virtuals, v)
	c.current.Store(next)
}
