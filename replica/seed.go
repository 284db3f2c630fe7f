package replica

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ackdb/pgwire"
	"ackdb/wal"
)

// SeedOptions say where a base backup comes from and where it goes.
type SeedOptions struct {
	ConnInfo ConnInfo
	Dir      string
	Slot     string // "" is none; made when upstream has none of that name, renewed when it was lost

	// Timeout ends a backup over which nothing has come for so long. 0: TimeoutDefault.
	Timeout time.Duration

	// Progress is told at most once a second, and at the end. nil tells nobody.
	Progress func(SeedProgress)
	// Retrying is told that an attempt failed and another is made after retry. nil tells nobody.
	Retrying func(err error, retry time.Duration)

	Disk  wal.Disk       // wal.OSDisk
	Dial  DialFunc       // Dial
	Clock wal.Clock      // the system's
	Rand  func() float64 // of [0, 1); math/rand's
}

// seedBeginTimeout bounds the time upstream has for making the backup ready: it flushes its store.
const seedBeginTimeout = 10 * time.Minute

// ErrDirInUse: the directory holds what no seed may wipe.
var ErrDirInUse = errors.New("replica: directory is neither empty nor half seeded")

// SeedError says that a base backup could not be kept: trying again cannot help.
type SeedError struct {
	Name string // what was being written, or came
	Err  error
}

func (e *SeedError) Error() string { return fmt.Sprintf("replica: seed: %s: %v", e.Name, e.Err) }

func (e *SeedError) Unwrap() error { return e.Err }

// DiskFullError says that a base backup does not fit.
type DiskFullError struct {
	Dir    string
	Needed int64 // bytes of the whole backup, 0 when upstream did not say
	Got    int64 // bytes that had come
	Err    error
}

func (e *DiskFullError) Error() string {
	return fmt.Sprintf("replica: seed: disk of %s is full after %d of %d bytes: %v",
		e.Dir, e.Got, e.Needed, e.Err)
}

func (e *DiskFullError) Unwrap() error { return e.Err }

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, wal.ErrNoSpace)
}

func (o SeedOptions) withDefaults() SeedOptions {
	if o.Timeout <= 0 {
		o.Timeout = TimeoutDefault
	}
	if o.Progress == nil {
		o.Progress = func(SeedProgress) {}
	}
	if o.Retrying == nil {
		o.Retrying = func(error, time.Duration) {}
	}
	if o.Disk == nil {
		o.Disk = wal.OSDisk()
	}
	if o.Dial == nil {
		o.Dial = Dial
	}
	if o.Clock == nil {
		o.Clock = wal.SystemClock()
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	return o
}

// Seed fills a directory with a base backup. A lost upstream is tried again, from nothing, until ctx
// ends; what cannot get better is returned. The directory is empty, or half seeded, or has been
// marked by MarkSeeding. When Seed returns nil everything is durable and the marker is gone.
func Seed(ctx context.Context, opts SeedOptions) error {
	opts = opts.withDefaults()
	s := &seeding{opts: opts, dir: seedDir{disk: opts.Disk, path: filepath.Clean(opts.Dir)}}
	if err := s.dir.make(); err != nil {
		return err
	}
	lock, err := opts.Disk.Lock(filepath.Join(s.dir.path, lockFile))
	if err != nil {
		return fmt.Errorf("replica: seed %s: %w", opts.Dir, err)
	}
	err = s.untilDone(ctx)
	return errors.Join(err, lock.Close())
}

// seeding is one Seed.
type seeding struct {
	opts SeedOptions
	dir  seedDir
}

// untilDone makes one attempt after the other.
func (s *seeding) untilDone(ctx context.Context) error {
	if needed, err := NeedsSeed(s.opts.Disk, s.opts.Dir); err != nil || !needed {
		return errors.Join(err, inUse(needed, s.opts.Dir))
	}
	if err := s.dir.mark("base backup from " + s.opts.ConnInfo.String()); err != nil {
		return err
	}
	for failures := 1; ; failures++ {
		err := s.attempt(ctx)
		if err == nil || ctx.Err() != nil || lasting(err) {
			return err
		}
		retry := backOff(failures, s.opts.Rand)
		s.opts.Retrying(err, retry)
		if !pause(ctx, s.opts.Clock, retry) {
			return err
		}
	}
}

func inUse(needed bool, dir string) error {
	if needed {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrDirInUse, dir)
}

// lasting says that another attempt would end as this one did.
func lasting(err error) bool {
	var seed *SeedError
	var full *DiskFullError
	if errors.As(err, &seed) || errors.As(err, &full) {
		return true
	}
	var told *pgwire.Error
	if !errors.As(err, &told) {
		return false
	}
	// Of what upstream says: that it does not know the command, that we may not use it, that the
	// name is none. A server that starts, is full or shuts down gets over it.
	class := told.Code[:min(2, len(told.Code))]
	return class == "0A" || class == "28" || class == "42"
}

// attempt makes one base backup, over whatever the one before left.
func (s *seeding) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	up, err := s.opts.Dial(ctx, s.opts.ConnInfo)
	if err != nil {
		return fmt.Errorf("replica: seed: connect to upstream: %w", err)
	}
	defer func() { _ = up.Close() }()
	if _, err := identify(ctx, up); err != nil {
		return err
	}
	if s.opts.Slot != "" {
		if err := renewSlot(ctx, up, s.opts.Slot); err != nil {
			return err
		}
	}
	begun := time.AfterFunc(seedBeginTimeout, func() { cancel(ErrPeerSilent) })
	backup, err := up.CopyOut(ctx, backupCommand)
	begun.Stop()
	if err != nil {
		return fmt.Errorf("replica: seed: BASE_BACKUP: %w", err)
	}
	return s.take(backup)
}

const backupCommand = "BASE_BACKUP ( LABEL 'ackdb seed', PROGRESS, CHECKPOINT 'fast', WAIT 0 )"

// take writes the backup to the directory. Its control comes last: a directory without one is no
// database, whatever else is in it.
func (s *seeding) take(backup UpstreamCopy) error {
	if err := s.dir.wipe(); err != nil {
		return err
	}
	in := newBackupStream(backup, s.opts)
	control, err := s.dir.extract(in)
	if err == nil {
		err = in.finish()
	}
	if err != nil {
		return s.failed(err, in)
	}
	if err := s.dir.complete(control); err != nil {
		return s.failed(err, in)
	}
	in.progress(true)
	return nil
}

// failed tells a full disk from other failures.
func (s *seeding) failed(err error, in *backupStream) error {
	if !diskFull(err) {
		return err
	}
	return &DiskFullError{Dir: s.opts.Dir, Needed: in.total, Got: in.bytes, Err: err}
}

// firstLine is text up to its first line break.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
