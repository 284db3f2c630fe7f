package server

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"

	"ackdb/pgwire"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// cursor is what a portal has once SQL moves it: DECLARE made it, or FETCH came to one that the
// protocol had bound. Both live under the same names.
type cursor struct {
	portal  *portal
	options cursorOptions
	created time.Time

	// at is the row it stands on: 0 before the first, and one more than read behind the last.
	at int64
	// read counts the rows taken from the plan; ended says that there are no more.
	read  int64
	ended bool
	// rows are kept from the row after base on: of a cursor that scrolls, and of what is left of
	// one that outlives its transaction.
	rows  [][]types.Datum
	base  int64
	keeps bool
	bytes int

	failed bool // an error has come out of it; it cannot be moved any more
	held   bool // its transaction is committed
	// seen is what its rows can come from: in ack.read_durability = flushed, those of a held cursor
	// wait for it.
	seen wal.LSN
}

type cursorOptions struct{ scroll, hold, binary bool }

// findCursor finds what FETCH, MOVE and CLOSE name.
func (s *session) findCursor(name string) (*portal, error) {
	if found, ok := s.conn.Portal(name); ok {
		return found.(*portal), nil
	}
	return nil, pgwire.Errorf(pgwire.CodeInvalidCursorName, "cursor \"%s\" does not exist", name)
}

// Held implements pgwire.HeldPortal.
func (p *portal) Held() bool { return p.moved != nil && p.moved.held }

// adopt lets SQL move a portal that the protocol has made. It can only go forward.
func (p *portal) adopt(ctx context.Context) error {
	if p.stmt.plan == nil || !p.returnsRows() || p.state == portalDead {
		return nil // which cannot be run
	}
	c := &cursor{portal: p, created: p.session.txn.started}
	switch p.state {
	case portalReady:
		if err := p.openCursor(ctx, true); err != nil {
			return err
		}
	case portalDone:
		c.ended, c.at = true, 1
	}
	if p.cursor != nil {
		c.read = p.cursor.Rows()
		c.at = c.read
		if err := p.cursor.Keep(); err != nil {
			return err
		}
	}
	p.moved = c
	return nil
}

// keep takes a copy of a row. What a session's cursors keep is bounded as what a statement may hold
// is.
func (c *cursor) keep(row []types.Datum) ([]types.Datum, error) {
	kept, size := exec.KeepRow(row)
	s := c.portal.session
	if err := s.cursorMemory.Keep(size); err != nil {
		s.cursorMemory.Drop(size)
		var full *types.Error
		if errors.As(err, &full) {
			full.Detail = strings.Replace(full.Detail, "The statement",
				"The cursors of this session", 1)
		}
		return nil, err
	}
	c.bytes += size
	c.rows = append(c.rows, kept)
	return kept, nil
}

// release lets go of what is kept.
func (c *cursor) release() {
	c.portal.session.cursorMemory.Drop(c.bytes)
	c.rows, c.bytes = nil, 0
}

// closeCursorStmt is CLOSE.
func (s *session) closeCursorStmt(n *parse.ClosePortalStmt) (string, error) {
	if n.Name == "" {
		s.conn.CloseHeldPortals()
		return "CLOSE CURSOR ALL", nil
	}
	if _, err := s.findCursor(n.Name); err != nil {
		return "", err
	}
	return "CLOSE CURSOR", s.conn.ClosePortal(n.Name)
}

// holdCursors reads to their ends the cursors that outlive the transaction, which is about to be
// committed.
func (s *session) holdCursors(ctx context.Context) error {
	t := &s.txn
	for _, p := range t.portals {
		if !p.outlives() {
			continue
		}
		if err := p.moved.materialise(ctx); err != nil {
			return err
		}
		t.holds = append(t.holds, p.moved)
	}
	if len(t.holds) > 0 {
		t.portals = slices.DeleteFunc(t.portals, (*portal).outlives)
	}
	return nil
}

// outlives says whether a commit leaves the portal.
func (p *portal) outlives() bool {
	return p.moved != nil && p.moved.options.hold && !p.moved.failed
}

// materialise keeps all that is left. A cursor that scrolls keeps what lies behind it, too.
func (c *cursor) materialise(ctx context.Context) error {
	if !c.keeps {
		c.keeps, c.base = true, c.read
	}
	for !c.ended {
		if _, err := c.pull(ctx); err != nil {
			return err
		}
	}
	if c.portal.cursor != nil {
		c.portal.cursor.Close()
		c.portal.cursor = nil
	}
	return nil
}

// keepHeld lets what was read to its end stay, now that the transaction is committed.
func (t *transaction) keepHeld() {
	for _, c := range t.holds {
		c.held = true
	}
}

var cursorColumns = columnsOf("name", types.Text, "statement", types.Text,
	"is_holdable", types.Bool, "is_binary", types.Bool, "is_scrollable", types.Bool,
	"creation_time", types.TimestampTZ)

func cursorRows(env *viewEnv, yield func([]types.Datum) error) error {
	if env.session == nil {
		return nil
	}
	var rows [][]types.Datum
	env.session.conn.EachPortal(func(name string, found pgwire.Portal) {
		p := found.(*portal)
		options, created := cursorOptions{}, env.session.txn.started
		if p.moved != nil {
			options, created = p.moved.options, p.moved.created
		}
		rows = append(rows, []types.Datum{types.NewText(name), types.NewText(p.stmt.sql),
			types.NewBool(options.hold), types.NewBool(options.binary),
			types.NewBool(options.scroll), timeOrNull(created)})
	})
	sort.Slice(rows, func(i, j int) bool { return rows[i][0].Str() < rows[j][0].Str() })
	for _, row := range rows {
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}
