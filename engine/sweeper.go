package engine

import (
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// sweptMax bounds the snapshots set aside; whoever comes with one more closes it himself and waits.
const sweptMax = 1 << 16

// sweeper closes snapshots that their users may not wait for. The store takes the lock of its
// MANIFEST to close one, and who writes to that holds the lock at the interlock for as long as the
// log's disk stands still (E3):
//
//	flush of the store          reader, or the leader behind a large apply
//	------------------          ------------------------------------------
//	lock of the MANIFEST
//	gate: waits for flushed
//	                            SELECT is done, its snapshot goes: waits for the lock
//
// So while the store runs a job that ends in such a write, snapshots are set aside for a goroutine
// that has time. While it runs none they are closed where they are used: that is cheaper than to
// wake another goroutine for each, and a job begun meanwhile has tables to write before it comes to
// the lock.
type sweeper struct {
	jobs   atomic.Int32 // flushes and compactions under way
	inline bool         // close all of them where they are used (negative control)

	mu sync.Mutex

	// guarded by mu
	aside []*pebble.Snapshot
	ended bool

	asked chan struct{}
	stop  chan struct{}
	done  chan struct{}
}

func newSweeper(hooks hooks) *sweeper {
	return &sweeper{
		inline: hooks.closeInline,
		asked:  make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// jobBegins and jobEnds are called under the store's lock.
func (s *sweeper) jobBegins() { s.jobs.Add(1) }
func (s *sweeper) jobEnds()   { s.jobs.Add(-1) }

// closeSnapshot closes a snapshot, now or soon.
func (s *sweeper) closeSnapshot(snap *pebble.Snapshot) {
	if s.inline || s.jobs.Load() == 0 || !s.setAside(snap) {
		_ = snap.Close()
		return
	}
	poke(s.asked)
}

func (s *sweeper) setAside(snap *pebble.Snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.aside) >= sweptMax {
		return false
	}
	s.aside = append(s.aside, snap)
	return true
}

// run is the sweeper's goroutine.
func (s *sweeper) run() {
	defer close(s.done)
	for {
		select {
		case <-s.asked:
			s.sweep()
		case <-s.stop:
			s.sweep()
			return
		}
	}
}

func (s *sweeper) sweep() {
	s.mu.Lock()
	aside := s.aside
	s.aside = nil
	s.mu.Unlock()
	for _, snap := range aside {
		_ = snap.Close()
	}
}

// close ends the goroutine, with nothing left aside: the store is about to be closed.
func (s *sweeper) close() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	close(s.stop)
	<-s.done
}
