package pgwire

import (
	"errors"
	"io"
	"time"
)

// errTerminated is a client's goodbye.
var errTerminated = errors.New("pgwire: client said goodbye")

// serve handles messages until the connection ends, and returns why it did.
func (c *Conn) serve() error {
	c.ready()
	for {
		typ, body, err := c.reader.next()
		if err != nil {
			return err
		}
		if err := c.attendEnding(); err != nil {
			return err
		}
		// P2: the one place that skips.
		if c.skipToSync && typ != 'S' && typ != 'X' {
			continue
		}
		c.idle = false
		if err := c.dispatch(typ, body); err != nil {
			return err
		}
	}
}

// attendEnding keeps a client that always has input ready from outliving Terminate.
func (c *Conn) attendEnding() error {
	if !c.signal.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending != nil {
		return c.ending
	}
	return nil
}

// dispatch handles one message. What it returns ends the connection; an error of the message itself
// has been answered.
func (c *Conn) dispatch(typ byte, body []byte) error {
	switch typ {
	case 'P', 'B', 'D', 'E', 'C':
		if late := c.late.Load(); late != nil {
			c.ForgetCancel()
			return c.extended(late)
		}
	}
	switch typ {
	case 'B':
		return c.extended(c.bindPortal(body))
	case 'E':
		return c.extended(c.execute(body))
	case 'S':
		return c.sync(body)
	case 'D':
		return c.extended(c.describe(body))
	case 'P':
		return c.extended(c.parseStatement(body))
	case 'Q':
		return c.query(body)
	case 'C':
		return c.extended(c.closeTarget(body))
	case 'H':
		c.flushDue = true
		return nil
	case 'X':
		return errTerminated
	case 'F':
		return c.functionCall()
	case 'd', 'c', 'f':
		// The rest of a COPY that has failed: the client cannot know yet.
		return nil
	}
	return Fatalf(CodeProtocolViolation, "invalid frontend message type %d", typ)
}

// extended answers the error of an extended-protocol message.
func (c *Conn) extended(err error) error {
	if err == nil {
		return c.writer.flushIfFull()
	}
	c.skipToSync = true
	return c.fail(err)
}

// fail sends err, or returns it when it ends the connection. The client must see an error even
// though it sends no Sync until it has seen it, so a flush is due.
func (c *Conn) fail(err error) error {
	if errors.Is(err, ErrClientGone) || errors.Is(err, io.EOF) {
		return err
	}
	if errors.Is(err, ErrEndSession) {
		_ = c.netConn.SetWriteDeadline(time.Now().Add(c.opts.WriteStall))
		return errors.Join(errTerminated, c.writer.flush())
	}
	e := AsError(err)
	if e.Fatal() {
		return e
	}
	if err := c.attendEnding(); err != nil {
		return err
	}
	c.backend.Fail(e)
	c.tell(e)
	c.flushDue = true
	return nil
}

func (c *Conn) query(body []byte) error {
	err := c.runQuery(body)
	if err != nil {
		if err := c.fail(err); err != nil {
			return err
		}
	}
	c.ready()
	return nil
}

// runQuery: a simple query destroys the unnamed statement and portal.
func (c *Conn) runQuery(body []byte) error {
	sql, err := decodeQuery(body)
	if err != nil {
		return err
	}
	c.prepared.dropUnnamed()
	c.portals.drop(nil)
	ctx := c.begin()
	defer c.end()
	err = c.backend.Query(ctx, sql, &c.writer)
	if c.both != nil {
		err = c.both.leave(err)
	}
	return err
}

func (c *Conn) sync(body []byte) error {
	c.skipToSync = false
	if len(body) != 0 {
		if err := c.fail(Errorf(CodeProtocolViolation, "invalid message format")); err != nil {
			return err
		}
	}
	if err := c.runSync(); err != nil {
		if err := c.fail(err); err != nil {
			return err
		}
	}
	if c.backend.TxStatus() == TxIdle {
		c.portals.closeAll(false)
	}
	c.ready()
	return nil
}

func (c *Conn) runSync() error {
	ctx := c.begin()
	defer c.end()
	return c.backend.Sync(ctx, &c.writer)
}

func (c *Conn) ready() {
	c.backend.Ready(&c.writer)
	c.writer.readyForQuery(c.backend.TxStatus())
	c.flushDue = true
	c.idle = true
	if c.woken.Load() {
		c.signal.Store(true)
	}
}

func (c *Conn) functionCall() error {
	err := c.fail(Errorf(CodeFeatureNotSupported, "fastpath function calls are not supported"))
	if err != nil {
		return err
	}
	c.ready()
	return nil
}
