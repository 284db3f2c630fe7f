package replica

import (
	"context"
	"time"

	"ackdb/wal"
)

// The bounds of the wait between two attempts at an upstream.
const (
	backOffMin = 100 * time.Millisecond
	backOffMax = 5 * time.Second
)

// backOff draws how long to wait after so many failures in a row, from 1 on: between half of the
// bound and the bound, so that standbys that lost the same primary do not all come back at once.
func backOff(failures int, random func() float64) time.Duration {
	bound := backOffMin
	for i := 1; i < failures && bound < backOffMax; i++ {
		bound *= 2
	}
	bound = min(bound, backOffMax)
	return bound/2 + time.Duration(random()*float64(bound/2))
}

// pause waits for d by the clock. It returns false when ctx ended first.
func pause(ctx context.Context, clock wal.Clock, d time.Duration) bool {
	fired, stop := clock.Timer(d)
	defer stop()
	select {
	case <-fired:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
