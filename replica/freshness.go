package replica

import (
	"sync"
	"time"

	"ackdb/wal"
)

// sightingsMax bounds the sightings kept. When they are full every second one goes: the standby
// then takes itself for older than it is, never for younger.
const sightingsMax = 256

// probesMax bounds the reports whose answers are awaited. Behind a slower link, or an upstream that
// is silent, fewer are.
const probesMax = 16

// probes find out how old what upstream says is. When a message came says nothing of when it was
// true: it may have waited for long, in upstream's buffers, on a link that was down, in ours while
// the disk was full. But what upstream looked up when it had had a report of ours, it looked up
// behind the sending of that. Reports are counted, not dated, so that no clock is asked but this
// node's, and that one only for a span.
type probes struct {
	mu      sync.Mutex
	sent    uint64       // guarded by mu; reports
	awaited []sentReport // guarded by mu; ascending
}

// sentReport is one of them, sent at a time or later.
type sentReport struct {
	nth uint64
	at  time.Time
}

// sending counts a report that is about to be sent.
func (p *probes) sending(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent++
	n := len(p.awaited)
	if n < probesMax && (n == 0 || now.Sub(p.awaited[n-1].at) >= keepaliveInterval/2) {
		p.awaited = append(p.awaited, sentReport{nth: p.sent, at: now})
	}
}

// answered gives when the newest report of those that upstream has heard was sent; false: it has
// heard none since it was last asked.
func (p *probes) answered(heard uint64) (at time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.awaited) && p.awaited[n].nth <= heard {
		at = p.awaited[n].at
		n++
	}
	p.awaited = append(p.awaited[:0], p.awaited[n:]...)
	return at, n > 0
}

// sighting: upstream's log was known to end at end, and nothing newer was, at a time of this
// node's clock. What is applied up to end is at least as fresh as that.
type sighting struct {
	end wal.LSN
	at  time.Time
}

// freshness knows how old what a standby shows may be. It compares times of this node's clock
// only: two clocks need not agree.
type freshness struct {
	mu      sync.Mutex
	fresh   time.Time  // guarded by mu; zero: never
	pending []sighting // guarded by mu; ends ascending, all above applied
}

// saw notes that upstream ended at end at a time or later. Its own staleness has been taken off at.
func (f *freshness) saw(end wal.LSN, at time.Time, applied wal.LSN) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reachedLocked(applied)
	if end <= applied {
		f.advanceLocked(at)
		return
	}
	if n := len(f.pending); n > 0 && f.pending[n-1].end >= end {
		// A position that upstream had before and has still: the later time counts. One below is
		// another upstream's, and would say of the higher position what nobody saw.
		if last := &f.pending[n-1]; last.end == end && at.After(last.at) {
			last.at = at
		}
		return
	}
	if len(f.pending) == sightingsMax {
		f.thinLocked()
	}
	f.pending = append(f.pending, sighting{end: end, at: at})
}

// reached notes that everything below applied is applied.
func (f *freshness) reached(applied wal.LSN) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reachedLocked(applied)
}

// forget drops what was seen of an upstream whose link is gone: a later one may be another node,
// at lower positions.
func (f *freshness) forget(applied wal.LSN) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reachedLocked(applied)
	f.pending = f.pending[:0]
}

// reachedLocked takes off what is applied. REQUIRES: mu.
func (f *freshness) reachedLocked(applied wal.LSN) {
	n := 0
	for n < len(f.pending) && f.pending[n].end <= applied {
		f.advanceLocked(f.pending[n].at)
		n++
	}
	if n > 0 {
		f.pending = append(f.pending[:0], f.pending[n:]...)
	}
}

// advanceLocked moves fresh, forwards only. REQUIRES: mu.
func (f *freshness) advanceLocked(at time.Time) {
	if at.After(f.fresh) {
		f.fresh = at
	}
}

// thinLocked drops every second sighting. REQUIRES: mu.
func (f *freshness) thinLocked() {
	kept := f.pending[:0]
	for i := 1; i < len(f.pending); i += 2 {
		kept = append(kept, f.pending[i])
	}
	f.pending = kept
}

func (f *freshness) asOf() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fresh
}
