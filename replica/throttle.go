package replica

import (
	"context"
	"time"

	"ackdb/wal"
)

// throttle keeps a backup within MAX_RATE.
type throttle struct {
	clock wal.Clock
	rate  int64 // bytes a second, 0: no limit
	free  time.Time
}

func newThrottle(clock wal.Clock, rate int64) throttle {
	return throttle{clock: clock, rate: rate, free: clock.Now()}
}

// wait returns when n more bytes may be sent, or with why the backup ends.
func (t *throttle) wait(ctx context.Context, stopping <-chan struct{}, n int) error {
	select {
	case <-stopping:
		return ErrHubClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
	}
	if t.rate == 0 {
		return nil
	}
	now := t.clock.Now()
	delay := t.free.Sub(now)
	// What was not used in the past is not saved up: a burst is what the limit is there against.
	if delay < 0 {
		t.free, delay = now, 0
	}
	t.free = t.free.Add(time.Duration(int64(n) * int64(time.Second) / t.rate))
	if delay == 0 {
		return nil
	}
	fired, cancel := t.clock.Timer(delay)
	defer cancel()
	select {
	case <-fired:
		return nil
	case <-stopping:
		return ErrHubClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
