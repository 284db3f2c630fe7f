package pgwire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// CopyBoth carries pieces both ways between a Backend and its client. One goroutine may send while
// another receives; both are the caller's, and must be done when Query returns.
//
// While it lives the reader belongs to Receive and the socket's writing side to Send: the
// connection's goroutine touches neither before leave has taken both locks.
type CopyBoth struct {
	conn *Conn
	ctx  context.Context
	// unwatch ends the watch over ctx.
	unwatch func() bool

	// over: closed, or left. closed: by Close, so that the connection ends with the copy.
	over   atomic.Bool
	closed atomic.Bool

	sendMu sync.Mutex
	// Guarded by sendMu.
	outgoing copyFrame
	sentDone bool

	receiveMu sync.Mutex
	// Guarded by receiveMu.
	receiveErr error
}

// CopyBoth tells the client that a copy in both directions begins. It ends with Finish, or with an
// error returned from Query.
func (w *Writer) CopyBoth(ctx context.Context) (*CopyBoth, error) {
	c := w.copyReader.conn
	w.buf = append(w.buf, 'W', 0, 0, 0, 7, 0, 0, 0)
	if err := w.flush(); err != nil {
		return nil, err
	}
	b := &CopyBoth{conn: c, ctx: ctx}
	c.flushDue = false
	c.copying = true
	c.both = b
	c.reader.limit = standbyLimit
	b.unwatch = context.AfterFunc(ctx, b.hurry)
	return b, nil
}

// hurry bounds a Send that hangs on a client that does not read, once the message is cancelled: a
// cancelled read is woken by Conn.Cancel itself.
func (b *CopyBoth) hurry() {
	c := b.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil && !b.over.Load() {
		_ = c.netConn.SetWriteDeadline(time.Now().Add(c.opts.WriteStall))
	}
}

// Send writes one CopyData made of the parts, at once. After a failure the connection is lost: part
// of a message may be out (P5).
func (b *CopyBoth) Send(parts ...[]byte) error {
	b.sendMu.Lock()
	defer b.sendMu.Unlock()
	if b.sentDone || b.over.Load() {
		return ErrCopyOver
	}
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	return b.sent(b.outgoing.write(b.conn.netConn, parts))
}

// CloseSend writes CopyDone. A second call does nothing.
func (b *CopyBoth) CloseSend() error {
	b.sendMu.Lock()
	defer b.sendMu.Unlock()
	if b.over.Load() {
		return ErrCopyOver
	}
	if b.sentDone {
		return nil
	}
	b.sentDone = true
	_, err := b.conn.netConn.Write(copyDone)
	return b.sent(err)
}

func (b *CopyBoth) sent(err error) error {
	if err == nil {
		return nil
	}
	b.conn.writer.err = err
	return errors.Join(ErrClientGone, err)
}

// Receive returns the next piece, valid until the following call (P6). io.EOF means that the client
// has sent CopyDone, ErrClientGone that it said goodbye or is lost. An error stays.
func (b *CopyBoth) Receive() ([]byte, error) {
	b.receiveMu.Lock()
	defer b.receiveMu.Unlock()
	if b.receiveErr != nil {
		return nil, b.receiveErr
	}
	body, err := b.receive()
	b.receiveErr = err
	return body, err
}

func (b *CopyBoth) receive() ([]byte, error) {
	if b.over.Load() {
		return nil, ErrCopyOver
	}
	if b.ctx.Err() != nil {
		return nil, context.Cause(b.ctx)
	}
	typ, body, err := b.conn.reader.next()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: unexpected EOF on standby connection", ErrClientGone)
	}
	if err != nil {
		return nil, err
	}
	switch typ {
	case 'c':
		return nil, io.EOF
	case 'X':
		return nil, errors.Join(errTerminated, ErrClientGone)
	}
	return body, nil
}

// Close breaks both directions and, once Query has returned, the connection. A copy that is over
// already is left alone: the connection serves other messages by then. Any goroutine.
func (b *CopyBoth) Close() error {
	c := b.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.over.CompareAndSwap(false, true) {
		b.closed.Store(true)
		c.interrupt()
		_ = c.netConn.SetWriteDeadline(time.Unix(1, 0))
	}
	return nil
}

// Finish ends the copy in order: CopyDone to the client, its own awaited and what comes before it
// dropped. Afterwards the Writer goes on. After the time given the connection is ended instead; 0
// means never. Connection goroutine only.
func (b *CopyBoth) Finish(within time.Duration) error {
	if within > 0 {
		timer := time.AfterFunc(within, func() { _ = b.Close() })
		defer timer.Stop()
	}
	if err := b.CloseSend(); err != nil {
		return err
	}
	for {
		if _, err := b.Receive(); errors.Is(err, io.EOF) {
			return b.leave(nil)
		} else if err != nil {
			return err
		}
	}
}

// leave gives the connection back to its goroutine and passes on err, which ends the connection if
// the copy was broken. Whoever still sends or receives, against the rules, is got out first.
func (b *CopyBoth) leave(err error) error {
	c := b.conn
	c.mu.Lock()
	if b.over.CompareAndSwap(false, true) {
		c.interrupt()
		_ = c.netConn.SetWriteDeadline(time.Now().Add(c.opts.WriteStall))
	}
	c.mu.Unlock()
	b.unwatch()
	b.sendMu.Lock()
	defer b.sendMu.Unlock()
	b.receiveMu.Lock()
	defer b.receiveMu.Unlock()
	c.copying, c.both = false, nil
	c.reader.limit = c.opts.messageLimit
	if !b.closed.Load() {
		c.clearWriteDeadline()
		return err
	}
	var told *Error
	if errors.As(err, &told) {
		fatal := *told
		fatal.Severity = SeverityFatal
		return &fatal
	}
	return errors.Join(ErrClientGone, err)
}

// clearWriteDeadline leaves the one alone that Terminate has set.
func (c *Conn) clearWriteDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil {
		_ = c.netConn.SetWriteDeadline(time.Time{})
	}
}

// copyFrame writes CopyData messages without gathering their parts first: they are up to hundreds
// of KiB, read from the log a moment ago.
type copyFrame struct {
	header [messageHeaderBytes]byte
	all    net.Buffers
	rest   net.Buffers // what WriteTo eats
}

func (f *copyFrame) write(conn net.Conn, parts [][]byte) error {
	length := 4
	for _, p := range parts {
		length += len(p)
	}
	if length > math.MaxInt32 {
		return fmt.Errorf("pgwire: a copy message of %d bytes cannot be sent", length)
	}
	f.header[0] = 'd'
	binary.BigEndian.PutUint32(f.header[1:], uint32(length))
	f.all = append(append(f.all[:0], f.header[:]), parts...)
	f.rest = f.all
	_, err := f.rest.WriteTo(conn)
	clear(f.all)
	return err
}
