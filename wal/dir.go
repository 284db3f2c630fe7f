package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// Dir is a data directory: its lock, control and list of epochs. It is opened before the store
// and the log, because both need to know whose they are.
type Dir struct {
	opts    Options // immutable
	lock    io.Closer
	control *controlFile

	// fork is the timeline that a promotion is beginning, from before its first record is written
	// until the list has it; nil at other times.
	fork atomic.Pointer[fork]

	mu      sync.Mutex
	epochs  EpochList  // guarded by mu; the list itself is immutable
	history []Timeline // guarded by mu; from the newest history file, likewise
}

// fork is where a timeline begins.
type fork struct {
	timeline uint32
	at       LSN
}

const (
	logDirName   = "wal"
	lockName     = "lock"
	storeDirName = "store"
)

// OpenDir locks a data directory and reads what it says about itself. An empty directory, or none,
// is made a new one: a database of its own, with a system identifier nobody else has.
func OpenDir(opts Options) (*Dir, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	d := &Dir{opts: opts}
	if err := d.makeDirs(); err != nil {
		return nil, err
	}
	lock, err := opts.Disk.Lock(filepath.Join(opts.Dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("wal: lock %s: %w", opts.Dir, err)
	}
	d.lock = lock
	if err := d.load(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// makeDirs makes the directory and the one of the log, with names that a power cut cannot take.
func (d *Dir) makeDirs() error {
	disk, dir := d.opts.Disk, filepath.Clean(d.opts.Dir)
	// These two always, for a start that was cut short may have made them; further up only what
	// this start makes.
	parents := []string{filepath.Dir(dir), dir}
	for up := filepath.Dir(dir); up != filepath.Dir(up); up = filepath.Dir(up) {
		if _, err := disk.List(up); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		parents = append(parents, filepath.Dir(up))
	}
	if err := disk.MkdirAll(filepath.Join(dir, logDirName)); err != nil {
		return fmt.Errorf("wal: create %s: %w", dir, err)
	}
	for _, parent := range parents {
		if err := disk.SyncDir(parent); err != nil {
			return fmt.Errorf("wal: create %s: %w", dir, err)
		}
	}
	return nil
}

func (d *Dir) load() error {
	opts := &d.opts
	control, err := openControl(opts.Disk, opts.Dir, opts.Clock.Now)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.create(); err != nil {
			return err
		}
		control, err = openControl(opts.Disk, opts.Dir, opts.Clock.Now)
	}
	if err != nil {
		return err
	}
	d.control = control
	has := control.get().SegmentSize
	if opts.SegmentSize != 0 && opts.SegmentSize != has {
		return &MismatchError{
			File: controlName, What: "segment size", Got: uint64(has), Want: uint64(opts.SegmentSize),
		}
	}
	if err := d.drawNode(); err != nil {
		return err
	}
	d.epochs, err = readEpochs(opts.Disk, opts.Dir)
	if err == nil && len(d.epochs) == 0 && control.get().Epoch != 0 {
		// Without the list no receipt could be judged, and old bytes could come back to life.
		err = &CorruptionError{Segment: epochsName, Reason: "missing, though control names an epoch"}
	}
	return err
}

// create makes control for a new directory, after making sure that it is one: a database whose
// control was lost must not be given a new identity.
func (d *Dir) create() error {
	opts := &d.opts
	segments, err := opts.Disk.List(filepath.Join(opts.Dir, logDirName))
	if err != nil {
		return fmt.Errorf("wal: create %s: %w", opts.Dir, err)
	}
	names, err := opts.Disk.List(opts.Dir)
	if err != nil {
		return fmt.Errorf("wal: create %s: %w", opts.Dir, err)
	}
	used := slices.Contains(names, epochsName) || slices.Contains(names, storeDirName)
	if used || slices.ContainsFunc(segments, looksLikeSegment) {
		return &CorruptionError{
			Segment: controlName, Reason: "missing, though the directory holds a database",
		}
	}
	system, err := drawID(opts.Rand)
	if err != nil {
		return err
	}
	node, err := drawID(opts.Rand)
	if err != nil {
		return err
	}
	size := opts.SegmentSize
	if size == 0 {
		size = SegmentSizeDefault
	}
	return createControl(opts.Disk, opts.Dir, Control{
		// A bit set in each, since 0 means "none" wherever they are compared.
		SystemID:    system | 1<<62,
		NodeID:      node | 1,
		SegmentSize: size, Role: RolePrimary, Clean: true,
	}, opts.Clock.Now)
}

// Control is what the directory's control says, newest copy.
func (d *Dir) Control() Control { return d.control.get() }

// Epochs is the list of epochs known so far.
func (d *Dir) Epochs() EpochList {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.epochs
}

// saveEpochs replaces the list, first on disk.
func (d *Dir) saveEpochs(list EpochList) error {
	if err := writeWhole(d.opts.Disk, d.opts.Dir, epochsName, EncodeEpochs(list)); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.epochs = list
	return nil
}

// segments gives the files of the directory's log.
func (d *Dir) segments() segments {
	control := d.control.get()
	s := segments{
		disk: d.opts.Disk, dir: filepath.Join(d.opts.Dir, logDirName),
		size: control.SegmentSize, systemID: control.SystemID,
	}
	s.timeline = func(start LSN) uint32 { return d.timelineOf(start + LSN(s.size)) }
	return s
}

// timelineOf is the timeline in the name of the segment that ends at end. The fork's segment has
// two names; this is the one of the timeline that goes on, and readers use no other.
func (d *Dir) timelineOf(end LSN) uint32 {
	// Before the list: what is no longer pending is listed by then.
	if f := d.fork.Load(); f != nil && f.at < end {
		return f.timeline
	}
	return d.Epochs().timelineOf(end)
}

// BeginCut decides that everything in the log from c.At on goes. Both copies of control say so
// when it returns, so that no start can miss it; OpenLog finishes it. Whoever calls it has saved
// what goes, and takes the store back to c.At or before.
func (d *Dir) BeginCut(c Cut) error {
	return d.control.updateBoth(func(cur *Control) { cur.Cut = c })
}

// Close gives the directory back. A Log closes its Dir.
func (d *Dir) Close() error {
	var err error
	if d.control != nil {
		err = d.control.close()
	}
	return errors.Join(err, d.lock.Close())
}
