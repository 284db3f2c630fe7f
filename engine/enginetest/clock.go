package enginetest

import (
	"sync"
	"time"
)

// Clock is a wal.Clock that moves only when it is told to.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*heldTimer]struct{}
	armed  chan time.Duration
}

type heldTimer struct {
	at   time.Time
	fire chan time.Time
}

// timersMax bounds the timers begun that Armed has not been asked for.
const timersMax = 10_000

// NewClock returns a clock that stands.
func NewClock() *Clock {
	return &Clock{
		now: time.Unix(1_700_000_000, 0), timers: map[*heldTimer]struct{}{},
		armed: make(chan time.Duration, timersMax),
	}
}

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Timer fires once the clock has been advanced by d.
func (c *Clock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &heldTimer{at: c.now.Add(d), fire: make(chan time.Time, 1)}
	if d <= 0 {
		t.fire <- c.now
		return t.fire, func() bool { return false }
	}
	c.timers[t] = struct{}{}
	c.armed <- d
	return t.fire, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := c.timers[t]
		delete(c.timers, t)
		return waiting
	}
}

// Advance moves the clock and fires what is due.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for t := range c.timers {
		if !t.at.After(c.now) {
			t.fire <- c.now
			delete(c.timers, t)
		}
	}
}

// Armed returns when somebody has begun to wait for exactly d.
func (c *Clock) Armed(d time.Duration) {
	for d != <-c.armed {
	}
}
