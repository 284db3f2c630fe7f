package engine

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"ackdb/wal"
)

// LossLimit bounds what may be acknowledged as off and not be on disk: the age of the oldest such
// commit, counted from its answer, and the bytes of log from flushed to the newest. A field of 0
// or less bounds nothing.
type LossLimit struct {
	Age   time.Duration
	Bytes int64
}

// DefaultLossLimit is what a database begins with.
func DefaultLossLimit() LossLimit {
	return LossLimit{Age: 100 * time.Millisecond, Bytes: 16 << 20}
}

// Tighter is what keeps both limits.
func (l LossLimit) Tighter(m LossLimit) LossLimit {
	return LossLimit{Age: tighter(l.Age, m.Age), Bytes: tighter(l.Bytes, m.Bytes)}
}

func tighter[T ~int64](a, b T) T {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// allows says whether a commit may be acknowledged while the oldest acknowledged unflushed one is
// so old, with so many bytes unflushed up to its own end.
func (l LossLimit) allows(age time.Duration, bytes int64) bool {
	return (l.Age <= 0 || age <= l.Age) && (l.Bytes <= 0 || bytes <= l.Bytes)
}

// LimitAction says what becomes of a commit that meets the limit.
type LimitAction uint8

const (
	// LimitDelay has it wait until it is flushed, as a local commit does.
	LimitDelay LimitAction = iota

	// LimitReject refuses it, if the limit is met before anything of it is in the log. One that
	// meets the limit later is delayed, and so is one that is larger than the limit by itself: it
	// could never succeed.
	LimitReject
)

// ErrLossLimit is what every LossLimitError unwraps to.
var ErrLossLimit = errors.New("engine: too much is acknowledged and not flushed")

// LossLimitError says that a commit was refused for the limit, and how far that was passed.
// Nothing was appended.
type LossLimitError struct {
	Age   time.Duration // of the oldest acknowledged unflushed commit
	Bytes int64         // unflushed, with this commit
	Limit LossLimit
}

func (e *LossLimitError) Error() string {
	return fmt.Sprintf("%v: the oldest commit for %v, %d bytes with this one; the limit is %v, %d",
		ErrLossLimit, e.Age, e.Bytes, e.Limit.Age, e.Limit.Bytes)
}

// Unwrap makes errors.Is(err, ErrLossLimit) true.
func (e *LossLimitError) Unwrap() error { return ErrLossLimit }

// lender decides which commits may be acknowledged before they are flushed. Each is a loan: the
// client has the answer, the disk not yet the record.
//
// The decision and its entry are one step under one mutex, at the moment of answering. Decided any
// earlier, say at append, a commit that a stalled store held up afterwards would be answered long
// after the limit had been met.
type lender struct {
	log   *wal.Log // set before the first commit
	clock wal.Clock
	began time.Time
	hooks *hooks

	mu sync.Mutex

	// guarded by mu
	limit    LossLimit
	loans    loanQueue
	largest  wal.LSN // the highest end acknowledged
	audit    lossAudit
	window   lossMaxima
	delayed  int64
	rejected int64

	// durable is how long loans took to become durable.
	durable wal.Latencies
}

func newLender(opts *Options) *lender {
	return &lender{
		clock: opts.Log.Clock, began: opts.Log.Clock.Now(), hooks: &opts.hooks,
		limit: *opts.LossLimit,
	}
}

// now is the monotonic time since Open.
func (l *lender) now() time.Duration { return l.clock.Now().Sub(l.began) }

// lendGroup answers the members of an applied group that wait for nothing. It is the leader's, and
// takes the lock once. A member whose Reached stays 0 waits for its flush by itself; the leader
// waits for nobody.
func (l *lender) lendGroup(g *commitGroup) {
	if !g.lends() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for _, req := range g.members {
		if req.lends() {
			req.result.Reached = l.lendLocked(req.result.End, req.opts.Limit, now)
		}
	}
}

// lend answers one commit that has waited as long as its client wanted.
func (l *lender) lend(end wal.LSN, own LossLimit) Reached {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lendLocked(end, own, l.now())
}

// lendLocked says what the commit that ends at end may be acknowledged as now; 0 says not yet.
// REQUIRES: mu.
func (l *lender) lendLocked(end wal.LSN, own LossLimit, now time.Duration) Reached {
	// W4: what a poisoned log holds is nobody's to promise. The question comes after the append,
	// so that whoever is told no is inside the range called unresolved.
	if l.log.Halted() {
		return 0
	}
	flushed := l.log.Flushed()
	l.settleLocked(flushed, now)
	if end <= flushed {
		return ReachedFlushed
	}
	bytes := int64(end - flushed)
	allowed := l.limit.Tighter(own).allows(l.loans.age(now), bytes)
	if l.hooks.lendAlways {
		allowed = true
	}
	if !allowed {
		return 0
	}
	l.loans.add(end, now)
	l.largest = max(l.largest, end)
	l.window.bytes = max(l.window.bytes, int64(l.largest-flushed))
	l.audit.acknowledged(end, l.log.Flushed(), now, l.limit)
	return ReachedWritten
}

// refuse returns an error for a commit of that size that would meet the limit if it were appended
// now, at end.
func (l *lender) refuse(end wal.LSN, size int64, own LossLimit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, flushed := l.now(), l.log.Flushed()
	l.settleLocked(flushed, now)
	limit := l.limit.Tighter(own)
	age, bytes := l.loans.age(now), int64(end-min(flushed, end))
	alone := limit.Bytes > 0 && size > limit.Bytes
	if limit.allows(age, bytes) || alone && limit.allows(age, 0) {
		return nil
	}
	l.rejected++
	return &LossLimitError{Age: age, Bytes: bytes, Limit: limit}
}

// settleLocked ends the loans that are flushed. REQUIRES: mu.
func (l *lender) settleLocked(flushed wal.LSN, now time.Duration) {
	for {
		loan, ok := l.loans.settle(flushed)
		if !ok {
			return
		}
		age := now - loan.since
		l.window.age = max(l.window.age, age)
		l.durable.Observe(age, uint64(loan.commits))
	}
}

// onFlushed is told of each advance, so that loans end when they are flushed and not when somebody
// next asks.
func (l *lender) onFlushed(flushed wal.LSN) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settleLocked(flushed, l.now())
}

// delay counts a commit that waits for its flush because of the limit.
func (l *lender) delay() {
	l.mu.Lock()
	l.delayed++
	l.mu.Unlock()
}

// SetLossLimit changes the limit. It holds for answers from now on.
func (db *DB) SetLossLimit(limit LossLimit) {
	db.lender.mu.Lock()
	defer db.lender.mu.Unlock()
	db.lender.limit = limit
	// The audit begins anew: what was lent under another limit is no violation of this one.
	db.lender.audit.restart()
}

// LossLimit is the limit in force.
func (db *DB) LossLimit() LossLimit {
	db.lender.mu.Lock()
	defer db.lender.mu.Unlock()
	return db.lender.limit
}

func (l *lender) stats(s *Stats) {
	l.mu.Lock()
	s.LossDelays, s.LossRejects = l.delayed, l.rejected
	s.LossViolations = l.audit.violations
	l.mu.Unlock()
	s.TimeToDurable = l.durable.Read()
}
