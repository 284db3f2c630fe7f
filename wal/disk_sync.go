package wal

import (
	"fmt"
)

// newStdSyncer climbs down the ladder: io_uring, else fdatasync with the reason that kept the
// ring away. A method asked for by name is made or refused, never replaced.
func newStdSyncer(method, dir string) (Syncer, error) {
	switch method {
	case MethodFdatasync:
		return &fdatasyncer{reason: "forced by wal_sync_method"}, nil
	case MethodIOUring:
		s, why := newUringSyncer(dir)
		if s == nil {
			return nil, &SyncMethodError{Method: method, Reason: why}
		}
		return s, nil
	case "":
		s, why := newUringSyncer(dir)
		if s == nil {
			return &fdatasyncer{reason: "no io_uring: " + why}, nil
		}
		return s, nil
	default:
		return nil, fmt.Errorf("%w: %q", ErrSyncMethodUnknown, method)
	}
}

// fdatasyncer calls fdatasync on one file after the other.
type fdatasyncer struct {
	reason string
}

func (s *fdatasyncer) Sync(files []File) error {
	for _, f := range files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

func (s *fdatasyncer) Method() string { return MethodFdatasync }
func (s *fdatasyncer) Reason() string { return s.reason }
func (s *fdatasyncer) Close() error   { return nil }
