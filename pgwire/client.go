package pgwire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgproto3/v2"
)

// Client is a connection to a server, for commands of our own that need one: simple queries, text
// results, no password. It is no driver.
type Client struct {
	conn  net.Conn
	front *pgproto3.Frontend
}

// clientTimeout bounds the start-up of a Client; its queries are bounded by their contexts.
const clientTimeout = 10 * time.Second

// Dial connects with these start-up parameters.
func Dial(ctx context.Context, addr string, params map[string]string) (*Client, error) {
	dialer := net.Dialer{Timeout: clientTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("pgwire: connect to %s: %w", addr, err)
	}
	c := &Client{conn: conn, front: pgproto3.NewFrontend(pgproto3.NewChunkReader(conn), conn)}
	if err := c.start(params); err != nil {
		return nil, errors.Join(fmt.Errorf("pgwire: connect to %s: %w", addr, err), conn.Close())
	}
	return c, nil
}

func (c *Client) start(params map[string]string) error {
	if err := c.conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		return err
	}
	startup := &pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: params}
	if err := c.front.Send(startup); err != nil {
		return err
	}
	if _, err := c.results(); err != nil {
		return err
	}
	return c.conn.SetDeadline(time.Time{})
}

// Result is what a query answered: the rows of its last statement that gave any.
type Result struct {
	Columns []string
	Rows    [][]*string // nil is NULL
	Tag     string
	Notices []*Error
}

// Query runs a simple query. When ctx ends first the connection cannot be used any more.
func (c *Client) Query(ctx context.Context, sql string) (*Result, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := c.front.Send(&pgproto3.Query{String: sql}); err != nil {
		return nil, fmt.Errorf("pgwire: send query: %w", errors.Join(err, ctx.Err()))
	}
	result, err := c.results()
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("pgwire: query: %w", ctx.Err())
	}
	return result, err
}

// results reads up to ReadyForQuery. A server that ends the connection has said why just before.
func (c *Client) results() (*Result, error) {
	result := &Result{}
	var failed error
	for {
		m, err := c.front.Receive()
		if err != nil {
			if failed != nil {
				return nil, failed
			}
			return nil, fmt.Errorf("pgwire: receive: %w", err)
		}
		switch m := m.(type) {
		case *pgproto3.ReadyForQuery:
			return result, failed
		case *pgproto3.ErrorResponse:
			failed = errorOf(m)
		case *pgproto3.NoticeResponse:
			result.Notices = append(result.Notices, errorOf((*pgproto3.ErrorResponse)(m)))
		default:
			result.take(m)
		}
	}
}

func (r *Result) take(m pgproto3.BackendMessage) {
	switch m := m.(type) {
	case *pgproto3.RowDescription:
		r.Columns, r.Rows = nil, nil
		for _, f := range m.Fields {
			r.Columns = append(r.Columns, string(f.Name))
		}
	case *pgproto3.DataRow:
		row := make([]*string, len(m.Values))
		for i, v := range m.Values {
			if v != nil {
				text := string(v)
				row[i] = &text
			}
		}
		r.Rows = append(r.Rows, row)
	case *pgproto3.CommandComplete:
		r.Tag = string(m.CommandTag)
	}
}

func errorOf(m *pgproto3.ErrorResponse) *Error {
	return &Error{Severity: m.Severity, Code: m.Code, Message: m.Message, Detail: m.Detail,
		Hint: m.Hint, Position: m.Position}
}

// Close says goodbye.
func (c *Client) Close() error {
	goodbye := binary.BigEndian.AppendUint32([]byte{'X'}, 4)
	_, err := c.conn.Write(goodbye)
	return errors.Join(err, c.conn.Close())
}
