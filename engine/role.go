package engine

import (
	"context"
	"fmt"

	"ackdb/wal"
)

// Role is RolePrimary or RoleStandby. A standby becomes a primary by Promote, once; a primary
// stays one for as long as it is open.
func (db *DB) Role() wal.Role { return wal.Role(db.role.Load()) }

func (db *DB) isStandby() bool { return db.Role() == wal.RoleStandby }

// writableNode refuses what only a primary may do. It is asked where a transaction first locks or
// writes, so that none carries a lock over a promotion: what is applied honours no locks.
func (db *DB) writableNode() error {
	if db.isStandby() {
		return ErrStandby
	}
	return nil
}

// takeRole makes of the recovered node what its directory and its options say. Only a primary
// writes to its log at a start; a standby's is its primary's, byte for byte (W1).
func (db *DB) takeRole(ctx context.Context, dir *wal.Dir, replayed *replay) error {
	role := dir.Control().Role
	if db.opts.ReplicaOf != "" {
		if role == wal.RolePrimary && db.opts.MayFollow != nil {
			if err := db.opts.MayFollow(ctx, db.log); err != nil {
				return fmt.Errorf("engine: become a standby: %w", err)
			}
		}
		// Only now: recovery has judged the log by the role it was written under.
		if err := dir.SetRole(wal.RoleStandby, db.opts.ReplicaOf); err != nil {
			return fmt.Errorf("engine: become a standby: %w", err)
		}
		role = wal.RoleStandby
	}
	switch role {
	case wal.RoleStandby:
		return db.beginStandby(replayed)
	case wal.RoleBackup:
		// It must never share a timeline with the node it was taken from.
		if _, err := db.log.Promote(ctx, "base backup started alone"); err != nil {
			return fmt.Errorf("engine: begin a timeline: %w", err)
		}
	default:
		if err := db.log.BeginEpoch(ctx); err != nil {
			return fmt.Errorf("engine: begin the epoch: %w", err)
		}
	}
	return db.beginWriting()
}

// beginWriting opens the node for commits, in the epoch its log has begun. The record that began
// it ended every transaction still open. A marker goes behind it, so that a snapshot always finds
// one.
func (db *DB) beginWriting() error {
	a := db.applier
	a.mu.Lock()
	defer a.mu.Unlock()
	if !db.opts.hooks.keepOpen {
		a.open.endAll()
	}
	a.pass(db.log.Inserted())
	if err := a.finishMarked(); err != nil {
		return err
	}
	db.epoch = db.log.EpochID()
	db.applied.publish(a.reached)
	db.role.Store(uint32(wal.RolePrimary)) // what the leader reads is written before
	return nil
}

// Promote makes a standby a primary on a new timeline that forks at the end of its log. Whoever
// feeds the log has been stopped. All of the log is applied first, a pause of the replay
// notwithstanding; transactions that were not committed by then are ended by the record that
// begins the timeline. Readers notice nothing. With an error the node is still a standby.
func (db *DB) Promote(ctx context.Context, reason string) (wal.Begin, error) {
	db.promoting.Lock()
	defer db.promoting.Unlock()
	if err := db.closing(); err != nil {
		return wal.Begin{}, err
	}
	if !db.isStandby() {
		return wal.Begin{}, ErrNotStandby
	}
	s := db.standby
	s.stop()
	begin, err := db.promote(ctx, reason)
	if err != nil {
		s.start()
		return wal.Begin{}, err
	}
	return begin, s.cursor.Close()
}

func (db *DB) promote(ctx context.Context, reason string) (wal.Begin, error) {
	if err := db.standby.drain(ctx); err != nil {
		return wal.Begin{}, err
	}
	begin, err := db.log.Promote(ctx, reason)
	if err != nil {
		return wal.Begin{}, fmt.Errorf("engine: begin a timeline: %w", err)
	}
	db.standby.resume()
	// A transaction that read before the last batch lacks commits which no window has kept.
	db.conflicts.raiseFloor(db.applier.markedLSN())
	if err := db.beginWriting(); err != nil {
		db.fail(err) // the log has begun a timeline that the store cannot follow
		return wal.Begin{}, err
	}
	return begin, nil
}

// drain applies all of the log. Nobody adds to it any more.
func (s *standby) drain(ctx context.Context) error {
	if err := s.db.log.WaitFlushed(ctx, s.db.log.Tail().End); err != nil {
		return fmt.Errorf("engine: flush the log before a promotion: %w", err)
	}
	for {
		more, err := s.applyBatch()
		switch {
		case err != nil:
			s.db.fail(err)
			return err
		case !more:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
}
