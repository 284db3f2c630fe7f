package replicatest

import (
	"slices"
	"sync"
	"time"
)

// Clock stands still until it is moved.
type Clock struct {
	mu     sync.Mutex
	change *sync.Cond // of timers
	now    time.Time
	timers []*timer
}

type timer struct {
	at    time.Time
	fired chan time.Time // capacity 1
}

// NewClock gives a clock that stands at a time in 2024.
func NewClock() *Clock {
	c := &Clock{now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
	c.change = sync.NewCond(&c.mu)
	return c
}

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Timer fires once the clock has been moved by d.
func (c *Clock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{at: c.now.Add(d), fired: make(chan time.Time, 1)}
	if d <= 0 {
		t.fired <- c.now
		return t.fired, func() bool { return false }
	}
	c.timers = append(c.timers, t)
	c.change.Broadcast()
	return t.fired, func() bool { return c.stop(t) }
}

func (c *Clock) stop(t *timer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.timers, t)
	if i < 0 {
		return false
	}
	c.timers = slices.Delete(c.timers, i, i+1)
	return true
}

// Advance moves the clock and fires what is due.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.timers = slices.DeleteFunc(c.timers, func(t *timer) bool {
		if t.at.After(c.now) {
			return false
		}
		t.fired <- c.now
		return true
	})
}

// AwaitTimers returns when n timers are waited for that are due d or less from now.
func (c *Clock) AwaitTimers(n int, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		limit, due := c.now.Add(d), 0
		for _, t := range c.timers {
			if !t.at.After(limit) {
				due++
			}
		}
		if due >= n {
			return
		}
		c.change.Wait()
	}
}
