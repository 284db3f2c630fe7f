package server

import (
	"context"
	"strings"
	"time"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

const codeInvalidCursorDefinition = "42P11"

// planCursor plans the query of a DECLARE, and refuses options that contradict it.
func (s *session) planCursor(
	stmt *parse.Stmt, n *parse.DeclareCursorStmt, oids []uint32,
) (*plan.Prepared, error) {
	switch {
	case n.Scroll && n.NoScroll:
		return nil, pgwire.Errorf(codeInvalidCursorDefinition,
			"cannot specify both SCROLL and NO SCROLL")
	case n.Asensitive && n.Insensitive:
		return nil, pgwire.Errorf(codeInvalidCursorDefinition,
			"cannot specify both ASENSITIVE and INSENSITIVE")
	}
	query := *stmt
	query.Tree = n.Query
	p, err := s.server.planner.Prepare(s.planEnv(), &query, oids)
	if err != nil {
		return nil, err
	}
	if p.Kind != plan.KindRows {
		return nil, pgwire.Errorf(pgwire.CodeFeatureNotSupported,
			"DECLARE CURSOR must not contain data-modifying statements in WITH")
	}
	return p, refuseLocking(n, p)
}

// refuseLocking: rows that are locked where they are read cannot be read ahead, nor again.
func refuseLocking(n *parse.DeclareCursorStmt, p *plan.Prepared) error {
	if p.ReadOnly {
		return nil
	}
	lock := strings.TrimPrefix(p.Refusal, "SELECT ")
	var e *pgwire.Error
	switch {
	case n.Hold:
		e = errUnsupported("DECLARE CURSOR WITH HOLD ... %s", lock)
		e.Detail = "Holdable cursors must be READ ONLY."
	case n.Scroll:
		e = errUnsupported("DECLARE SCROLL CURSOR ... %s", lock)
		e.Detail = "Scrollable cursors must be READ ONLY."
	case n.Insensitive:
		e = pgwire.Errorf(codeInvalidCursorDefinition,
			"DECLARE INSENSITIVE CURSOR ... %s is not valid", lock)
		e.Detail = "Insensitive cursors must be READ ONLY."
	default:
		return nil
	}
	return e
}

// declareCursor is DECLARE. What the cursor will see is settled here.
func (s *session) declareCursor(
	ctx context.Context, u *utility, n *parse.DeclareCursorStmt, params []types.Datum,
) error {
	if !n.Hold && s.txn.block == blockNone {
		return s.requireBlock("DECLARE CURSOR")
	}
	if _, there := s.conn.Portal(n.Name); there {
		return pgwire.Errorf(pgwire.CodeDuplicateCursor, "cursor \"%s\" already exists", n.Name)
	}
	format := pgwire.FormatText
	if n.Binary {
		format = pgwire.FormatBinary
	}
	p := &portal{session: s, formats: []int16{format}, stmt: &statement{
		sql: u.stmt.Text, plan: u.query, columns: wireColumns(u.query.Columns)}}
	for _, d := range params {
		p.params = append(p.params, d.Clone()) // the message they came in is gone at the first FETCH
	}
	p.moved = &cursor{portal: p, created: time.Now(), keeps: n.Scroll,
		options: cursorOptions{scroll: n.Scroll, hold: n.Hold, binary: n.Binary}}
	err := p.openCursor(ctx, true)
	if err == nil {
		err = p.cursor.Keep()
	}
	if err == nil {
		p.moved.seen = s.txn.tx.Engine().SnapshotLSN()
		err = s.conn.AddPortal(n.Name, p, format)
	}
	if err != nil {
		p.closeCursor()
		s.forgetPortal(p)
		return err
	}
	p.name = n.Name
	return nil
}
