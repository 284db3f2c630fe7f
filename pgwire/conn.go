package pgwire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgproto3/v2"
)

// Conn is one client's connection. Its goroutine is Endpoint.handle; what other goroutines may call
// is said at each method.
type Conn struct {
	// lingers: Drain spares it. Guarded by endpoint.mu.
	lingers bool

	// Immutable after start-up.
	endpoint *Endpoint
	opts     *Options
	netConn  net.Conn
	pid      int32
	secret   []byte
	// kind is the kind of session the client asked for.
	kind Replication

	// Connection goroutine only.
	backend  Backend
	reader   reader
	writer   Writer
	prepared prepared
	portals  portals
	bind     bindMessage
	parse    pgproto3.Parse
	// skipToSync: an extended-protocol message failed (P2).
	skipToSync bool
	// flushDue: the client waits for what is in the writer (P3).
	flushDue bool
	// idle: the last thing said was ReadyForQuery.
	idle bool
	// deadline: a read deadline of our own is set.
	deadline bool
	// copying: a COPY FROM STDIN is reading, or a CopyBoth.
	copying bool
	// both is the CopyBoth of the message being handled, or nil.
	both *CopyBoth

	// signal is set, and the read deadline moved to the past, when something below wants to be
	// looked at by a goroutine that may be blocked in a read.
	signal atomic.Bool
	// woken: Wake was called, and Backend.Woken not yet.
	woken atomic.Bool

	mu sync.Mutex
	// Guarded by mu.
	ctx      context.Context
	cancel   context.CancelCauseFunc
	sequence uint64
	running  bool
	ending   *Error

	late atomic.Pointer[Error] // of CancelPipeline, for the next message
}

func newConn(e *Endpoint, nc net.Conn) *Conn {
	c := &Conn{endpoint: e, opts: &e.opts, netConn: nc}
	c.writer = newWriter(nc)
	c.writer.copyReader.conn = c
	c.reader = reader{fill: c.fill, limit: e.opts.messageLimit, budget: &e.budget}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	return c
}

// PID is the process id the client knows.
func (c *Conn) PID() int32 { return c.pid }

// Replication tells which kind of session this is.
func (c *Conn) Replication() Replication { return c.kind }

// RemoteAddr is the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.netConn.RemoteAddr() }

// begin marks a message as running and returns the context for it. The context is shared by
// messages until one is cancelled: making one for each costs four allocations.
func (c *Conn) begin() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil && c.ctx.Err() != nil {
		c.ctx, c.cancel = context.WithCancelCause(context.Background())
	}
	c.sequence++
	c.running = true
	return c.ctx
}

func (c *Conn) end() {
	c.mu.Lock()
	c.running = false
	c.mu.Unlock()
}

// Sequence numbers the messages handled, for Cancel. Connection goroutine only.
func (c *Conn) Sequence() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sequence
}

// Cancel cancels the message being handled, with cause as the error to answer; nothing, when none
// is (P4). With a sequence other than 0 it strikes only the message of that number, so that a timer
// that fires late cannot hit the next one. Any goroutine.
func (c *Conn) Cancel(sequence uint64, cause *Error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running || (sequence != 0 && sequence != c.sequence) {
		return false
	}
	c.cancel(cause)
	c.interrupt()
	return true
}

// CancelPipeline is Cancel for a clock that runs while the client sends nothing, too: between two
// messages of a pipeline it strikes the next. It does nothing unless due, which is asked at a moment
// when no message can end. Any goroutine.
func (c *Conn) CancelPipeline(cause *Error, due func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !due():
	case c.running:
		c.cancel(cause)
		c.interrupt()
	default:
		c.late.Store(cause)
	}
}

// ForgetCancel takes back what CancelPipeline has in store, once nothing is due any more.
func (c *Conn) ForgetCancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late.Store(nil)
}

// Terminate ends the connection: the running message is cancelled, the client is sent reason, the
// socket is closed. Any goroutine. It does not wait.
func (c *Conn) Terminate(reason *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending != nil {
		return
	}
	c.ending = reason
	c.cancel(reason)
	c.interrupt()
	// A client that does not read must not keep its session from ending.
	_ = c.netConn.SetWriteDeadline(time.Now().Add(c.opts.WriteStall))
}

// Break closes the socket, for a client that does not read and could not be told anything. What
// waits for it returns ErrClientGone. Any goroutine.
func (c *Conn) Break() { _ = c.netConn.Close() }

// Wake asks for Backend.Woken once the client is idle. Any goroutine.
func (c *Conn) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken.Store(true)
	c.interrupt()
}

// interrupt gets the connection's goroutine out of a blocked read. Mu is held: the deadline is set
// together with the flag, or the reader could clear the one and miss the other.
func (c *Conn) interrupt() {
	c.signal.Store(true)
	_ = c.netConn.SetReadDeadline(time.Unix(1, 0))
}

// attend looks at what a signal announced.
func (c *Conn) attend() error {
	if !c.signal.Load() {
		return nil
	}
	c.mu.Lock()
	ending := c.ending
	// A client that is not idle is told at its next ReadyForQuery, which raises the signal again.
	woken := c.idle && c.woken.CompareAndSwap(true, false)
	var cancelled error
	if c.copying && c.ctx.Err() != nil {
		cancelled = context.Cause(c.ctx)
	} else if c.both != nil && c.both.over.Load() {
		cancelled = ErrCopyOver
	}
	c.signal.Store(false)
	_ = c.netConn.SetReadDeadline(time.Time{})
	c.deadline = false
	c.mu.Unlock()
	if ending != nil {
		return ending
	}
	if woken {
		c.backend.Woken(&c.writer)
		return c.writer.flush()
	}
	return cancelled
}

// fill is the one place that waits for the client. Whatever is owed is written first (P3).
func (c *Conn) fill(buf []byte) (int, error) {
	if c.flushDue {
		if err := c.writer.flush(); err != nil {
			return 0, err
		}
		c.flushDue = false
	}
	for {
		if err := c.attend(); err != nil {
			return 0, err
		}
		limit, tooLong := c.idleLimit()
		if !c.setDeadline(limit) {
			continue
		}
		n, err := c.netConn.Read(buf)
		if n > 0 {
			return n, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, errRead(err)
		}
		if limit > 0 && !c.signal.Load() {
			return 0, tooLong
		}
	}
}

func (c *Conn) idleLimit() (time.Duration, *Error) {
	if !c.idle {
		return 0, nil
	}
	return c.backend.IdleLimit()
}

// setDeadline arms or clears the read deadline. It returns false when a signal came meanwhile: that
// one has set a deadline of its own, which must not be lost.
func (c *Conn) setDeadline(limit time.Duration) bool {
	if limit == 0 && !c.deadline {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.signal.Load() {
		return false
	}
	var at time.Time
	if limit > 0 {
		at = time.Now().Add(limit)
	}
	_ = c.netConn.SetReadDeadline(at)
	c.deadline = limit > 0
	return true
}

func errRead(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.EOF
	}
	return errors.Join(ErrClientGone, err)
}

// finish sends the last word, if there is one to send, and closes.
func (c *Conn) finish(err error) {
	var fatal *Error
	if errors.As(err, &fatal) {
		last := *fatal
		last.Severity = SeverityFatal
		c.writer.DropHeld()
		c.tell(&last)
		_ = c.netConn.SetWriteDeadline(time.Now().Add(c.opts.WriteStall))
		_ = c.writer.flush()
	}
	if c.backend != nil {
		c.portals.closeAll(true)
		c.backend.Close()
	}
	c.reader.release()
	_ = c.netConn.Close()
}

// tell queues an error for the client.
func (c *Conn) tell(e *Error) {
	c.writer.errorResponse(e)
	if c.opts.Events.Sent != nil {
		c.opts.Events.Sent(c.pid, e)
	}
}
