package pgwire

import "context"

// An Endpoint ends in two steps: Drain ends those that write, Shutdown everybody. What senders of
// the log still owe their standbys can be sent in between, when no more of it comes.

// Linger exempts the connection from Drain, or takes that back: when a Drain has begun meanwhile,
// the connection is ended then. Any goroutine.
func (c *Conn) Linger(on bool) {
	e := c.endpoint
	e.mu.Lock()
	defer e.mu.Unlock()
	c.lingers = on
	if e.closing && !on {
		c.Terminate(e.reason)
	}
	e.changed.Broadcast()
}

// Drain stops accepting, ends with reason every connection that does not linger, and waits until
// they are gone. When ctx ends first their sockets are closed, and it waits on.
func (e *Endpoint) Drain(ctx context.Context, reason *Error) {
	stop := context.AfterFunc(ctx, func() { e.closeSockets(false) })
	defer stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endAll(reason, false)
	for e.ordinary() > 0 {
		e.changed.Wait()
	}
}

// Shutdown stops accepting, ends every connection with reason, and waits until all are gone. When
// ctx ends first the sockets are closed, and it waits on: a Backend must come to its end before the
// data below it may be closed.
func (e *Endpoint) Shutdown(ctx context.Context, reason *Error) {
	e.mu.Lock()
	e.endAll(reason, true)
	e.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { e.closeSockets(true) })
	defer stop()
	e.done.Wait()
}

// endAll closes what accepts and starts, and ends what runs. Mu is held.
func (e *Endpoint) endAll(reason *Error, lingering bool) {
	e.closing, e.reason = true, reason
	for l := range e.listeners {
		_ = l.Close()
	}
	for c := range e.sockets {
		switch {
		case e.conns[c.pid] != c:
			_ = c.netConn.Close()
		case lingering || !c.lingers:
			c.Terminate(reason)
		}
	}
}

// ordinary counts the connections that do not linger. Mu is held.
func (e *Endpoint) ordinary() int {
	n := 0
	for c := range e.sockets {
		if !c.lingers {
			n++
		}
	}
	return n
}

func (e *Endpoint) closeSockets(lingering bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.sockets {
		if lingering || !c.lingers {
			_ = c.netConn.Close()
		}
	}
}
