package wal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// preparedAhead is how many zero-filled segments are kept ready. One would do while zeroing
	// is faster than filling; the second covers a burst that meets a slow fsync.
	preparedAhead = 2

	// preparedSpares bounds the recycled files that wait to be zeroed; more are removed.
	preparedSpares = 4

	// prepareStepBytes is written between two fsyncs. One fsync of a whole segment would hold up
	// the flusher's own, which shares the file system's journal with it.
	prepareStepBytes = 1 << 20

	// prepareRetryMin keeps a full disk from being filled with zeros anew by every commit.
	prepareRetryMin = 100 * time.Millisecond

	preparedPrefix = "prepared-"
	preparedSuffix = ".tmp"
)

// preparer keeps segment files ready ahead of the log: full of zeros and fsynced, under a name
// without timeline and position. Overwriting blocks that were written once costs half the
// fdatasync of an append, which has to commit the file's new size and blocks too; and a full
// disk strikes here, where nobody has been promised anything.
//
// It owns one goroutine, run, which close ends and awaits.
type preparer struct {
	disk  Disk
	dir   string
	size  int64
	onErr func(error)
	now   func() time.Time

	kick   chan struct{} // capacity 1: a poke is remembered, two are one
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	ready    []string      // guarded by mu; zeroed and fsynced
	spares   []string      // guarded by mu; recycled, contents stale
	number   int           // guarded by mu; of the last temporary name given
	attempts uint64        // guarded by mu; finished tries to make a file ready
	failed   error         // guarded by mu; of the last try
	failedAt time.Time     // guarded by mu
	changed  chan struct{} // guarded by mu; closed and replaced at each change
}

// newPreparer starts the task for the segments of dir. onErr may be nil; it hears of every
// failure, on the task's goroutine.
func newPreparer(
	disk Disk, dir string, size int64, onErr func(error),
) (*preparer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &preparer{
		disk: disk, dir: dir, size: size, onErr: onErr, now: time.Now,
		kick: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
		changed: make(chan struct{}),
	}
	// Here and not in run: recycle must not give a name that an earlier life has left in use.
	if err := p.adopt(); err != nil {
		cancel()
		return nil, fmt.Errorf("wal: look for prepared segments: %w", err)
	}
	go p.run(ctx)
	return p, nil
}

func (p *preparer) close() {
	p.cancel()
	<-p.done
}

// take gives a zeroed segment file under its final path, the name durable. With none ready it
// waits for the task. ErrNoSpace: the task met a full disk; nothing was done, and a later call
// tries again. Any other error leaves the directory in doubt and must poison the log (W4).
func (p *preparer) take(ctx context.Context, path string) (File, error) {
	spare, err := p.await(ctx)
	if err != nil {
		return nil, fmt.Errorf("wal: prepare segment %s: %w", filepath.Base(path), err)
	}
	p.poke()
	if err := p.disk.Rename(spare, path); err != nil {
		return nil, err
	}
	// Before the first byte goes in: a record flushed to a file without a name is lost, and a
	// file that came back under its temporary name would not be zeros any more.
	if err := p.disk.SyncDir(p.dir); err != nil {
		return nil, err
	}
	return p.disk.Open(path)
}

// await takes the path of a ready file off the list.
func (p *preparer) await(ctx context.Context) (string, error) {
	p.mu.Lock()
	seen := p.attempts
	p.mu.Unlock()
	for {
		p.mu.Lock()
		if n := len(p.ready); n > 0 {
			path := p.ready[0]
			p.ready = p.ready[1:]
			p.mu.Unlock()
			return path, nil
		}
		failed, changed := p.failed, p.changed
		// A failure counts if its try ended after this call began, or so lately that another
		// would meet the same disk.
		fresh := p.attempts > seen || !p.retryDueLocked()
		p.mu.Unlock()
		if failed != nil && fresh {
			return "", failed
		}
		p.poke()
		select {
		case <-changed:
		case <-ctx.Done():
			return "", ctx.Err()
		case <-p.done:
			return "", ErrClosed
		}
	}
}

// recycle takes segments out of the log, to be zeroed and used again, or removed where there are
// enough. The files leave their names, durably, before the first zero is written: a segment must
// never be seen under its own name with other bytes than it had.
func (p *preparer) recycle(paths ...string) error {
	if len(paths) == 0 {
		return nil
	}
	var spares []string
	for _, path := range paths {
		temp, ok := p.spareName(len(spares))
		if !ok {
			if err := p.disk.Remove(path); err != nil {
				return err
			}
			continue
		}
		if err := p.disk.Rename(path, temp); err != nil {
			return err
		}
		spares = append(spares, temp)
	}
	if err := p.disk.SyncDir(p.dir); err != nil {
		return err
	}
	p.mu.Lock()
	p.spares = append(p.spares, spares...)
	p.mu.Unlock()
	p.poke()
	return nil
}

// spareName gives a temporary name unless the spares, with taken more to come, are enough.
func (p *preparer) spareName(taken int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.spares)+taken >= preparedSpares {
		return "", false
	}
	return p.nextNameLocked(), true
}

// nextNameLocked gives a temporary path not given before. REQUIRES: mu.
func (p *preparer) nextNameLocked() string {
	p.number++
	return filepath.Join(p.dir, fmt.Sprintf("%s%d%s", preparedPrefix, p.number, preparedSuffix))
}

func (p *preparer) poke() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// run is the task.
func (p *preparer) run(ctx context.Context) {
	defer close(p.done)
	for {
		var err error
		for err == nil && ctx.Err() == nil && p.wanted() {
			err = p.makeReady(ctx)
		}
		if err != nil && ctx.Err() == nil {
			p.report(err)
		}
		select {
		case <-p.kick:
		case <-ctx.Done():
			return
		}
	}
}

// adopt finds the temporary files of an earlier life, before run starts. They are zeroed like
// recycled ones: their names do not tell whether the fsync was still to come.
func (p *preparer) adopt() error {
	names, err := p.disk.List(p.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isPreparedName(name) {
			continue
		}
		var number int
		if _, err := fmt.Sscanf(name, preparedPrefix+"%d"+preparedSuffix, &number); err == nil {
			p.number = max(p.number, number)
		}
		p.spares = append(p.spares, filepath.Join(p.dir, name))
	}
	return nil
}

// isPreparedName says whether a file of the log's directory is the preparer's.
func isPreparedName(name string) bool {
	return strings.HasPrefix(name, preparedPrefix) && strings.HasSuffix(name, preparedSuffix)
}

// wanted says whether to make a file ready now. A poke from before a failure must not start the
// next try at once; await pokes again when its time has come.
func (p *preparer) wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ready) < preparedAhead && (p.failed == nil || p.retryDueLocked())
}

// retryDueLocked says whether the last failure is long enough ago. REQUIRES: mu.
func (p *preparer) retryDueLocked() bool {
	return p.now().Sub(p.failedAt) >= prepareRetryMin
}

// makeReady makes one file ready, out of a spare if there is one.
func (p *preparer) makeReady(ctx context.Context) error {
	path, spare := p.pick()
	err := p.zero(ctx, path, spare)
	if err != nil {
		// Half a file of zeros is space that a full disk needs back.
		if rm := p.disk.Remove(path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
			err = errors.Join(err, rm)
		}
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, path)
	p.attempts++
	p.failed = nil
	p.announceLocked()
	return nil
}

// pick gives the path of the file to work on, and whether it is there already.
func (p *preparer) pick() (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.spares); n > 0 {
		path := p.spares[n-1]
		p.spares = p.spares[:n-1]
		return path, true
	}
	return p.nextNameLocked(), false
}

// zero writes the whole file full of zeros, durably.
func (p *preparer) zero(ctx context.Context, path string, spare bool) (err error) {
	open := p.disk.Create
	if spare {
		open = p.disk.Open
	}
	f, err := open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// A spare of another size was made under another wal_segment_size.
	if err := f.Truncate(p.size); err != nil {
		return err
	}
	step := min(prepareStepBytes, p.size)
	zeros := make([]byte, step)
	for off := int64(0); off < p.size; off += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := f.WriteAt(zeros[:min(step, p.size-off)], off); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// fullDisk marks the errors that say that a disk is full.
func fullDisk(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

// report hands a failure to the waiting and to onErr.
func (p *preparer) report(err error) {
	err = fullDisk(err)
	if p.onErr != nil {
		p.onErr(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts++
	p.failed = err
	p.failedAt = p.now()
	p.announceLocked()
}

// announceLocked wakes everyone in await. REQUIRES: mu.
func (p *preparer) announceLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}
