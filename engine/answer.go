package engine

import (
	"context"

	"ackdb/wal"
)

// answer is the last step of every commit, on the committer's goroutine: it returns when the
// commit may be acknowledged, and says in result as what. It is the one place that knows what each
// level waits for; the leader waits for nobody's durability. This node's disk comes first, then the
// standbys: what is only there would be lost with a promotion of another. While none is required
// every level above off is local.
func (db *DB) answer(ctx context.Context, result *CommitResult, opts CommitOptions) error {
	if opts.Level == wal.LevelOff {
		if result.Reached != 0 {
			return nil // the leader has answered it
		}
		if opts.Wait > 0 {
			return db.answerByDeadline(ctx, result, opts)
		}
		db.delay(result)
	}
	return db.answerFlushed(ctx, result, &opts)
}

// answerAfter is the answer of a transaction without writes.
func (db *DB) answerAfter(ctx context.Context, opts CommitOptions) error {
	if opts.After == 0 || opts.Level == wal.LevelOff {
		return nil
	}
	return db.answerFlushed(ctx, &CommitResult{ReadOnly: true, End: opts.After}, &opts)
}

// answerFlushed waits for the flush, and then for the standbys, however long it takes.
func (db *DB) answerFlushed(
	ctx context.Context, result *CommitResult, opts *CommitOptions,
) error {
	if db.opts.hooks.standbysFirst {
		return db.awaitStandbys(ctx, result, opts)
	}
	opts.waiting(WaitFlush)
	err := db.log.WaitFlushed(ctx, result.End)
	opts.waiting(WaitNone)
	if err != nil {
		db.metrics.waitsCancelled.Add(1)
		return &CommitWaitError{Result: *result, Level: opts.Level, Cause: err}
	}
	result.Reached = ReachedFlushed
	return db.awaitStandbys(ctx, result, opts)
}

// answerByDeadline waits for the flush so long as the client wants, and then answers the level
// reached. At the limit it waits on. A cancelled wait is answered at once like one that has run
// out: the client asked for no more than an off commit, and this is one.
func (db *DB) answerByDeadline(
	ctx context.Context, result *CommitResult, opts CommitOptions,
) error {
	opts.waiting(WaitFlush)
	reached, err := db.log.WaitFlushedFor(ctx, result.End, opts.Wait)
	opts.waiting(WaitNone)
	if reached {
		result.Reached = ReachedFlushed
		return nil
	}
	if err == nil || ctx.Err() != nil {
		if result.Reached = db.lender.lend(result.End, opts.Limit); result.Reached != 0 {
			return nil
		}
		db.delay(result)
	}
	return db.answerFlushed(ctx, result, &opts)
}

// delay notes that the limit has a commit wait. A log that was poisoned meanwhile looks the same
// here; the wait will say so.
func (db *DB) delay(result *CommitResult) {
	result.Delayed = true
	db.lender.delay()
}

// refuse rejects a commit that would meet the limit, if that is what its client wants. before is
// what the group puts in front of it. Leader only, or before anything is appended.
func (db *DB) refuse(opts CommitOptions, before, size int64) error {
	if opts.OnLimit != LimitReject || opts.Level != wal.LevelOff || opts.Wait > 0 {
		return nil
	}
	return db.lender.refuse(db.log.Inserted()+wal.LSN(before+size), size, opts.Limit)
}
