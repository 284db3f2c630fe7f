package pgwire_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"
	"github.com/stretchr/testify/require"

	"ackdb/pgwire"
)

func dialReplication(t *testing.T, addr string) (*pgwire.Client, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientPatience)
	t.Cleanup(cancel)
	c, err := pgwire.DialReplication(ctx, addr, map[string]string{"user": "toy"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c, ctx
}

func requireCode(t *testing.T, code string, err error) {
	t.Helper()
	var e *pgwire.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code)
}

// TestClientCopyBoth: pieces both ways, results behind, and the connection in order afterwards.
func TestClientCopyBoth(t *testing.T) {
	server := &toyServer{}
	addr, _ := start(t, server, pgwire.Options{})
	c, ctx := dialReplication(t, addr)
	require.Equal(t, pgwire.PhysicalReplication, server.session(0).info.Replication())
	version, _ := c.Parameter("server_version")
	require.Equal(t, "15.0 (toy)", version)
	for range 3 {
		both, err := c.CopyBoth(ctx, "copyboth")
		require.NoError(t, err)
		for _, piece := range []string{"a", "", "b"} {
			require.NoError(t, both.Send([]byte(piece), []byte("!")))
			got, err := both.Receive()
			require.NoError(t, err)
			require.Equal(t, "echo "+piece+"!", string(got))
		}
		require.NoError(t, both.Send([]byte("done")))
		_, err = both.Receive()
		require.Equal(t, io.EOF, err)
		behind, err := both.Finish(ctx)
		require.NoError(t, err)
		require.Len(t, behind, 2)
		require.Equal(t, "2", *behind[0].Rows[0][0])
		require.Equal(t, "START_STREAMING", behind[0].Tag)
		require.Equal(t, "START_REPLICATION", behind[1].Tag)
		require.ErrorIs(t, both.Send([]byte("late")), pgwire.ErrCopyOver)
		requireQuery(t, c)
	}
}

func requireQuery(t *testing.T, c *pgwire.Client) {
	t.Helper()
	r, err := c.Query(context.Background(), "select 1")
	require.NoError(t, err)
	require.Equal(t, "0", *r.Rows[0][0])
}

// TestClientCopyRefused: an error instead of the copy, or in its middle, leaves the connection in
// order.
func TestClientCopyRefused(t *testing.T) {
	addr, _ := start(t, &toyServer{}, pgwire.Options{})
	c, ctx := dialReplication(t, addr)
	_, err := c.CopyBoth(ctx, "fail 55006")
	requireCode(t, "55006", err)
	_, err = c.CopyBoth(ctx, "select 1")
	require.ErrorIs(t, err, pgwire.ErrUnexpected)
	_, err = c.CopyOut(ctx, "fail 58P01")
	requireCode(t, "58P01", err)

	both, err := c.CopyBoth(ctx, "copyboth")
	require.NoError(t, err)
	require.NoError(t, both.Send([]byte("fail")))
	_, err = both.Receive()
	requireCode(t, "58P01", err)
	_, err = both.Receive()
	requireCode(t, "58P01", err)
	_, err = both.Finish(ctx)
	requireCode(t, "58P01", err)
	requireQuery(t, c)
}

// TestClientCopyBroken: the end of the context, and Close, get out both halves.
func TestClientCopyBroken(t *testing.T) {
	addr, _ := start(t, &toyServer{}, pgwire.Options{WriteStall: 20 * time.Millisecond})
	for name, end := range map[string]func(cancel func(), both *pgwire.ClientCopyBoth) error{
		"context": func(cancel func(), _ *pgwire.ClientCopyBoth) error {
			cancel()
			return context.Canceled
		},
		"close": func(_ func(), both *pgwire.ClientCopyBoth) error {
			require.NoError(t, both.Close())
			return pgwire.ErrClosed
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := dialReplication(t, addr)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			both, err := c.CopyBoth(ctx, "copyboth")
			require.NoError(t, err)
			received := make(chan error)
			go func() {
				_, err := both.Receive()
				received <- err
			}()
			want := end(cancel, both)
			require.ErrorIs(t, <-received, want)
			require.ErrorIs(t, both.Send([]byte("x")), want)
			require.ErrorIs(t, both.SetReceiveDeadline(time.Time{}), want)
			_, err = c.Query(context.Background(), "select 1")
			require.ErrorIs(t, err, want)
		})
	}
}

// script is a server that answers what it is told to, whatever it is asked.
func script(t testing.TB, answer ...[]byte) (*pgwire.Client, net.Conn) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	go func() { _, _ = theirs.Write(bytes.Join(answer, nil)) }()
	return pgwire.ClientOn(ours), theirs
}

func encodeAnswer(m pgproto3.BackendMessage) []byte {
	buf, err := m.Encode(nil)
	if err != nil {
		panic(err)
	}
	return buf
}

func resultSet(tag string, values ...string) (all []byte) {
	columns := &pgproto3.RowDescription{}
	row := &pgproto3.DataRow{}
	for _, v := range values {
		columns.Fields = append(columns.Fields, pgproto3.FieldDescription{Name: []byte("c")})
		row.Values = append(row.Values, []byte(v))
	}
	if len(values) > 0 {
		all = append(encodeAnswer(columns), encodeAnswer(row)...)
	}
	return append(all, encodeAnswer(&pgproto3.CommandComplete{CommandTag: []byte(tag)})...)
}

func piece(data string) []byte { return encodeAnswer(&pgproto3.CopyData{Data: []byte(data)}) }

var (
	readyMessage    = []byte{'Z', 0, 0, 0, 5, 'I'}
	copyBothMessage = []byte{'W', 0, 0, 0, 7, 0, 0, 0}
	copyOutMessage  = []byte{'H', 0, 0, 0, 7, 0, 0, 0}
	copyDoneMessage = []byte{'c', 0, 0, 0, 4}
)

// TestClientDeadline: what has arrived of a message when the deadline passes is not lost.
func TestClientDeadline(t *testing.T) {
	c, server := script(t, copyBothMessage, piece("whole"), piece("torn in two")[:9])
	both, err := c.CopyBoth(context.Background(), "START_REPLICATION")
	require.NoError(t, err)
	got, err := both.Receive()
	require.NoError(t, err)
	require.Equal(t, "whole", string(got))
	for range 2 {
		require.NoError(t, both.SetReceiveDeadline(time.Unix(1, 0)))
		_, err = both.Receive()
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	require.NoError(t, both.SetReceiveDeadline(time.Time{}))
	go func() { _, _ = server.Write(piece("torn in two")[9:]) }()
	got, err = both.Receive()
	require.NoError(t, err)
	require.Equal(t, "torn in two", string(got))
}

// TestClientPostgresShutdown: a walsender that shuts down completes without CopyDone, and closes.
func TestClientPostgresShutdown(t *testing.T) {
	c, server := script(t, copyBothMessage, piece("w"), resultSet("COPY 0"))
	both, err := c.CopyBoth(context.Background(), "START_REPLICATION")
	require.NoError(t, err)
	_, err = both.Receive()
	require.NoError(t, err)
	_, err = both.Receive()
	require.Equal(t, io.EOF, err)
	require.NoError(t, server.Close())
	_, err = both.Finish(context.Background())
	require.Error(t, err)
}

// TestClientCopyOut reads what a base backup answers: results before and behind, and the last
// completion alone.
func TestClientCopyOut(t *testing.T) {
	notice := encodeAnswer(&pgproto3.NoticeResponse{Severity: "NOTICE", Message: "in the middle"})
	c, _ := script(t, resultSet("SELECT", "0/2000028", "1"), resultSet("SELECT", "x"), copyOutMessage,
		piece("nbase.tar"), notice, piece("dtar"), copyDoneMessage,
		resultSet("SELECT", "0/3000000"), resultSet("BASE_BACKUP"), readyMessage)
	out, err := c.CopyOut(context.Background(), "BASE_BACKUP")
	require.NoError(t, err)
	require.Len(t, out.Before, 2)
	require.Equal(t, "0/2000028", *out.Before[0].Rows[0][0])
	for _, want := range []string{"nbase.tar", "dtar"} {
		got, err := out.Next()
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	_, err = out.Next()
	require.Equal(t, io.EOF, err)
	behind, err := out.Finish()
	require.NoError(t, err)
	require.Len(t, behind, 2)
	require.Equal(t, "0/3000000", *behind[0].Rows[0][0])
	require.Equal(t, "BASE_BACKUP", behind[1].Tag)
}

// TestClientHostileServer: a server cannot make a client panic, hang or buffer what did not come.
func TestClientHostileServer(t *testing.T) {
	announce := func(typ byte, length uint32) []byte {
		return binary.BigEndian.AppendUint32([]byte{typ}, length)
	}
	for name, answer := range map[string][]byte{
		"a type of no server":  announce('Q', 4),
		"length 3":             announce('Z', 3),
		"negative length":      announce('D', 0x80000000),
		"a gigabyte":           announce('d', 1<<30),
		"a long goodbye":       announce('Z', 1<<20),
		"a row for no columns": encodeAnswer(&pgproto3.DataRow{Values: [][]byte{nil}}),
		"a short row":          {'D', 0, 0, 0, 5, 0},
		"short columns":        {'T', 0, 0, 0, 6, 0, 1},
		"a password":           {'R', 0, 0, 0, 8, 0, 0, 0, 3},
		"a copy in":            {'G', 0, 0, 0, 7, 0, 0, 0},
		"nothing":              {},
	} {
		t.Run(name, func(t *testing.T) {
			c, server := script(t)
			go func() {
				_, _ = server.Write(answer)
				_ = server.Close()
			}()
			_, err := c.QueryAll(context.Background(), "select 1")
			require.Error(t, err)
			require.LessOrEqual(t, pgwire.ClientBuffer(c), 8<<10)
		})
	}
}

// FuzzClient: no answer of a server panics or hangs a client, whatever it has asked.
func FuzzClient(f *testing.F) {
	f.Add(bytes.Join([][]byte{resultSet("SELECT 1", "x", "y"), readyMessage}, nil))
	f.Add(bytes.Join([][]byte{resultSet("SELECT", "x"), copyOutMessage, piece("p"),
		copyDoneMessage, resultSet("BASE_BACKUP"), readyMessage}, nil))
	f.Add(bytes.Join([][]byte{copyBothMessage, piece("w"), copyDoneMessage,
		resultSet("START_STREAMING", "2"), resultSet("START_REPLICATION"), readyMessage}, nil))
	f.Add(append(encodeAnswer(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P01"}),
		encodeAnswer(&pgproto3.ParameterStatus{Name: "n", Value: "v"})...))
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := context.Background()
		_, _ = pgwire.ClientOn(&streamConn{rest: data}).QueryAll(ctx, "select 1")
		if out, err := pgwire.ClientOn(&streamConn{rest: data}).CopyOut(ctx, "x"); err == nil {
			_, _ = out.Finish()
		}
		if both, err := pgwire.ClientOn(&streamConn{rest: data}).CopyBoth(ctx, "x"); err == nil {
			_, _ = both.Finish(ctx)
		}
	})
}
