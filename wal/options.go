package wal

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"time"
)

// The bounds and defaults of Options.
const (
	SegmentSizeMin     = 1 << 20
	SegmentSizeMax     = 1 << 30
	SegmentSizeDefault = 16 << 20

	WriterDelayDefault = 10 * time.Millisecond
	FlushAfterDefault  = 1 << 20
	KeepSizeDefault    = 256 << 20

	// ExitPoisoned is the exit code of a server whose log was poisoned (W4).
	ExitPoisoned = 70
)

// Options say how a directory's log is kept. Every zero value means the default named.
type Options struct {
	Dir  string // required: the data directory, whose wal/ holds the segments
	Disk Disk   // OSDisk

	// SegmentSize is a power of two from 1 MiB to 1 GiB; fixed when the directory is created.
	// Zero means what the directory has, SegmentSizeDefault for a new one.
	SegmentSize int64

	// WriterDelay is how long a commit that nobody waits for may stay unflushed, FlushAfter how
	// many bytes of them. Functions, since both may change while the server runs.
	WriterDelay func() time.Duration // WriterDelayDefault
	FlushAfter  func() int64         // FlushAfterDefault

	// KeepSize is how much log Recycle keeps behind flushed, whoever needs it or not.
	KeepSize func() int64 // KeepSizeDefault

	// Hold is the position from which on Recycle keeps everything for others, 0 for no hold. It is
	// asked under the recycling lock, so it must not call Reserve or Recycle.
	Hold func() LSN // no hold

	// SyncMethod forces how segments are made durable; "" takes the best that works here.
	SyncMethod string

	// FloorSamples is how many fsyncs are timed at start, to know the least that one costs here;
	// 0 is none.
	FloorSamples int

	// Unresolved is called once, when a write or fsync has failed, before Fatal, so that those
	// connected can be told. It has UnresolvedGraceMax to return; whether or not it has, Fatal is
	// next. nil tells nobody.
	Unresolved func(*UnresolvedError)

	// Fatal is called once, when a write or fsync has failed (W4). It is not meant to return:
	// the default prints one line and exits with ExitPoisoned.
	Fatal func(error)

	Events Events    // no callbacks
	Clock  Clock     // the system's
	Rand   io.Reader // crypto/rand
}

// Events are told what happens, on the goroutine it happens on: they must not block. Any of them
// may be nil.
type Events struct {
	// Flushed: one fsync round made the log durable up to lsn.
	Flushed func(lsn LSN, bytes int64, took time.Duration)
	// SegmentFailed: no segment could be prepared; commits will meet ErrNoSpace if it persists.
	SegmentFailed func(error)
	// Recovering: recovery has verified the log up to lsn; about once a second.
	Recovering func(lsn LSN)
	// ControlFailed: control could not be rewritten. The log goes on; D lags.
	ControlFailed func(error)
}

// Clock is the time the log lives by.
type Clock interface {
	Now() time.Time
	// Timer returns a channel that receives once after d, and a function that ends the wait.
	Timer(d time.Duration) (fired <-chan time.Time, stop func() bool)
}

// SystemClock is the clock of the machine.
func SystemClock() Clock { return systemClock{} }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}

func (o Options) withDefaults() Options {
	if o.Disk == nil {
		o.Disk = OSDisk()
	}
	if o.WriterDelay == nil {
		o.WriterDelay = func() time.Duration { return WriterDelayDefault }
	}
	if o.FlushAfter == nil {
		o.FlushAfter = func() int64 { return FlushAfterDefault }
	}
	if o.KeepSize == nil {
		o.KeepSize = func() int64 { return KeepSizeDefault }
	}
	if o.Hold == nil {
		o.Hold = func() LSN { return 0 }
	}
	if o.Fatal == nil {
		o.Fatal = exitPoisoned
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return o
}

func (o *Options) validate() error {
	if o.Dir == "" {
		return fmt.Errorf("wal: options: Dir is required")
	}
	if o.SegmentSize != 0 && !validSegmentSize(o.SegmentSize) {
		return fmt.Errorf("wal: options: segment size %d is not a power of two from %d to %d",
			o.SegmentSize, SegmentSizeMin, SegmentSizeMax)
	}
	return nil
}

func validSegmentSize(n int64) bool {
	return n >= SegmentSizeMin && n <= SegmentSizeMax && n&(n-1) == 0
}

// exitPoisoned is the last thing a server with a poisoned log does.
func exitPoisoned(err error) {
	fmt.Fprintf(os.Stderr, "ackdb: PANIC: %v\n", err)
	os.Exit(ExitPoisoned)
}
