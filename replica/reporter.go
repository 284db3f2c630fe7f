package replica

import (
	"context"
	"fmt"
	"time"

	"ackdb/wal"
)

// reportSpacing is the least between two reports of progress of one kind: what moves meanwhile goes
// into one. Each kind is counted for itself: the report that a piece is written, sent at once, must
// not hold up the one that it is flushed. Where commits wait for us there is no spacing: one client
// that waits for each of its commits would have a millisecond added to every one of them, and how
// often we report is bounded by how often upstream flushes.
const reportSpacing = time.Millisecond

// progress is what a report says.
type progress struct{ write, flush, apply wal.LSN }

func (l *link) progress() (p progress) {
	// In this order: each is at most the next one, though all of them grow meanwhile.
	p.apply = l.receiver.opts.Applied()
	p.flush = l.log.Flushed()
	p.write = l.log.Written()
	return p
}

// reported is what the last report said, and when each of its positions was last said to move.
type reported struct {
	progress
	at                              time.Time
	writeMoved, flushMoved, applied time.Time
}

// say notes a report.
func (r *reported) say(p progress, now time.Time) {
	if p.write != r.write {
		r.writeMoved = now
	}
	if p.flush != r.flush {
		r.flushMoved = now
	}
	if p.apply != r.apply {
		r.applied = now
	}
	r.progress, r.at = p, now
}

// rest is how long a report of p has to wait; false: there is nothing new in it.
func (r *reported) rest(p progress, now time.Time) (time.Duration, bool) {
	rest, moved := reportSpacing, false
	for _, kind := range []struct {
		moved bool
		last  time.Time
	}{
		{p.write != r.write, r.writeMoved}, {p.flush != r.flush, r.flushMoved},
		{p.apply != r.apply, r.applied},
	} {
		if kind.moved {
			rest, moved = min(rest, reportSpacing-now.Sub(kind.last)), true
		}
	}
	return rest, moved
}

// report is the reporter: it tells upstream how far the log got, at once when that moves, at every
// status interval, and when upstream asks.
func (l *link) report(ctx context.Context) {
	defer l.ended.Done()
	var said reported
	for {
		said.say(l.progress(), l.receiver.opts.Clock.Now())
		if err := l.send(&said); err != nil {
			l.fail(fmt.Errorf("replica: report to upstream: %w", err))
			return
		}
		if !l.awaitReport(ctx, &said) {
			return
		}
	}
}

func (l *link) send(r *reported) error {
	return l.stream.Send(AppendStatus(nil, Status{
		Write: r.write, Flush: r.flush, Apply: r.apply, Time: r.at, Reply: l.answer.Swap(false),
	}))
}

// awaitReport returns true when the next report is due.
func (l *link) awaitReport(ctx context.Context, said *reported) bool {
	opts := &l.receiver.opts
	var regular <-chan time.Time
	if interval := opts.StatusInterval(); interval > 0 {
		fired, stop := opts.Clock.Timer(interval)
		defer stop()
		regular = fired
	}
	for {
		var spaced <-chan time.Time
		stop := func() bool { return false }
		if rest, moved := said.rest(l.progress(), opts.Clock.Now()); moved {
			if rest <= 0 || l.hurry.Load() {
				return true
			}
			spaced, stop = opts.Clock.Timer(rest)
		}
		select {
		case <-ctx.Done():
			stop()
			return false
		case <-l.wanted:
			stop()
			return true
		case <-regular:
			stop()
			return true
		case <-spaced:
			return true
		case <-l.receiver.moved:
			stop()
		}
	}
}

// followFlushed wakes the reporter whenever the log's flushed moves.
func (l *link) followFlushed(ctx context.Context) {
	defer l.ended.Done()
	for flushed := l.log.Flushed(); ; {
		var err error
		if flushed, err = l.log.AwaitFlushed(ctx, flushed); err != nil {
			return // the link has ended, or the log: then Receive says so
		}
		l.receiver.poke()
	}
}
