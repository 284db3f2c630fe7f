package replica

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"ackdb/wal"
)

// Receiver keeps a standby's log going: it connects to upstream, takes the bytes of its log, says
// how far they got, and connects again whenever the link is lost. It ends by Stop, or by itself when
// no connecting again can help, which it tells Fatal.
//
// Its goroutine is the one caller of the log's Receive. Each link has three more: the reporter, the
// watch and the one that follows flushed; they are ended and awaited before the next link.
type Receiver struct {
	opts ReceiverOptions // immutable

	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the goroutine has ended

	status receiverStatus
	fresh  freshness
	moved  chan struct{} // something to report may have moved; of the present link's reporter
}

// ReceiverOptions say what to follow, and what to do with it.
type ReceiverOptions struct {
	ConnInfo ConnInfo
	Slot     string   // "" is none; made when upstream has none of that name
	Log      *wal.Log // required
	// Applied is how far the store has applied the log. nil: as far as it is flushed.
	Applied func() wal.LSN

	// Timeout is wal_receiver_timeout; 0 is none. nil: TimeoutDefault.
	Timeout func() time.Duration
	// StatusInterval is wal_receiver_status_interval; with 0 reports are sent on advance and on
	// request only. nil: StatusIntervalDefault.
	StatusInterval func() time.Duration

	// Fatal is told, on the receiver's goroutine and as the last thing it does, why it ended by
	// itself: ErrMustReseed or a *DivergedError.
	Fatal  func(error)
	Events ReceiverEvents

	Dial  DialFunc       // Dial
	Clock wal.Clock      // the system's
	Rand  func() float64 // of [0, 1); math/rand's
}

// The defaults of ReceiverOptions.
const (
	TimeoutDefault        = 60 * time.Second
	StatusIntervalDefault = 10 * time.Second
)

// ReceiverEvents are told what happens, on the receiver's goroutine: they must not block. Any of
// them may be nil.
type ReceiverEvents struct {
	// Streaming: a link was made, and log is asked for from a position on.
	Streaming func(from wal.LSN, timeline uint32)
	// Lost: the link, or the attempt at one, ended. The next attempt is made after retry.
	Lost func(err error, retry time.Duration)
	// NoSpace: the disk is full. The same bytes are tried again after retry.
	NoSpace func(err error, retry time.Duration)
	// SlotCreated: upstream had no slot of this name.
	SlotCreated func(slot string)
	// Followed: the log goes on on another timeline from fork on.
	Followed func(timeline uint32, fork wal.LSN)
}

func (o ReceiverOptions) withDefaults() ReceiverOptions {
	if o.Applied == nil {
		o.Applied = o.Log.Flushed
	}
	if o.Timeout == nil {
		o.Timeout = func() time.Duration { return TimeoutDefault }
	}
	if o.StatusInterval == nil {
		o.StatusInterval = func() time.Duration { return StatusIntervalDefault }
	}
	if o.Fatal == nil {
		o.Fatal = func(error) {}
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
	o.Events = o.Events.withDefaults()
	return o
}

func (e ReceiverEvents) withDefaults() ReceiverEvents {
	if e.Streaming == nil {
		e.Streaming = func(wal.LSN, uint32) {}
	}
	if e.Lost == nil {
		e.Lost = func(error, time.Duration) {}
	}
	if e.NoSpace == nil {
		e.NoSpace = func(error, time.Duration) {}
	}
	if e.SlotCreated == nil {
		e.SlotCreated = func(string) {}
	}
	if e.Followed == nil {
		e.Followed = func(uint32, wal.LSN) {}
	}
	return e
}

// StartReceiver begins to follow.
func StartReceiver(opts ReceiverOptions) *Receiver {
	opts = opts.withDefaults()
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &Receiver{
		opts: opts, cancel: cancel, done: make(chan struct{}), moved: make(chan struct{}, 1),
	}
	r.status.change(func(c *ReceiverStatus) {
		c.State, c.Slot = ReceiverStarting, opts.Slot
		c.Host, c.Port = opts.ConnInfo.Host, opts.ConnInfo.Port
		c.ConnInfo = opts.ConnInfo.String()
	})
	go r.run(ctx)
	return r
}

// Stop ends the receiver and waits for it. What the log has taken stays; nothing is taken after it.
func (r *Receiver) Stop() {
	r.cancel(ErrReceiverStopped)
	<-r.done
}

// Status is what the receiver is doing now.
func (r *Receiver) Status() ReceiverStatus {
	s := r.status.get()
	s.Written, s.Flushed = r.opts.Log.Written(), r.opts.Log.Flushed()
	s.ReceivedTLI = r.opts.Log.Timeline()
	return s
}

// FreshAsOf is a time, by this node's clock, whose state this standby shows or has passed: every
// commit that upstream had flushed then is applied. Zero: not known yet.
func (r *Receiver) FreshAsOf() time.Time { return r.fresh.asOf() }

// AppliedMoved tells the receiver that Applied gives another position. It does not block.
func (r *Receiver) AppliedMoved() {
	r.fresh.reached(r.opts.Applied())
	r.poke()
}

// poke has the reporter look at the positions.
func (r *Receiver) poke() {
	select {
	case r.moved <- struct{}{}:
	default:
	}
}

// run makes one link after the other.
func (r *Receiver) run(ctx context.Context) {
	defer close(r.done)
	defer r.status.state(ReceiverStopped)
	for {
		err := r.connect(ctx)
		r.opts.Log.ResetReceive() // R2: what the link broke off in the middle of is asked for again
		r.fresh.forget(r.opts.Applied())
		if ctx.Err() != nil {
			return
		}
		if final(err) {
			r.status.change(func(c *ReceiverStatus) { c.LastError = err })
			r.opts.Fatal(err)
			return
		}
		if errors.Is(err, wal.ErrClosed) || errors.Is(err, wal.ErrPoisoned) {
			return // the log has told why itself
		}
		if !r.waitAfter(ctx, err) {
			return
		}
	}
}

// final says that connecting again cannot help.
func final(err error) bool {
	var diverged *DivergedError
	return errors.Is(err, ErrMustReseed) || errors.As(err, &diverged)
}

// waitAfter backs off. It returns false when the receiver is to stop.
func (r *Receiver) waitAfter(ctx context.Context, err error) bool {
	failures := 0
	r.status.change(func(c *ReceiverStatus) {
		c.State, c.LastError = ReceiverWaiting, err
		c.Failures++
		failures = c.Failures
	})
	retry := backOff(failures, r.opts.Rand)
	r.opts.Events.Lost(err, retry)
	return pause(ctx, r.opts.Clock, retry)
}
