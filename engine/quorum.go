package engine

import (
	"context"

	"ackdb/wal"
)

// Quorum knows the standbys a commit has to reach. The engine asks it once a commit is flushed
// here; it asks the engine nothing.
type Quorum interface {
	// Required says whether commits of this level wait for standbys now. It must not block.
	Required(level wal.Level) bool

	// Wait returns nil once the required standbys have reached end at the level, or once none are
	// required any more; ctx ends the waiting with an error.
	Wait(ctx context.Context, end wal.LSN, level wal.Level) error
}

// WaitKind says what a commit waits for.
type WaitKind uint8

// What CommitOptions.Waiting is told.
const (
	WaitNone    WaitKind = iota // the wait is over
	WaitFlush                   // for this node's disk
	WaitStandby                 // for the standbys that Quorum requires
)

// waiting tells the session that a wait begins or has ended.
func (o *CommitOptions) waiting(kind WaitKind) {
	if o.Waiting != nil {
		o.Waiting(kind)
	}
}

// reachedOf is what a commit has reached whose standbys have answered at the level.
func reachedOf(level wal.Level) Reached {
	switch level {
	case wal.LevelRemoteWrite:
		return ReachedRemoteWrite
	case wal.LevelOn:
		return ReachedRemoteFlush
	case wal.LevelRemoteApply:
		return ReachedRemoteApply
	}
	return ReachedFlushed
}

// awaitStandbys is the last wait of a commit that is flushed here.
func (db *DB) awaitStandbys(
	ctx context.Context, result *CommitResult, opts *CommitOptions,
) error {
	quorum := db.opts.Quorum
	if opts.Level <= wal.LevelLocal || quorum == nil || !quorum.Required(opts.Level) {
		return nil
	}
	opts.waiting(WaitStandby)
	defer opts.waiting(WaitNone)
	if err := quorum.Wait(ctx, result.End, opts.Level); err != nil {
		db.metrics.waitsCancelled.Add(1)
		return &CommitWaitError{Result: *result, Level: opts.Level, Cause: err}
	}
	// A wait also ends when nobody is required any more, and then nobody has answered for it.
	if quorum.Required(opts.Level) {
		result.Reached = reachedOf(opts.Level)
	}
	return nil
}
