package pgwire_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"

	"ackdb/pgwire"
)

// streamConn is a net.Conn that reads from a slice and swallows what is written.
type streamConn struct {
	net.Conn
	rest []byte
}

func (s *streamConn) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *streamConn) Write(p []byte) (int, error)      { return len(p), nil }
func (s *streamConn) Close() error                     { return nil }
func (s *streamConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *streamConn) SetDeadline(time.Time) error      { return nil }
func (s *streamConn) SetReadDeadline(time.Time) error  { return nil }
func (s *streamConn) SetWriteDeadline(time.Time) error { return nil }

// FuzzStartup: no start-up panics, and what gets through named a user.
func FuzzStartup(f *testing.F) {
	f.Add(startupPacket(3<<16, "user", "toy", "database", "x", "options", "-c a=b"))
	f.Add(startupPacket(3<<16|9999, "user", "toy", "_pq_.x", ""))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte{0, 0, 0, 8, 4, 210, 22, 47})
	f.Add([]byte{0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2})
	f.Add([]byte{0, 0, 0, 9, 0, 3, 0, 0, 'u'})
	e := pgwire.NewEndpoint(&toyServer{}, pgwire.Options{})
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := pgwire.Startup(e, &streamConn{rest: data})
		if err == nil && info.Params["user"] == "" {
			t.Fatal("a session without a user")
		}
	})
}

// FuzzReceive: no stream of messages panics or hangs. The seeds hold what the library's decoders
// panic on: Query and CopyFail with an empty body, Bind with a parameter length below -1,
// SASLInitialResponse and FunctionCall with lengths that are not there.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{'Q', 0, 0, 0, 4})
	f.Add(append(query("copyin"), 'f', 0, 0, 0, 4))
	f.Add([]byte{'B', 0, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0})
	f.Add([]byte{'B', 0, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0})
	f.Add([]byte{'p', 0, 0, 0, 9, 'S', 0, 0xff, 0xff, 0xff})
	f.Add([]byte{'F', 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff})
	f.Add([]byte{'P', 0, 0, 0, 8, 0, 0, 0xff, 0xff})
	f.Add(append(encode(&pgproto3.Parse{Query: "echo $1"}),
		encode(&pgproto3.Bind{Parameters: [][]byte{nil}})...))
	f.Add(append(query("begin"), query("select 4")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		server := &toyServer{hasty: true}
		e := pgwire.NewEndpoint(server, pgwire.Options{MaxMessageBytes: 1 << 20})
		stream := append(startupPacket(3<<16, "user", "toy"), data...)
		pgwire.Handle(e, &streamConn{rest: stream})
	})
}

// TestKnownPanics is the negative control of FuzzReceive's seeds: the library's own decoders do
// panic on them, so the checks in front are what keeps the server alive.
func TestKnownPanics(t *testing.T) {
	bind := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0, 0, 1}, 0x80000000)
	for name, decode := range map[string]func() error{
		"Query":    func() error { return new(pgproto3.Query).Decode(nil) },
		"CopyFail": func() error { return new(pgproto3.CopyFail).Decode(nil) },
		"Bind":     func() error { return new(pgproto3.Bind).Decode(append(bind, 0, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("the library has learned to refuse this: the check may go")
				}
			}()
			_ = decode()
		})
	}
}
