package replica

import (
	"context"
	"fmt"
	"time"

	"ackdb/wal"
)

// reportSpacing is the least between two reports of progress: what moves meanwhile goes into one.
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

// report is the reporter: it tells upstream how far the log got, at once when that moves, at every
// status interval, and when upstream asks.
func (l *link) report(ctx context.Context) {
	defer l.ended.Done()
	for {
		sent, said := l.receiver.opts.Clock.Now(), l.progress()
		if err := l.send(said, sent); err != nil {
			l.fail(fmt.Errorf("replica: report to upstream: %w", err))
			return
		}
		if !l.awaitReport(ctx, said, sent) {
			return
		}
	}
}

func (l *link) send(p progress, now time.Time) error {
	return l.stream.Send(AppendStatus(nil, Status{
		Write: p.write, Flush: p.flush, Apply: p.apply, Time: now, Reply: l.answer.Swap(false),
	}))
}

// awaitReport returns true when the next report is due.
func (l *link) awaitReport(ctx context.Context, said progress, sent time.Time) bool {
	opts := &l.receiver.opts
	var regular <-chan time.Time
	if interval := opts.StatusInterval(); interval > 0 {
		fired, stop := opts.Clock.Timer(interval)
		defer stop()
		regular = fired
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-regular:
			return true
		case <-l.wanted:
			return true
		case <-l.receiver.moved:
		}
		if l.progress() == said {
			continue
		}
		rest := reportSpacing - opts.Clock.Now().Sub(sent)
		return rest <= 0 || pause(ctx, opts.Clock, rest)
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
