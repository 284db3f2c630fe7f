package server

import (
	"context"
	"fmt"
	"unsafe"

	"ackdb/pgwire"
	"ackdb/server/sql/exec"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// portal is a statement with its parameters, ready to run or half run. It belongs to the session's
// goroutine and to one transaction.
type portal struct {
	session *session
	stmt    *statement
	formats []int16

	params []types.Datum
	bytes  []byte // what params alias

	cursor *exec.Cursor
	depth  int // savepoints standing when the cursor was opened
	state  portalState

	moved *cursor // once SQL moves it
	name  string  // that DECLARE gave it
}

type portalState uint8

const (
	portalReady portalState = iota
	portalSuspended
	portalDone
	portalDead // its transaction is over, or went back to before it
)

// portalKeepBytes is the largest parameter buffer a closed portal keeps for its next use.
const portalKeepBytes = 64 << 10

// newPortal takes the spare one, if it is free: a driver that binds the unnamed portal over and
// over allocates nothing.
func (s *session) newPortal(st *statement, formats []int16) *portal {
	p := s.spare
	if p == nil {
		p = &portal{}
	}
	s.spare = nil
	*p = portal{session: s, stmt: st, formats: formats, params: p.params[:0], bytes: p.bytes[:0]}
	return p
}

// Columns implements pgwire.Portal.
func (p *portal) Columns() []pgwire.Column {
	if u := p.stmt.utility; u != nil {
		if n, ok := u.stmt.Tree.(*parse.FetchStmt); ok {
			columns, _ := p.session.fetchColumns(n) // of the cursor that has the name now
			return columns
		}
	}
	return p.stmt.columns
}

// Close implements pgwire.Portal.
func (p *portal) Close() {
	s := p.session
	if p.cursor != nil || p.moved != nil {
		p.closeCursor()
		s.forgetPortal(p)
	}
	if p.moved != nil {
		p.moved.release()
		p.moved = nil
	}
	p.state = portalDead
	if cap(p.bytes) <= portalKeepBytes {
		clear(p.params)
		s.spare = p
	}
}

// closeCursor ends reading; the transaction below is about to go, or the portal is.
func (p *portal) closeCursor() {
	if p.cursor != nil {
		p.cursor.Close()
		p.cursor = nil
		p.state = portalDead
	}
}

func (s *session) forgetPortal(p *portal) {
	list := s.txn.portals
	for i, other := range list {
		if other == p {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			s.txn.portals = list[:len(list)-1]
			return
		}
	}
}

// Execute implements pgwire.Portal.
func (p *portal) Execute(
	ctx context.Context, w *pgwire.Writer, maxRows int,
) (execution pgwire.Execution, err error) {
	s := p.session
	defer s.contain(&err)
	s.begins(w)
	s.becomesActive(p.stmt.sql)
	defer s.logSlow(p.stmt.sql)()
	execution, err = p.execute(ctx, w, maxRows)
	if err != nil || w.Full() {
		err = s.settle(ctx, w, err)
	}
	if err != nil {
		return 0, s.asError(ctx, err)
	}
	if execution == pgwire.Completed {
		s.timers.stopStatement()
	}
	return execution, nil
}

func (p *portal) execute(
	ctx context.Context, w *pgwire.Writer, maxRows int,
) (pgwire.Execution, error) {
	s := p.session
	if s.txn.block == blockFailed && !p.stmt.exits {
		return 0, errAborted()
	}
	s.txn.pipelined = true
	switch {
	case p.stmt.plan != nil:
		return p.executePlan(ctx, w, maxRows)
	case p.stmt.utility != nil:
		return p.executeUtility(ctx, w)
	}
	w.EmptyQuery()
	return pgwire.Completed, nil
}

// returnsRows: a row limit suspends these; everything else runs to its end.
func (p *portal) returnsRows() bool {
	k := p.stmt.plan.Kind
	return k == plan.KindRows || k == plan.KindDMLReturning
}

func (p *portal) executePlan(
	ctx context.Context, w *pgwire.Writer, maxRows int,
) (pgwire.Execution, error) {
	s := p.session
	if p.moved != nil {
		return p.executeMoved(ctx, w, maxRows)
	}
	if p.state == portalReady {
		if tag, ran, err := p.executeCopy(ctx, w); ran {
			return p.complete(w, tag, err)
		}
		if err := p.openCursor(ctx, maxRows > 0 && p.returnsRows()); err != nil {
			return 0, err
		}
	}
	switch {
	case p.state == portalDone && p.returnsRows():
		return p.complete(w, fmt.Sprintf("%s 0", p.doneTag()), nil)
	case p.cursor == nil:
		return 0, pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState, "portal cannot be run")
	}
	s.hold(ctx, p.stmt.plan, w)
	s.refreshText()
	if !p.returnsRows() {
		maxRows = 0
	}
	for sent := 0; maxRows == 0 || sent < maxRows; sent++ {
		row, err := p.cursor.Next(ctx)
		if err != nil {
			return 0, err
		}
		if row == nil {
			return p.complete(w, p.endTag(sent), nil)
		}
		if err := s.writeRow(w, row, p.formats); err != nil {
			return 0, err
		}
	}
	p.state = portalSuspended
	return pgwire.Suspended, p.cursor.Keep()
}

// openCursor starts the plan. lasting says that other statements may run before its end.
func (p *portal) openCursor(ctx context.Context, lasting bool) error {
	s := p.session
	if err := s.refresh(p.stmt); err != nil {
		return err
	}
	if err := s.admit(ctx, p.stmt.plan); err != nil {
		return err
	}
	env := s.execEnv(p.params)
	env.Lasting = lasting
	cursor, err := s.server.executor.Open(ctx, p.stmt.plan, env)
	if err != nil {
		return err
	}
	p.cursor, p.depth = cursor, len(s.txn.savepoints)
	s.txn.portals = append(s.txn.portals, p)
	return nil
}

// executeCopy runs a COPY, which has no cursor.
func (p *portal) executeCopy(
	ctx context.Context, w *pgwire.Writer,
) (tag string, ran bool, err error) {
	if k := p.stmt.plan.Kind; k != plan.KindCopyIn && k != plan.KindCopyOut {
		return "", false, nil
	}
	if err := p.session.refresh(p.stmt); err != nil {
		return "", true, err
	}
	tag, err = p.session.runPlan(ctx, p.stmt.plan, p.params, w, p.formats, false)
	return tag, true, err
}

// complete ends a run that has succeeded.
func (p *portal) complete(
	w *pgwire.Writer, tag string, err error,
) (pgwire.Execution, error) {
	if err != nil {
		return 0, err
	}
	if p.cursor != nil {
		p.closeCursor()
		p.session.forgetPortal(p)
	}
	p.state = portalDone
	w.CommandComplete(tag)
	p.session.reportCommit(w)
	return pgwire.Completed, nil
}

// endTag counts, of a SELECT fetched in portions, the rows of the last one, as Postgres does.
func (p *portal) endTag(sent int) string {
	if p.state == portalSuspended && p.stmt.plan.Kind == plan.KindRows {
		return fmt.Sprintf("%s %d", p.stmt.plan.Tag, sent)
	}
	return p.cursor.Tag()
}

func (p *portal) doneTag() string {
	if p.stmt.plan.Tag == "INSERT" {
		return "INSERT 0"
	}
	return p.stmt.plan.Tag
}

func (p *portal) executeUtility(
	ctx context.Context, w *pgwire.Writer,
) (pgwire.Execution, error) {
	if p.state != portalReady {
		return 0, pgwire.Errorf(pgwire.CodeObjectNotInPrerequisiteState, "portal cannot be run")
	}
	tag, err := p.stmt.utility.run(ctx, p.session, w, p.formats, p.params)
	if err != nil {
		return 0, err
	}
	if tag == "" {
		p.state = portalDone
		return pgwire.Completed, nil
	}
	return p.complete(w, tag, nil)
}

// bytesAsString views bytes that live as long as the string and do not change meanwhile.
func bytesAsString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
