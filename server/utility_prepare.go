package server

import (
	"context"

	"ackdb/engine"
	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
	"ackdb/wal"
)

// prepareStmt is PREPARE. Its statements live under the same names as those of the protocol.
func (s *session) prepareStmt(stmt *parse.Stmt, n *parse.PrepareStmt) error {
	if !plan.Handles(n.Query) {
		return errUnsupported("PREPARE of this statement")
	}
	oids := make([]uint32, len(n.Types))
	for i, t := range n.Types {
		oid, err := typeOID(stmt, t)
		if err != nil {
			return err
		}
		oids[i] = uint32(oid)
	}
	// Positions of the query count from the start of the PREPARE, as its text does.
	query := *stmt
	query.Tree = n.Query
	st, err := s.prepare(stmt.Text, &query, oids)
	if err != nil {
		return err
	}
	st.bySQL = true
	return s.conn.Prepare(n.Name, st)
}

func typeOID(stmt *parse.Stmt, t parse.TypeName) (types.OID, error) {
	info, ok := types.LookupTypeName(t.Name.Name)
	if ok && t.ArrayDims > 0 {
		info, ok = types.Lookup(info.Array), info.Array != 0
	}
	if !ok {
		e := pgwire.Errorf(pgwire.CodeUndefinedObject, "type \"%s\" does not exist", t.Name)
		e.Position = int32(stmt.Position(t.Pos))
		return 0, e
	}
	return info.OID, nil
}

// executeStmt is EXECUTE.
func (s *session) executeStmt(
	ctx context.Context, stmt *parse.Stmt, n *parse.ExecuteStmt, w *pgwire.Writer, formats []int16,
) (string, error) {
	found, err := s.conn.Prepared(n.Name)
	if err != nil {
		return "", err
	}
	st := found.(*statement)
	if len(n.Args) != len(st.oids) {
		e := pgwire.Errorf(pgwire.CodeSyntaxError,
			"wrong number of parameters for prepared statement \"%s\"", n.Name)
		e.Detail = pgwire.Errorf("", "Expected %d parameters but got %d.",
			len(st.oids), len(n.Args)).Message
		return "", e
	}
	params, err := s.executeArguments(ctx, stmt, n, st)
	if err != nil {
		return "", err
	}
	if st.plan == nil {
		if st.utility == nil {
			w.EmptyQuery()
			return "", nil
		}
		return st.utility.run(ctx, s, w, formats, params)
	}
	if err := s.refresh(st); err != nil {
		return "", err
	}
	return s.runPlan(ctx, st.plan, params, w, formats, false)
}

// executeArguments evaluates the arguments as a SELECT of them would, and casts each to its
// parameter's type.
func (s *session) executeArguments(
	ctx context.Context, stmt *parse.Stmt, n *parse.ExecuteStmt, st *statement,
) ([]types.Datum, error) {
	if len(n.Args) == 0 {
		return nil, nil
	}
	list := &parse.SelectStmt{}
	for i, arg := range n.Args {
		info := types.Lookup(types.OID(st.oids[i]))
		typed := &parse.CastExpr{Arg: arg, Pos: parse.NoPos,
			Type: parse.TypeName{Name: parse.QName{Schema: "pg_catalog", Name: info.Name},
				Pos: parse.NoPos}}
		list.Targets = append(list.Targets, parse.ResTarget{Val: typed, Pos: parse.NoPos})
	}
	query := *stmt
	query.Tree = list
	prepared, err := s.server.planner.Prepare(s.planEnv(), &query, nil)
	if err != nil {
		return nil, err
	}
	if err := s.admit(ctx, prepared); err != nil {
		return nil, err
	}
	cursor, err := s.server.executor.Open(ctx, prepared, s.execEnv(nil))
	if err != nil {
		return nil, err
	}
	defer cursor.Close()
	row, err := cursor.Next(ctx)
	if err != nil {
		return nil, err
	}
	params := make([]types.Datum, len(row))
	for i, d := range row {
		params[i] = d.Clone()
	}
	return params, nil
}

func (s *session) deallocate(n *parse.DeallocateStmt) (string, error) {
	if n.All {
		s.conn.DeallocateAll()
		return "DEALLOCATE ALL", nil
	}
	if !s.conn.Deallocate(n.Name) {
		return "", pgwire.Errorf(pgwire.CodeInvalidSQLStatementName,
			"prepared statement \"%s\" does not exist", n.Name)
	}
	return "DEALLOCATE", nil
}

func (s *session) discard(ctx context.Context, n *parse.DiscardStmt) (string, error) {
	switch n.Target {
	case parse.DiscardPlans:
		s.parsed = nil
		return "DISCARD PLANS", nil
	case parse.DiscardSequences:
		s.exec.DiscardSequences()
		return "DISCARD SEQUENCES", nil
	case parse.DiscardTemp:
		return "DISCARD TEMP", s.discardTemp(ctx)
	}
	if err := s.forbidBlock("DISCARD ALL"); err != nil {
		return "", err
	}
	if err := s.discardTemp(ctx); err != nil {
		return "", err
	}
	s.enter()
	s.settings.resetAll()
	s.conn.CloseHeldPortals()
	s.conn.DeallocateAll()
	s.unlisten("")
	s.parsed = nil
	s.exec.DiscardSequences()
	if s.advisory != nil {
		s.advisory.UnlockAll()
	}
	s.receipts.last = wal.Token{}
	return "DISCARD ALL", nil
}

// lockTable is LOCK TABLE. Postgres' numbers for the modes are the engine's.
func (s *session) lockTable(ctx context.Context, stmt *parse.Stmt, n *parse.LockStmt) error {
	if err := s.requireBlock("LOCK TABLE"); err != nil {
		return err
	}
	policy := engine.Wait
	if n.NoWait {
		policy = engine.NoWait
	}
	s.open()
	for _, v := range n.Tables {
		if err := s.requireRelation(stmt, v); err != nil {
			return err
		}
		table := s.snapshot().Resolve(s.text.path, v.Name.Schema, v.Name.Name).Table
		if table == nil {
			return pgwire.Errorf(codeWrongObjectType, "cannot lock relation \"%s\"", v.Name)
		}
		if s.server.inRecovery() {
			continue // nothing that writes stands behind a lock there; replay honours none
		}
		err := s.txn.tx.Engine().LockTable(ctx, table.Storage, engine.TableLockMode(n.Mode), policy)
		if err != nil {
			return err
		}
	}
	return nil
}

const codeWrongObjectType = "42809"
