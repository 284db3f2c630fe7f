package server

import (
	"context"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// Query implements pgwire.Backend: the simple protocol.
func (s *session) Query(ctx context.Context, sql string, w *pgwire.Writer) (err error) {
	defer s.contain(&err)
	s.begins(w)
	s.becomesActive(sql)
	defer s.logSlow(sql)()
	return s.asError(ctx, s.settle(ctx, w, s.query(ctx, sql, w)))
}

func (s *session) query(ctx context.Context, sql string, w *pgwire.Writer) error {
	if err := s.tokens.Lex(sql); err != nil {
		return err
	}
	switch s.tokens.Len() {
	case 0:
		w.EmptyQuery()
		return nil
	case 1:
		done, err := s.queryCached(ctx, w)
		if done || err != nil {
			return err
		}
	}
	stmts, err := parse.Parse(sql)
	if err != nil {
		return err
	}
	if len(stmts) > 1 && s.txn.block == blockNone {
		s.enter()
		s.txn.block = blockImplicit
	}
	for i := range stmts {
		// statement_timeout is each statement's, and may have been set by the one before.
		s.timers.restartStatement()
		last := i == len(stmts)-1
		if err := s.queryOne(ctx, &stmts[i], w, last); err != nil {
			return err
		}
	}
	return nil
}

// queryCached runs a single statement by its fingerprint; false means that it has to be parsed.
func (s *session) queryCached(ctx context.Context, w *pgwire.Writer) (bool, error) {
	st := s.tokens.Stmt(0)
	if s.txn.block == blockFailed || !st.Cacheable() {
		return false, nil
	}
	prepared, args, ok := s.server.planner.Simple(s.planEnv(), st, s.args)
	s.args = args
	if !ok {
		return false, nil
	}
	return true, s.queryPlan(ctx, prepared, args, w, true)
}

// queryOne runs one statement of a simple query. last says that the query's implicit transaction
// ends with it.
func (s *session) queryOne(
	ctx context.Context, stmt *parse.Stmt, w *pgwire.Writer, last bool,
) error {
	if s.txn.block == blockFailed && !exitsBlock(stmt.Tree) {
		return errAborted()
	}
	if plan.Handles(stmt.Tree) {
		prepared, err := s.server.planner.Prepare(s.planEnv(), stmt, nil)
		if err != nil {
			return err
		}
		if len(prepared.ParamOIDs) > 0 {
			return errNoParameter(stmt)
		}
		return s.queryPlan(ctx, prepared, nil, w, last)
	}
	u, err := s.newUtility(stmt, nil)
	if err != nil {
		return err
	}
	if len(u.paramOIDs()) > 0 {
		return errNoParameter(stmt)
	}
	if columns := u.columns(); columns != nil {
		w.RowDescription(columns, u.formats)
	}
	tag, err := u.run(ctx, s, w, u.formats, nil)
	if err != nil {
		return err
	}
	return s.endSimple(ctx, tag, w, last)
}

// queryPlan runs a plan with all its rows.
func (s *session) queryPlan(
	ctx context.Context, prepared *plan.Prepared, args []types.Datum, w *pgwire.Writer, last bool,
) error {
	tag, err := s.runPlan(ctx, prepared, args, w, nil, true)
	if err != nil {
		return err
	}
	return s.endSimple(ctx, tag, w, last)
}

// endSimple commits what was implicit and only then says that the statement is complete (S1).
func (s *session) endSimple(ctx context.Context, tag string, w *pgwire.Writer, last bool) error {
	if last && (s.txn.block == blockNone || s.txn.block == blockImplicit) {
		s.txn.block = blockNone
		if err := s.commit(ctx); err != nil {
			return err
		}
	}
	if tag != "" {
		w.CommandComplete(tag)
	}
	s.reportCommit(w)
	return nil
}

// errNoParameter points at the first parameter of a statement that is given none.
func errNoParameter(stmt *parse.Stmt) *pgwire.Error {
	e := pgwire.Errorf(codeUndefinedParameter, "there is no parameter $1")
	var tokens parse.Tokens
	if tokens.Lex(stmt.Text) != nil || tokens.Len() == 0 {
		return e
	}
	st := tokens.Stmt(0)
	for i := range st.Len() {
		if t := st.Token(i); t.Kind == parse.TokenParam {
			e.Message = "there is no parameter " + st.TokenText(i)
			e.Position = int32(stmt.Position(parse.Pos(t.Start)))
			return e
		}
	}
	return e
}

const codeUndefinedParameter = "42P02"
