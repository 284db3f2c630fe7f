package server

import (
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
	"ackdb/wal"
)

// A disk that fails under a read is an I/O error to the client, whoever wrapped it, and a failed
// log says so first.
func TestDiskErrorsAreIOErrors(t *testing.T) {
	read := fmt.Errorf("exec: lock a row: %w",
		&fs.PathError{Op: "read", Path: "000125.sst", Err: syscall.EIO})
	require.Equal(t, pgwire.CodeIOError, wireError(read).Code)
	log := wireError(fmt.Errorf("%w: %w", wal.ErrPoisoned, syscall.EIO))
	require.Equal(t, pgwire.CodeIOError, log.Code)
	require.Equal(t, "the log has failed; the server stops", log.Message)
	require.Equal(t, pgwire.CodeInternalError, wireError(fmt.Errorf("anything else")).Code)
}
