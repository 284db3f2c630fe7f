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

func (f *feed) progress() (p progress) {
	// In this order: each is at most the next one, though all of them grow meanwhile.
	p.apply = f.receiver.opts.Applied()
	p.flush = f.log.Flushed()
	p.write = f.log.Written()
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
func (f *feed) report(ctx context.Context) {
	defer f.ended.Done()
	var said reported
	for {
		said.say(f.progress(), f.receiver.opts.Clock.Now())
		f.probes.sending(said.at)
		if err := f.send(&said); err != nil {
			f.fail(fmt.Errorf("replica: report to upstream: %w", err))
			return
		}
		if !f.awaitReport(ctx, &said) {
			return
		}
	}
}

func (f *feed) send(r *reported) error {
	return f.stream.Send(AppendStatus(nil, Status{
		Write: r.write, Flush: r.flush, Apply: r.apply, Time: r.at, Reply: f.answer.Swap(false),
	}))
}

// awaitReport returns true when the next report is due.
func (f *feed) awaitReport(ctx context.Context, said *reported) bool {
	opts := &f.receiver.opts
	var regular <-chan time.Time
	if interval := opts.StatusInterval(); interval > 0 {
		fired, stop := opts.Clock.Timer(interval)
		defer stop()
		regular = fired
	}
	for {
		var spaced <-chan time.Time
		stop := func() bool { return false }
		if rest, moved := said.rest(f.progress(), opts.Clock.Now()); moved {
			if rest <= 0 || f.hurry.Load() {
				return true
			}
			spaced, stop = opts.Clock.Timer(rest)
		}
		select {
		case <-ctx.Done():
			stop()
			return false
		case <-f.wanted:
			stop()
			return true
		case <-regular:
			stop()
			return true
		case <-spaced:
			return true
		case <-f.receiver.moved:
			stop()
		}
	}
}

// followFlushed wakes the reporter whenever the log's flushed moves.
func (f *feed) followFlushed(ctx context.Context) {
	defer f.ended.Done()
	for flushed := f.log.Flushed(); ; {
		var err error
		if flushed, err = f.log.AwaitFlushed(ctx, flushed); err != nil {
			return // the link has ended, or the log: then Receive says so
		}
		f.receiver.poke()
	}
}
