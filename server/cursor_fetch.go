package server

import (
	"context"
	"fmt"
	"math"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

// fetchColumns describes what FETCH will give; nil for MOVE and, as it is for the statement itself
// to say so, for a cursor that is not there. The formats are those of the simple protocol.
func (s *session) fetchColumns(n *parse.FetchStmt) (columns []pgwire.Column, formats []int16) {
	found, ok := s.conn.Portal(n.Cursor)
	if !ok || n.Move {
		return nil, nil
	}
	p := found.(*portal)
	if p.moved != nil && p.moved.options.binary {
		formats = []int16{pgwire.FormatBinary}
	}
	if p.stmt.plan == nil {
		return nil, nil
	}
	return p.stmt.columns, formats
}

// fetch is FETCH and MOVE.
func (s *session) fetch(
	ctx context.Context, n *parse.FetchStmt, w *pgwire.Writer, formats []int16,
) (string, error) {
	p, err := s.findCursor(n.Cursor)
	if err != nil {
		return "", err
	}
	if p.moved == nil {
		if err := p.adopt(ctx); err != nil {
			return "", err
		}
	}
	tag, take := "FETCH", s.rowTaker(ctx, p, w, formats)
	if n.Move {
		tag, take = "MOVE", nil
	} else if len(formats) > 1 && len(formats) != len(p.stmt.columns) {
		return "", pgwire.Errorf(pgwire.CodeProtocolViolation,
			"bind message has %d result formats but query has %d columns",
			len(formats), len(p.stmt.columns))
	}
	count, err := p.run(func(c *cursor) (int64, error) { return c.move(ctx, n, take) }, n.Cursor)
	return fmt.Sprintf("%s %d", tag, count), err
}

// run moves the cursor. An error is its end.
func (p *portal) run(move func(*cursor) (int64, error), name string) (int64, error) {
	c := p.moved
	if c == nil || c.failed || p.state == portalDead {
		return 0, pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState,
			"portal \"%s\" cannot be run", name)
	}
	count, err := move(c)
	if err != nil {
		c.failed = true
	}
	return count, err
}

// rowTaker writes rows for the client.
func (s *session) rowTaker(
	ctx context.Context, p *portal, w *pgwire.Writer, formats []int16,
) func([]types.Datum) error {
	if p.stmt.plan != nil {
		s.hold(ctx, p.stmt.plan, w)
	}
	s.holdFor(ctx, p.moved, w)
	s.refreshText()
	return func(row []types.Datum) error { return s.writeRow(w, row, formats) }
}

// holdFor keeps back the rows of a held cursor: they may be of a time before the session wanted to
// see only what is flushed.
func (s *session) holdFor(ctx context.Context, c *cursor, w *pgwire.Writer) {
	if c == nil || !c.held || s.durable.release == nil {
		return
	}
	s.durable.ctx = ctx
	s.durable.upto = max(s.durable.upto, s.durable.own, c.seen)
	w.Hold(s.awaitHeld)
}

// executeMoved is the protocol's Execute of a cursor: it goes forward.
func (p *portal) executeMoved(
	ctx context.Context, w *pgwire.Writer, maxRows int,
) (pgwire.Execution, error) {
	limit := int64(maxRows)
	if maxRows == 0 {
		limit = math.MaxInt64
	}
	take := p.session.rowTaker(ctx, p, w, p.formats)
	sent, err := p.run(func(c *cursor) (int64, error) { return c.forward(ctx, limit, take) }, p.name)
	if err != nil {
		return 0, err
	}
	if sent == limit {
		return pgwire.Suspended, nil
	}
	w.CommandComplete(fmt.Sprintf("%s %d", p.doneTag(), sent))
	return pgwire.Completed, nil
}
