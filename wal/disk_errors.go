package wal

import (
	"errors"
	"fmt"
)

// Errors a Disk gives besides those of package io/fs.
var (
	// ErrLocked: another process holds the lock of this directory.
	ErrLocked = errors.New("wal: directory is in use by another process")
	// ErrSyncMethodUnknown comes from Syncer: wal_sync_method names no method.
	ErrSyncMethodUnknown = errors.New("wal: unknown wal_sync_method")
)

// SyncMethodError says why a method that was asked for by name cannot run here.
type SyncMethodError struct {
	Method string
	Reason string
}

func (e *SyncMethodError) Error() string {
	return fmt.Sprintf("wal: wal_sync_method %s cannot run here: %s", e.Method, e.Reason)
}
