package wal

import (
	"errors"
	"fmt"
)

// ErrSyncMethodUnknown comes from Disk.Syncer: wal_sync_method names no method.
var ErrSyncMethodUnknown = errors.New("wal: unknown wal_sync_method")

// SyncMethodError says why a method that was asked for by name cannot run here.
type SyncMethodError struct {
	Method string
	Reason string
}

func (e *SyncMethodError) Error() string {
	return fmt.Sprintf("wal: wal_sync_method %s cannot run here: %s", e.Method, e.Reason)
}
