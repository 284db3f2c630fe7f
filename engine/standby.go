package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"ackdb/wal"
)

// standbyBatchRecords bounds the records of one batch, beside applyBatchSize: data records of
// large transactions add nothing to a batch, and applied has to move all the same.
const standbyBatchRecords = 4096

// standby applies the log of a node that does not write it. One goroutine follows what is flushed
// here (W3) and hands it to the store in batches of whole commits, each with its marker, so that
// readers see a prefix of the log and nothing else (E2); it waits for no reader, and none is
// cancelled for it. A large transaction goes into the store in several batches behind a pinned
// view, as on the primary that committed it.
//
// Two waits that a primary's leader has are missing on purpose: a standby never waits for
// max_wal_size, since what it would hold up has been written by its primary long ago; it asks for
// checkpoints just the same, and the store itself holds it back when its memtables are full.
type standby struct {
	db     *DB
	replay replay

	// of the goroutine that applies, or of Promote once that has ended
	cursor *wal.Cursor

	cancel context.CancelFunc // ends the goroutine
	done   chan struct{}      // closed when it has ended

	lastCommit atomic.Int64 // time of the last commit visible, microseconds since 1970

	mu sync.Mutex

	// guarded by mu
	resumed chan struct{} // non-nil while paused; closed at the end of that
}

// beginStandby makes the node a standby that has applied all of its log. A marker is put behind
// that, so that a snapshot always finds one.
func (db *DB) beginStandby(replayed *replay) error {
	a := db.applier
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.finishMarked(); err != nil {
		return err
	}
	cursor, err := db.log.Cursor(a.reached)
	if err != nil {
		return fmt.Errorf("engine: follow the log from %s: %w", a.reached, err)
	}
	s := &standby{db: db, cursor: cursor}
	s.replay = replay{
		log: db.log, applier: a, from: marker{applied: a.reached}, part: db.applyPart,
	}
	s.lastCommit.Store(replayed.lastCommit)
	db.standby = s
	db.role.Store(uint32(wal.RoleStandby))
	db.applied.publish(a.reached)
	return nil
}

// start begins to apply.
func (s *standby) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.cancel, s.done = cancel, done
	go func() {
		defer close(done)
		if err := s.run(ctx); err != nil && ctx.Err() == nil {
			s.db.fail(err)
		}
	}()
}

// stop ends the goroutine between two batches and awaits it.
func (s *standby) stop() {
	s.cancel()
	<-s.done
}

// close ends the applying for good.
func (s *standby) close() error {
	s.stop()
	return s.cursor.Close()
}

func (s *standby) run(ctx context.Context) error {
	for {
		if err := s.awaitResume(ctx); err != nil {
			return err
		}
		more, err := s.applyBatch()
		if err != nil {
			return err
		}
		if more && ctx.Err() == nil {
			continue
		}
		if err := s.cursor.Wait(ctx); err != nil {
			return s.waitError(err)
		}
	}
}

// waitError makes nothing of the log's own end: the log has told whoever must know.
func (s *standby) waitError(err error) error {
	if errors.Is(err, wal.ErrClosed) || errors.Is(err, wal.ErrPoisoned) {
		return nil
	}
	return err
}

// applyBatch applies what is flushed, up to a batch; more says that it stopped at a full one.
func (s *standby) applyBatch() (more bool, err error) {
	a := s.db.applier
	a.mu.Lock()
	defer a.mu.Unlock()
	for range standbyBatchRecords {
		rec, err := s.cursor.Next()
		if errors.Is(err, io.EOF) {
			s.passFiller()
			return false, s.handOver()
		}
		if err == nil {
			err = s.record(&rec)
		}
		if err != nil {
			return false, fmt.Errorf("engine: apply the log at %s: %w", s.cursor.Position(), err)
		}
		if a.full() {
			break
		}
	}
	return true, s.handOver()
}

// record feeds one record. A large transaction is alone in its batches: the view that readers are
// sent to while it is applied has everything before it, and ends with it.
func (s *standby) record(rec *wal.Record) error {
	large, err := isLarge(rec)
	if err != nil || !large {
		return errors.Join(err, s.replay.record(rec))
	}
	if err := s.handOver(); err != nil {
		return err
	}
	if err := s.replay.record(rec); err != nil {
		return err
	}
	return s.handOver()
}

func isLarge(rec *wal.Record) (bool, error) {
	if rec.Type != wal.TypeCommit {
		return false, nil
	}
	header, _, err := wal.DecodeCommit(rec.Payload)
	return header.FirstData != 0, err
}

// passFiller passes a filler that the log ends with: nobody may wait for a record behind it that
// may not come for hours. One that leads to a new epoch is never the end of what is flushed: it
// comes with the record that begins the epoch.
func (s *standby) passFiller() {
	if end := s.cursor.Position(); end > s.db.applier.reached {
		s.db.applier.pass(end)
	}
}

// handOver gives the batch to the store and shows it to readers. The caller holds the applier's
// mu.
func (s *standby) handOver() error {
	db, a := s.db, s.db.applier
	if a.reached == db.Applied() {
		return nil
	}
	if a.takeSystem() {
		db.systemVersion.Store(uint64(a.reached))
	}
	if err := a.finish(); err != nil {
		return err
	}
	if db.opts.hooks.applied != nil {
		db.opts.hooks.applied()
	}
	db.endLarge()
	s.lastCommit.Store(s.replay.lastCommit)
	db.applied.publish(a.reached)
	db.applied.tell(a.reached)
	db.askCheckpoint(a.reached)
	return nil
}

// awaitResume returns at once unless replay is paused.
func (s *standby) awaitResume(ctx context.Context) error {
	s.mu.Lock()
	resumed := s.resumed
	s.mu.Unlock()
	if resumed == nil {
		return nil
	}
	select {
	case <-resumed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *standby) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resumed == nil {
		s.resumed = make(chan struct{})
	}
}

func (s *standby) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resumed != nil {
		close(s.resumed)
		s.resumed = nil
	}
}

func (s *standby) isPaused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resumed != nil
}

// ReplayStatus tells how far a standby is.
type ReplayStatus struct {
	Applied wal.LSN

	// LastCommit is when the last commit applied was made, by its primary's clock; zero when none
	// has been applied since the start.
	LastCommit time.Time

	// Paused says that PauseReplay was called. The batch under way then is finished.
	Paused bool
}

// Replay tells how far a standby is. On a primary it is where a promotion left it.
func (db *DB) Replay() ReplayStatus {
	status := ReplayStatus{Applied: db.Applied()}
	s := db.standby
	if s == nil {
		return status
	}
	if micros := s.lastCommit.Load(); micros != 0 {
		status.LastCommit = time.UnixMicro(micros)
	}
	status.Paused = s.isPaused()
	return status
}

// PauseReplay keeps a standby from applying until ResumeReplay, or a promotion. What it is sent is
// still written and flushed.
func (db *DB) PauseReplay() error {
	if db.Role() != wal.RoleStandby {
		return ErrNotStandby
	}
	db.standby.pause()
	return nil
}

// ResumeReplay ends a pause; without one it does nothing.
func (db *DB) ResumeReplay() error {
	if db.Role() != wal.RoleStandby {
		return ErrNotStandby
	}
	db.standby.resume()
	return nil
}

// SystemVersion is the end of the last batch of a standby that touched a system table. It moves
// before readers see that batch, and applied behind it: who reads the system tables having seen
// Applied at or above SystemVersion has all of them.
func (db *DB) SystemVersion() uint64 { return db.systemVersion.Load() }
