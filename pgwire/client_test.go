package pgwire_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"
	"github.com/stretchr/testify/require"
)

// client is a raw client that can send what a driver never would.
type client struct {
	t      testing.TB
	conn   net.Conn
	front  *pgproto3.Frontend
	pid    uint32
	secret []byte
}

const clientPatience = 20 * time.Second

func dial(t testing.TB, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(clientPatience)))
	return &client{t: t, conn: conn,
		front: pgproto3.NewFrontend(pgproto3.NewChunkReader(conn), conn)}
}

// connect dials and gets through start-up.
func connect(t testing.TB, addr string) *client {
	t.Helper()
	c := dial(t, addr)
	c.send(startupPacket(3<<16, "user", "toy"))
	c.untilReady()
	return c
}

func startupPacket(version uint32, params ...string) []byte {
	body := binary.BigEndian.AppendUint32(nil, version)
	for _, p := range params {
		body = append(append(body, p...), 0)
	}
	body = append(body, 0)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
}

func (c *client) send(parts ...[]byte) {
	c.t.Helper()
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	_, err := c.conn.Write(all)
	require.NoError(c.t, err)
}

func encode(m pgproto3.FrontendMessage) []byte {
	buf, err := m.Encode(nil)
	if err != nil {
		panic(err)
	}
	return buf
}

func query(sql string) []byte { return encode(&pgproto3.Query{String: sql}) }

// receive prints the next message, or "closed".
func (c *client) receive() string {
	c.t.Helper()
	m, err := c.front.Receive()
	if err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			require.NoError(c.t, err, "the server said nothing")
		}
		return "closed"
	}
	return c.describe(m)
}

func (c *client) describe(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.ErrorResponse:
		return fmt.Sprintf("Error %s %s %q", m.Severity, m.Code, m.Message)
	case *pgproto3.NoticeResponse:
		return fmt.Sprintf("Notice %s %s %q", m.Severity, m.Code, m.Message)
	case *pgproto3.ReadyForQuery:
		return fmt.Sprintf("Ready %c", m.TxStatus)
	case *pgproto3.ParameterStatus:
		return fmt.Sprintf("ParameterStatus %s=%s", m.Name, m.Value)
	case *pgproto3.BackendKeyData:
		c.pid = m.ProcessID
		c.secret = binary.BigEndian.AppendUint32(nil, m.SecretKey)
		return "BackendKeyData"
	case *pgproto3.CommandComplete:
		return fmt.Sprintf("Complete %s", m.CommandTag)
	case *pgproto3.DataRow:
		return "Row" + printValues(m.Values)
	case *pgproto3.RowDescription:
		var b strings.Builder
		b.WriteString("Columns")
		for _, f := range m.Fields {
			fmt.Fprintf(&b, " %s:%d:%d", f.Name, f.DataTypeOID, f.Format)
		}
		return b.String()
	case *pgproto3.ParameterDescription:
		return fmt.Sprint("Parameters ", m.ParameterOIDs)
	case *pgproto3.CopyData:
		return fmt.Sprintf("CopyData %q", m.Data)
	case *pgproto3.NotificationResponse:
		return fmt.Sprintf("Notification %s %s", m.Channel, m.Payload)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
}

func printValues(values [][]byte) string {
	var b strings.Builder
	for _, v := range values {
		if v == nil {
			b.WriteString(" NULL")
		} else if len(v) > 64 {
			fmt.Fprintf(&b, " (%d bytes)", len(v))
		} else {
			fmt.Fprintf(&b, " %q", v)
		}
	}
	return b.String()
}

// until collects messages up to the first that begins with want.
func (c *client) until(want string) []string {
	c.t.Helper()
	var got []string
	for {
		m := c.receive()
		got = append(got, m)
		if strings.HasPrefix(m, want) {
			return got
		}
		require.NotEqual(c.t, "closed", m, "waited for %s, got %q", want, got)
	}
}

func (c *client) untilReady() []string { c.t.Helper(); return c.until("Ready") }

// cancelPacket is what another connection sends to cancel this one's statement.
func (c *client) cancelPacket() []byte {
	body := binary.BigEndian.AppendUint32(nil, 80877102)
	body = binary.BigEndian.AppendUint32(body, c.pid)
	body = append(body, c.secret...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
}

// silence reads to the end and requires that nothing came before it.
func (c *client) silence() {
	c.t.Helper()
	rest, err := io.ReadAll(c.conn)
	if err != nil {
		require.NotErrorIs(c.t, err, io.ErrUnexpectedEOF)
		require.NotErrorIs(c.t, err, os.ErrDeadlineExceeded, "still open")
	}
	require.Empty(c.t, hex.EncodeToString(rest))
}
