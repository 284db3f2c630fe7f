package engine

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"ackdb/wal"
)

// view is a snapshot of the store between two groups of commits. It is counted: readers of one
// and the same state share it.
type view struct {
	snap    *pebble.Snapshot
	sweeper *sweeper // closes it

	// lsn is the marker read through the snapshot: every row in it has a commit LSN at or below
	// lsn, and every commit with operations that ends at or below lsn is in it.
	lsn wal.LSN

	refs atomic.Int32
}

func (v *view) get(key []byte) ([]byte, io.Closer, error) { return v.snap.Get(key) }

func (v *view) iter(lo, hi []byte) (*pebble.Iterator, error) {
	return v.snap.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
}

// acquire takes one more reference on a view the caller knows to be alive.
func (v *view) acquire() *view {
	v.refs.Add(1)
	return v
}

func (v *view) close() {
	if v.refs.Add(-1) == 0 {
		v.sweeper.closeSnapshot(v.snap)
	}
}

// visibility decides what "the newest state" is. Between two groups it is simply the store. While
// an apply of several batches runs, the store shows a transaction in part, and readers are sent to
// a view taken before its first batch.
//
// A reader asks the store without any lock and proves afterwards that this was right:
//
//	reader                      leader
//	------                      ------
//	phase is even
//	                            pin: view taken, phase becomes odd
//	                            first batch
//	Get sees half a commit
//	phase has changed: again,
//	through the pinned view
//
// A lock for readers would cost every point read two contended atomics for the sake of an apply
// that is rare.
type visibility struct {
	phase atomic.Uint64 // odd while an apply of several batches runs

	mu     sync.Mutex
	pinned *view // guarded by mu; non-nil while phase is odd
}

// pin sends readers to v until unpin. Leader only.
func (s *visibility) pin(v *view) {
	s.mu.Lock()
	s.pinned = v
	s.mu.Unlock()
	s.phase.Add(1)
}

// unpin ends what pin began: the store's newest state is whole again. Leader only.
func (s *visibility) unpin() {
	s.phase.Add(1)
	s.mu.Lock()
	v := s.pinned
	s.pinned = nil
	s.mu.Unlock()
	v.close()
}

// current returns a phase and the pinned view, acquired, when that phase is odd.
func (s *visibility) current() (uint64, *view) {
	for {
		phase := s.phase.Load()
		if phase&1 == 0 {
			return phase, nil
		}
		s.mu.Lock()
		v := s.pinned
		if v != nil {
			v.acquire()
		}
		s.mu.Unlock()
		if v != nil {
			return phase, v
		}
	}
}

// unchanged says whether what was read from the store since phase was whole.
func (s *visibility) unchanged(phase uint64) bool { return s.phase.Load() == phase }

// viewCloser closes a value and the view it came through.
type viewCloser struct {
	io.Closer
	view *view
}

func (c viewCloser) Close() error {
	err := c.Closer.Close()
	c.view.close()
	return err
}

// get returns a stored value of the newest visible state; the value is valid until the closer is
// closed. A key that is not there is pebble.ErrNotFound.
func (db *DB) get(key []byte) ([]byte, io.Closer, error) {
	for {
		phase, v := db.visible.current()
		if v != nil {
			value, closer, err := v.get(key)
			if err != nil {
				v.close()
				return nil, nil, err
			}
			return value, viewCloser{closer, v}, nil
		}
		value, closer, err := db.store.Get(key)
		if db.visible.unchanged(phase) {
			return value, closer, err
		}
		if err == nil {
			_ = closer.Close()
		}
	}
}

// newIter returns an iterator over [lo, hi) of the newest visible state.
func (db *DB) newIter(lo, hi []byte) (*pebble.Iterator, error) {
	for {
		phase, v := db.visible.current()
		if v != nil {
			iter, err := v.iter(lo, hi)
			v.close()
			return iter, err
		}
		iter, err := db.store.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
		if err != nil || db.visible.unchanged(phase) {
			return iter, err
		}
		_ = iter.Close()
	}
}

// newView returns a view of the newest visible state. The caller closes it.
func (db *DB) newView() (*view, error) {
	for {
		phase, v := db.visible.current()
		if v != nil {
			return v, nil
		}
		snap := db.store.NewSnapshot()
		if db.visible.unchanged(phase) {
			return db.openView(snap)
		}
		db.sweeper.closeSnapshot(snap)
	}
}

// openView makes a view of a snapshot and owns it from here on.
func (db *DB) openView(snap *pebble.Snapshot) (*view, error) {
	raw, closer, err := snap.Get(markerKey)
	if err != nil {
		_ = snap.Close()
		return nil, fmt.Errorf("engine: read the marker of a snapshot: %w", err)
	}
	m, err := decodeMarker(raw)
	_ = closer.Close()
	if err != nil {
		_ = snap.Close()
		return nil, err
	}
	v := &view{snap: snap, sweeper: db.sweeper, lsn: m.applied}
	v.refs.Store(1)
	return v, nil
}
