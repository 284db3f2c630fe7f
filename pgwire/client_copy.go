package pgwire

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// ClientCopyBoth is the client's end of a CopyBoth: the link of a standby to its primary. One
// goroutine may send while another receives; Close is for any. When the context it was begun with
// ends, both halves are broken.
type ClientCopyBoth struct {
	client *Client
	// Before holds what the server answered before the copy began.
	Before  []*Result
	unwatch func()

	sendMu sync.Mutex
	// Guarded by sendMu.
	outgoing copyFrame
	sentDone bool

	receiving copyReceiver
}

// copyReceiver is the receiving half of a Client's copy. One goroutine uses it.
type copyReceiver struct {
	client *Client
	// ended: what stands behind the copy is next.
	ended bool
	// behind gathers it. An error of the server ends the copy, too, and is kept there.
	behind answers
	err    error
}

// CopyBoth runs a command that begins a copy in both directions. An error of the server is an
// *Error, and leaves the connection in order.
func (c *Client) CopyBoth(ctx context.Context, command string) (*ClientCopyBoth, error) {
	before, unwatch, err := c.beginCopy(ctx, command, untilCopyBoth)
	if err != nil {
		return nil, err
	}
	return &ClientCopyBoth{client: c, Before: before, unwatch: unwatch,
		receiving: copyReceiver{client: c}}, nil
}

func (c *Client) beginCopy(
	ctx context.Context, command string, kind ends,
) (before []*Result, unwatch func(), err error) {
	unwatch = c.watch(ctx)
	if err := c.ask(command); err != nil {
		unwatch()
		return nil, nil, err
	}
	a, err := c.results(kind)
	if err != nil {
		unwatch()
		return nil, nil, err
	}
	return a.results, unwatch, nil
}

// Send writes one CopyData made of the parts, at once.
func (b *ClientCopyBoth) Send(parts ...[]byte) error {
	b.sendMu.Lock()
	defer b.sendMu.Unlock()
	if b.sentDone {
		return ErrCopyOver
	}
	if err := b.outgoing.write(b.client.conn, parts); err != nil {
		return b.unsent(err)
	}
	return nil
}

// CloseSend writes CopyDone. A second call does nothing.
func (b *ClientCopyBoth) CloseSend() error {
	b.sendMu.Lock()
	defer b.sendMu.Unlock()
	if b.sentDone {
		return nil
	}
	b.sentDone = true
	if _, err := b.client.conn.Write(copyDone); err != nil {
		return b.unsent(err)
	}
	return nil
}

// unsent breaks the connection: part of a message may be out (P5).
func (b *ClientCopyBoth) unsent(err error) error {
	err = fmt.Errorf("pgwire: send: %w", b.client.lost(err))
	b.client.breakOff(err)
	return err
}

// Receive returns the next piece, valid until the following call. io.EOF means that the server has
// ended the copy, an *Error that it failed; after both Finish leads on. os.ErrDeadlineExceeded
// means that the deadline passed: the next call goes on.
func (b *ClientCopyBoth) Receive() ([]byte, error) { return b.receiving.next() }

// SetReceiveDeadline bounds Receive; the zero time lifts it. Any goroutine.
func (b *ClientCopyBoth) SetReceiveDeadline(t time.Time) error {
	return b.client.setDeadline(b.client.conn.SetReadDeadline, t)
}

// SetSendDeadline bounds Send and CloseSend; the zero time lifts it. Any goroutine.
func (b *ClientCopyBoth) SetSendDeadline(t time.Time) error {
	return b.client.setDeadline(b.client.conn.SetWriteDeadline, t)
}

// setDeadline leaves that of a broken connection in place.
func (c *Client) setDeadline(set func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	return set(t)
}

// Close breaks both directions, and the connection with them. Any goroutine.
func (b *ClientCopyBoth) Close() error {
	b.client.breakOff(ErrClosed)
	return nil
}

// Finish ends the copy: CopyDone if it was not sent, the rest of what the server sends dropped. It
// returns what the server answers behind the copy; its error, if the copy failed. The connection
// then takes the next command. Nobody may be in Receive.
func (b *ClientCopyBoth) Finish(ctx context.Context) ([]*Result, error) {
	b.unwatch()
	defer b.client.watch(ctx)()
	if err := b.client.setDeadline(b.client.conn.SetDeadline, time.Time{}); err != nil {
		return nil, err
	}
	// A server whose copy failed waits for no CopyDone, and may be gone.
	if b.receiving.behind.failed == nil {
		if err := b.CloseSend(); err != nil {
			return nil, err
		}
	}
	return b.receiving.finish()
}

// next returns the next piece of the copy.
func (r *copyReceiver) next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	for {
		typ, body, err := r.client.in.next()
		if err != nil {
			return nil, err
		}
		switch typ {
		case 'd':
			return body, nil
		case 'c':
			r.ended, r.err = true, io.EOF
			return nil, r.err
		case 'C':
			// A Postgres that shuts down ends its copy so.
			r.ended, r.err = true, io.EOF
			if err := r.behind.take(typ, body); err != nil {
				return nil, r.client.misread(err)
			}
			return nil, r.err
		case 'E':
			failed, err := decodeError(body)
			if err != nil {
				return nil, r.client.misread(err)
			}
			r.ended, r.err, r.behind.failed = true, failed, failed
			return nil, r.err
		case 'N', 'A':
		case 'S':
			if err := r.client.parameter(body); err != nil {
				return nil, r.client.misread(err)
			}
		default:
			return nil, r.client.misread(fmt.Errorf("%w: type %q in a copy", ErrUnexpected, typ))
		}
	}
}

// finish drops what is left of the copy and reads to ReadyForQuery.
func (r *copyReceiver) finish() ([]*Result, error) {
	for !r.ended {
		if _, err := r.next(); err != nil && !r.ended {
			return nil, err
		}
	}
	a, err := r.client.results(untilReady)
	if r.behind.failed != nil {
		return nil, r.behind.failed
	}
	return append(r.behind.results, a.results...), err
}

// ClientCopyOut is a copy from the server: a base backup.
type ClientCopyOut struct {
	// Before holds what the server answered before the copy began.
	Before    []*Result
	receiving copyReceiver
	unwatch   func()
}

// CopyOut runs a command that begins a copy from the server. The context bounds all of it.
func (c *Client) CopyOut(ctx context.Context, command string) (*ClientCopyOut, error) {
	before, unwatch, err := c.beginCopy(ctx, command, untilCopyOut)
	if err != nil {
		return nil, err
	}
	return &ClientCopyOut{Before: before, unwatch: unwatch, receiving: copyReceiver{client: c}}, nil
}

// Next returns the next piece, valid until the following call; io.EOF behind the last.
func (o *ClientCopyOut) Next() ([]byte, error) { return o.receiving.next() }

// SetDeadline bounds Next; the zero time lifts it. Any goroutine.
func (o *ClientCopyOut) SetDeadline(t time.Time) error {
	c := o.receiving.client
	return c.setDeadline(c.conn.SetReadDeadline, t)
}

// Finish drops what is left and returns what the server answers behind the copy.
func (o *ClientCopyOut) Finish() ([]*Result, error) {
	defer o.unwatch()
	return o.receiving.finish()
}
