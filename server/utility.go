package server

import (
	"context"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/plan"
	"ackdb/server/sql/types"
)

// utility is a statement that is no plan: the session runs it itself.
type utility struct {
	stmt *parse.Stmt
	oids []uint32 // parameter types declared by the client, for what PREPARE may want

	// described is what the rows are like. What EXECUTE and FETCH name is looked up again when they
	// run.
	described []pgwire.Column
	formats   []int16 // in the simple protocol; nil is text

	query *plan.Prepared // of DECLARE
}

// newUtility refuses what is not supported, so that Parse already answers 0A000.
func (s *session) newUtility(stmt *parse.Stmt, oids []uint32) (*utility, error) {
	u := &utility{stmt: stmt, oids: oids}
	switch n := stmt.Tree.(type) {
	case *parse.VariableShowStmt:
		columns, err := showColumns(n.Name)
		if err != nil {
			return nil, err
		}
		u.described = columns
	case *parse.ExecuteStmt:
		if found, err := s.conn.Prepared(n.Name); err == nil {
			u.described = found.Columns()
		}
	case *parse.WaitForStmt:
		u.described = []pgwire.Column{textColumn("status")}
	case *parse.FetchStmt:
		u.described, u.formats = s.fetchColumns(n)
	case *parse.DeclareCursorStmt:
		query, err := s.planCursor(stmt, n, oids)
		if err != nil {
			return nil, err
		}
		u.query = query
	default:
		if feature := unsupportedStatement(n); feature != nil {
			return nil, feature
		}
	}
	return u, nil
}

func (u *utility) columns() []pgwire.Column { return u.described }

// paramOIDs are the types of the parameters, which only the query of a DECLARE can have.
func (u *utility) paramOIDs() []uint32 {
	if u.query == nil {
		return nil
	}
	return u.query.ParamOIDs
}

// run runs the command and returns its tag; an empty tag means that a completion is written.
func (u *utility) run(
	ctx context.Context, s *session, w *pgwire.Writer, formats []int16, params []types.Datum,
) (string, error) {
	if err := s.forbidUtility(u.stmt.Tree); err != nil {
		return "", err
	}
	switch n := u.stmt.Tree.(type) {
	case *parse.TransactionStmt:
		return s.transactionStmt(ctx, n)
	case *parse.VariableSetStmt:
		return s.setStmt(n)
	case *parse.VariableShowStmt:
		return "SHOW", s.show(w, n.Name)
	case *parse.AlterSystemStmt:
		return "ALTER SYSTEM", s.alterSystem(n.Set)
	case *parse.PrepareStmt:
		return "PREPARE", s.prepareStmt(u.stmt, n)
	case *parse.ExecuteStmt:
		return s.executeStmt(ctx, u.stmt, n, w, formats)
	case *parse.DeallocateStmt:
		return s.deallocate(n)
	case *parse.DiscardStmt:
		return s.discard(ctx, n)
	case *parse.LockStmt:
		return "LOCK TABLE", s.lockTable(ctx, u.stmt, n)
	case *parse.ListenStmt:
		return "LISTEN", s.listen(n)
	case *parse.UnlistenStmt:
		s.unlisten(n.Channel)
		return "UNLISTEN", nil
	case *parse.NotifyStmt:
		return "NOTIFY", s.notify(n.Channel, n.Payload)
	case *parse.WaitForStmt:
		return s.waitFor(ctx, u.stmt, n, w)
	case *parse.DeclareCursorStmt:
		return "DECLARE CURSOR", s.declareCursor(ctx, u, n, params)
	case *parse.FetchStmt:
		return s.fetch(ctx, n, w, formats)
	case *parse.ClosePortalStmt:
		return s.closeCursorStmt(n)
	}
	return s.maintenance(ctx, u.stmt)
}

// maintenance runs what looks after the store. The store compacts itself, so most of it has
// nothing to do but to check that what it names exists.
func (s *session) maintenance(ctx context.Context, stmt *parse.Stmt) (string, error) {
	switch n := stmt.Tree.(type) {
	case *parse.CheckPointStmt:
		return "CHECKPOINT", s.server.db.Checkpoint(ctx)
	case *parse.VacuumStmt:
		tag := "ANALYZE"
		if n.Vacuum {
			tag = "VACUUM"
			if err := s.forbidBlock(tag); err != nil {
				return "", err
			}
		}
		for _, t := range n.Tables {
			if err := s.requireRelation(stmt, t.Table); err != nil {
				return "", err
			}
		}
		return tag, nil
	case *parse.ReindexStmt:
		if n.Table != nil {
			return "REINDEX", s.requireRelation(stmt, n.Table)
		}
		return "REINDEX", nil
	}
	return "", unsupportedStatement(stmt.Tree)
}

func (s *session) requireRelation(stmt *parse.Stmt, v *parse.RangeVar) error {
	s.refreshText()
	if s.snapshot().Resolve(s.text.path, v.Name.Schema, v.Name.Name).Exists() {
		return nil
	}
	e := pgwire.Errorf(pgwire.CodeUndefinedTable, "relation \"%s\" does not exist", v.Name)
	e.Position = int32(stmt.Position(v.Pos))
	return e
}

// unsupportedStatement names what Postgres has and this server has not; nil for what it has.
func unsupportedStatement(tree parse.Statement) error {
	if n, ok := tree.(*parse.UnsupportedStmt); ok {
		return n.Err
	}
	for _, u := range unsupportedStatements {
		if u.is(tree) {
			return errUnsupported("%s", u.name)
		}
	}
	return nil
}

// unsupportedStatements are left to later versions, each by its name.
var unsupportedStatements = []struct {
	name string
	is   func(parse.Statement) bool
}{
	{"CREATE ROLE", isStmt[*parse.CreateRoleStmt]},
	{"ALTER ROLE", isStmt[*parse.AlterRoleStmt]},
	{"ALTER ROLE ... SET", isStmt[*parse.AlterRoleSetStmt]},
	{"DROP ROLE", isStmt[*parse.DropRoleStmt]},
	{"GRANT", isStmt[*parse.GrantStmt]},
	{"GRANT ROLE", isStmt[*parse.GrantRoleStmt]},
	{"SET CONSTRAINTS", isStmt[*parse.SetConstraintsStmt]},
	{"CLUSTER", isStmt[*parse.ClusterStmt]},
	{"CALL", isStmt[*parse.CallStmt]},
	{"CREATE DATABASE", isStmt[*parse.CreateDatabaseStmt]},
	{"DROP DATABASE", isStmt[*parse.DropDatabaseStmt]},
	{"CREATE EXTENSION", isStmt[*parse.CreateExtensionStmt]},
	{"DROP EXTENSION", isStmt[*parse.DropStmt]},
}

func isStmt[T parse.Statement](tree parse.Statement) bool {
	_, ok := tree.(T)
	return ok
}

// textColumn is a column of the rows that utilities give.
func textColumn(name string) pgwire.Column {
	return pgwire.Column{Name: name, TypeOID: uint32(types.Text), TypeSize: -1, TypeMod: -1}
}
