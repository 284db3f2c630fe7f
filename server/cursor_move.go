package server

import (
	"context"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// The movements of a cursor. Each hands the rows it is asked for to take, which is nil for a MOVE
// and on the way, and returns how many there were.

func errForwardOnly() *pgwire.Error {
	e := pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState, "cursor can only scan forward")
	e.Hint = "Declare it with SCROLL option to enable backward scan."
	return e
}

// move goes where a FETCH or MOVE says.
func (c *cursor) move(
	ctx context.Context, n *parse.FetchStmt, take func([]types.Datum) error,
) (int64, error) {
	count := n.Count
	switch n.Direction {
	case parse.FetchAbsolute:
		return c.absolute(ctx, count, take)
	case parse.FetchRelative:
		if count != 0 {
			return c.relative(ctx, count, take)
		}
	case parse.FetchBackward:
		count = -count
	}
	switch {
	case count > 0:
		return c.forward(ctx, count, take)
	case count == 0:
		return c.again(n, take)
	case n.Move && count == -parse.FetchAll:
		before := max(c.at-1, 0)
		return before, c.rewind()
	}
	return c.backward(ctx, -count, take)
}

// forward goes over the next rows.
func (c *cursor) forward(
	ctx context.Context, count int64, take func([]types.Datum) error,
) (done int64, err error) {
	for ; done < count; done++ {
		row, err := c.next(ctx)
		if row == nil || err != nil {
			return done, err
		}
		if take == nil {
			continue
		}
		if err := take(row); err != nil {
			return done, err
		}
	}
	return done, nil
}

// backward goes over the rows before.
func (c *cursor) backward(
	ctx context.Context, count int64, take func([]types.Datum) error,
) (done int64, err error) {
	if !c.options.scroll {
		return 0, errForwardOnly()
	}
	for ; done < count && c.at > 0; done++ {
		if err := ctx.Err(); err != nil {
			return done, context.Cause(ctx)
		}
		if c.at--; c.at == 0 {
			return done, nil
		}
		if take == nil {
			continue
		}
		if err := take(c.rows[c.at-1]); err != nil {
			return done, err
		}
	}
	return done, nil
}

// absolute goes to a row by its number, from the end if that is negative.
func (c *cursor) absolute(
	ctx context.Context, number int64, take func([]types.Datum) error,
) (int64, error) {
	switch {
	case number == 0:
		return 0, c.rewind()
	case number < 0:
		if _, err := c.forward(ctx, parse.FetchAll, nil); err != nil {
			return 0, err
		}
		return c.relative(ctx, number, take)
	case number <= c.at && !c.options.scroll:
		return 0, errForwardOnly()
	case number <= c.at:
		c.at = number - 1
	}
	return c.relative(ctx, number-c.at, take)
}

// relative goes over all rows but the last of a distance, and gives that.
func (c *cursor) relative(
	ctx context.Context, distance int64, take func([]types.Datum) error,
) (int64, error) {
	step := c.forward
	if distance < 0 {
		step, distance = c.backward, -distance
	}
	if distance > 1 {
		if _, err := step(ctx, distance-1, nil); err != nil {
			return 0, err
		}
	}
	return step(ctx, 1, take)
}

// again gives the row it stands on, if it stands on one.
func (c *cursor) again(n *parse.FetchStmt, take func([]types.Datum) error) (int64, error) {
	onRow := c.at > 0 && c.at <= c.read
	switch {
	case onRow && n.Move:
		return 1, nil
	case n.Move:
		return 0, nil
	case !c.options.scroll && (onRow || n.Direction == parse.FetchBackward):
		return 0, errForwardOnly()
	case onRow:
		return 1, take(c.rows[c.at-1])
	}
	return 0, nil
}

// rewind goes before the first row.
func (c *cursor) rewind() error {
	if c.at > 0 && !c.options.scroll {
		return errForwardOnly()
	}
	c.at = 0
	return nil
}

// next goes one row forward: one that was kept, or a new one. nil is the end.
func (c *cursor) next(ctx context.Context) ([]types.Datum, error) {
	if c.at < c.read {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c.at++
		return c.rows[c.at-1-c.base], nil
	}
	row, err := c.pull(ctx)
	if err == nil {
		c.at = c.read
		if row == nil {
			c.at++
		}
	}
	return row, err
}

// pull takes a row from the plan, and keeps it if need be.
func (c *cursor) pull(ctx context.Context) ([]types.Datum, error) {
	if c.ended {
		return nil, nil
	}
	row, err := c.portal.cursor.Next(ctx)
	if err != nil {
		return nil, err
	}
	if row == nil {
		c.ended = true
		return nil, nil
	}
	if c.keeps {
		if row, err = c.keep(row); err != nil {
			return nil, err
		}
	}
	c.read++
	return row, nil
}
