package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"

	"ackdb/wal"
)

// backupPrefix begins the names of snapshots in checkpoints/.
const backupPrefix = "backup-"

// StoreSnapshot is the store's files as they were at one moment, for a base backup: hard links, so
// it costs no copy. The log it needs is kept until Close.
type StoreSnapshot struct {
	db   *DB
	dir  string
	at   marker
	hold *hold
}

// Snapshot makes the store durable up to everything applied before the call and links its files.
func (db *DB) Snapshot(ctx context.Context) (*StoreSnapshot, error) {
	if err := db.closing(); err != nil {
		return nil, err
	}
	s := &StoreSnapshot{db: db, hold: db.holds.add()}
	if err := s.link(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *StoreSnapshot) link(ctx context.Context) error {
	db := s.db
	if err := db.flushStore(ctx); err != nil {
		return fmt.Errorf("engine: flush the store for a backup: %w", err)
	}
	// What is linked may be newer than this, never older: it needs no log from before redo.
	s.at = db.durable.load()
	db.holds.raise(s.hold, s.at.redo)
	if err := db.opts.FS.MkdirAll(db.opts.checkpointsDir(), 0o755); err != nil {
		return fmt.Errorf("engine: snapshot of the store: %w", err)
	}
	s.dir = filepath.Join(db.opts.checkpointsDir(), fmt.Sprint(backupPrefix, s.hold.id))
	if err := db.store.Checkpoint(s.dir); err != nil {
		return fmt.Errorf("engine: snapshot of the store: %w", err)
	}
	return nil
}

// Dir is where the files are. Nothing in it changes.
func (s *StoreSnapshot) Dir() string { return s.dir }

// Redo is where the log has to begin that makes a database of the snapshot.
func (s *StoreSnapshot) Redo() wal.LSN { return s.at.redo }

// Applied is up to where commits are in the snapshot. It may have later ones, all of them flushed
// by now: the log beside it has to reach at least to what is flushed after Snapshot has returned.
func (s *StoreSnapshot) Applied() wal.LSN { return s.at.applied }

// Close removes the snapshot and lets go of the log.
func (s *StoreSnapshot) Close() error {
	defer s.db.holds.remove(s.hold)
	if s.dir == "" {
		return nil
	}
	return s.db.opts.FS.RemoveAll(s.dir)
}

// removeSnapshots removes what backups left that a crash has ended.
func removeSnapshots(o Options) error {
	dir := o.checkpointsDir()
	names, err := o.FS.List(dir)
	if err != nil {
		return nil // there is no such directory before the first backup
	}
	for _, name := range names {
		if strings.HasPrefix(name, backupPrefix) {
			err = errors.Join(err, o.FS.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return err
}

// holds are the positions from which snapshots need the log. The log asks for the lowest before it
// recycles.
type holds struct {
	also func() wal.LSN // Options.Log.Hold: the slots

	mu sync.Mutex

	// guarded by mu
	list []*hold
	ids  uint64
}

type hold struct {
	id uint64
	at wal.LSN
}

// add holds the log from its oldest record on. Were it from the redo of the snapshot to come, that
// would have to be known first, and could be recycled meanwhile.
func (h *holds) add() *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids++
	mine := &hold{id: h.ids, at: 1}
	h.list = append(h.list, mine)
	return mine
}

// raise lets go of the log below the position.
func (h *holds) raise(mine *hold, at wal.LSN) {
	h.mu.Lock()
	defer h.mu.Unlock()
	mine.at = at
}

func (h *holds) remove(mine *hold) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, other := range h.list {
		if other == mine {
			h.list = append(h.list[:i], h.list[i+1:]...)
			return
		}
	}
}

// lowest is what wal.Options.Hold asks: 0 is no hold.
func (h *holds) lowest() wal.LSN {
	lowest := wal.LSN(math.MaxUint64)
	if h.also != nil {
		if at := h.also(); at != 0 {
			lowest = at
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.list {
		lowest = min(lowest, one.at)
	}
	if lowest == math.MaxUint64 {
		return 0
	}
	return lowest
}
