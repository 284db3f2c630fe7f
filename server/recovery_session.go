package server

import (
	"context"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
)

// What a session of a standby may not do, in Postgres' words. Writing plans are refused as in any
// transaction that is read-only, since every one is, there.

// inRecovery tells whether this node follows another.
func (srv *Server) inRecovery() bool { return srv.standby.Load() }

// forbidInRecovery answers for what writes without being a plan.
func (s *session) forbidInRecovery(what string) error {
	if !s.server.inRecovery() {
		return nil
	}
	return errDuringRecovery(what)
}

func errDuringRecovery(what string) *pgwire.Error {
	return pgwire.Errorf(pgwire.CodeReadOnlySQLTransaction,
		"cannot execute %s during recovery", what)
}

// forbidUtility refuses utility commands on a standby. Locks up to ROW EXCLUSIVE are granted, as
// they stand in nobody's way.
func (s *session) forbidUtility(tree parse.Statement) error {
	switch n := tree.(type) {
	case *parse.LockStmt:
		if n.Mode > lockRowExclusive {
			return s.forbidInRecovery("LOCK TABLE")
		}
	case *parse.ListenStmt:
		// The watermark is this node's own news; nobody's NOTIFY reaches a standby.
		if n.Channel != channelDurable {
			return s.forbidInRecovery("LISTEN")
		}
	case *parse.VacuumStmt:
		if n.Vacuum {
			return s.forbidInRecovery("VACUUM")
		}
		return s.forbidInRecovery("ANALYZE")
	case *parse.ReindexStmt:
		return s.forbidInRecovery("REINDEX")
	}
	return nil
}

// lockRowExclusive is Postgres' number for ROW EXCLUSIVE.
const lockRowExclusive = 3

// refuseIsolation answers for a level that needs to see what others read, which a standby cannot.
func (s *session) refuseIsolation(level string) error {
	if level != isolationSerializable || !s.server.inRecovery() {
		return nil
	}
	e := pgwire.Errorf(pgwire.CodeFeatureNotSupported,
		"cannot use serializable mode in a hot standby")
	e.Hint = "You can use REPEATABLE READ instead."
	return e
}

// refuseDefaultIsolation is the same for a transaction that says nothing of its level.
func (s *session) refuseDefaultIsolation() error {
	if s.txn.modes.isolation != isolationSerializable || !s.server.inRecovery() {
		return nil
	}
	e := pgwire.Errorf(pgwire.CodeFeatureNotSupported,
		"cannot use serializable mode in a hot standby")
	e.Detail = "\"default_transaction_isolation\" is set to \"serializable\"."
	e.Hint = "You can use \"SET default_transaction_isolation = 'repeatable read'\" to change the " +
		"default."
	return e
}

// refuseReadWrite answers SET TRANSACTION READ WRITE.
func (s *session) refuseReadWrite() error {
	if !s.server.inRecovery() {
		return nil
	}
	return pgwire.Errorf(pgwire.CodeFeatureNotSupported,
		"cannot set transaction read-write mode during recovery")
}

// refuseOnStandby answers for a statement that reads: for its transaction's level, and for the age
// of what it would see.
func (s *session) refuseOnStandby() error {
	if !s.server.inRecovery() {
		return nil
	}
	if err := s.refuseDefaultIsolation(); err != nil {
		return err
	}
	return s.refuseStale()
}

// refreshCatalog looks whether DDL has been replicated since. What cannot be read now is found out
// by the statement that is being planned.
func (s *session) refreshCatalog() {
	if err := s.server.catalog.Refresh(context.Background()); err != nil {
		s.server.log.Warn("catalog not read", "err", err)
	}
}
