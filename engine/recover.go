package engine

import (
	"context"
	"fmt"
	"time"

	"ackdb/wal"
)

// progressInterval is how often a recovery reports how far it is.
const progressInterval = time.Second

// recovery replays the log from redo to its end.
type recovery struct {
	replay
	end    wal.LSN
	events Events
	began  time.Time
	told   time.Time
}

// run replays and leaves the applier at the log's end, the last batch handed over.
func (r *recovery) run(ctx context.Context) error {
	a := r.applier
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.end <= r.from.redo {
		return nil
	}
	err := eachRecord(r.log, r.from.redo, r.end, func(rec *wal.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.tell()
		if err := r.record(rec); err != nil || !a.full() {
			return err
		}
		return a.finish()
	})
	if err != nil {
		return fmt.Errorf("engine: replay the log from %s: %w", r.from.redo, err)
	}
	return a.finish()
}

// tell reports progress once a second.
func (r *recovery) tell() {
	if r.events.RecoveryProgress == nil {
		return
	}
	now := time.Now()
	if r.told.IsZero() {
		r.told = now
	}
	if now.Sub(r.told) < progressInterval {
		return
	}
	r.told = now
	r.events.RecoveryProgress(RecoveryProgress{
		Applied: r.applier.reached, End: r.end, Elapsed: now.Sub(r.began),
	})
}
