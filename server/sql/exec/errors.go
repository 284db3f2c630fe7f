package exec

import (
	"errors"
	"fmt"

	"ackdb/engine"
	"ackdb/server/sql/types"
)

// codeLockNotAvailable is the SQLSTATE of a lock that NOWAIT did not get.
const codeLockNotAvailable types.Code = "55P03"

// lockError says which table a lock was not to be had on.
func lockError(err error, table string) error {
	if errors.Is(err, engine.ErrLockNotAvailable) && !errors.Is(err, engine.ErrLockTimeout) {
		return types.Errorf(codeLockNotAvailable, "could not obtain lock on relation \"%s\"", table)
	}
	return fmt.Errorf("exec: lock table %s: %w", table, err)
}

// lockRowError says in which table a lock on a row was not to be had.
func lockRowError(err error, table string) error {
	if errors.Is(err, engine.ErrLockNotAvailable) && !errors.Is(err, engine.ErrLockTimeout) {
		return types.Errorf(codeLockNotAvailable,
			"could not obtain lock on row in relation \"%s\"", table)
	}
	return fmt.Errorf("exec: lock a row of %s: %w", table, err)
}
