package server

import (
	"context"
	"slices"

	"ackdb/pgwire"
	"ackdb/server/sql/parse"
)

// exitsBlock tells whether a statement is let through by a failed transaction (S2).
func exitsBlock(stmt parse.Statement) bool {
	t, ok := stmt.(*parse.TransactionStmt)
	if !ok {
		return false
	}
	switch t.Kind {
	case parse.TransCommit, parse.TransRollback, parse.TransRollbackTo:
		return true
	}
	return false
}

// transactionStmt runs BEGIN, COMMIT and their kin, and returns the tag.
func (s *session) transactionStmt(ctx context.Context, n *parse.TransactionStmt) (string, error) {
	switch n.Kind {
	case parse.TransBegin:
		return "BEGIN", s.begin(n.Modes)
	case parse.TransStart:
		return "START TRANSACTION", s.begin(n.Modes)
	case parse.TransCommit:
		return s.commitStmt(ctx, n.Chain)
	case parse.TransRollback:
		return s.rollbackStmt(n.Chain)
	case parse.TransSavepoint:
		return "SAVEPOINT", s.savepoint(n.Savepoint)
	case parse.TransRelease:
		return "RELEASE", s.release(n.Savepoint)
	case parse.TransRollbackTo:
		return "ROLLBACK", s.rollbackTo(n.Savepoint)
	}
	return "", errUnsupported("two-phase commit")
}

func (s *session) begin(m parse.TransactionModes) error {
	if s.txn.block == blockOpen {
		s.notice(warning(pgwire.CodeActiveSQLTransaction,
			"there is already a transaction in progress"))
	} else {
		s.enter()
		s.txn.block = blockOpen
	}
	return s.setModes(m)
}

// setModes changes the open transaction's characteristics. What a snapshot already stands on cannot
// change any more.
func (s *session) setModes(m parse.TransactionModes) error {
	t := &s.txn
	if m.Isolation != "" && m.Isolation != t.modes.isolation {
		if t.tx != nil {
			return pgwire.Errorf(pgwire.CodeActiveSQLTransaction,
				"SET TRANSACTION ISOLATION LEVEL must be called before any query")
		}
		if err := s.refuseIsolation(m.Isolation); err != nil {
			return err
		}
		t.modes.isolation = m.Isolation
	}
	if m.ReadOnly != nil {
		if !*m.ReadOnly && t.modes.readOnly && len(t.savepoints) > 0 {
			return pgwire.Errorf(pgwire.CodeActiveSQLTransaction,
				"cannot set transaction read-write mode inside a read-only transaction")
		}
		if !*m.ReadOnly && t.modes.readOnly && t.tx != nil {
			return pgwire.Errorf(pgwire.CodeActiveSQLTransaction,
				"transaction read-write mode must be set before any query")
		}
		if !*m.ReadOnly {
			if err := s.refuseReadWrite(); err != nil {
				return err
			}
		}
		t.modes.readOnly = *m.ReadOnly
	}
	if m.Deferrable != nil {
		t.modes.deferrable = *m.Deferrable
	}
	return nil
}

func (s *session) commitStmt(ctx context.Context, chain bool) (string, error) {
	again := s.txn.modes
	switch s.txn.block {
	case blockFailed:
		s.rollback()
		s.chain(chain, again)
		return "ROLLBACK", nil
	case blockOpen:
	default:
		if chain {
			return "", s.requireBlock("COMMIT AND CHAIN")
		}
		s.notice(warning(pgwire.CodeNoActiveSQLTransaction, "there is no transaction in progress"))
	}
	if err := s.commit(ctx); err != nil {
		return "", err
	}
	s.chain(chain, again)
	return "COMMIT", nil
}

func (s *session) rollbackStmt(chain bool) (string, error) {
	again := s.txn.modes
	if s.txn.block != blockOpen && s.txn.block != blockFailed {
		if chain {
			return "", s.requireBlock("ROLLBACK AND CHAIN")
		}
		s.notice(warning(pgwire.CodeNoActiveSQLTransaction, "there is no transaction in progress"))
	}
	s.rollback()
	s.chain(chain, again)
	return "ROLLBACK", nil
}

// chain begins the next transaction with the characteristics of the last.
func (s *session) chain(chain bool, again modes) {
	if chain {
		s.enter()
		s.txn.block, s.txn.modes = blockOpen, again
	}
}

func (s *session) savepoint(name string) error {
	if err := s.requireBlock("SAVEPOINT"); err != nil {
		return err
	}
	t := &s.txn
	if len(t.savepoints) >= savepointsMax {
		return pgwire.Errorf(pgwire.CodeProgramLimitExceeded,
			"too many savepoints: a transaction may have %d", savepointsMax)
	}
	s.open()
	t.savepoints = append(t.savepoints, savepoint{name: name, id: t.tx.Savepoint(),
		settings: s.settings.mark(), readOnly: t.modes.readOnly, outbox: s.outbox.mark()})
	return nil
}

// findSavepoint finds the newest of that name: the same name may be nested.
func (s *session) findSavepoint(name string) (int, error) {
	for i, sp := range slices.Backward(s.txn.savepoints) {
		if sp.name == name {
			return i, nil
		}
	}
	return 0, pgwire.Errorf(pgwire.CodeInvalidSavepoint, "savepoint \"%s\" does not exist", name)
}

func (s *session) release(name string) error {
	if err := s.requireBlock("RELEASE SAVEPOINT"); err != nil {
		return err
	}
	i, err := s.findSavepoint(name)
	if err != nil {
		return err
	}
	if err := s.txn.tx.Release(s.txn.savepoints[i].id); err != nil {
		return err
	}
	// READ ONLY, too, was of the part that ends here.
	s.txn.modes.readOnly = s.txn.savepoints[i].readOnly
	s.txn.savepoints = s.txn.savepoints[:i]
	for _, p := range s.txn.portals {
		p.depth = min(p.depth, i)
	}
	return nil
}

func (s *session) rollbackTo(name string) error {
	if err := s.requireBlock("ROLLBACK TO SAVEPOINT"); err != nil {
		return err
	}
	i, err := s.findSavepoint(name)
	if err != nil {
		return err
	}
	s.returnTo(i)
	s.txn.savepoints = s.txn.savepoints[:i+1]
	s.txn.block = blockOpen
	return nil
}
