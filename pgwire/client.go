package pgwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgproto3/v2"
)

// Client is a connection to a server, for commands of our own and for a standby's link to its
// primary: simple queries, text results, copies, no password. It is no driver. One goroutine uses
// it at a time; what a copy allows besides is said there.
//
// A context that ends while a call runs breaks the connection: what the server is about to answer
// could not be told from the answer to the next call.
type Client struct {
	conn net.Conn
	in   reader

	mu sync.Mutex
	// Guarded by mu.
	params map[string]string
	broken error // why the connection cannot be used any more
}

// clientTimeout bounds the start-up of a Client, and its goodbye. Queries are bounded by contexts.
const clientTimeout = 10 * time.Second

// ErrClosed is what a Client returns that was closed, or broken by a context.
var ErrClosed = errors.New("pgwire: connection closed")

// Dial connects with these start-up parameters.
func Dial(ctx context.Context, addr string, params map[string]string) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("pgwire: connect to %s: %w", addr, err)
	}
	c := newClient(conn)
	if err := c.start(ctx, params); err != nil {
		return nil, errors.Join(fmt.Errorf("pgwire: connect to %s: %w", addr, err), conn.Close())
	}
	return c, nil
}

// DialReplication is Dial for a session of replication commands. Params may ask for another kind
// ("replication": "database"), and is not changed.
func DialReplication(
	ctx context.Context, addr string, params map[string]string,
) (*Client, error) {
	all := map[string]string{"replication": "true", "database": "replication"}
	for name, value := range params {
		all[name] = value
	}
	return Dial(ctx, addr, all)
}

func newClient(conn net.Conn) *Client {
	c := &Client{conn: conn, params: make(map[string]string)}
	c.in = reader{fill: c.fill, limit: answerLimit, budget: &budget{max: clientBufferedBytes}}
	return c
}

func (c *Client) start(ctx context.Context, params map[string]string) error {
	defer c.watch(ctx)()
	startup := &pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: params}
	packet, err := startup.Encode(nil)
	if err != nil {
		return err
	}
	if _, err := c.conn.Write(packet); err != nil {
		return c.lost(err)
	}
	_, err = c.results(untilReady)
	return err
}

// watch breaks the connection when ctx ends before the returned function is called.
func (c *Client) watch(ctx context.Context) func() {
	stop := context.AfterFunc(ctx, func() { c.breakOff(context.Cause(ctx)) })
	return func() { stop() }
}

// breakOff lets nobody use the connection any more, and gets out who does.
func (c *Client) breakOff(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = why
		_ = c.conn.SetDeadline(time.Unix(1, 0))
	}
}

// lost tells why a read or write failed: our own doing, or the network's.
func (c *Client) lost(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	return err
}

// fill waits for the server. A deadline set by a copy's owner leaves the connection as it was: what
// has arrived of a message stays, and the next call goes on behind it.
func (c *Client) fill(buf []byte) (int, error) {
	n, err := c.conn.Read(buf)
	if n > 0 {
		return n, nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, c.lost(err)
	}
	return 0, c.lost(fmt.Errorf("pgwire: receive: %w", unexpected(err)))
}

// Parameter is the newest value the server has reported of a setting.
func (c *Client) Parameter(name string) (value string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok = c.params[name]
	return value, ok
}

// RemoteAddr is the server's address.
func (c *Client) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Query runs a simple query and returns the last of its results that has columns, with the last
// tag. An error of the server is an *Error.
func (c *Client) Query(ctx context.Context, sql string) (*Result, error) {
	all, err := c.QueryAll(ctx, sql)
	if err != nil {
		return nil, err
	}
	last := &Result{}
	for _, r := range all {
		notices := append(last.Notices, r.Notices...)
		tag := r.Tag
		if r.Columns != nil {
			last = r
		}
		last.Notices, last.Tag = notices, tag
	}
	return last, nil
}

// QueryAll runs a simple query and returns what each of its statements answered: a result for each
// completion.
func (c *Client) QueryAll(ctx context.Context, sql string) ([]*Result, error) {
	defer c.watch(ctx)()
	if err := c.ask(sql); err != nil {
		return nil, err
	}
	a, err := c.results(untilReady)
	return a.results, err
}

// ask sends a simple query.
func (c *Client) ask(sql string) error {
	packet, err := (&pgproto3.Query{String: withoutNUL(sql)}).Encode(nil)
	if err != nil {
		return err
	}
	if _, err := c.conn.Write(packet); err != nil {
		return fmt.Errorf("pgwire: send query: %w", c.lost(err))
	}
	return nil
}

// Close says goodbye, if the connection still takes it.
func (c *Client) Close() error {
	c.mu.Lock()
	first := c.broken == nil
	if first {
		c.broken = ErrClosed
		_ = c.conn.SetDeadline(time.Now().Add(clientTimeout))
	}
	c.mu.Unlock()
	if !first {
		return c.conn.Close()
	}
	_, err := c.conn.Write([]byte{'X', 0, 0, 0, 4})
	return errors.Join(err, c.conn.Close())
}
