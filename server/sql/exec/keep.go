package exec

import (
	"context"

	"ackdb/server/sql/types"
)

// Keep has the cursor read, from here on, as of this moment, whatever its transaction and others
// write between two rows. It has to be called before the transaction's next statement.
func (c *Cursor) Keep() error {
	if c.moment != nil || c.op == nil {
		return nil
	}
	moment, err := c.run.txn.Keep()
	c.moment = moment
	return err
}

// nextKept is Next in the cursor's moment.
func (c *Cursor) nextKept(ctx context.Context) ([]types.Datum, error) {
	m := c.moment
	c.moment = nil
	m.Enter()
	defer func() {
		m.Leave()
		if c.op == nil {
			m.Close()
		} else {
			c.moment = m
		}
	}()
	return c.Next(ctx)
}

func (c *Cursor) closeMoment() {
	if c.moment != nil {
		c.moment.Close()
		c.moment = nil
	}
}

// KeepRow gives a row in memory of its own, and what it takes.
func KeepRow(row []types.Datum) (kept []types.Datum, size int) {
	return cloneRow(row), rowSize(row)
}
