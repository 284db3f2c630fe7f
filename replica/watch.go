package replica

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// The bounds of the time between two looks of a link's watch: the timeout may change meanwhile.
const (
	watchPauseMin = time.Millisecond
	watchPauseMax = time.Second
)

// silence knows for how long upstream has been listened to in vain.
type silence struct {
	mu        sync.Mutex
	listening bool      // guarded by mu
	since     time.Time // guarded by mu
}

// reading notes that the receiver begins or ends to wait for upstream.
func (s *silence) reading(begins bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listening, s.since = begins, now
}

func (s *silence) lasts(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.listening {
		return 0
	}
	return now.Sub(s.since)
}

// watch ends a link over which nothing has come for wal_receiver_timeout; at half of it upstream is
// asked for a sign. A half-open connection shows nothing else.
func (f *feed) watch(ctx context.Context) {
	defer f.ended.Done()
	opts := &f.receiver.opts
	asked := false
	for {
		timeout, quiet := opts.Timeout(), f.silence.lasts(opts.Clock.Now())
		switch {
		case timeout <= 0 || quiet < timeout/2:
			asked = false
		case quiet >= timeout:
			f.fail(fmt.Errorf("%w: %s", ErrPeerSilent, timeout))
			return
		case !asked:
			asked = true
			f.want(true)
		}
		if !pause(ctx, opts.Clock, untilLook(timeout, quiet)) {
			return
		}
	}
}

// untilLook is the time to half of the timeout, or to all of it.
func untilLook(timeout, quiet time.Duration) time.Duration {
	rest := timeout - quiet
	if half := timeout / 2; quiet < half {
		rest = half - quiet
	}
	if timeout <= 0 {
		rest = watchPauseMax
	}
	return min(max(rest, watchPauseMin), watchPauseMax)
}
