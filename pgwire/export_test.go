package pgwire

import (
	"io"
	"net"
)

// What the fuzzers reach.

// Startup runs the start-up phase alone on nc.
func Startup(e *Endpoint, nc net.Conn) (*StartupInfo, error) {
	return newConn(e, nc).startup()
}

// Buffered is how many bytes connections hold of large messages.
func Buffered(e *Endpoint) int64 { return e.budget.used.Load() }

// FirstMessage reads one message of stream and returns the memory the reader came to hold.
func FirstMessage(stream io.Reader, opts Options) (buffer int, err error) {
	opts = opts.withDefaults()
	r := reader{fill: stream.Read, limit: opts.messageLimit, budget: &budget{max: opts.MaxBufferedBytes}}
	_, _, err = r.next()
	return len(r.buf), err
}

// Handle runs a connection from its first byte to its last, on the caller's goroutine.
func Handle(e *Endpoint, nc net.Conn) {
	c := newConn(e, nc)
	e.done.Add(1)
	e.handle(c)
}

// ClientOn is a Client past its start-up on nc.
func ClientOn(nc net.Conn) *Client { return newClient(nc) }

// ClientBuffer is how much memory a Client holds for reading.
func ClientBuffer(c *Client) int { return len(c.in.buf) }
