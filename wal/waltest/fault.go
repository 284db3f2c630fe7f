package waltest

import (
	"errors"
	"path/filepath"
	"sync"
)

// Errors of a disk whose process or power is gone.
var (
	ErrKilled   = errors.New("waltest: the process was killed")
	ErrPowerOff = errors.New("waltest: the power is off")
)

// Op is a kind of disk operation.
type Op uint8

// The operations a Fault can strike. OpAny matches each of them.
const (
	OpAny Op = iota
	OpMkdir
	OpCreate
	OpOpen
	OpRename
	OpRemove
	OpList
	OpSyncDir
	OpLock
	OpRead
	OpWrite
	OpSync
	OpTruncate
	OpDropCache
)

// Fault strikes one operation, or every one from it on.
type Fault struct {
	Op     Op
	Path   string // pattern of filepath.Match for the base name; "" matches all
	Nth    int    // the first match it strikes, counted from 1; 0 is 1
	Sticky bool   // strike every match from then on
	Err    error  // what the operation answers

	// Short is how many bytes a struck write writes before it fails.
	Short int

	// MarkClean makes a struck Sync do what kernels do: the file's dirty pages count as clean,
	// though they never reached the medium, and the next Sync succeeds.
	MarkClean bool

	// PowerOff cuts the power at a struck operation, as PowerOffAt does, by the choice of Seed.
	PowerOff bool
	Seed     uint64

	// Gate makes a struck operation wait, and then go on as if nothing had been, if Err is nil.
	Gate *Gate

	seen int
}

// Gate holds operations up.
type Gate struct {
	entered chan struct{}
	opened  chan struct{}
	once    sync.Once
}

// NewGate gives a closed gate.
func NewGate() *Gate {
	return &Gate{entered: make(chan struct{}, 1), opened: make(chan struct{})}
}

// Entered gives a value when an operation waits at the gate.
func (g *Gate) Entered() <-chan struct{} { return g.entered }

// Open lets everything through, now and later.
func (g *Gate) Open() { g.once.Do(func() { close(g.opened) }) }

func (g *Gate) wait() {
	select {
	case g.entered <- struct{}{}:
	default:
	}
	<-g.opened
}

// Lies are what the disk claims and does not do. They are for negative controls: a test that
// still passes on a disk that lies proves nothing.
type Lies struct {
	Sync      bool // Sync does nothing
	SyncDir   bool // SyncDir does nothing
	DropCache bool // DropCache does nothing
}

// life is one process on the store.
type life struct {
	// All guarded by the store's mu.
	dead    error // why every operation fails; nil while the process lives
	ops     int
	changes int
	faults  []*Fault
}

func (l *life) end(why error) {
	if l.dead == nil {
		l.dead = why
	}
}

// Fail adds a fault. Of several that match, the one added first strikes.
func (d *Disk) Fail(f Fault) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.life.faults = append(d.life.faults, &f)
}

// Heal takes all faults away. Operations that wait at a gate stay there.
func (d *Disk) Heal() {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.life.faults = nil
}

// Stall makes every match wait until the gate returned is opened.
func (d *Disk) Stall(op Op, path string) *Gate {
	g := NewGate()
	d.Fail(Fault{Op: op, Path: path, Sticky: true, Gate: g})
	return g
}

// Lie makes the store lie from now on, to this process and the next. A disk made by Crash is
// honest again.
func (d *Disk) Lie(lies Lies) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.store.lies = lies
}

// Ops says how many operations this process has made.
func (d *Disk) Ops() int {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	return d.life.ops
}

// Changes says how many of them have changed a file or a name.
func (d *Disk) Changes() int {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	return d.life.changes
}

// PowerOffAt cuts the power at the nth operation from now, counted from 1. It may still be done,
// by the seed's choice, but it answers ErrPowerOff, and so does every later one. Call Crash then.
func (d *Disk) PowerOffAt(nth int, seed uint64) {
	d.Fail(Fault{Op: OpAny, Nth: nth, PowerOff: true, Seed: seed})
}

// Off says whether the power has gone, or the process been killed.
func (d *Disk) Off() bool {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	return d.life.dead != nil
}

// verdict is what is to become of one operation.
type verdict struct {
	fault *Fault // nil: none
	err   error  // the answer; nil: as it goes
	skip  bool   // do nothing
}

// admit counts an operation and decides on it, waiting at a gate if there is one. It returns with
// the store locked.
func (d *Disk) admit(op Op, path string) verdict {
	d.store.mu.Lock()
	l := d.life
	l.ops++
	switch op {
	case OpCreate, OpRename, OpRemove, OpWrite, OpTruncate:
		l.changes++
	}
	if l.dead != nil {
		return verdict{err: l.dead, skip: true}
	}
	f := l.strike(op, path)
	if f == nil {
		return verdict{}
	}
	if f.PowerOff {
		l.end(ErrPowerOff)
		return verdict{err: l.dead, skip: newRand(f.Seed, streamPowerOff).IntN(2) == 0}
	}
	if f.Gate != nil {
		d.store.mu.Unlock()
		f.Gate.wait()
		d.store.mu.Lock()
		if l.dead != nil {
			return verdict{err: l.dead, skip: true}
		}
	}
	return verdict{fault: f, err: f.Err, skip: f.Err != nil}
}

// strike finds the fault for an operation.
func (l *life) strike(op Op, path string) *Fault {
	for _, f := range l.faults {
		if f.Op != OpAny && f.Op != op {
			continue
		}
		if ok, err := filepath.Match(f.Path, filepath.Base(path)); f.Path != "" && (!ok || err != nil) {
			continue
		}
		f.seen++
		first := max(f.Nth, 1)
		if f.seen == first || f.Sticky && f.seen > first {
			return f
		}
	}
	return nil
}
